"""What a stranger can write into a mail so that reading it takes for ever: it does not."""

import time
from base64 import b64encode, decodebytes, encodebytes
from datetime import UTC, datetime

import pytest

from services.notify.inbound.reading import (
    ALL_HEADERS,
    LONGEST_HEADER,
    MOST_LINES,
    NO_ANSWER,
    UNREADABLE,
    Answer,
    Refused,
    Said,
    read,
)
from tests.notify.replies import ANNE, google, outlook

SECONDS = 20.0
"""Of the processor: many times what the worst of these takes; what once was would take days."""
YEARLY = "FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH="
NAME = "Romance Standard Time"


def told(mail: bytes) -> Said:
    """What is read of it, and in good time."""
    began = time.process_time()
    said = read(mail, ANNE)
    assert time.process_time() - began < SECONDS
    return said


def proposing(changes: dict[str, str]) -> bytes:
    """Another time, in a zone of the calendar's own, of which something is otherwise."""
    mail = outlook("DECLINED", method="COUNTER")
    head, _, rest = mail.partition(b"Content-Transfer-Encoding: base64\r\n\r\n")
    encoded, _, tail = rest.partition(b"\r\n--_000_x_--")
    text = decodebytes(encoded).decode()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    again = encodebytes(text.encode())
    return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + again + b"\r\n--_000_x_--" + tail


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY;INTERVAL=1",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYSECOND=" + ",".join(map(str, range(60))),
        "FREQ=YEARLY\r\nEXRULE:FREQ=SECONDLY",
        "FREQ=YEARLY\r\n" + f"RRULE:{YEARLY}3\r\n" * 10,
    ],
)
def test_a_zone_of_other_rules_than_those_of_clocks_is_followed_by_nobody(rule: str) -> None:
    said = told(proposing({NAME: "The bureau", YEARLY + "10": rule}))

    assert isinstance(said, Refused)
    assert (said.reason, "lien de la lettre" in said.reply) == ("no-time", True)


def test_a_zone_of_a_calendar_is_that_of_no_other_calendar() -> None:
    far = {"+0100": "-0900", "+0200": "-0800"}
    at = [told(proposing({NAME: "The bureau", **changes})) for changes in (far, {})]

    assert [one.proposed_at for one in at if isinstance(one, Answer)] == [
        datetime(2017, 3, 15, 20, 0, tzinfo=UTC),
        datetime(2017, 3, 15, 10, 0, tzinfo=UTC),  # 11:00 in Paris
    ]


def test_the_zone_that_everybody_knows_by_its_name_is_what_everybody_knows() -> None:
    said = told(proposing({"+0100": "-0900", "+0200": "-0800", YEARLY + "10": "FREQ=SECONDLY"}))

    assert isinstance(said, Answer)
    assert said.proposed_at == datetime(2017, 3, 15, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    "header",
    [
        b"Auto-Submitted: " + b"=?utf-8?q?a?= " * 100_000,
        b"Content-Type: text/calendar; " + b"a=b; " * 200_000,
        b"Content-Disposition: attachment; "
        + b"".join(b"filename*%d*=a; " % n for n in range(60_000)),
        b"Content-Type: text/calendar\n" + b" ;a=b\n" * 5_000,
        b"".join(b"Content-X: %b\n" % (b"a" * 500) for _ in range(30)),
    ],
)
def test_headers_without_end_are_not_looked_into(header: bytes, end: bytes) -> None:
    mail = b"From: anne@example.org\n" + header + b"\n\ntext"

    assert told(mail.replace(b"\n", end)) == UNREADABLE


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_headers_without_end_are_not_looked_into_within_what_is_encoded_either(end: bytes) -> None:
    returned = b"X-Connecte-Letter: a\nX-Connecte-Cohort: " + b"a " * 500_000
    report = [
        b"Content-Type: multipart/report; boundary=b\n\n--b",
        b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n\n--b",
        b"Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n",
    ]
    encoded = b64encode(returned.replace(b"\n", end))
    lines = [encoded[at : at + 990] for at in range(0, len(encoded), 990)]

    assert told(b"\n".join([*report, *lines, b"--b--"])) == UNREADABLE


def test_the_headers_that_programs_write_are_far_from_the_bounds() -> None:
    for mail in (google(), outlook("DECLINED", method="COUNTER")):
        written = mail.replace(b"Subject:", b"Subject: " + b"=?utf-8?q?a?= " * 1000 + b"\r\nX:")
        assert isinstance(told(written), Answer)
    assert LONGEST_HEADER * 2 < ALL_HEADERS


@pytest.mark.parametrize(
    "kind", [b"multipart/mixed; boundary=b", b"multipart/digest; boundary=b", b"message/rfc822"]
)
@pytest.mark.parametrize("piece", [b"--b\n\n", b"\n", b"a:\n", b" \n"])
def test_of_pieces_without_end_so_many_are_read(kind: bytes, piece: bytes) -> None:
    mail = b"From: anne@example.org\nContent-Type: " + kind + b"\n\n" + piece * 250_000

    assert told(mail) == NO_ANSWER


def test_what_stands_behind_an_answer_is_as_long_as_it_likes() -> None:
    assert isinstance(told(google() + b"behind\r\n" * (2 * MOST_LINES)), Answer)
