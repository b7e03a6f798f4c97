"""`make nightly`: what takes too long for every change, one after the other, one line per check.

What each has printed is in `build/nightly/NAME.log`. Nothing stops the others; 1 if one failed.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build/nightly"
HOUR = 3600

_OUT = Console(highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Check:
    """A target of the Makefile, or a module; `limit`: seconds after which it has failed."""

    name: str
    command: tuple[str, ...]
    limit: int


def _chaos(seed: int) -> Check:
    command = ("deploy.cli", "chaos", "--seed", str(seed), "--minutes", "10", "--json")
    return Check(f"chaos-{seed}", (sys.executable, "-m", *command), HOUR)


MINISTRIES = ("--scenario", "ministries", "--scale", "0.1", "--json")
AT_THE_PORTAL = ("--through", "portal", "--kill-every", "3", "--json")
CHECKS = (
    Check("simulate", (sys.executable, "-m", "tests.simulation", "--seconds", "600"), HOUR),
    Check("fuzz", ("make", "fuzz"), HOUR),
    Check("mutants", ("make", "mutants"), 2 * HOUR),
    Check("drills", ("make", "drills"), HOUR),
    Check("outages", ("make", "outages"), 2 * HOUR),
    Check("chart", ("make", "test-chart"), 2 * HOUR),
    Check("release", (sys.executable, "-m", "pytest", "-q", "-m", "release"), HOUR),
    *(_chaos(seed) for seed in (1, 2, 3)),
    Check("ministries", (sys.executable, "-m", "deploy.cli", "demo", *MINISTRIES), 3 * HOUR),
    Check("portal", (sys.executable, "-m", "deploy.cli", "demo", *AT_THE_PORTAL), 3 * HOUR),
    Check("bench", ("make", "bench"), HOUR),
    Check("audit", ("make", "audit"), HOUR),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these; by default all")
    parser.add_argument("--list", action="store_true", help="name them, and run none")
    options = parser.parse_args()
    by_name = {check.name: check for check in CHECKS}
    if unknown := [name for name in options.names if name not in by_name]:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(by_name)}")
    chosen = [by_name[name] for name in options.names] or list(CHECKS)
    if options.list:
        _OUT.print("\n".join(check.name for check in chosen))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    return max(map(_run, chosen))


def _run(check: Check) -> int:
    """Run it to its end or its limit; 0 if it is well."""
    log, started = LOGS / f"{check.name}.log", time.monotonic()
    with log.open("wb") as file:
        # A group of its own: what a check has started ends with it.
        running = subprocess.Popen(
            check.command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, process_group=0
        )
        try:
            code = running.wait(check.limit)
        except subprocess.TimeoutExpired:
            code = 1
        finally:
            _end(running)
    seconds = time.monotonic() - started
    word = "ok" if code == 0 else f"FAILED ({code}), see {log.relative_to(ROOT)}"
    _OUT.print(f"{check.name:12} {seconds:7.0f} s  {word}")
    return min(code, 1) if code >= 0 else 1


def _end(running: subprocess.Popen[bytes]) -> None:
    """Whatever is left of its group; a service that a check started has one of its own, and ends
    with whoever started it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGTERM)
    running.wait()


if __name__ == "__main__":
    sys.exit(main())
