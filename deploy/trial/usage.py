"""What the processes of a run use: processor time and memory, by what they are.

Always holds: processes that have ended meanwhile count with what they had used when they were last
looked at, which is at most a second before.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LOOK_EVERY = 1.0
SERVICE = "services."
BROKERS = ("tansu", "java")


@dataclass(slots=True)
class Used:
    """`cpu` in seconds, `memory` in MB: the most that was resident at one look."""

    cpu: float = 0.0
    memory: float = 0.0


@dataclass(slots=True)
class Usage:
    """What each process of this one's family has used, by its id."""

    _seen: dict[int, tuple[str, Used]] = field(default_factory=dict)

    def look(self) -> None:
        """See what they have used by now."""
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                name = "people and coordinator" if process == me else _name(process)
                times, memory = process.cpu_times(), process.memory_info().rss / 1024**2
                before, used = self._seen.get(process.pid, (name, Used()))
                # A child becomes its program a little later; who is just ending has no name.
                self._seen[process.pid] = name or before, used
                used.cpu = times.user + times.system
                used.memory = max(used.memory, memory)

    def by_name(self) -> dict[str, dict[str, float]]:
        """`cpu_seconds` in all and `peak_megabytes` of one, for each kind of process."""
        found: dict[str, Used] = {}
        for name, used in self._seen.values():
            total = found.setdefault(name, Used())
            total.cpu += used.cpu
            total.memory = max(total.memory, used.memory)
        return {
            name: {"cpu_seconds": round(used.cpu, 1), "peak_megabytes": round(used.memory, 1)}
            for name, used in sorted(found.items())
        }


def _name(process: psutil.Process) -> str:
    """A service's name, `search` for what matching starts beside it, `broker`, or the program's."""
    command = process.cmdline()
    module = command[command.index("-m") + 1] if "-m" in command else ""
    if module.startswith(SERVICE):
        return module.split(".")[1]
    parent = process.parent()
    if parent is not None and f"{SERVICE}matching.app" in parent.cmdline():
        return "search"
    program = Path(process.exe()).name
    return "broker" if program.startswith(BROKERS) else program


@asynccontextmanager
async def watched() -> AsyncIterator[Usage]:
    """Look at them for as long as the block lasts."""
    usage = Usage()

    async def look() -> None:
        while True:
            usage.look()
            await asyncio.sleep(LOOK_EVERY)

    looking = asyncio.create_task(look())
    try:
        yield usage
    finally:
        looking.cancel()
