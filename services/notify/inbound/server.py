"""Notify's LMTP server: a mail server hands over what comes for the programme's address.

Always holds: 250 is said when the command that follows is durable, or when nothing follows; what
cannot be asked or kept now is put off (4xx), and the mail server brings it again; nobody's address
is logged or written into a command.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client import CollectorRegistry, Counter
from pydantic import ValidationError

from schemas.actors import Actor
from schemas.base import Command, people_of
from schemas.meeting import AnswerInvitation
from schemas.notify import ReportBounce
from schemas.values import Side
from services.chassis.domain import One
from services.chassis.http.commands import CommandTopic
from services.chassis.http.connections import EVERYWHERE, listening_everywhere
from services.chassis.log.contract import NotTaken
from services.chassis.store.contract import NoAnswer, Store
from services.notify.inbound.reading import (
    NO_ANSWER,
    UNREADABLE,
    Answer,
    Bounce,
    Passed,
    Refused,
    Said,
    read,
    refused,
)
from services.notify.proof import is_proof
from services.notify.views import Person

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 50
_TAKEN = "250 2.0.0 taken"
_LATER = "451 4.3.0 not now: please bring it again"
_STRANGER = refused(
    "stranger",
    "550 5.7.1",
    "repondez depuis l'adresse qui a recu l'invitation",
    "please answer from the address that was invited",
)
_SIDES: tuple[Side, Side] = ("mentor", "manager")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where it listens, for which address, and how large a mail may be (bytes).

    `contact`: where people who write are told to write instead.
    """

    host: str
    port: int
    address: str
    largest: int
    seconds: float = 60.0
    contact: str | None = None


@dataclass
class Inbound:
    """What is done with a mail. `scheduling`, `notify`: where their commands are written;
    `secret`: what proofs of letters are made with."""

    mailbox: Mailbox
    store: Store
    scheduling: CommandTopic
    notify: CommandTopic
    registry: CollectorRegistry
    secret: str
    mails: Counter = field(init=False)
    open: set[asyncio.BaseTransport] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Register what is counted."""
        self.mails = Counter(
            "mentoring_inbound_mails",
            "Mails that came in, by what they were taken for",
            ["outcome"],
            registry=self.registry,
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen; the port. Ends with every connection closed."""
        loop = asyncio.get_running_loop()
        box = self.mailbox
        # Left to itself, `::` would take no IPv4.
        where: dict[str, Any] = {"host": box.host, "port": box.port}
        if box.host == EVERYWHERE:
            where = {"sock": listening_everywhere(box.port)}
        server = await loop.create_server(lambda: _Connection(self), **where)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for transport in list(self.open):
                transport.close()

    # --- what aiosmtpd asks -------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it, and so is the one below
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Only the programme's address; one at a time, since each would want its own answer."""
        if address.casefold() != self.mailbox.address.casefold():
            return "550 5.1.1 there is no such mailbox here"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Read it, beside everything else that goes on, and do what follows."""
        raw = envelope.original_content or b""
        said = await asyncio.to_thread(read, raw, envelope.mail_from)
        return await self.take(said)

    # --- what follows -------------------------------------------------------------------------

    async def take(self, said: Said) -> str:
        """Do what follows from what a mail says; the reply."""
        try:
            outcome, reply = await self._done(said)
        except (NotTaken, NoAnswer, TimeoutError) as error:
            logger.warning("a mail was put off: %s", type(error).__name__)
            outcome, reply = "put-off", _LATER
        except Exception as error:  # noqa: BLE001 - one mail's fault is not another's
            logger.error("a mail was refused: %s", type(error).__name__)  # noqa: TRY400
            outcome, reply = UNREADABLE.reason, UNREADABLE.reply
        self.mails.labels(outcome).inc()
        return reply

    async def _done(self, said: Said) -> tuple[str, str]:
        match said:
            case Passed():
                return said.reason, _TAKEN
            case Refused():
                instead = f" ({self.mailbox.contact})" if self.mailbox.contact else ""
                return said.reason, said.reply + instead * (said == NO_ANSWER)
            case Bounce():
                if not is_proof(said.proof, self.secret, f"{said.cohort_id}/{said.letter_id}"):
                    return "forged-report", _TAKEN
                bounce = {"letter_id": said.letter_id, "status": said.status}
                command = ReportBounce(cohort_id=said.cohort_id, **bounce)
                return await self._send(self.notify, command, "bounced")
            case Answer():
                return await self._answered(said)

    async def _answered(self, said: Answer) -> tuple[str, str]:
        side = await self._side(said)
        if side is None:
            return _STRANGER.reason, _STRANGER.reply
        if said.reply == "tentative":  # nothing is known that was not known before
            return said.reply, _TAKEN
        try:
            command = AnswerInvitation(
                cohort_id=said.cohort_id,
                session_id=said.session_id,
                by=side,
                answer=said.reply,
                sequence=said.sequence,
                proposed_at=said.proposed_at,
            )
        except ValidationError:
            return UNREADABLE.reason, UNREADABLE.reply
        person_id = people_of(said.session_id)[_SIDES.index(side)]
        actor = Actor("app_user", person_id, "participant", "mail")
        return await self._send(self.scheduling, command, said.reply, actor)

    async def _side(self, said: Answer) -> Side | None:
        """On which side the sender is; None if on none, or if the answer is somebody else's."""
        ids = people_of(said.session_id)
        found = await self.store.load({One(Person, said.cohort_id, one) for one in ids})
        address = {p.id: p.email.casefold() for p in found if isinstance(p, Person)}
        for side, one in zip(_SIDES, ids, strict=True):
            if address.get(one) == said.sender:
                others = {theirs for other, theirs in address.items() if other != one}
                # An alias may stand there, or nobody; but never the other of the two.
                forged = said.sender not in said.attendees and said.attendees & others
                return None if forged else side
        return None

    async def _send(
        self, topic: CommandTopic, command: Command, outcome: str, actor: Actor | None = None
    ) -> tuple[str, str]:
        spot = topic.spot(command, None)
        record = topic.record(command, secrets.token_hex(12), spot, None, actor)
        await topic.log.send(record)
        return outcome, _TAKEN


class _Connection(LMTP):
    """One connection of the mail server."""

    def __init__(self, inbound: Inbound) -> None:
        # The name is given because looking up the machine's own can take seconds.
        super().__init__(
            inbound,
            hostname="connecte",
            ident="connecte",
            data_size_limit=inbound.mailbox.largest,
            timeout=inbound.mailbox.seconds,
            loop=asyncio.get_running_loop(),
        )
        self._inbound = inbound

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._inbound.open) >= MOST_CONNECTIONS:
            transport.close()
            return
        self._inbound.open.add(transport)
        self._mine = transport
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        mine = getattr(self, "_mine", None)
        if mine is not None:
            self._inbound.open.discard(mine)
            super().connection_lost(error)
