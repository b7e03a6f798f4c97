"""Times that are none, or that no session can have: a clear answer, and nothing has changed."""

from base64 import decodebytes, encodebytes
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.meeting import AnswerInvitation
from schemas.scheduling import RescheduleSession
from services.chassis.domain import Refusal
from services.chassis.http.problems import Problem
from services.notify.inbound.reading import Answer, Refused, read
from tests.notify.replies import ANNE, outlook
from tests.scenario import Scenario
from tests.scheduling.given import ANY_DAY, paris, reschedule, standing, the_session
from tests.scheduling.test_pages import PAGE, link

MARCH = datetime(2017, 3, 26, 2, 30)  # noqa: DTZ001 - the clocks go from two to three
SKIPPED = datetime(2017, 3, 26, 1, 30, tzinfo=UTC)


def calendar(mail: bytes, before: str, after: str) -> bytes:
    """An answer of which the calendar says something else."""
    head, _, rest = mail.partition(b"Content-Transfer-Encoding: base64\r\n\r\n")
    encoded, _, tail = rest.partition(b"\r\n--_000_x_--")
    text = decodebytes(encoded).decode().replace(before, after)
    again = encodebytes(text.encode())
    return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + again + b"\r\n--_000_x_--" + tail


def unchanged(scenario: Scenario, command: Any) -> str:
    """The rule that refuses it; the session is as it was."""
    before = the_session(scenario, 1)
    decision = scenario.when(command)
    assert isinstance(decision, Refusal), decision
    assert the_session(scenario, 1) == before
    return decision.rule


def test_another_time_in_an_unknown_zone_is_refused_with_its_reason() -> None:
    mail = outlook("DECLINED", method="COUNTER")
    strange = calendar(mail, "DTSTART;TZID=Romance Standard Time", "DTSTART;TZID=Mars/Olympus")
    said = read(strange, ANNE)
    assert isinstance(said, Refused)
    assert (said.reason, "time zone" in said.reply) == ("no-time", True)


def test_a_time_without_its_zone_is_refused_by_its_field() -> None:
    for field, kind in (("starts_at", RescheduleSession), ("proposed_at", AnswerInvitation)):
        given = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor", "answer": "countered"}
        wanted = {name: value for name, value in given.items() if name in kind.model_fields}
        with pytest.raises(ValidationError, match=field):
            kind.model_validate({**wanted, field: "2017-03-21T09:00:00"})


def test_the_hour_that_march_skips_is_no_time_for_a_session() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    assert unchanged(scenario, reschedule(1, SKIPPED)) == "not-a-working-day"
    typed = {"answer": "propose", "day": "2017-03-26", "time": "02:30"}
    assert unchanged(scenario, PAGE.command(link(), typed, "")) == "not-a-working-day"


def test_the_hour_that_march_skips_is_read_as_a_moment_where_a_program_proposes_it() -> None:
    mail = calendar(
        outlook("DECLINED", method="COUNTER"), "20170315T110000", f"{MARCH:%Y%m%dT%H%M%S}"
    )
    said = read(mail, ANNE)
    assert isinstance(said, Answer)
    assert said.proposed_at is not None
    assert said.proposed_at.tzinfo is not None


@pytest.mark.parametrize("typed", [{"day": "2017-02-30", "time": "10:00"}, {"day": "", "time": ""}])
def test_a_day_that_is_none_is_told_by_its_field(typed: dict[str, str]) -> None:
    with pytest.raises(Problem, match="day and time"):
        PAGE.command(link(), {"answer": "propose", **typed}, "")


def test_a_slot_that_is_no_longer_free_is_refused() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    second = the_session(scenario, 2)
    assert unchanged(scenario, reschedule(1, second.starts_at)) == "slot-taken"
    assert unchanged(scenario, reschedule(1, paris(3, 3, 10))) == "not-in-future"
