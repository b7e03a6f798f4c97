"""An open cohort: rules that change for those to come, those that do not, and its end."""

import asyncio

import pytest

from schemas.base import Command
from schemas.charter import CHARTER
from schemas.cohorts import CHANGEABLE, ChangePolicy, CloseCohort, PolicyChanged
from schemas.letter_rules import LetterRules
from schemas.matching import EnrolManager, PairProposed, ProposePair, RunRound, VolunteerAsMentor
from schemas.places import MeetingPlace
from schemas.rounds import RoundRequested
from schemas.taking_part import ReturnManager
from schemas.values import CohortPolicy, QuietHours, RolloutCriteria, Weights
from services.chassis.domain import Decision
from services.matching.views import Cohort
from tests.matching.given import MONDAY, Matching, decided, formed, manager, mentor, scenario, the
from tests.scenario import NOW, Scenario, kinds, refusal

OTHER = {
    **dict.fromkeys(("cadence_days", "proposal_days", "report_days"), 3),
    **dict.fromkeys(("stalled_days", "survey_days"), 9),
    "reporting_line": "allow",
    "weights": Weights(bridge=1),
    "quiet_hours": QuietHours(start="21:00"),
    "languages": ("en",),
    "letters": LetterRules(gather_minutes=0),
    "charter": CHARTER.model_copy(update={"version": "ours", "fr": "Nous nous écoutons."}),
}
FIXED = {
    **{"sessions": 3, "session_minutes": 30, "measure_days": 1, "smallest_group": 3},
    **{"rollout": RolloutCriteria(pairs_graduated=1), "regions": ()},
    "where": MeetingPlace(at="manager_office"),
}


def change(found: Matching, **fields: object) -> Decision:
    policy = CohortPolicy.model_validate({**CohortPolicy().model_dump(), **fields})
    return found.when(ChangePolicy(cohort_id="c", policy=policy))


def close(found: Matching) -> Decision:
    return found.when(CloseCohort(cohort_id="c"))


def test_what_may_change_is_told_with_before_and_after() -> None:
    found = scenario()
    assert OTHER.keys() == set(CHANGEABLE)
    (event,) = decided(change(found, **OTHER))
    assert isinstance(event, PolicyChanged)
    assert event.before == CohortPolicy()
    assert the(found, Cohort, "c").policy == event.after
    assert change(found, **OTHER) == []


@pytest.mark.parametrize("name", FIXED)
def test_what_was_promised_or_published_does_not_change(name: str) -> None:
    found = scenario()
    assert refusal(change(found, **{name: FIXED[name]})) == "policy-fixed"


def test_another_text_of_the_charter_has_another_version() -> None:
    found = scenario()
    text = CHARTER.model_copy(update={"fr": "Nous nous écoutons."})
    assert refusal(change(found, charter=text)) == "charter-version"
    ours = text.model_copy(update={"version": "ours"})
    assert kinds(change(found, charter=ours)) == ["PolicyChanged"]
    assert kinds(change(found, charter=None)) == ["PolicyChanged"]


def test_a_proposal_to_come_has_the_new_time_and_one_that_stands_its_own() -> None:
    found = scenario(mentor("m1"), mentor("m2"), manager("g1"), manager("g2"))
    found.when(ProposePair(cohort_id="c", pair_id="m1~g1", reason="asked for"))
    change(found, proposal_days=3)
    found.when(ProposePair(cohort_id="c", pair_id="m2~g2", reason="asked for"))
    old, new = [event for event in found.events if isinstance(event, PairProposed)]
    assert (old.expires_at - NOW).days == 10
    assert (new.expires_at - NOW).days == 3


JOINING: list[Command] = [
    VolunteerAsMentor(
        cohort_id="c",
        mentor_id="m9",
        directorate="DGE",
        site="Lyon",
        skills={"wiki": 3},
        availability=MONDAY,
    ),
    EnrolManager(
        cohort_id="c",
        manager_id="g9",
        directorate="DGE",
        site="Lyon",
        job_family="budget",
        availability=MONDAY,
    ),
    RunRound(cohort_id="c", round_id="r9"),
    ProposePair(cohort_id="c", pair_id="m1~g1", reason="asked for"),
    ReturnManager(cohort_id="c", manager_id="g1"),
]


@pytest.mark.parametrize("command", JOINING, ids=lambda command: type(command).__name__)
def test_of_a_closed_cohort_nobody_joins_and_no_round_runs(command: Command) -> None:
    found = scenario(mentor("m1"), manager("g1"))
    assert kinds(close(found)) == ["CohortClosed"]
    assert close(found) == []
    assert refusal(Scenario.when(found, command)) == "cohort-closed"
    assert refusal(change(found, proposal_days=3)) == "cohort-closed"


def test_pairs_of_a_closed_cohort_go_on() -> None:
    found = formed()
    close(found)
    assert the(found, Cohort, "c").closed


def test_a_round_that_waited_when_the_cohort_closed_asks_nobody() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    command = RunRound(cohort_id="c", round_id="r1", in_minutes=15)
    (event,) = decided(Scenario.when(found, command))
    assert isinstance(event, RoundRequested)
    close(found)
    events = asyncio.run(found.searched("r1"))
    assert [type(one).__name__ for one in events if isinstance(one, PairProposed)] == []
    assert type(events[-1]).__name__ == "RoundCompleted"


def test_there_is_nothing_to_change_where_nothing_was_opened() -> None:
    found = Matching(scenario().domain)
    assert refusal(close(found)) == "unknown-cohort"
    assert refusal(change(found)) == "unknown-cohort"
