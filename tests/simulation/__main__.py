"""`python -m tests.simulation`: worlds of fresh seeds for a while; 1 if something was found."""

import argparse
import json
import random
import sys
import time
from itertools import count, islice
from typing import Any

from rich.console import Console

from tests.simulation.faults import CRASH_POINTS, POINTS
from tests.simulation.run import Failure, Tally, run_world, shorter, simulate
from tests.simulation.world import draw_plan

SHOW_EVERY = 5.0
_OUT = Console(highlight=False, markup=False, soft_wrap=True)
_ERR = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    options = _options()
    if options.faults is not None or options.cohorts is not None:
        return _again(options)
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    _ERR.print(f"first seed {seed}")
    begun = time.process_time()
    seeds = islice(count(seed), options.worlds)
    tally = simulate(seeds, options.seconds, show=_progress())
    cpu = time.process_time() - begun
    if tally.failures and not options.as_it_is:
        _ERR.print("something was found; looking for a shorter way to it")
        tally.failures = [shorter(failure) for failure in tally.failures]
    document = _document(seed, tally, cpu)
    if options.json:
        print(json.dumps(document))  # noqa: T201
    else:
        _tell(document)
    return 1 if tally.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (60)")
    parser.add_argument("--seed", type=int, help="the first seed; by default a fresh one")
    parser.add_argument("--worlds", type=int, help="how many worlds at most")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--as-it-is", action="store_true", help="do not shorten what fails")
    parser.add_argument("--faults", help="of one world, only these: 3,7 (as a failure names them)")
    parser.add_argument("--cohorts", help="of one world, only these: c1,c4")
    return parser.parse_args()


def _again(options: argparse.Namespace) -> int:
    """One world with a part of its faults and cohorts."""
    plan = draw_plan(options.seed or 0)
    if options.faults is not None:
        numbers = [int(number) for number in options.faults.split(",") if number]
        plan = plan.but(faults=tuple(plan.faults[number] for number in numbers))
    if options.cohorts is not None:
        plan = plan.but(cohorts=tuple(options.cohorts.split(",")))
    world = run_world(plan)
    _OUT.print("\n".join(world.found) or "nothing was found")
    return 1 if world.found else 0


def _progress() -> Any:
    shown = time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal shown
        if time.monotonic() - shown > SHOW_EVERY:
            shown = time.monotonic()
            _ERR.print(
                f"{tally.seconds:5.0f} s: {tally.worlds} worlds, {tally.programmes} programmes, "
                f"{tally.crashed.total()} crashes, {len(tally.uncovered)} points to go"
            )

    return show


def _document(seed: int, tally: Tally, cpu: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "worlds": tally.worlds,
        "programmes": tally.programmes,
        "seconds": round(tally.seconds, 1),
        "programmes_a_minute": round(tally.programmes / max(tally.seconds, 0.001) * 60),
        "cpu_seconds": round(cpu, 1),
        "events": tally.events,
        "letters": tally.letters,
        "faults": tally.faults,
        "outpaced": tally.outpaced,
        "crashes": tally.crashed.total(),
        "crash_points": {" ".join(point): tally.crashed[point] for point in CRASH_POINTS},
        "uncovered": [" ".join(point) for point in tally.uncovered],
        "failures": [_failure(failure) for failure in tally.failures],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    whole = draw_plan(failure.seed)
    numbers = [str(whole.faults.index(fault)) for fault in failure.plan.faults]
    again = f"python -m tests.simulation --seed {failure.seed}"
    cohorts = ",".join(failure.plan.cohorts)
    return {
        "seed": failure.seed,
        "found": failure.found[:10],
        "again": f"{again} --worlds 1",
        "shorter": f"{again} --faults '{','.join(numbers)}' --cohorts {cohorts}",
        "faults": [str(fault) for fault in failure.plan.faults],
    }


def _tell(document: dict[str, Any]) -> None:
    for name, value in document.items():
        if not isinstance(value, dict | list):
            _OUT.print(f"{name.replace('_', ' '):22}{value:>12}")
    _OUT.print("\ncrashes, by where a process was and what it asked for (before, halfway, after):")
    for phase, points in POINTS.items():
        for point in points:
            counts = (_count(document, (phase, point, when)) for when in _WHENS)
            _OUT.print(f"  {phase:10}{point:12}" + "".join(f"{count:>9}" for count in counts))
    for failure in document["failures"]:
        _OUT.print(f"\nSEED {failure['seed']}: " + "\n  ".join(failure["found"]))
        _OUT.print("faults left:\n  " + "\n  ".join(failure["faults"]))
        _OUT.print(f"again: {failure['again']}\nshorter: {failure['shorter']}")


_WHENS = ("before", "halfway", "after")


def _count(document: dict[str, Any], point: tuple[str, str, str]) -> str:
    return str(document["crash_points"].get(" ".join(point), "-"))


if __name__ == "__main__":
    sys.exit(main())
