"""What a record's headers may say: times as RFC 3339 has them, names that can be carried on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.actors import Actor
from schemas.envelope import Attributes, Unreadable, attributes, encode
from schemas.feedback import AnswerSurvey
from schemas.gate.samples import message_of
from schemas.matching import PauseMentor

PLAIN = {
    "ce_specversion": "1.0",
    "ce_id": "1",
    "ce_source": "/x",
    "ce_type": "fr.gouv.mentoring.OpenCohort.v1",
    "ce_time": "2026-01-05T09:00:00Z",
    "ce_subject": "c/c",
    "ce_partitionkey": "c",
}


def read(**changes: str) -> Attributes:
    return attributes([(name, text.encode()) for name, text in {**PLAIN, **changes}.items()])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05T09:00:00Z", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2026-01-05t09:00:00z", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2026-01-05T09:00:00.1239999999Z", datetime(2026, 1, 5, 9, 0, 0, 123000, tzinfo=UTC)),
        ("2026-01-05T10:30:00+01:30", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2026-01-05T09:00:00-00:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("1990-12-31T15:59:60-08:00", datetime(1991, 1, 1, tzinfo=UTC)),
        ("2015-06-30T23:59:60.5Z", datetime(2015, 7, 1, 0, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_time_of_rfc_3339_is_a_moment(text: str, moment: datetime) -> None:
    assert read(ce_time=text).time == moment


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-05", "2026-01-05T09:00:00", "2026-W02-1", "2026-W02-1T09:00:00Z", "20260105"),
        *("20260105T090000Z", "2026-01-05T09Z", "2026-01-05T09:00Z", "2026-01-05 09:00:00Z"),
        *("2026-01-05T24:00:00Z", "2026-01-05T09:00:60Z", "2026-01-31T23:59:61Z", "٢026-01-05"),
        *("2026-01-05T09:00:00+0100", "2026-01-05T09:00:00+01:00:00", "2026-01-05T09:00:00,5Z"),
        *("2026-02-30T09:00:00Z", "2026-01-05T09:00:00+24:00", "0001-01-01T00:00:00+14:00"),
        *("9999-12-31T23:59:59-14:00", "2026-01-05T09:00:00Z\n", "", "2026-001T09:00:00Z"),
        "2026-01-05T09:00:00." + "1" * 100_000 + "Z",
    ],
)
def test_any_other_time_is_none(text: str) -> None:
    with pytest.raises(Unreadable, match="ce_time is not an RFC 3339 time with its offset"):
        read(ce_time=text)


@pytest.mark.parametrize("header", ["ce_id", "ce_source"])
def test_a_name_that_every_event_would_have_to_carry_is_short(header: str) -> None:
    assert read(**{header: "x" * 300})
    with pytest.raises(Unreadable, match=f"header {header} has more than 300 characters"):
        read(**{header: "x" * 301})


def test_a_trace_context_that_is_none_goes_no_further() -> None:
    assert read(ce_traceparent="x" * 100_000).traceparent is None


def test_who_is_behind_a_record_is_read_and_written_alike_and_older_records_say_nothing() -> None:
    lise = Actor("app_user", "m-017", "participant", "link")
    pause = PauseMentor(cohort_id="c", mentor_id="m-017")
    where: dict[str, Any] = {"id": "1", "source": "/x", "time": datetime(2026, 1, 5, 9, tzinfo=UTC)}
    assert attributes(encode(pause, "t", 0, **where, actor=lise).headers).actor == lise
    assert attributes(encode(pause, "t", 0, **where).headers).actor is None
    assert read().actor is None


def test_no_one_is_ever_behind_an_answer_to_a_survey() -> None:
    answer = message_of(AnswerSurvey)
    where: dict[str, Any] = {"id": "1", "source": "/x", "time": datetime(2026, 1, 5, 9, tzinfo=UTC)}
    lise = Actor("app_user", "m-017", "participant", "link")
    written = encode(answer, "t", 0, **where, actor=lise)
    assert not any(name.startswith("ce_auth") for name, _ in written.headers)


@pytest.mark.parametrize(
    ("told", "actor"),
    [
        ({"ce_authid": "s-1"}, Actor("unknown", "s-1", "unknown", "unknown")),
        ({"ce_authtype": "user", "ce_authrole": "auditor"}, None),
        ({"ce_authid": ""}, None),
        ({"ce_authid": "x" * 129}, None),
        ({"ce_authid": "s-1", "ce_authrole": "x" * 129}, None),
    ],
)
def test_what_names_nobody_or_at_any_length_is_nobody(
    told: dict[str, str], actor: Actor | None
) -> None:
    assert read(**told).actor == actor
