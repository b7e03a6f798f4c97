"""Handing letters over to a real SMTP server on the loopback."""

import asyncio
import email
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.local.mail import Mailbox
from services.chassis.documents import RevokedLinks
from services.notify import rendering, sender
from services.notify.messages import LetterAttempted
from services.notify.rendering import Letterhead
from services.notify.sender import Sender, Smtp
from services.notify.views import Letter, Person
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    CANCELLED,
    COHORT,
    FORMED,
    HEAD,
    LINKS,
    MANAGER,
    MENTOR,
    PLANNED,
    PROPOSED,
    VERIFIER,
    VOLUNTEERED,
    cohort,
    letters_for,
    person,
)
from tests.scenario import NOW

HOST = "127.0.0.1"


class Post:
    """What a server took, and how it answers: by the recipient's name."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.connections: list[Any] = []
        self.welcome = 1000

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        name = address.split("@", maxsplit=1)[0]
        if name == "drop":
            server.transport.abort()
        if name == "hang":
            await asyncio.sleep(30)
        if name.isdigit():
            return f"{name} {address} is not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from == HEAD.address
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        if b"451 at the end" in envelope.content:
            return "451 not now"
        return "250 OK"


class _Connection(SMTP):
    def connection_made(self, transport: Any) -> None:
        post = self.event_handler
        post.connections.append(transport)
        if len(post.connections) > post.welcome:
            transport.abort()
        super().connection_made(transport)


@asynccontextmanager
async def post_office(**options: Any) -> AsyncIterator[tuple[Post, int]]:
    post, loop = Post(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(post, hostname="localhost", loop=loop, **options), HOST, 0
    )
    try:
        yield post, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in post.connections:
            transport.abort()
        await asyncio.sleep(0)
        await server.wait_closed()


@asynccontextmanager
async def sending(port: int, **more: Any) -> AsyncIterator[Sender]:
    smtp = Smtp(HOST, port, more.pop("security", "none"), timeout=more.pop("timeout", 5), **more)
    found = Sender(smtp, HEAD, LINKS)
    try:
        yield found
    finally:
        await found.close()


def people(*mentors: Person) -> dict[str, Person]:
    return {p.key: p for p in (person(CAMILLE), person(ALEX), *mentors)}


COHORTS = {cohort().key: cohort()}


async def performed(
    by: Sender, letters: Sequence[Letter], known: dict[str, Person], now: datetime = NOW
) -> list[tuple[str, str]]:
    outcomes = await by.perform(letters, known, COHORTS, now, asyncio.Event())
    assert [type(outcome) for outcome in outcomes] == [LetterAttempted] * len(letters)
    assert [outcome.letter_id for outcome in outcomes] == [letter.id for letter in letters]
    return [(outcome.outcome, outcome.cause) for outcome in outcomes]


def addressed(*names: str) -> tuple[list[Letter], dict[str, Person]]:
    """One welcome per name, to `name@example.org`."""
    letters, known = [], {}
    for number, name in enumerate(names):
        who = person(CAMILLE, id=f"p-{number}", email=f"{name}@example.org")
        letters += letters_for(VOLUNTEERED.model_copy(update={"mentor_id": who.id}))
        known[who.key] = who
    return letters, known


# --- what a server says -----------------------------------------------------------------------


async def test_a_letter_that_the_server_took_is_sent_whole() -> None:
    async with post_office() as (post, port), sending(port) as by:
        assert await performed(by, letters_for(PLANNED), people()) == [("sent", "")] * 2
    found = {
        address: email.message_from_bytes(raw, policy=policy.default) for address, raw in post.taken
    }
    assert set(found) == {CAMILLE.email, ALEX.email}
    kinds = [part.get_content_type() for part in found[CAMILLE.email].walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    mentor = letters_for(PLANNED)[0]
    others = {MANAGER: person(ALEX)}
    sent = rendering.render(mentor, person(CAMILLE), others, LINKS, cohort(), HEAD, NOW)
    raw = dict(post.taken)[CAMILLE.email]
    assert raw.rstrip() == sent.as_bytes().rstrip()


async def test_a_letter_that_is_sent_after_a_revocation_has_links_that_count() -> None:
    revoked = RevokedLinks(id=MENTOR, cohort_id=COHORT, number=3, every=2)
    letter, *_ = letters_for(PROPOSED)
    async with post_office() as (post, port), sending(port) as by:
        for known in ({}, {revoked.key: revoked}):
            told = [letter], people(), COHORTS, NOW, asyncio.Event()
            assert [o.outcome for o in await by.perform(*told, revoked=known)] == ["sent"]
    texts = [email.message_from_bytes(raw, policy=policy.default) for _, raw in post.taken]
    tokens = [re.findall(r"/links/([\w.-]+)", t.get_body(("plain",)).get_content()) for t in texts]
    links = [[VERIFIER.verify(token, NOW) for token in some] for some in tokens]
    assert [len(some) for some in links] == [2, 2], "to answer, and why the two"
    assert not any(revoked.counts(link.name, link.after) for link in links[0])
    assert all(revoked.counts(link.name, link.after) for link in links[1])
    strip = [[link.model_copy(update={"after": 0}) for link in some] for some in links]
    assert strip[0] == strip[1], "they are the same but for that"


async def test_a_refusal_for_now_is_transient_and_one_for_good_is_permanent() -> None:
    letters, known = addressed("ok", "451", "550", "421", "554", "fine")
    async with post_office() as (post, port), sending(port) as by:
        assert await performed(by, letters, known) == [
            ("sent", ""),
            ("transient", "smtp 451"),
            ("permanent", "smtp 550"),
            ("transient", "smtp 421"),
            ("permanent", "smtp 554"),
            ("sent", ""),
        ]
    assert sorted(address for address, _ in post.taken) == ["fine@example.org", "ok@example.org"]


async def test_a_refusal_after_the_text_counts_too() -> None:
    letters, known = addressed("ok")
    (known_person,) = known.values()
    known = {known_person.key: known_person.model_copy(update={"name": "451 at the end"})}
    async with post_office() as (_, port), sending(port) as by:
        assert await performed(by, letters, known) == [("transient", "smtp 451")]


async def test_a_dropped_connection_is_transient_and_the_others_are_sent() -> None:
    letters, known = addressed("ok", "drop", "fine", "drop", "good")
    async with post_office() as (post, port), sending(port, connections=2) as by:
        outcomes = await performed(by, letters, known)
    assert [outcome for outcome, _ in outcomes] == ["sent", "transient"] * 2 + ["sent"]
    assert {cause for _, cause in outcomes} == {"", "connection"}
    assert len(post.taken) == 3


async def test_a_server_that_hangs_within_a_letter_is_transient_and_the_others_are_sent() -> None:
    letters, known = addressed("hang", "ok")
    async with post_office() as (_, port), sending(port, timeout=2.0, connections=1) as by:
        assert await performed(by, letters, known) == [("transient", "timeout"), ("sent", "")]


async def test_a_server_that_never_answers_costs_one_timeout_for_the_whole_batch() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    letters, known = addressed(*["ok"] * 50)
    started = time.monotonic()
    async with server, sending(server.sockets[0].getsockname()[1], timeout=1.0) as by:
        assert await performed(by, letters, known) == [("transient", "timeout")] * 50
    assert time.monotonic() - started < 12  # what 50 on four connections would take


@pytest.mark.parametrize("before", ["no connection", "connections", "old connections"])
async def test_a_server_that_greets_and_then_hangs_costs_few_timeouts_and_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    letters, known = addressed(*(f"p{number}" for number in range(80)))
    if before == "old connections":
        monkeypatch.setattr(sender, "_PROBE_AFTER", 0)
    async with Mailbox(tmp_path) as mailbox, sending(mailbox.port, timeout=1.0) as by:
        if before != "no connection":
            assert await performed(by, letters, known) == [("sent", "")] * 80
        mailbox.hang()
        started = time.monotonic()
        assert await performed(by, letters, known) == [("transient", "timeout")] * 80
        assert time.monotonic() - started < 20  # of 20 timeouts, two are to be expected
        mailbox.heal()
        assert await performed(by, letters, known) == [("sent", "")] * 80
        assert mailbox.count == 80


async def test_a_server_that_hangs_within_every_letter_is_tried_a_few_times_per_batch() -> None:
    letters, known = addressed(*["hang"] * 40, "ada")
    async with post_office() as (post, port), sending(port, timeout=1.0, connections=2) as by:
        assert await performed(by, letters, known) == [("transient", "timeout")] * 41
        # Each that hung has cost its connection.
        assert len(post.connections) <= 5
    assert not post.taken


async def test_a_server_that_is_away_is_transient_and_found_again_when_it_is_back() -> None:
    letters, known = addressed("ok")
    async with post_office() as (_, port):
        pass
    async with sending(port) as by:
        assert await performed(by, letters, known) == [("transient", "connection")]
        loop, post = asyncio.get_running_loop(), Post()
        server = await loop.create_server(
            lambda: _Connection(post, hostname="localhost", loop=loop), HOST, port
        )
        assert await performed(by, letters, known) == [("sent", "")]
        server.close()
        await by.close()
        await server.wait_closed()


async def test_a_wrong_password_is_no_fault_of_the_letters() -> None:
    def nobody(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    letters, known = addressed("ok", "fine")
    options = {"authenticator": nobody, "auth_require_tls": False}
    async with (
        post_office(**options) as (_, port),
        sending(port, username="notify", password="wrong") as by,
    ):
        assert await performed(by, letters, known) == [("transient", "smtp 535")] * 2


async def test_without_the_encryption_that_was_asked_for_nothing_is_sent() -> None:
    letters, known = addressed("ok")
    async with post_office() as (post, port), sending(port, security="starttls") as by:
        assert [outcome for outcome, _ in await performed(by, letters, known)] == ["transient"]
    assert post.taken == []


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The two ends of an encrypted connection to 127.0.0.1: (server's, client's)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_letters_and_credentials_travel_encrypted(tmp_path: Path) -> None:
    def known_user(*arguments: Any) -> AuthResult:
        return AuthResult(success=arguments[-1].password == b"right")

    server, client = certificate(tmp_path)
    letters, known = addressed("ok")
    options = {"authenticator": known_user, "tls_context": server, "require_starttls": True}
    async with (
        post_office(**options) as (post, port),
        sending(
            port, security="starttls", username="n", password="right", tls_context=client
        ) as by,
    ):
        assert await performed(by, letters, known) == [("sent", "")]
    assert len(post.taken) == 1


# --- connections ------------------------------------------------------------------------------


async def test_connections_are_few_and_are_used_again() -> None:
    letters, known = addressed(*["ok"] * 40)
    async with post_office() as (post, port), sending(port, connections=3) as by:
        for _ in range(2):
            assert await performed(by, letters, known) == [("sent", "")] * 40
        assert len(post.taken) == 80
        assert len(post.connections) == 3


async def test_a_server_that_wants_fewer_connections_gets_all_letters_over_those() -> None:
    letters, known = addressed(*["ok"] * 20)
    async with post_office() as (post, port), sending(port, connections=4) as by:
        post.welcome = 1
        assert await performed(by, letters, known) == [("sent", "")] * 20


async def test_a_connection_that_the_server_gave_up_meanwhile_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "_PROBE_AFTER", 0.0)
    letters, known = addressed("ok")
    async with post_office() as (post, port), sending(port) as by:
        assert await performed(by, letters, known) == [("sent", "")]
        post.connections[0].abort()
        assert await performed(by, letters, known) == [("sent", "")]
        assert len(post.connections) == 2


# --- what never reaches the server ------------------------------------------------------------


async def tried_without_server(
    letters: Sequence[Letter], known: dict[str, Person], now: datetime = NOW
) -> list[tuple[str, str]]:
    async with post_office() as (post, port), sending(port) as by:
        outcomes = await performed(by, letters, known, now)
    assert post.taken == []
    return outcomes


async def test_a_letter_to_somebody_unknown_waits_for_the_contact() -> None:
    assert await tried_without_server(letters_for(VOLUNTEERED), {}) == [
        ("no-contact", "no contact")
    ]


async def test_a_letter_that_introduces_somebody_unknown_waits_for_that_contact() -> None:
    alone = {person(CAMILLE).key: person(CAMILLE)}
    for event in (FORMED, PLANNED):
        mentor = letters_for(event)[:1]
        assert await tried_without_server(mentor, alone) == [("no-contact", "no contact")]


async def test_other_letters_do_without_the_contact_of_the_other_side() -> None:
    alone = {person(CAMILLE).key: person(CAMILLE)}
    async with post_office() as (_, port), sending(port) as by:
        assert await performed(by, letters_for(CANCELLED)[:1], alone) == [("sent", "")]


async def test_no_letter_leaves_in_quiet_hours_even_when_it_is_late() -> None:
    night = datetime(2017, 3, 6, 22, 0, tzinfo=UTC)
    assert await tried_without_server(letters_for(VOLUNTEERED), people(), night) == [
        ("quiet-hours", "quiet hours")
    ]


async def test_a_letter_of_a_cohort_that_is_not_known_yet_is_tried_again() -> None:
    async with post_office() as (_, port), sending(port) as by:
        (outcome,) = await by.perform(letters_for(VOLUNTEERED), people(), {}, NOW, asyncio.Event())
    assert (outcome.outcome, outcome.cause) == ("transient", "cohort unknown")


@pytest.mark.parametrize("address", ["a..b@example.org", "é@example.org"])
async def test_an_address_that_cannot_be_written_to_is_permanent(address: str) -> None:
    known = {person(CAMILLE).key: person(CAMILLE, email=address)}
    assert await tried_without_server(letters_for(VOLUNTEERED), known) == [("permanent", "address")]


async def test_a_letter_that_cannot_be_rendered_fails_alone_and_without_a_word_about_anybody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, fine = letters_for(PLANNED)
    del broken.facts["starts_at"]
    fine = fine.model_copy(update={"facts": PLANNED.model_dump(mode="json")})
    with caplog.at_level(logging.DEBUG):
        async with post_office() as (_, port), sending(port) as by:
            outcomes = await performed(by, [broken, fine], people())
    assert outcomes == [("permanent", "template"), ("sent", "")]
    assert "ValidationError" in caplog.text


async def test_no_name_and_no_address_is_logged_or_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    letters, known = addressed("ok", "550", "451", "drop", "a..b")
    with caplog.at_level(logging.DEBUG):
        async with post_office() as (_, port), sending(port) as by:
            outcomes = await by.perform(
                *([*letters, *letters_for(PLANNED)], known | people(), COHORTS),
                *(NOW, asyncio.Event()),
            )
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("services", "aiosmtplib"))]
    said = " ".join([*ours, *(outcome.cause for outcome in outcomes)])
    for secret in ("example.org", "Roux", "Camille", "Alex"):
        assert secret not in said


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Smtp(HOST, 25, "tls", "notify", "secret"))
    assert Letterhead("a@example.org", "example.org").contact is None


async def test_letters_not_begun_when_partitions_are_let_go_are_left_to_somebody_else() -> None:
    letters, known = addressed("ok", "drop", "451")
    leaving = asyncio.Event()
    leaving.set()
    async with post_office() as (office, port), sending(port) as by:
        assert await by.perform(letters, known, COHORTS, NOW, leaving) == []
    assert office.taken == []
