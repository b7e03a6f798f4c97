"""Worlds, one after the other: what they were like, what was found, and how to see it again."""

import asyncio
import gc
import hashlib
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from deploy.trial.check.wire import Log
from tests.chassis.faults import Crash
from tests.simulation.checks import judge
from tests.simulation.faults import CRASH_POINTS, CrashPoint
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.world import Plan, World, draw_plan

COLLECT_EVERY = 10  # worlds
TRIALS = 40
"""How often something is left out of a world that fails, at most."""


@dataclass
class Failure:
    """A world in which something did not hold."""

    seed: int
    found: list[str]
    plan: Plan


@dataclass
class Tally:
    """What the worlds of a run add up to. `programmes`: cohorts in which a pair came to its end."""

    worlds: int = 0
    programmes: int = 0
    events: int = 0
    faults: int = 0
    outpaced: int = 0
    letters: int = 0
    seconds: float = 0.0
    crashed: Counter[CrashPoint] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    @property
    def uncovered(self) -> list[CrashPoint]:
        """Points at which no process has died."""
        return [point for point in CRASH_POINTS if not self.crashed[point]]

    def add(self, world: World) -> None:
        self.worlds += 1
        self.events += sum(len(rows) for rows in world.log.records.values())
        self.faults += world.happened
        self.outpaced += world.outpaced
        self.letters += len(world.office.mails)
        formed = {entry.key for entry in world.said.facts("PairFormed")}
        ended = {entry.key for entry in world.said.facts("PairGraduated", "PairDissolved")}
        self.programmes += len({pair.partition("/")[0] for pair in formed & ended})


def simulate(
    seeds: Iterable[int],
    seconds: float = math.inf,
    *,
    until_covered: bool = False,
    show: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Worlds of these seeds, until one fails, time is up or no point is left to die at."""
    tally, started = Tally(), time.perf_counter()
    with _undisturbed():
        for seed in seeds:
            plan = draw_plan(seed)
            world = run_world(plan, tally.crashed)
            tally.add(world)
            if world.found:
                tally.failures.append(Failure(plan.seed, world.found, plan))
            _forget(world)
            if tally.worlds % COLLECT_EVERY == 0:
                gc.collect()
            tally.seconds = time.perf_counter() - started
            show(tally)
            done = tally.failures or tally.seconds >= seconds
            if done or (until_covered and not tally.uncovered):
                break
    return tally


def run_world(plan: Plan, crashed: Counter[CrashPoint] | None = None) -> World:
    """One world, to its rest, and judged."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    world = World(plan, loop, Counter() if crashed is None else crashed)
    loop.set_exception_handler(lambda _, told: _unhandled(world, told))
    errors = _Errors(world)
    logging.getLogger("services").addHandler(errors)
    try:
        loop.run_until_complete(world.live())
        if not world.found:
            world.said = judge(world)
    except Stuck as stuck:
        world.find(str(stuck))
    except Exception as error:  # noqa: BLE001  # what cannot be judged is not in order
        world.find(f"it cannot be judged: {type(error).__name__}: {error}")
    finally:
        logging.getLogger("services").removeHandler(errors)
        loop.turns = 0
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)
        loop.run_forever()
        asyncio.set_event_loop(None)
        loop.close()
    return world


def _forget(world: World) -> None:
    """Let go of what is large, so that the collector has little to look through."""
    world.log.records.clear()
    world.said = Log()
    for group in world.groups.values():
        group.store.rows.clear()


def shorter(failure: Failure) -> Failure:
    """The same seed with fewer faults and cohorts, as long as the same sort of thing is found."""
    best, trials = failure, 0
    with _undisturbed():
        for name in ("faults", "cohorts"):
            size = len(getattr(best.plan, name)) // 2
            while size and trials < TRIALS:
                trials += 1
                smaller = _smaller(best, name, size)
                best, size = (smaller, size) if smaller else (best, size // 2)
    return best


def _smaller(failure: Failure, name: str, size: int) -> Failure | None:
    """The failure without some `size` of its faults or cohorts; None if all of them matter."""
    parts = getattr(failure.plan, name)
    for start in range(0, len(parts), size):
        kept = (*parts[:start], *parts[start + size :])
        if not kept and name == "cohorts":
            continue
        world = run_world(failure.plan.but(**{name: kept}))
        _forget(world)
        gc.collect(1)
        if any(_sort(what) == _sort(failure.found[0]) for what in world.found):
            return Failure(failure.seed, world.found, world.plan)
    return None


def _sort(found: str) -> str:
    return found.partition(":")[0]


def digest(world: World) -> str:
    """One hash over all that the log holds."""
    found = hashlib.sha256()
    for (topic, partition), rows in sorted(world.log.records.items()):
        found.update(f"{topic}/{partition}".encode())
        for row in rows:
            found.update(repr((row.key, row.value, row.headers)).encode())
    return found.hexdigest()


def _unhandled(world: World, told: dict[str, Any]) -> None:
    """An exception that nobody waits for; a process that dies takes what it has begun with it."""
    error = told.get("exception")
    other = error.split(Crash)[1] if isinstance(error, BaseExceptionGroup) else error
    if other is not None and not isinstance(other, Crash):
        world.find(f"{told.get('message')}: {other!r}")


class _Errors(logging.Handler):
    """What a service logs as an error is found: none of the faults here is one of its own."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "origin", None) in self.world.poisoned:
            return
        told = record.exc_info[1] if record.exc_info else None
        self.world.find(f"logged: {record.getMessage()} {told!r}")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the services' warnings, and without the collector, which took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.disable()
    logger = logging.getLogger("services")
    before = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.level, logger.propagate = before
        gc.enable()
        gc.unfreeze()
