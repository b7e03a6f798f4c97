"""An open cohort: rules that change for those to come, those that do not, its end, and after."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from schemas.base import Command
from schemas.charter import CHARTER
from schemas.cohorts import (
    CHANGEABLE,
    ChangePolicy,
    CloseCohort,
    CohortClosed,
    PolicyChanged,
    RetentionEnded,
)
from schemas.letter_rules import LetterRules
from schemas.matching import EnrolManager, PairProposed, ProposePair, RunRound, VolunteerAsMentor
from schemas.places import MeetingPlace
from schemas.retention import KEPT_DAYS, TOLD_DAYS
from schemas.rounds import RoundRequested
from schemas.taking_part import ReturnManager
from schemas.values import CohortPolicy, QuietHours, RolloutCriteria, Weights
from services.chassis.domain import Decision
from services.matching.cohorts import ENDED_AT_ONCE
from services.matching.views import Cohort, Mentor, Pair
from tests.matching.given import (
    MONDAY,
    Matching,
    decided,
    formed,
    manager,
    mentor,
    proposed,
    scenario,
    the,
)
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
    "organisations": ("Natixis",),
}
FIXED = {
    **{"sessions": 3, "session_minutes": 30, "measure_days": 1, "smallest_group": 3},
    **{"rollout": RolloutCriteria(pairs_graduated=1), "regions": ()},
    "where": MeetingPlace(at="manager_office"),
}


def change(found: Matching, **fields: object) -> Decision:
    policy = CohortPolicy.model_validate({**CohortPolicy().model_dump(), **fields})
    return found.when(ChangePolicy(cohort_id="c", policy=policy))


def close(found: Matching, days: int | None = None) -> Decision:
    return found.when(CloseCohort(cohort_id="c", keep_days=days))


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


@pytest.mark.parametrize("twice", [("Natixis", "NATIXIS "), ("Natixis", "Nati\u200bxis")])
def test_an_organisation_is_named_once_in_whatever_spelling(twice: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="named once"):
        ChangePolicy.model_validate({"cohort_id": "c", "policy": {"organisations": twice}})


def test_organisations_are_named_as_people_see_them() -> None:
    given = {"cohort_id": "c", "policy": {"organisations": [" Banque  postale "]}}
    assert ChangePolicy.model_validate(given).policy.organisations == ("Banque postale",)


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


# --- when its time is over ----------------------------------------------------------------------


def until_the_end(found: Matching, days: int = KEPT_DAYS) -> Matching:
    found.later(days=days - TOLD_DAYS)
    return found


def test_the_time_of_a_cohorts_people_is_counted_from_its_close() -> None:
    found = scenario(mentor("m1"))
    (event,) = decided(close(found))
    assert isinstance(event, CohortClosed)
    assert (event.closed_at, event.kept_until) == (NOW, NOW + timedelta(days=KEPT_DAYS))
    assert the(found, Cohort, "c").kept_until == event.kept_until


def test_what_still_stands_ends_a_week_before_and_nothing_does_earlier() -> None:
    found = formed()
    close(found)
    found.later(days=KEPT_DAYS - TOLD_DAYS - 1)
    assert found.when_due() == []
    found.later(days=1)
    events = found.when_due()
    assert kinds(events) == ["PairDissolved", "RetentionEnded"]
    told = events[-1]
    assert isinstance(told, RetentionEnded)
    assert (told.ended, told.next_at) == (1, None)
    assert told.erase_at == NOW + timedelta(days=KEPT_DAYS)
    assert the(found, Pair, "m1~g1").state == "dissolved"
    assert found.when_due() == []


def test_an_offer_that_stands_ends_too() -> None:
    found = proposed()
    close(found, 30)
    proposal = the(found, Pair, "m1~g1")
    found.state.apply([proposal.model_copy(update={"due_at": NOW + timedelta(days=90)})])
    assert kinds(until_the_end(found, 30).when_due()) == ["ProposalExpired", "RetentionEnded"]


def test_who_took_part_still_has_when_time_is_over() -> None:
    found = formed()
    close(found)
    until_the_end(found).when_due()
    assert the(found, Mentor, "m1").state != "withdrawn"


def test_very_many_pairs_end_some_at_a_time() -> None:
    many = ENDED_AT_ONCE + 1
    found = scenario(
        *(mentor(f"m{n}") for n in range(many)), *(manager(f"g{n}") for n in range(many))
    )
    for n in range(many):
        found.when(ProposePair(cohort_id="c", pair_id=f"m{n}~g{n}", reason="asked for"))
    for pair in found.state.whole(Pair, "c"):
        found.state.apply([pair.model_copy(update={"state": "formed", "due_at": None})])
    close(found)
    first = until_the_end(found).when_due()
    assert kinds(first).count("PairDissolved") == ENDED_AT_ONCE
    assert isinstance(first[-1], RetentionEnded) and first[-1].erase_at is None
    assert kinds(found.later(minutes=1).when_due()) == ["PairDissolved", "RetentionEnded"]


def test_closed_again_with_other_days_it_is_counted_from_the_same_close() -> None:
    found = formed()
    close(found)
    found.later(days=100)
    (event,) = decided(close(found, 730))
    assert isinstance(event, CohortClosed) and event.closed_at == NOW
    assert close(found, 730) == [] == close(found)
    found.later(days=KEPT_DAYS)
    assert found.when_due() == []
    found.later(days=730 - KEPT_DAYS - 100)
    assert kinds(found.when_due()) == ["PairDissolved", "RetentionEnded"]
    assert close(found) == []
    assert refusal(close(found, 800)) == "retention-ended"


def test_a_cohort_that_was_closed_before_time_was_counted_begins_when_it_is_closed_again() -> None:
    found = formed()
    found.given(CohortClosed(cohort_id="c"))
    assert found.later(days=4 * KEPT_DAYS).when_due() == []
    (event,) = decided(close(found))
    assert isinstance(event, CohortClosed) and event.closed_at == found.now


def test_of_a_cohort_that_is_open_nothing_ends() -> None:
    found = formed()
    found.later(days=10 * KEPT_DAYS)
    assert found.when_due() == []
