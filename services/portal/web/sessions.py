"""Who is signed in: links by e-mail, sessions, and how often somebody may try.

Always holds: only the SHA-256 of a token is kept; a link signs in once; a session ends after
silence, after its longest time, and when it is revoked. All times are real ones.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.retention import TRIES_MINUTES
from services.chassis.store.kept import Kept

SESSION, LINK, TRIES = "session", "link", "tries"
_SEEN_EVERY = timedelta(minutes=1)
_PERIOD = timedelta(minutes=TRIES_MINUTES)
LINKS_PER_ADDRESS, LINKS_PER_PLACE = 5, 300
"""In a quarter of an hour: letters to one address, and wishes from one network address, which may
be a proxy with a ministry behind it."""


def wall() -> datetime:
    """Real time, UTC."""
    return datetime.now(UTC)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: whose, and the digest by which it is kept."""

    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Links, sessions and tries, for one portal."""

    kept: Kept
    link_lasts: timedelta
    idle: timedelta
    longest: timedelta
    now: Callable[[], datetime] = wall

    async def make_link(self, address: str, onward: str) -> str:
        """A token that signs this address in, once, and leads `onward`."""
        token = secrets.token_urlsafe(32)
        value = {"address": address, "onward": onward}
        await self.kept.put(LINK, digest(token), value, self.now() + self.link_lasts, address)
        return token

    async def look_at_link(self, token: str) -> tuple[str, str] | None:
        """Address and way onward of a link that still signs in. Changes nothing."""
        found = await self.kept.get(LINK, digest(token), self.now())
        return None if found is None else (found["address"], found["onward"])

    async def use_link(self, token: str) -> tuple[str, str] | None:
        """The same; afterwards it does not sign in any more."""
        found = await self.kept.take(LINK, digest(token), self.now())
        return None if found is None else (found["address"], found["onward"])

    async def begin(self, address: str) -> str:
        """The token of a new session."""
        token, now = secrets.token_urlsafe(32), self.now()
        await self._keep(digest(token), address, now, now)
        return token

    async def find(self, token: str, *, by_itself: bool = False) -> SignedIn | None:
        """The session of a token, if there is one. To be seen keeps it from ending in silence.

        `by_itself`: nobody is seen, a page that was left open asks.
        """
        key, now = digest(token), self.now()
        found = await self.kept.get(SESSION, key, now)
        if found is None:
            return None
        if not by_itself and now - found["seen"] >= _SEEN_EVERY:
            await self._keep(key, found["address"], found["began"], now)
        return SignedIn(found["address"], key)

    async def _keep(self, key: str, address: str, began: datetime, seen: datetime) -> None:
        until = min(seen + self.idle, began + self.longest)
        value = {"address": address, "began": began, "seen": seen}
        await self.kept.put(SESSION, key, value, until, address)

    async def end(self, session: SignedIn) -> None:
        """Revoke this session."""
        await self.kept.forget(SESSION, session.key)

    async def end_all(self, address: str) -> int:
        """Revoke every session and every link of an address; how many sessions there were."""
        await self.kept.forget_all(LINK, address)
        return await self.kept.forget_all(SESSION, address)

    async def may_ask(self, address: str, place: str) -> bool:
        """Whether one more letter may go to this address, and one more wish come from there."""
        now = self.now()
        until = now + _PERIOD
        per_address = await self.kept.count(TRIES, f"a/{digest(address)}", until, now)
        per_place = await self.kept.count(TRIES, f"p/{digest(place)}", until, now)
        return per_address <= LINKS_PER_ADDRESS and per_place <= LINKS_PER_PLACE
