"""What calendar programs answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import Event, session_of
from schemas.meeting import AnswerInvitation, SessionMoveRefused
from schemas.scheduling import SessionConfirmed
from schemas.values import Side
from services.chassis.domain import Decision, Refusal
from tests.scenario import kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    PAIR,
    after_start,
    confirm,
    paris,
    reschedule,
    standing,
    the_session,
)


def answers(
    reply: Any, by: Side = "mentor", sequence: int = 0, at: datetime | None = None, number: int = 1
) -> AnswerInvitation:
    return AnswerInvitation(
        cohort_id=COHORT,
        session_id=session_of(PAIR, number),
        by=by,
        answer=reply,
        sequence=sequence,
        proposed_at=at,
    )


def test_who_accepts_the_invitation_has_confirmed_the_session() -> None:
    scenario = standing()
    assert kinds(scenario.when(answers("accepted"))) == ["SessionConfirmed"]
    assert the_session(scenario, 1).confirmed_by == ("mentor",)
    assert scenario.when(answers("accepted")) == []


def test_both_are_told_once_both_have_confirmed() -> None:
    scenario = standing()
    first = scenario.when(confirm(1, "manager"))
    second = scenario.when(answers("accepted", sequence=0))
    assert isinstance(first, list) and isinstance(second, list)
    told = [event.both for event in (*first, *second) if isinstance(event, SessionConfirmed)]
    assert told == [False, True]


def test_an_answer_counts_although_the_other_side_has_confirmed_meanwhile() -> None:
    scenario = standing()
    scenario.when(confirm(1, "manager"))
    assert the_session(scenario, 1).revision == 1
    assert kinds(scenario.when(answers("accepted", sequence=0))) == ["SessionConfirmed"]


@pytest.mark.parametrize("reply", ["accepted", "declined"])
def test_an_answer_to_a_date_that_was_replaced_counts_for_nothing(reply: str) -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    scenario.when(reschedule(1, paris(3, 16, 10), "manager"))
    before = the_session(scenario, 1)
    assert refusal(scenario.when(answers(reply, sequence=0))) == "outdated-answer"
    assert the_session(scenario, 1) == before
    assert refusal(scenario.when(answers("countered", at=paris(3, 17, 9)))) == "outdated-answer"


def test_who_declines_has_the_session_planned_anew() -> None:
    scenario = standing()
    assert kinds(scenario.when(answers("declined")))[0] == "SessionCancelled"
    assert refusal(scenario.when(answers("declined"))) == "outdated-answer"


def test_a_counter_moves_where_both_are_free_and_is_proposed_elsewhere() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    free = scenario.when(answers("countered", at=paris(3, 16, 10)))
    assert kinds(free) == ["SessionRescheduled"]
    other = standing()
    assert kinds(other.when(answers("countered", at=paris(3, 16, 18)))) == ["SessionMoveProposed"]


def events(decision: Decision) -> Sequence[Event]:
    assert not isinstance(decision, Refusal), decision
    return list(decision)


SATURDAY, OFF, EVENING = paris(3, 18, 10), paris(3, 16, 10, 5), paris(3, 16, 20)


@pytest.mark.parametrize(
    ("at", "cause"),
    [
        (paris(3, 1, 10), "not-in-future"),
        (paris(12, 20, 10), "too-far-ahead"),
        (OFF, "off-the-quarter"),
        (SATURDAY, "not-a-working-day"),
        (EVENING, "outside-working-hours"),
        (paris(4, 20, 10), "out-of-order"),
    ],
)
def test_whoever_proposes_a_time_that_cannot_be_is_told_why_and_the_date_stands(
    at: datetime, cause: str
) -> None:
    scenario = standing()
    before = the_session(scenario, 1)
    [told] = events(scenario.when(answers("countered", at=at)))
    assert isinstance(told, SessionMoveRefused)
    assert (told.by, told.proposed_at, told.cause) == ("mentor", at, cause)
    after = the_session(scenario, 1)
    assert (after.starts_at, after.confirmed_by) == (before.starts_at, before.confirmed_by)
    assert after.proposal is None
    assert kinds(scenario.when(answers("accepted"))) == ["SessionConfirmed"]


def test_a_time_that_is_too_near_to_ask_the_other_is_told_to_who_proposed_it() -> None:
    scenario = standing()
    scenario.now = the_session(scenario, 1).starts_at - timedelta(hours=3)
    [told] = events(scenario.when(answers("countered", at=paris(3, 16, 18))))
    assert isinstance(told, SessionMoveRefused)
    assert told.cause == "too-late-to-propose"


def test_a_mail_that_comes_twice_tells_it_once_and_each_side_is_told_for_itself() -> None:
    scenario = standing()
    first, again = (scenario.when(answers("countered", at=SATURDAY)) for _ in range(2))
    assert (kinds(first), again) == (["SessionMoveRefused"], [])
    other = scenario.when(answers("countered", by="manager", at=SATURDAY))
    assert kinds(other) == ["SessionMoveRefused"]
    later = scenario.when(answers("countered", by="manager", at=EVENING))
    assert kinds(later) == ["SessionMoveRefused"]
    told = [e.revision for e in scenario.events if isinstance(e, SessionMoveRefused)]
    assert told == sorted(set(told))  # so that each has a letter of its own


def test_an_answer_to_what_has_begun_or_is_not_there_is_refused() -> None:
    scenario = after_start(standing(), 1)
    assert refusal(scenario.when(answers("accepted"))) == "session-started"
    assert refusal(scenario.when(answers("accepted", number=9))) == "unknown-session"


def test_a_counter_has_a_time() -> None:
    with pytest.raises(ValidationError, match="proposed_at"):
        answers("countered", at=None)
