"""The edge to the mail server: due letters in, the outcome of each hand-over out.

Nothing here decides or remembers anything about a letter. Always holds: one letter's fault never
touches another's; neither a name nor an address is logged or put into an outcome.
"""

import asyncio
import logging
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

import aiosmtplib

from schemas.people import Assistant
from services.chassis.documents import RevokedLinks
from services.chassis.tracing import OFF
from services.notify.actions import Links
from services.notify.calendar import is_quiet
from services.notify.letters import TELLINGS, named_in, other_of
from services.notify.messages import LetterAttempted, Outcome
from services.notify.rendering import Letterhead, UnusableAddress, render
from services.notify.views import Cohort, Letter, Pair, Person

logger = logging.getLogger(__name__)

Result = tuple[Outcome, str]
"""An outcome and its cause, in few words."""

_PROBE_AFTER = 5.0  # seconds; servers hang up on clients that are silent for longer than that
_CLOSING = 421
_HANGS = 2  # on each connection
_HUNG: Result = ("transient", "timeout")


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server. `timeout` is in (real) seconds, for each exchange with it."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    connections: int = 4
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)


NO_PAIRS: Mapping[str, Pair] = MappingProxyType({})
NOTHING_REVOKED: Mapping[str, RevokedLinks] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Known:
    """The documents that letters need, by `Document.key`."""

    people: Mapping[str, Person]
    cohorts: Mapping[str, Cohort]
    pairs: Mapping[str, Pair]
    revoked: Mapping[str, RevokedLinks]


class _Away(Exception):
    """No connection could be opened; says nothing about any letter."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Sender:
    """Hands letters over by SMTP, several at a time, on connections that it keeps.

    Belongs to one event loop; `close` it there. A letter that is found up to `leeway` after the
    moment it was due counts as on time: looking for letters takes a moment itself, which is long
    where the programme's clock runs fast.
    """

    def __init__(
        self, smtp: Smtp, head: Letterhead, links: Links, leeway: timedelta = timedelta()
    ) -> None:
        self._leeway = leeway
        self._smtp = smtp
        self._head = head
        self._links = links
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []
        self.tracing = OFF

    async def perform(
        self,
        letters: Sequence[Letter],
        people: Mapping[str, Person],
        cohorts: Mapping[str, Cohort],
        now: datetime,
        leaving: asyncio.Event,
        pairs: Mapping[str, Pair] = NO_PAIRS,
        revoked: Mapping[str, RevokedLinks] = NOTHING_REVOKED,
    ) -> list[LetterAttempted]:
        """Hand the letters over; one outcome each, in their order. Never raises.

        Those that are not begun when `leaving` is set are left to somebody else, without any.

        `people`, `cohorts`, `pairs` and `revoked` are by `Document.key` (`cohort_id/id`);
        `to_hand_over(letter)` says which are needed. When the server is away, or takes nothing
        any more, letters that have not been tried share the outcome of those that found out, so
        that a batch takes three timeouts at most and not hundreds.
        """
        known = Known(people, cohorts, pairs, revoked)
        waiting = deque(enumerate(letters))
        results: dict[int, Result] = {}
        working, away, hung = min(self._smtp.connections, len(letters)), "", 0
        enough = _HANGS * working

        async def work() -> None:
            nonlocal working, away, hung
            while waiting and not leaving.is_set():
                place, letter = waiting.popleft()
                try:
                    results[place] = await self._hand_over(letter, known, now, away)
                    # One letter may be at fault; so many, and none between, are not.
                    hung = hung + 1 if results[place] == _HUNG else 0
                    if hung >= enough:
                        away = away or _HUNG[1]
                except _Away as error:
                    waiting.append((place, letter))
                    if self._idle:
                        continue
                    if working > 1:  # the server may only want fewer connections at a time
                        break
                    away = error.cause
            working -= 1

        await asyncio.gather(*(work() for _ in range(working)))
        return [
            LetterAttempted(
                cohort_id=letter.cohort_id,
                letter_id=letter.id,
                outcome=outcome,
                cause=cause,
                copied=_is_copied(letter, known),
            )
            for letter, (outcome, cause) in ((letters[p], results[p]) for p in sorted(results))
        ]

    async def close(self) -> None:
        """Take leave of the server."""
        idle, self._idle = self._idle, []
        for client, _ in idle:
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    # --- one letter -----------------------------------------------------------------------

    async def _hand_over(self, letter: Letter, known: Known, now: datetime, away: str) -> Result:
        """What became of one letter. Raises `_Away`, unless it is known already (`away`)."""
        try:
            message = self._written(letter, known, now)
            if not isinstance(message, bytes):
                return message
            if away:
                return "transient", away
            with self.tracing.work("hand over letter", letter) as note_result:
                reader = _reader(letter, known.people[_key(letter, letter.person_id)])
                result = await self._sent(message, reader.email if reader else "")
                note_result(result[0])
                return result
        except _Away:
            raise
        except Exception as error:  # noqa: BLE001 - one letter's fault is not another's
            # Only the type: the text of an error can quote a name or an address.
            logger.error("letter %s not handed over: %s", letter.id, type(error).__name__)  # noqa: TRY400
            return "transient", "fault"

    def _written(self, letter: Letter, known: Known, now: datetime) -> bytes | Result:
        """The e-mail, or why there is none."""
        cohort = known.cohorts.get(_key(letter, letter.cohort_id))
        if cohort is None:
            return "transient", "cohort unknown"
        moment = now if letter.due_at is None else max(letter.due_at, now - self._leeway)
        if not letter.urgent and is_quiet(moment, cohort.quiet_hours):
            return "quiet-hours", "quiet hours"
        try:
            person = known.people.get(_key(letter, letter.person_id))
            others, complete = _others(letter, known.people)
            if person is None or not complete:
                return "no-contact", "no contact"
            if _reader(letter, person) is None:
                return "permanent", "no assistant"  # they have named nobody any more
            pairs = _pairs(letter, known.pairs)
            if cohort.placed and not pairs and _invites(letter):
                return "transient", "place unknown"  # it comes on another topic, and may be behind
            revoked = known.revoked.get(person.key)
            links = self._links.written_after(revoked.number if revoked else 0)
            return self._rendered(letter, person, others, cohort, pairs, links, now)
        except UnusableAddress:
            return "permanent", "address"
        except Exception as error:  # noqa: BLE001 - whatever a text does wrong, others are sent
            logger.error("letter %s not rendered: %s", letter.id, type(error).__name__)  # noqa: TRY400
            return "permanent", "template"

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
        places = {pair.id: pair.place for pair in pairs.values()}
        mail = render(letter, person, others, links, cohort, self._head, now, places)
        return mail.as_bytes()

    async def _sent(self, message: bytes, address: str) -> Result:
        client = await self._connection()
        try:
            await client.sendmail(self._head.address, [address], message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            code = _code(error)
            if code is None or code == _CLOSING or not client.is_connected:
                client.close()  # what it would say next may belong to the letter that failed
            else:
                self._idle.append((client, time.monotonic()))
            if isinstance(error, ValueError):
                return "permanent", "address"
            return ("permanent" if code and code >= 500 else "transient"), _cause(error)
        except BaseException:
            client.close()
            raise
        self._idle.append((client, time.monotonic()))
        return "sent", ""

    # --- connections ----------------------------------------------------------------------

    async def _connection(self) -> aiosmtplib.SMTP:
        """One that is open and nobody else uses. Raises `_Away`."""
        while self._idle:
            client, used = self._idle.pop()
            if client.is_connected and await self._still_there(client, used):
                return client
            client.close()
        smtp = self._smtp
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            timeout=smtp.timeout,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",
            username=smtp.username,
            password=smtp.password,
            tls_context=smtp.tls_context,
        )
        try:
            await client.connect()
            # A server that greets may hang all the same: before it has a letter, let it answer.
            await client.noop()
        except (aiosmtplib.SMTPException, OSError) as error:
            # Even a 5xx here (a wrong password, say) is no fault of the letters.
            client.close()
            raise _Away(_cause(error)) from None
        return client

    async def _still_there(self, client: aiosmtplib.SMTP, used: float) -> bool:
        """Ask before a letter is risked on a connection that has been idle for long."""
        if time.monotonic() - used < _PROBE_AFTER:
            return True
        try:
            await client.noop()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True


def _others(letter: Letter, people: Mapping[str, Person]) -> tuple[dict[str, Person], bool]:
    """The other sides of a letter's pairs and whom a digest names, by id, and whether all are there
    that it introduces."""
    others: dict[str, Person] = {}
    complete = True
    for part in letter.parts():
        if (other_id := other_of(part)) is None:
            continue
        other = people.get(_key(letter, other_id))
        if other is not None:
            others[other_id] = other
        complete = complete and not (other is None and TELLINGS[part.template].introduces)
    for person_id in named_in(letter):
        if (named := people.get(_key(letter, person_id))) is not None:
            others[person_id] = named
    return others, complete


def _pairs(letter: Letter, known: Mapping[str, Pair]) -> dict[str, Pair]:
    """Where the pairs of a letter meet, by their ids, as far as that is known."""
    ids = dict.fromkeys(part.facts.get("pair_id") or "" for part in letter.parts())
    return {pair.id: pair for key in ids if (pair := known.get(_key(letter, key))) is not None}


def _reader(letter: Letter, person: Person) -> Person | Assistant | None:
    """To whom it goes."""
    return person.assistant if letter.to_assistant else person


def _is_copied(letter: Letter, known: Known) -> bool:
    """Whether a copy of it goes to somebody."""
    person = known.people.get(_key(letter, letter.person_id))
    return person is not None and person.assistant is not None and not letter.to_assistant


def _invites(letter: Letter) -> bool:
    return letter.side is not None and TELLINGS[letter.template].invitation == "REQUEST"


def _key(letter: Letter, id: str) -> str:
    return f"{letter.cohort_id}/{id}"


def _code(error: Exception) -> int | None:
    """The reply of the server, if it is one."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return error.recipients[0].code
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None


def _cause(error: Exception) -> str:
    if (code := _code(error)) is not None and code > 0:
        return f"smtp {code}"
    return "timeout" if isinstance(error, TimeoutError) else "connection"
