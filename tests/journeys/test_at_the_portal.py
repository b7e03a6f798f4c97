"""A whole programme in which everybody acts at the portal's pages, while it is killed."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.coordinator import Plan
from deploy.trial.demo import run_demo
from deploy.trial.pilot.generate import generate
from schemas.values import CohortPolicy

pytestmark = [pytest.mark.journey, pytest.mark.drill]

SEED = 3
OF_THE_PROGRAMME = (
    *("mentors", "managers", "pairs_formed", "pairs_graduated", "pairs_dissolved"),
    *("sessions_completed", "sessions_missed", "surveys_answered"),
)
"""What comes of it whichever way people act; how often dates move, and letters tell, does not."""


def roster(directory: Path) -> Roster:
    mentors, managers = generate(4, 2, SEED)
    write_roster(directory / "mentors.csv", MENTOR_COLUMNS, mentors)
    write_roster(directory / "managers.csv", MANAGER_COLUMNS, managers)
    return read_rosters(directory / "mentors.csv", directory / "managers.csv", "journey")


async def test_no_form_that_was_answered_is_lost_and_the_outcome_is_that_of_letters(
    tmp_path: Path,
) -> None:
    by_letters = Plan(
        rosters={"journey": roster(tmp_path)},
        names={"journey": "Journey"},
        policy=CohortPolicy(sessions=1),  # the portal's form asks for no more of it
        seed=SEED,
        limit=900,
    )
    for name in ("portal", "letters"):
        (tmp_path / name).mkdir()
    at_portal = replace(by_letters, at_portal=True, kill_every=3.0, killed=("portal",))
    killed = await run_demo(tmp_path / "portal", at_portal, lambda _: None)
    assert killed["findings"] == {"lost": [], "doubled": [], "rebuilt": []}
    assert (killed["parked"], killed["kills"] > 0) == (0, True)
    in_peace = await run_demo(tmp_path / "letters", by_letters, lambda _: None)
    assert {k: killed[k] for k in OF_THE_PROGRAMME} == {k: in_peace[k] for k in OF_THE_PROGRAMME}
    assert killed["pairs_graduated"] > 0
