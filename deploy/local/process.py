"""Child processes that never outlive their parent, and the ports they listen on.

What always holds: a child has its own session (a Ctrl-C at the terminal reaches the parent alone,
which then stops its children in the order it wants), writes to a log file and never to our
terminal, and on Linux is killed by the kernel when its parent dies, ``kill -9`` included.

The kernel watches the *thread* that forked, not the process. So children are started from the
main thread only: a pool thread that ends while the process goes on would take them with it.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from deploy.errors import OperationFailed

TETHER = Path(__file__).with_name("tether.py")
POLL_SECONDS = 0.02
TAIL_LINES = 20
TAIL_BYTES = 8192

# Below the ranges from which Linux and macOS take the local end of outgoing connections. Inside
# them, a client that keeps knocking at a stopped server can be given that very port, connect to
# itself, and keep the server from ever coming back to it.
PORTS = range(15000, 32000)


class PartError(OperationFailed):
    """A part of the embedded run is missing, died or did not become ready."""


class Child:
    """A running program, tied to this process.

    `name` is for messages; `log` is appended to, so that it also tells of earlier starts.
    Raises PartError when the program cannot be found.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start children from the main thread: they die with their thread")
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        program = find_program(str(command[0]))
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                # -I and -S: the tether needs the standard library only, and starts faster so.
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), program]
                + [str(argument) for argument in command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs, then its exit code, or minus the signal that ended it."""
        return self._popen.poll()

    def send(self, signum: signal.Signals) -> None:
        """Signal the child and whatever it started; does nothing once it has ended."""
        # Until it is reaped, which only poll() does, its process group cannot be another's.
        if self._popen.poll() is None:
            os.killpg(self.pid, signum)

    def kill(self) -> None:
        """End it at once, without a chance to tidy up. It may take a moment: see `wait`."""
        self.send(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end; gives `returncode`."""
        # Asked again and again, because that needs no thread and works on every platform.
        while (code := self.returncode) is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
        return code

    async def stop(self, grace: float = 10.0) -> int:
        """Ask it to end, and kill it after `grace` seconds; gives `returncode`."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            return await self._killed()
        except asyncio.CancelledError:
            # Whoever cancels the farewell still must not find a process left behind.
            await self._killed()
            raise

    async def ready(self, probe: Callable[[], Awaitable[bool]], within: float) -> None:
        """Wait until `probe` says so; PartError with the log's end if it dies or is too slow.

        When this raises, whatever it raises, the child has ended: nobody has to clean up a start
        that failed.
        """
        try:
            await self._ready(probe, within)
        except BaseException:
            await self._killed()
            raise

    async def _ready(self, probe: Callable[[], Awaitable[bool]], within: float) -> None:
        deadline = time.monotonic() + within
        while True:
            if self.returncode is not None:
                raise PartError(self._obituary(f"ended with {self.returncode} before it was ready"))
            if await probe():
                return
            if time.monotonic() > deadline:
                raise PartError(self._obituary(f"was not ready within {within:g} s"))
            await asyncio.sleep(POLL_SECONDS)

    async def succeed(self, within: float) -> None:
        """Wait for its end; PartError with the log's end unless that is a success, in time."""
        try:
            async with asyncio.timeout(within):
                code = await self.wait()
        except TimeoutError:
            raise PartError(self._obituary(f"was not done within {within:g} s")) from None
        finally:
            await self._killed()
        if code != 0:
            raise PartError(self._obituary(f"failed with {code}"))

    def tail(self, lines: int = TAIL_LINES, size: int = TAIL_BYTES) -> str:
        """The end of its log: so many lines of so many bytes, at most."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - size))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _obituary(self, what: str) -> str:
        return f"{self.name} {what}; the end of {self.log}:\n{self.tail()}"

    async def _killed(self) -> int:
        self.kill()
        return await self.wait()


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    grace: float = 10.0,
) -> AsyncIterator[Child]:
    """A child for as long as the block lasts."""
    child = Child(name, command, log=log, env=env, cwd=cwd)
    try:
        yield child
    finally:
        await child.stop(grace)


def find_program(name: str) -> str:
    """The absolute path of a program, from a path or a name on PATH; PartError if none."""
    found = shutil.which(name)
    if found is None:
        raise PartError(f"{name} is needed here and was not found on PATH")
    return str(Path(found).absolute())


def free_ports(count: int) -> list[int]:
    """Different loopback ports on which nothing listens now; bind them soon."""
    ports: set[int] = set()
    while len(ports) < count:
        # Not `random`: runs side by side that fixed the same seed would fight for one port.
        port = secrets.choice(PORTS)
        if port not in ports and _is_free(port):
            ports.add(port)
    return list(ports)


def free_port() -> int:
    """A loopback port on which nothing listens now; bind it soon."""
    return free_ports(1)[0]


async def accepts(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    with closing(writer):
        return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
