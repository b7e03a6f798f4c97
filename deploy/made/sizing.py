"""The table of docs/performance.md that says what how many agents need. Arithmetic, from one run.

`python -m deploy.made.sizing` writes it; a test holds it to be current. Whoever measures a larger
run puts its figures into `MEASURED`, and the table follows.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MARK = "<!-- generated: python -m deploy.made.sizing -->\n"
END = "<!-- generated up to here -->\n"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a pair took in a run, its mentor and its manager, letters and figures included.

    `services`: seconds of processor time of each; `around`: of the broker, and of the database.
    `log` and `data` (documents and indexes): kB that stay, in one copy.
    """

    services: dict[str, float]
    around: dict[str, float]
    events: float
    log: float
    data: float


MEASURED = Measured(
    services={"matching": 0.45, "scheduling": 0.60, "feedback": 0.55, "notify": 0.57},
    around={"broker": 0.72, "database": 0.66},
    events=342,
    log=288,
    data=105,
)
"""`connecte demo --scenario ministries --scale 0.03 --through kafka --json`, seed 1."""

DAYS = 85
"""Working days over which a programme's work comes: five sessions two weeks apart, and what is
before and after them."""
HOURS = 9.0
"""Of a working day in which nearly all of it comes; letters keep quiet hours."""
PEAK = 4.0
"""How many times as much comes in the busiest hour (the proposals of a round, the letters of a
morning) as in the mean one. Assumed, not measured."""
FULL = 0.6
"""How much of a processor one process is planned to use: one loop, and room for a burst."""
COPIES = 3
"""Of the log, and of the databases."""
ROOM = 2.0
"""Disks for twice the databases: a rebuild makes the second beside the first."""

AGENTS = (1_000, 10_000, 140_000, 500_000, 2_500_000)
"""The last is all of the State's."""


@dataclass(frozen=True, slots=True)
class Need:
    """What so many agents need. Cores in the busiest hour; disks in GB over all copies."""

    agents: int
    pairs: int
    events: float
    cores: dict[str, float]
    processes: dict[str, int]
    log: float
    disk: float


def need(agents: int, measured: Measured = MEASURED) -> Need:
    """Half of the agents coach the other half, once: everything grows with the pairs."""
    pairs = agents // 2
    seconds = DAYS * HOURS * 3600
    cores = {
        name: PEAK * each * pairs / seconds
        for name, each in (measured.services | measured.around).items()
    }
    return Need(
        agents,
        pairs,
        pairs * measured.events,
        cores,
        # Two of each for availability, whatever they have to do.
        {name: max(2, math.ceil(cores[name] / FULL)) for name in measured.services},
        pairs * measured.log * COPIES / 1e6,
        pairs * measured.data * COPIES * ROOM / 1e6,
    )


def page(old: str) -> str:
    """The whole page: what was written by hand, and the table as it is today."""
    before, _, rest = old.partition(MARK)
    return before + MARK + "".join(_table()) + END + rest.partition(END)[2]


def _table() -> Iterator[str]:
    yield "\n| agents | pairs | events | cores of the services, busiest hour | processes of each | "
    yield "cores of brokers | of databases | log, three copies | disks of the databases |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    for found in map(need, AGENTS):
        services = sum(found.cores[name] for name in found.processes)
        cells = (
            f"{found.agents:,}",
            f"{found.pairs:,}",
            _counted(found.events),
            _cores(services),
            " ".join(str(number) for number in found.processes.values()),
            _cores(found.cores["broker"]),
            _cores(found.cores["database"]),
            _size(found.log),
            _size(found.disk),
        )
        yield f"| {' | '.join(cells)} |\n"
    yield "\n"


def _counted(events: float) -> str:
    return f"{events / 1e6:,.3g} million"


def _cores(cores: float) -> str:
    return f"{cores:.1g}" if cores < 1 else f"{cores:.1f}"


def _size(gigabytes: float) -> str:
    return f"{gigabytes:.2g} GB" if gigabytes < 100 else f"{gigabytes:,.0f} GB"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.made.sizing", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    check = parser.parse_args().check
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    return int(check and old != new)


if __name__ == "__main__":
    sys.exit(main())
