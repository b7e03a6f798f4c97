"""Which facts are told to whom, once each."""

from datetime import timedelta

import pytest

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.gate.samples import message_of
from schemas.matching import (
    ManagerEnrolled,
    ManagerWaitlisted,
    MentorVolunteered,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.meeting import SessionMoveRefused
from schemas.notify import LetterEvent, NewsDropped, NewsHeld
from schemas.scheduling import (
    PairStalled,
    PlanningPostponed,
    SessionCompleted,
    SessionConfirmed,
    SessionMoveProposed,
)
from services.chassis.domain import Decision, Refusal
from services.notify.handlers import DOMAIN
from services.notify.letters import LETTERS, letters_of
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    COHORT,
    FACTS,
    FORMED,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    PLANNED,
    PROPOSED,
    VOLUNTEERED,
    WAITLISTED,
    session,
    survey,
)
from tests.scenario import NOW, Everything, Scenario

PAIR_FIELDS = {"cohort_id": COHORT, "pair_id": PAIR, "mentor_id": MENTOR, "manager_id": MANAGER}
WELCOME = f"MentorVolunteered:{MENTOR}:{MENTOR}"


def opened(*history: Event) -> Scenario:
    return Scenario(DOMAIN).given(OPENED, *history)


# --- who is told what -------------------------------------------------------------------------


def told(event: Event) -> list[tuple[str, str]]:
    return [(person_id, side) for _, person_id, side in letters_of(event)]


BOTH = [(MENTOR, "mentor"), (MANAGER, "manager")]


def test_no_common_hour_is_told_the_first_time_only() -> None:
    event = message_of(PlanningPostponed)
    assert isinstance(event, PlanningPostponed)
    assert len(told(event.model_copy(update={"first": True}))) == 2
    assert told(event.model_copy(update={"first": False})) == []


@pytest.mark.parametrize("event", FACTS, ids=lambda event: type(event).__name__)
def test_a_fact_is_told_to_those_whom_it_concerns(event: Event) -> None:
    match event:
        case MentorVolunteered():
            assert told(event) == [(MENTOR, "mentor")]
        case ManagerEnrolled() | ManagerWaitlisted():
            assert told(event) == [(MANAGER, "manager")]
        case SurveyOpened():
            assert told(event) == [(event.person_id, event.side)]
        case ProposalDeclined() | SessionMoveProposed():
            assert told(event) == [p for p in BOTH if p[1] != event.by]
        case SessionMoveRefused():
            assert told(event) == [p for p in BOTH if p[1] == event.by]
        case _:
            only = {"mentor": BOTH[:1], "manager": BOTH[1:]}
            assert told(event) == only.get(LETTERS[type(event)].to, BOTH)


@pytest.mark.parametrize(
    "event",
    [
        OPENED,
        ProposalAccepted(**PAIR_FIELDS, by="mentor"),
        WAITLISTED.model_copy(update={"first": False}),
        session(SessionConfirmed, by="mentor"),
        session(SessionCompleted, by="mentor", completed=3),
    ],
    ids=lambda event: type(event).__name__,
)
def test_other_facts_are_told_to_nobody(event: Event) -> None:
    assert letters_of(event) == []
    decided = opened().when(event) if type(event) in DOMAIN.handles else []
    assert not [one for one in decided if isinstance(one, LetterEvent)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("event", "letter_id"),
    [
        (VOLUNTEERED, "MentorVolunteered:m-017:m-017"),
        (PROPOSED, "PairProposed:m-017~g-004:m-017"),
        (WAITLISTED, "ManagerWaitlisted:g-004:r-1:g-004"),
        (FORMED, "PairFormed:m-017~g-004:m-017"),
        (PLANNED, "SessionPlanned:m-017~g-004~3:1.0:m-017"),
        (ProposalExpired(**PAIR_FIELDS, cause="deadline"), "ProposalExpired:m-017~g-004:m-017"),
        (PairStalled(**PAIR_FIELDS, since=NOW), "PairStalled:m-017~g-004:20170306T090000Z:m-017"),
        (survey("end"), "SurveyOpened:m-017~g-004~end~manager:g-004"),
    ],
)
def test_a_letter_is_named_after_its_fact_and_its_reader(event: Event, letter_id: str) -> None:
    assert letters_of(event)[0][0] == letter_id


def test_the_longest_ids_still_make_a_letter_id() -> None:
    mentor, manager = "m" * 48, "g" * 48
    pair = f"{mentor}~{manager}"
    longest = {"pair_id": pair, "mentor_id": mentor, "manager_id": manager}
    for event in FACTS:
        data = event.model_dump(mode="json")
        for name in longest.keys() & data.keys():
            data[name] = longest[name]
        for name, more in (("session_id", "~20"), ("survey_id", "~start~manager")):
            if name in data:
                data[name] = f"{pair}{more}"
        for name in ("person_id", "round_id"):
            if name in data:
                data[name] = "p" * 48
        for told in told_of(type(event).model_validate(data)):
            assert len(told.letter_id) <= 240


def told_of(event: Event) -> list[LetterEvent]:
    decision = DOMAIN.decide(Everything(), event, NOW)
    assert isinstance(decision, list)
    return [one for one in decision if isinstance(one, LetterEvent)]


def of_itself(decision: Decision) -> list[Event]:
    """What is told of a fact itself, not what brings it to mind."""
    assert not isinstance(decision, Refusal)
    return [e for e in decision if "Reminder" not in getattr(e, "template", "")]


def test_two_facts_never_share_a_letter() -> None:
    again = [
        PLANNED.model_copy(update={"revision": 9}),
        PLANNED.model_copy(update={"attempt": 2}),
        PairStalled(**PAIR_FIELDS, since=NOW),
    ]
    scenario = opened()
    scenario.when(PLANNED)
    scenario.when(PairStalled(**PAIR_FIELDS, since=NOW - timedelta(days=60)))
    for event in again:
        told = [e for e in of_itself(scenario.when(event)) if type(e) is not NewsDropped]
        assert len(told) == 2


def test_one_letter_per_fact_and_person_however_often_the_fact_comes() -> None:
    scenario = opened()
    scenario.when(PROPOSED)
    assert len(of_itself(scenario.when(PLANNED))) == 2
    assert of_itself(scenario.when(PLANNED)) == []


def test_a_letter_carries_the_fact_and_no_contact() -> None:
    queued = opened(CAMILLE, ALEX).when(FORMED)
    assert isinstance(queued, list)
    assert isinstance(queued[0], NewsHeld)
    assert queued[0].facts == FORMED.model_dump(mode="json")
    assert queued[0].template == "PairFormed"
    text = "".join(event.model_dump_json() for event in queued)
    assert "Roux" not in text
    assert "@" not in text


def test_a_declined_proposal_is_not_told_to_the_one_who_declined() -> None:
    assert told(ProposalDeclined(**PAIR_FIELDS, by="mentor")) == [(MANAGER, "manager")]
