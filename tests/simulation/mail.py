"""A mail server without SMTP, and the sender that speaks with it: the rest of it is the real one.

Always holds: what the server has taken is in the mailbox, under its Message-ID, whatever the
sender learns of it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiosmtplib

from deploy.trial.check import Mail
from services.notify.actions import Links
from services.notify.rendering import Letterhead, message_id
from services.notify.sender import Sender, Smtp, _Away
from services.notify.views import Cohort, Letter, Pair, Person
from tests.simulation.faults import HOUR, Fault, Passing
from tests.simulation.proof import SIGNER
from tests.simulation.wires import Wire

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

DOMAIN = "programme.example"
NOBODY = "nobody@"
"""Addresses that begin so exist nowhere."""
HEAD = Letterhead(f"connecte@{DOMAIN}", DOMAIN)
LEEWAY = timedelta(minutes=30)  # longer than a batch of letters may wait for its process


@dataclass
class PostOffice:
    """The server, and what is in everybody's mailbox.

    Until a moment it is `away`, `cross` (refuses every other letter) or `silent` (takes every
    other letter and does not say so).
    """

    world: "World"
    mails: list[Mail] = field(default_factory=list)
    away_until: float = 0.0
    cross_until: float = 0.0
    silent_until: float = 0.0
    moods: random.Random = field(default_factory=lambda: random.Random(0))
    written: dict[bytes, Letter] = field(default_factory=dict)
    after: dict[bytes, int] = field(default_factory=dict)

    def trouble(self, fault: Fault) -> None:
        """One of these, for a while."""
        chance = self.moods = fault.chance()
        name = chance.choice(("away_until", "cross_until", "silent_until"))
        # Not for so long that a letter is given up which the server has and did not say so.
        seconds = chance.choice((60.0, 1200.0, 4 * HOUR if name == "away_until" else 300.0))
        setattr(self, name, self.world.loop.time() + seconds)

    def says_nothing(self) -> bool:
        return self.silent_until > self.world.loop.time() and self.moods.random() < 0.5

    def accept(self, recipient: str, message: bytes) -> None:
        letter = self.written[message]
        identity, _, _ = message.partition(b" ")
        self.mails.append(Mail(letter.cohort_id, letter.id, identity.decode(), recipient))
        self.world.loop.call_soon(self.world.people.read, letter, self.after[message])


class Client(Wire):
    """A connection to the server."""

    is_connected = True

    def __init__(self, process: "Process", office: PostOffice) -> None:
        super().__init__(process)
        self.office = office

    async def sendmail(self, sender: str, recipients: list[str], message: bytes) -> None:
        async def hand_over() -> None:
            self._refuse(recipients[0])
            self.office.accept(recipients[0], message)
            if self.office.says_nothing():
                raise Passing("mail")

        try:
            await self.call("mail", hand_over)
        except Passing:
            raise aiosmtplib.SMTPServerDisconnected("the answer got lost") from None

    def _refuse(self, recipient: str) -> None:
        office, now = self.office, self.process.world.loop.time()
        if recipient.startswith(NOBODY):
            refused = aiosmtplib.SMTPRecipientRefused(550, "no such user", recipient)
            raise aiosmtplib.SMTPRecipientsRefused([refused])
        if office.away_until > now:
            raise aiosmtplib.SMTPServerDisconnected("gone")
        if office.cross_until > now and office.moods.random() < 0.5:
            raise aiosmtplib.SMTPResponseException(451, "later")

    def close(self) -> None:
        self.is_connected = False


class SimulatedSender(Sender):
    """The real one, but that a letter is a line and a connection a call."""

    def __init__(self, process: "Process", office: PostOffice) -> None:
        super().__init__(
            Smtp("nowhere", 25, "none", connections=2), HEAD, Links(SIGNER, {}), LEEWAY
        )
        self.process = process
        self.office = office

    def _rendered(
        self,
        letter: Letter,
        person: Person,
        others: Mapping[str, Person],
        cohort: Cohort,
        pairs: Mapping[str, Pair],
        links: Links,
        now: datetime,
    ) -> bytes:
        line = f"{message_id(letter, HEAD.domain)} {letter.key}".encode()
        self.office.written[line] = letter
        self.office.after[line] = links.after
        return line

    async def _connection(self) -> Any:
        if self._idle:
            return self._idle.pop()[0]
        if self.office.away_until > self.process.world.loop.time():
            raise _Away("connection")
        return Client(self.process, self.office)
