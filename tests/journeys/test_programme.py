"""A whole programme over the embedded stack, with services killed at random: nothing is lost."""

from pathlib import Path

import pytest

from deploy.local.demo import Plan, run_demo
from deploy.pilot.generate import generate
from deploy.rosters import MANAGER_COLUMNS, MENTOR_COLUMNS, Roster, read_rosters, write_roster
from schemas.values import CohortPolicy

pytestmark = pytest.mark.journey

MENTORS, MANAGERS, SEED = 15, 10, 3


def roster(directory: Path) -> Roster:
    mentors, managers = generate(MENTORS, MANAGERS, SEED)
    write_roster(directory / "mentors.csv", MENTOR_COLUMNS, mentors)
    write_roster(directory / "managers.csv", MANAGER_COLUMNS, managers)
    return read_rosters(directory / "mentors.csv", directory / "managers.csv", "journey")


async def test_a_programme_with_services_killed_at_random_loses_nothing_and_doubles_nothing(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    plan = Plan(
        rosters={"journey": roster(tmp_path)},
        names={"journey": "Journey"},
        policy=CohortPolicy(sessions=2, cadence_days=7, survey_days=10),
        seed=SEED,
        days_per_second=1.5,
        kill_every=3,
        kafka=kafka_if_real,
        limit=300,
    )
    outcome = await run_demo(tmp_path, plan, lambda _: None)
    assert outcome["findings"] == {"lost": [], "doubled": [], "rebuilt": []}
    assert outcome["parked"] == 0
    assert outcome["kills"] >= 5
    assert outcome["mentors"] == MENTORS
    assert outcome["managers"] == MANAGERS
    assert outcome["pairs_formed"] >= MANAGERS - 2
    assert outcome["sessions_completed"] >= outcome["pairs_graduated"] * 2 > 0
    assert outcome["rollout"]["journey"]["verdict"] == "withheld"  # too few pairs to tell
