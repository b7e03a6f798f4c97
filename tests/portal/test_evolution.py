"""The portal's documents, as they follow from what happened."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.matching import (
    MentorPaused,
    MentorResumed,
    MentorWithdrew,
    PairDissolved,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.notify import LetterDeferred
from schemas.people import PersonContact, PersonErased
from schemas.rounds import RoundCalledOff
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PlanningPostponed,
    SessionCompleted,
    SessionMoveAccepted,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPostponed,
    SessionShifted,
    SessionWithdrawn,
)
from services.chassis.domain import D
from services.portal.handlers import DOMAIN
from services.portal.views import (
    Cohort,
    Dispute,
    FailedLetter,
    Pair,
    Participant,
    Round,
    Session,
)
from tests.portal.stories import (
    ACCEPTED,
    ASKED,
    DISPUTED,
    FORMED,
    GOING_ON,
    JOINED,
    LETTER_FAILED,
    LISE,
    LISE_JOINS,
    MEASURED,
    MISSED,
    NO_DATE,
    OPENED,
    PAIR,
    PAUL_JOINS,
    PROPOSED,
    PUBLISHED_SOON,
    ROUND_ENDED,
    SIMULATED,
    STALLED,
    WAITLISTED,
    WITHHELD,
    of_session,
    planned,
)
from tests.scenario import NOW, Scenario


def after(*history: Message) -> Scenario:
    return Scenario(DOMAIN).given(*history)


def the(scenario: Scenario, kind: type[D], id: str) -> D:
    found = scenario.state.get(kind, "c", id)
    assert found is not None
    return found


def paul(*history: Message) -> Participant:
    return the(after(*history), Participant, "g-1")


def pair(*history: Message) -> Pair:
    return the(after(*history), Pair, "m-1~g-1")


def test_a_manager_s_state_follows_that_of_their_pair() -> None:
    assert paul(*JOINED).manager_state == "waiting"
    assert paul(*JOINED, PROPOSED).manager_state == "proposed"
    assert paul(*JOINED, PROPOSED, ProposalDeclined(**PAIR, by="mentor")).manager_state == "waiting"
    expired = ProposalExpired(**PAIR, cause="deadline")
    assert paul(*JOINED, PROPOSED, expired).manager_state == "waiting"
    assert paul(*GOING_ON).manager_state == "paired"
    dissolved = PairDissolved(**PAIR, cause="request")
    assert paul(*GOING_ON, dissolved).manager_state == "waiting"
    assert paul(*GOING_ON, PairGraduated(**PAIR, sessions=5)).manager_state == "graduated"


ROUND = {"cohort_id": "c", "round_id": SIMULATED[0].subject}
OF_A_ROUND: tuple[Message, ...] = (
    *SIMULATED,
    PUBLISHED_SOON,
    RoundCalledOff(**ROUND),
    PUBLISHED_SOON.model_copy(update={"requested_at": NOW + timedelta(hours=1)}),
)
"""What is told of a round where only the platform reads; that it ended is told elsewhere."""


@pytest.mark.parametrize("place", range(len(OF_A_ROUND)))
def test_a_published_round_stays_so_whichever_topic_is_read_first(place: int) -> None:
    ended = ROUND_ENDED.model_copy(update={"round_id": ROUND["round_id"]})
    as_it_was = the(after(*OF_A_ROUND, ended), Round, ROUND["round_id"])
    assert (as_it_was.state, as_it_was.mode) == ("completed", "publish")
    history = (*OF_A_ROUND[:place], ended, *OF_A_ROUND[place:])
    assert the(after(*history), Round, ROUND["round_id"]) == as_it_was


def test_of_a_pair_that_has_ended_nobody_is_told_who_had_asked_for_another_partner() -> None:
    ended = pair(*GOING_ON, PairDissolved(**PAIR, cause="request"), ASKED)
    assert (ended.wants_another, ended.asked_another) == (False, ())


def test_a_place_on_the_waiting_list_is_gone_with_the_wait() -> None:
    assert paul(*JOINED, WAITLISTED).waiting == WAITLISTED.waiting
    assert paul(*JOINED, WAITLISTED, PROPOSED).waiting is None


def test_who_pauses_comes_back_or_leaves() -> None:
    about = {"cohort_id": "c", "mentor_id": "m-1"}
    history: tuple[Message, ...] = (*JOINED, MentorPaused(**about))
    assert the(after(*history), Participant, "m-1").mentor_state == "paused"
    history = (*history, MentorResumed(**about))
    assert the(after(*history), Participant, "m-1").mentor_state == "available"
    history = (*history, MentorWithdrew(**about))
    assert the(after(*history), Participant, "m-1").mentor_state == "withdrawn"


def test_a_pair_without_a_common_hour_is_so_until_every_session_has_its_date() -> None:
    assert pair(*GOING_ON, NO_DATE).undated == (2, 3)
    some = pair(*GOING_ON, NO_DATE, planned(2, 21))
    assert (some.undated, some.without_date) == ((3,), True)
    every = pair(*GOING_ON, NO_DATE, planned(2, 21), planned(3, 35))
    assert (every.undated, every.without_date) == ((), False)


def test_a_pair_that_stood_still_goes_on_with_a_session_held() -> None:
    assert pair(*GOING_ON, STALLED).stalled
    fields = planned().model_dump()
    held = SessionCompleted.model_validate(fields | {"by": "mentor", "completed": 1})
    going = pair(*GOING_ON, STALLED, held)
    assert (going.stalled, going.completed) == (False, 1)
    assert the(after(*GOING_ON, held), Session, "m-1~g-1~1").state == "completed"


def the_session(*history: Message) -> Session:
    return the(after(*history), Session, "m-1~g-1~1")


def test_a_session_is_shown_at_the_date_that_stands() -> None:
    was = planned().starts_at
    shifted = of_session(SessionShifted, days=9, previously_at=was, cause="absence")
    assert the_session(*GOING_ON, shifted).starts_at == shifted.starts_at
    asked = {"proposed_at": was + timedelta(days=1), "by": "mentor"}
    proposed = of_session(SessionMoveProposed, answer_by=was, **asked)
    waiting = the_session(*GOING_ON, proposed)
    assert waiting.starts_at == was
    assert waiting.proposal is not None
    assert waiting.proposal.proposed_at == asked["proposed_at"]
    for answer in (SessionMoveAccepted, SessionMoveDeclined):
        assert the_session(*GOING_ON, proposed, of_session(answer, **asked)).proposal is None


def test_a_session_that_gives_up_its_date_waits_until_it_is_planned_again() -> None:
    postponed = of_session(SessionPostponed, cause="absence")
    waiting = pair(*GOING_ON, postponed)
    assert (waiting.undated, waiting.without_date) == ((1,), True)
    assert the_session(*GOING_ON, postponed).state == "postponed"
    again = pair(*GOING_ON, postponed, planned(1, 14, attempt=2))
    assert (again.undated, again.without_date) == ((), False)


def test_what_is_corrected_counts_as_corrected_and_settles_the_dispute() -> None:
    told = {"held": True, "was_held": False, "completed": 1}
    corrected = of_session(AttendanceCorrected, **told)
    second = planned(1, 14, attempt=2)
    history = (*GOING_ON, MISSED, second, DISPUTED)
    dispute = the(after(*history), Dispute, "m-1~g-1~1~1")
    assert (dispute.by, dispute.starts_at) == ("manager", planned().starts_at)
    withdrawn = of_session(SessionWithdrawn, days=14, attempt=2)
    settled = after(*history, withdrawn, corrected)
    assert settled.state.get(Dispute, "c", dispute.id) is None
    session = the(settled, Session, "m-1~g-1~1")
    assert (session.state, session.starts_at) == ("completed", planned().starts_at)
    assert the(settled, Pair, "m-1~g-1").completed == 1


def test_a_dispute_that_is_settled_as_it_counted_leaves_the_later_date_alone() -> None:
    told = {"held": False, "was_held": False, "completed": 0}
    second = planned(1, 14, attempt=2)
    settled = after(*GOING_ON, MISSED, second, DISPUTED, of_session(AttendanceCorrected, **told))
    session = the(settled, Session, "m-1~g-1~1")
    assert (session.state, session.starts_at) == ("planned", second.starts_at)
    assert settled.state.get(Dispute, "c", "m-1~g-1~1~1") is None


def test_a_date_that_was_found_since_counts_whichever_topic_is_read_first() -> None:
    no_date = NO_DATE.model_copy(update={"attempts": (1, 0)})
    first, again = planned(2, 21), planned(2, 35, attempt=2)
    assert pair(*GOING_ON, first, no_date, again, planned(3, 49)).undated == ()
    assert pair(*GOING_ON, first, again, planned(3, 49), no_date).undated == ()
    assert pair(*GOING_ON, first, again, no_date).undated == (3,)
    assert pair(*GOING_ON, first, no_date).undated == (2, 3)


def test_a_session_that_is_held_after_all_waits_for_no_date() -> None:
    told = {"held": True, "was_held": False, "completed": 1}
    none = PlanningPostponed(**PAIR, numbers=(1,), retry_at=NOW)
    found = pair(*GOING_ON, MISSED, none, of_session(AttendanceCorrected, **told))
    assert (found.undated, found.without_date) == ((), False)


def test_a_pair_whose_graduation_is_withdrawn_goes_on() -> None:
    withdrawn = GraduationWithdrawn(**PAIR, again=1, completed=4)
    history = (*GOING_ON, PairGraduated(**PAIR, sessions=5), withdrawn)
    assert (pair(*history).state, pair(*history).completed) == ("formed", 4)
    assert paul(*history).manager_state == "paired"


def test_what_ended_is_not_to_be_handled() -> None:
    ended = pair(*GOING_ON, STALLED, NO_DATE, PairDissolved(**PAIR, cause="request"))
    assert (ended.state, ended.stalled, ended.without_date) == ("dissolved", False, False)


def test_a_letter_has_failed_until_it_is_tried_again() -> None:
    assert the(after(LETTER_FAILED), FailedLetter, LETTER_FAILED.letter_id).cause == "smtp 550"
    again = LetterDeferred(
        cohort_id="c",
        letter_id=LETTER_FAILED.letter_id,
        person_id="m-1",
        attempt=0,
        cause="asked again",
        retry_at=NOW,
    )
    assert after(LETTER_FAILED, again).state.get(FailedLetter, "c", again.letter_id) is None
    assert after(again).state.documents == {}, "an ordinary wait is no document"


def test_a_programme_shows_what_was_last_measured_of_it() -> None:
    cohort = the(after(OPENED, MEASURED, WITHHELD), Cohort, "c")
    assert cohort.ready is False
    assert cohort.figures is not None
    assert cohort.figures.pairs_formed == 1


def test_who_is_erased_has_no_name_left_and_what_they_do_stays_without_it() -> None:
    erased = PersonErased(cohort_id="c", person_id="m-1")
    gone = the(after(*JOINED, erased), Participant, "m-1")
    text = gone.model_dump_json()
    assert "Lise" not in text
    assert "lise" not in text
    assert gone.mentor_state == "available"
    assert after(LISE_JOINS[0], erased).state.get(Participant, "c", "m-1") is None


CONTACTS: list[Message] = [
    LISE_JOINS[0],
    PAUL_JOINS[0],
    PersonContact(cohort_id="c", person_id="m-1", name="Lise Martin", email=LISE, language="en"),
    PersonErased(cohort_id="c", person_id="g-1"),
]
EVENTS: list[Message] = [*JOINED, PROPOSED, ACCEPTED, FORMED, planned(), NO_DATE, STALLED]


@given(st.lists(st.booleans(), min_size=30, max_size=30))
def test_contacts_and_events_give_the_same_whichever_are_read_first(turns: list[bool]) -> None:
    """A rebuild reads contacts last; live, they come in between."""
    events = [one for one in EVENTS if not isinstance(one, PersonContact)]
    contacts, mixed = list(CONTACTS), []
    left = list(events)
    for turn in turns:
        source = contacts if turn else left
        if source:
            mixed.append(source.pop(0))
    live = after(*mixed, *left, *contacts)
    rebuilt = after(*events, *CONTACTS)
    assert documents(live) == documents(rebuilt)


def documents(scenario: Scenario) -> dict[object, object]:
    found = scenario.state.documents.items()
    return {key: document for key, document in found if document is not None}
