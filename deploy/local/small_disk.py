"""A small file system of its own for one program, which can be filled to the last byte.

Always holds: nobody but the programs that are started through `within` sees it, and nothing of it
is left when the process that made it is gone, however it went: it exists in a mount namespace
that ends with the last program in it, and each of those dies with its parent.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.process import PartError, find_program, running

READY_SECONDS = 10.0
BALLAST = "ballast"
LARGEST = 1024 * 1024
MOUNT = 'mount -t tmpfs -o "size=$1" small "$2" && echo mounted && exec sleep infinity'


def can_mount() -> bool:
    """Whether this machine lets us do it: Linux, and we are root with the right to mount."""
    try:
        unshare = find_program("unshare")
        find_program("nsenter")
    except PartError:
        return False
    # In a namespace that is over at once, so that nothing is really covered by it.
    command = [unshare, "--mount", "mount", "-t", "tmpfs", "none", tempfile.gettempdir()]
    if os.geteuid() != 0:
        return False
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=READY_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


class SmallDisk:
    """The file system. What its files take up is memory."""

    def __init__(self, path: Path, holder: int) -> None:
        self.within = (
            find_program("nsenter"),
            f"--mount=/proc/{holder}/ns/mnt",
            "--",
        )
        # Its own view of the file tree, through which we reach what we do not see ourselves.
        self._seen = Path(f"/proc/{holder}/root", *path.absolute().parts[1:])

    @property
    def free(self) -> int:
        """In bytes."""
        found = os.statvfs(self._seen)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Leave no byte free. Whoever frees some meanwhile is not prevented."""
        size = LARGEST
        with (self._seen / BALLAST).open("ab", buffering=0) as ballast:
            while size:
                try:
                    ballast.write(bytes(size))
                except OSError:
                    size //= 2

    def clear(self) -> None:
        """Undo `fill`."""
        with contextlib.suppress(FileNotFoundError):
            (self._seen / BALLAST).unlink()


@asynccontextmanager
async def mounted(path: Path, size: int, log: Path) -> AsyncIterator[SmallDisk]:
    """A file system of `size` bytes at `path`, for programs started `within` it only.

    Raises PartError where `can_mount` is false.
    """
    async with running("small disk", _command(path, size), log=log, grace=1.0) as holder:

        async def is_mounted() -> bool:
            return "mounted" in holder.tail().splitlines()

        await holder.ready(is_mounted, READY_SECONDS)
        yield SmallDisk(path, holder.pid)


def _command(path: Path, size: int) -> list[str]:
    path.mkdir(parents=True, exist_ok=True)
    return ["unshare", "--mount", "--", "sh", "-c", MOUNT, "sh", str(size), str(path)]
