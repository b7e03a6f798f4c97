"""Rounds of the fuzz, one after the other, until the time is over or something is wrong.

Always holds: what was kept is played first; the inputs of a round in which something was wrong are
kept in `build/fuzz/`, and say which seed they are of.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.inputs import FOREIGN, Input, drawn, kept, read
from tests.fuzz.stage import Stage, stage

FOUND = Path(__file__).parent / "found"
"""Inputs that led to a fault once, a file each: they are always played first."""
BUILD = Path(__file__).parents[2] / "build" / "fuzz"
COUNT = 60
"""Inputs of a round."""

Say = Callable[[str], None]


@dataclass
class Campaign:
    """What was played, and the first round in which something was wrong."""

    seed: int
    rounds: int = 0
    inputs: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    file: Path | None = None


def fresh_seed() -> int:
    return random.SystemRandom().randrange(2**31)


def once_found() -> list[Path]:
    return sorted(FOUND.glob("*.jsonl"))


def is_foreign(inputs: list[Input]) -> bool:
    """Whether a stranger writes where only a service does."""
    return any(one.how == "record" and one.partition in FOREIGN for one in inputs)


async def campaign(seed: int, seconds: float, say: Say, kafka: str | None = None) -> Campaign:
    """Commands for the first half of the time, then events of strangers as well."""
    told = Campaign(seed)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        async with stage(Path(name), kafka) as running:
            say(f"seed {seed}")
            for foreign in (False, True):
                for path in once_found():
                    inputs = read(path.read_text())
                    if is_foreign(inputs) is not foreign:
                        continue
                    if await _round(told, running, path.stem, inputs, say):
                        return told
                until = time.monotonic() + seconds / 2
                while time.monotonic() < until:
                    number = seed + told.rounds
                    label = f"{number}-{'foreign' if foreign else 'commands'}"
                    inputs = drawn(number, COUNT, foreign=foreign)
                    if await _round(told, running, label, inputs, say):
                        return told
                # Later, numbers of strangers are in the journals of the services.
                if not foreign and await _restarted(told, running, say):
                    return told
            told.answers.update(running.answers)
    return told


async def _restarted(told: Campaign, on: Stage, say: Say) -> bool:
    """Whether something was wrong once every service had read again what it has."""
    started = time.monotonic()
    told.found = await on.restart()
    say(f"every service started again: {time.monotonic() - started:.1f} s")
    return bool(told.found)


async def _round(told: Campaign, on: Stage, label: str, inputs: list[Input], say: Say) -> bool:
    """Whether something was wrong."""
    started = time.monotonic()
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{label}.jsonl"
    path.write_text(kept(inputs))  # before: whatever happens to whoever plays it
    told.found = await on.play(inputs)
    told.rounds += 1
    told.inputs += sum(one.how != "settle" for one in inputs)
    say(f"{label}: {len(inputs)} inputs, {time.monotonic() - started:.1f} s")
    if told.found:
        told.file = path
        return True
    path.unlink()
    return False


async def replay(path: Path, say: Say, kafka: str | None = None) -> list[str]:
    """Play a file input by input, and look after each: the first that leads to something wrong."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        async with stage(Path(name), kafka) as running:
            for number, one in enumerate(read(path.read_text()), 1):
                if found := await running.play([one]):
                    say(f"{path}:{number}")
                    return found
    return []
