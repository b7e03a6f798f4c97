"""Every ministry at once: cohorts of very different size, made up as the pilot's people are.

140,000 agents in sixty directorates and services; the largest cohort has about thirty times the
managers of the smallest.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.errors import BadInput
from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.pilot.generate import generate

COHORTS = 60
MANAGERS, MENTORS = 8_000, 9_000
FEWEST = 2  # of either, in a cohort


def ministries(scale: float, seed: int) -> dict[str, Roster]:
    """The roster of each cohort; with a scale of 1 8,000 managers and 9,000 volunteers in all."""
    if not 0 < scale <= 20:
        raise BadInput("--scale is above 0, and 20 at most")
    managers, mentors = (shares(round(scale * total)) for total in (MANAGERS, MENTORS))
    return {
        f"ministries-{number:02}": made_up(
            managers[number - 1], mentors[number - 1], seed + number, f"ministries-{number:02}"
        )
        for number in range(1, COHORTS + 1)
    }


def shares(total: int) -> Sequence[int]:
    """So many people over the cohorts, the largest first, each with a few at least."""
    weights = [1 / (number + 1) for number in range(1, COHORTS + 1)]
    return [max(round(total * weight / sum(weights)), FEWEST) for weight in weights]


def made_up(managers: int, mentors: int, seed: int, cohort: str) -> Roster:
    """A roster that is written and read as a coordinator's is."""
    rows = generate(mentors, managers, seed)
    with TemporaryDirectory(prefix="connecte-roster-") as name:
        paths = Path(name) / "mentors.csv", Path(name) / "managers.csv"
        for path, columns, people in zip(
            paths, (MENTOR_COLUMNS, MANAGER_COLUMNS), rows, strict=True
        ):
            write_roster(path, columns, people)
        return read_rosters(*paths, cohort)
