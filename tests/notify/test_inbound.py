"""What comes in by mail: over a real LMTP socket, in the shapes that programs write."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.base import Message
from schemas.envelope import attributes, decode
from schemas.meeting import AnswerInvitation
from schemas.notify import ReportBounce
from schemas.topics import commands_topic
from services.chassis.clock import Clock
from services.chassis.http.commands import CommandTopic
from services.chassis.log.contract import NotTaken
from services.chassis.log.memory import MemoryLog
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.notify.inbound.reading import Passed, Refused, read
from services.notify.inbound.server import Inbound, Mailbox
from services.notify.views import Person
from tests.notify.replies import (
    ADDRESS,
    ANNE,
    PROGRAMS,
    SECRET,
    by_hand,
    google,
    nested,
    outlook,
    report,
    thunderbird,
    vacation,
)

COHORT, SESSION = "bercy-2017", "m-017~g-004~3"
PAUL = "paul@example.org"


class Office:
    """A mailbox that listens, and what it has asked for."""

    def __init__(self, inbound: Inbound, log: MemoryLog, port: int) -> None:
        self.inbound, self.log, self.port = inbound, log, port

    async def hand_over(self, mail: bytes, sender: str = ANNE, to: str = ADDRESS) -> str:
        """As a mail server does; what it is told."""
        return await asyncio.to_thread(self._hand_over, mail, sender, to)

    def _hand_over(self, mail: bytes, sender: str, to: str) -> str:
        with smtplib.LMTP("127.0.0.1", self.port) as client:
            client.ehlo("mx.example.org")
            client.mail(sender)
            code, said = client.rcpt(to)
            if code == 250:
                code, said = client.data(mail)
        return f"{code} {said.decode()}"

    def asked(self, service: Any = "scheduling") -> list[Message]:
        """The commands that followed."""
        topic = commands_topic(service)
        records = [r for (name, _), rows in self.log.records.items() if name == topic for r in rows]
        return [decode(attributes(r.headers), r.value) for r in records]

    def counted(self) -> dict[str, float]:
        """Mails, by outcome."""
        [family] = self.inbound.mails.collect()
        return {s.labels["outcome"]: s.value for s in family.samples if s.name.endswith("_total")}


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    log, store, clock = MemoryLog(), MemoryStore(), Clock()
    people = {"m-017": ANNE, "g-004": PAUL}
    contacts = [
        Person(id=one, cohort_id=COHORT, name=one, email=email, language="fr")
        for one, email in people.items()
    ]
    await store.fill(Place(0), contacts)
    topics = [CommandTopic(service, log, clock, 12) for service in ("scheduling", "notify")]  # type: ignore[arg-type]
    mailbox = Mailbox("127.0.0.1", 0, ADDRESS, 2_000_000, contact="help@example.org")
    inbound = Inbound(mailbox, store, topics[0], topics[1], CollectorRegistry(), SECRET)
    async with inbound.listening() as port:
        yield Office(inbound, log, port)


def answer(reply: Any, sequence: int = 0, **more: Any) -> AnswerInvitation:
    return AnswerInvitation(
        cohort_id=COHORT, session_id=SESSION, by="mentor", answer=reply, sequence=sequence, **more
    )


@pytest.mark.parametrize("program", PROGRAMS)
async def test_an_answer_of_every_program_becomes_a_command(office: Office, program: str) -> None:
    written = PROGRAMS[program]
    assert (await office.hand_over(written("ACCEPTED", sequence=2))).startswith("250")
    assert (await office.hand_over(written("DECLINED"))).startswith("250")
    assert office.asked() == [answer("accepted", 2), answer("declined")]


@pytest.mark.parametrize("program", PROGRAMS)
async def test_perhaps_is_taken_and_changes_nothing(office: Office, program: str) -> None:
    assert (await office.hand_over(PROGRAMS[program]("TENTATIVE"))).startswith("250")
    assert office.asked() == []
    assert office.counted() == {"tentative": 1}


async def test_another_time_is_read_in_the_zone_of_the_program(office: Office) -> None:
    mail = outlook("DECLINED", method="COUNTER")
    assert (await office.hand_over(mail)).startswith("250")
    at = datetime(2017, 3, 15, 10, 0, tzinfo=UTC)  # 11:00 in Paris
    assert office.asked() == [answer("countered", proposed_at=at)]


async def test_who_wrote_the_mail_has_to_be_who_answers(office: Office) -> None:
    stranger = await office.hand_over(thunderbird(by="eve@example.org"))
    forged = await office.hand_over(
        thunderbird(by=PAUL).replace(b"From: Anne Roy <paul", b"From: <anne")
    )
    assert stranger.startswith("550") and forged.startswith("550")
    assert office.asked() == []
    assert office.counted() == {"stranger": 2}


async def test_the_organizer_may_be_left_out_and_the_address_an_alias(office: Office) -> None:
    mail = thunderbird().replace(
        b"ORGANIZER;CN=Programme:mailto:" + ADDRESS.encode() + b"\r\n", b""
    )
    alias = mail.replace(b"mailto:" + ANNE.encode(), b"mailto:a.roy@example.org")
    assert (await office.hand_over(alias)).startswith("250")
    assert office.asked() == [answer("accepted")]


@pytest.mark.parametrize(
    "uid", ["040000008200E00074C5B7101A82E008", "bercy-2017/m-017@x", "../../m~g~1", "x/m~g~1@y"]
)
async def test_an_answer_to_no_invitation_of_ours_is_refused(office: Office, uid: str) -> None:
    assert (await office.hand_over(google(uid=uid))).startswith("550")
    assert office.asked() == []


async def test_whoever_is_away_has_answered_nothing(office: Office) -> None:
    assert (await office.hand_over(vacation())).startswith("250")
    assert office.asked() == []
    assert office.counted() == {"automatic": 1}


async def test_a_person_who_writes_is_told_where_to_write(office: Office) -> None:
    told = await office.hand_over(by_hand())
    assert told.startswith("550")
    assert "l'equipe du programme" in told and "programme's team (help@example.org)" in told
    assert len(told) <= 510  # RFC 5321, 4.5.3.1.5


@pytest.mark.parametrize("whole", [True, False])
async def test_a_letter_that_came_back_is_reported(office: Office, whole: bool) -> None:
    assert (await office.hand_over(report(whole=whole), sender="")).startswith("250")
    letter = "SessionPlanned:m-017~g-004~3:1.0:m-017"
    assert office.asked("notify") == [
        ReportBounce(cohort_id=COHORT, letter_id=letter, status="5.1.1")
    ]


@pytest.mark.parametrize(
    "proves",
    ["X-Connecte-Proof: 0123456789abcdef0123456789abcdef", "X-Connecte-Proof: é", "X-Other: x"],
)
async def test_of_a_letter_that_somebody_else_says_came_back_nothing_is_said(
    office: Office, proves: str
) -> None:
    assert (await office.hand_over(report(proves=proves), sender="")).startswith("250")
    assert office.asked("notify") == []
    assert office.counted() == {"forged-report": 1}


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
async def test_of_a_letter_that_is_late_or_arrived_nothing_is_said(
    office: Office, action: str
) -> None:
    assert (await office.hand_over(report(action=action), sender="")).startswith("250")
    assert office.asked("notify") == []


async def test_only_the_programmes_address_is_taken(office: Office) -> None:
    assert (await office.hand_over(google(), to="root@programme.example")).startswith("550")


async def test_a_mail_of_twenty_megabytes_is_refused_and_the_next_is_taken(office: Office) -> None:
    huge = google() + b"x" * 998 + b"\r\n" * 10 + (b"y" * 998 + b"\r\n") * 20_000
    assert (await office.hand_over(huge)).startswith("552")
    assert (await office.hand_over(google())).startswith("250")


@pytest.mark.parametrize("depth", [90, 5_000])
async def test_a_mail_that_is_nested_without_end_is_refused(office: Office, depth: int) -> None:
    assert (await office.hand_over(nested(depth)))[:3] in ("550", "554")
    assert office.asked() == []


async def test_what_the_broker_does_not_take_is_brought_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> int:
        raise NotTaken("away")

    with monkeypatch.context() as patch:
        patch.setattr(office.log, "send", away)
        assert (await office.hand_over(google())).startswith("451")
    assert office.asked() == []
    assert (await office.hand_over(google())).startswith("250")
    assert office.asked() == [answer("accepted")]


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\xff\xfe\x00" * 100,
        google().replace(b"BEGIN:VEVENT", b"BEGIN:VTODO"),
        google().replace(b"SEQUENCE:0", b"SEQUENCE:" + b"9" * 40),
        google().replace(b"SEQUENCE:0", b"SEQUENCE:-1"),
        google().replace(b"UID:", b"X-UID:"),
        outlook(method="COUNTER").replace(b"base64", b"x-unknown"),
    ],
)
async def test_what_cannot_be_read_changes_nothing_and_is_answered(
    office: Office, mail: bytes
) -> None:
    assert (await office.hand_over(mail))[:3] in ("250", "550", "554")
    assert office.asked() == []


def test_reading_says_why_and_never_raises() -> None:
    said = read(nested(200), ANNE)
    assert isinstance(said, Refused)
    assert said.reason == "too-many-parts"
    assert "trop de parties" in said.reply and "too many parts" in said.reply
    assert read(report("x").replace(b"X-Connecte", b"X-Other"), "") == Passed("unknown-letter")
