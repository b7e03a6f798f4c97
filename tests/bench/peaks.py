"""How much memory a process needs. Imports nothing, for it counts too."""


def peak(pid: int | str = "self") -> float:
    """Peak resident size (VmHWM) in MB. Unlike getrusage's it is the process's own."""
    return _megabytes(pid, "VmHWM:")


def resident(pid: int | str = "self") -> float:
    """Resident size (VmRSS) in MB, now."""
    return _megabytes(pid, "VmRSS:")


def _megabytes(pid: int | str, name: str) -> float:
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        [line] = [line for line in status if line.startswith(name)]
    return int(line.split()[1]) / 1024
