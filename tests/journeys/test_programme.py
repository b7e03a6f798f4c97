"""A whole programme over the embedded stack, with services killed at random and without."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.check import Evidence
from deploy.trial.coordinator import Plan
from deploy.trial.demo import run_demo
from deploy.trial.pilot.generate import generate
from schemas.values import CohortPolicy
from tests.journeys.reading import read_by_others

pytestmark = pytest.mark.journey

MENTORS, MANAGERS, SEED = 8, 5, 3


def roster(directory: Path) -> Roster:
    mentors, managers = generate(MENTORS, MANAGERS, SEED)
    write_roster(directory / "mentors.csv", MENTOR_COLUMNS, mentors)
    write_roster(directory / "managers.csv", MANAGER_COLUMNS, managers)
    return read_rosters(directory / "mentors.csv", directory / "managers.csv", "journey")


def planned(directory: Path) -> Plan:
    return Plan(
        rosters={"journey": roster(directory)},
        names={"journey": "Journey"},
        policy=CohortPolicy(sessions=2, cadence_days=7, survey_days=10),
        seed=SEED,
        limit=900,
    )


OF_THE_MACHINE = {
    *("seconds", "seconds_in_all", "events_per_second"),
    *("events", "republished", "letters_redelivered", "kills", "refused", "bytes", "used"),
    "people",
}
"""What depends on how fast it was, and on what was killed: how many steps it took, what these
needed, and whether somebody sent a form again because the answer got lost."""


IN_GROUPS = {"response_rate", "satisfaction"}
"""Published figures of surveys move by groups of answers: which answers a measure finds depends on
when a service that was killed gets round to it. All that was answered is compared (`people`)."""


def of_the_programme(outcome: dict[str, Any]) -> dict[str, Any]:
    """What comes of a programme whatever machine it runs on."""
    found = {name: value for name, value in outcome.items() if name not in OF_THE_MACHINE}
    criteria = found["rollout"]["journey"]["criteria"]
    return found | {"rollout": [one for one in criteria if one["name"] not in IN_GROUPS]}


async def test_services_killed_at_random_lose_nothing_double_nothing_and_change_no_outcome(
    tmp_path: Path, kafka_if_real: str | None, read: list[Evidence]
) -> None:
    (tmp_path / "killed").mkdir()
    plan = replace(planned(tmp_path), kill_every=3.0, kafka=kafka_if_real)
    outcome = await run_demo(tmp_path / "killed", plan, lambda _: None)
    types = read_by_others(read[-1].records)  # by the catalogue, and by the library of CloudEvents
    assert types.total() > outcome["events"]  # commands and contacts too
    assert types["fr.gouv.mentoring.SessionCompleted.v1"] >= outcome["sessions_completed"]
    assert outcome["findings"] == {"lost": [], "doubled": [], "rebuilt": []}
    assert outcome["parked"] == 0
    assert outcome["kills"] > 0  # how many says how long this machine needs
    assert outcome["mentors"] == MENTORS
    assert outcome["managers"] == MANAGERS
    assert outcome["pairs_formed"] >= MANAGERS - 2
    # A session that was missed and then corrected was held, too.
    held = outcome["sessions_completed"] + types["fr.gouv.mentoring.AttendanceCorrected.v1"]
    assert held >= outcome["pairs_graduated"] * 2 > 0
    assert outcome["rollout"]["journey"]["verdict"] == "withheld"  # too few pairs to tell
    (tmp_path / "in-peace").mkdir()  # over the embedded broker always: it is the same over another
    in_peace = await run_demo(tmp_path / "in-peace", planned(tmp_path), lambda _: None)
    assert of_the_programme(in_peace) == of_the_programme(outcome)
