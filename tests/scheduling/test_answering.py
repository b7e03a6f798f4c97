"""What calendar programs answer."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import session_of
from schemas.meeting import AnswerInvitation
from schemas.scheduling import SessionConfirmed
from schemas.values import Side
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


def test_an_answer_to_what_has_begun_or_is_not_there_is_refused() -> None:
    scenario = after_start(standing(), 1)
    assert refusal(scenario.when(answers("accepted"))) == "session-started"
    assert refusal(scenario.when(answers("accepted", number=9))) == "unknown-session"


def test_a_counter_has_a_time() -> None:
    with pytest.raises(ValidationError, match="proposed_at"):
        answers("countered", at=None)
