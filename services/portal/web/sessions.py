"""Who is signed in: links by e-mail, ways to a provider and back, sessions, how often one may try.

Always holds: only the SHA-256 of a token is kept, and what a provider has said of somebody is
sealed with the token of their session, as the address of an account is with the account; a link
signs in once (its button may be pressed twice), and a way is walked once, by the browser that set
out on it; a session ends after silence, after its longest time, and when it is revoked. All times
are real ones.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc import jwe
from joserfc.jwk import OctKey

from schemas.retention import SUBJECT_DAYS, TRIES_MINUTES, WAY_MINUTES
from schemas.roles import Role
from services.chassis.store.contract import Row
from services.chassis.store.kept import Kept
from services.portal.owners import digest

SESSION, LINK, TRIES, WAY = "session", "link", "tries", "way"
PRESSED, PRESSED_LASTS = "pressed", timedelta(seconds=10)
"""A link that was used, for the browser that used it: its button may have been pressed twice."""
ACCOUNT, CONFIRMED = "account", "confirmed"
ENDED = "ended"
_WAY_LASTS, _CONFIRMED_LASTS = timedelta(minutes=WAY_MINUTES), timedelta(days=SUBJECT_DAYS)
_SEEN_EVERY = timedelta(minutes=1)
_PERIOD = timedelta(minutes=TRIES_MINUTES)
LINKS_PER_ADDRESS, LINKS_PER_PLACE, FORMS_PER_PLACE = 5, 300, 300
"""In a quarter of an hour: letters to one address, and wishes from one network address, which may
be a proxy with a ministry behind it."""


def wall() -> datetime:
    """Real time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: whose, and the digest by which it is kept.

    `roles`, and the `cohorts` (None: all) that they are for: what a provider has said. `sealed`:
    the token by which it has said so, where it has. `organisations`: those of a partner's role.
    """

    address: str
    key: str
    roles: tuple[Role, ...] = ()
    cohorts: frozenset[str] | None = frozenset()
    sealed: str = ""
    organisations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the provider and back, for one browser.

    `state` names it, `nonce` and `verifier` bind to it what the provider hands out; then it goes on
    `onward`. `browser`: what the forms of the browser bear.
    """

    state: str
    nonce: str
    verifier: str
    browser: str
    onward: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Links, sessions and tries, for one portal."""

    kept: Kept
    link_lasts: timedelta
    idle: timedelta
    longest: timedelta
    now: Callable[[], datetime] = wall

    async def make_link(
        self, address: str, onward: str, subject: str = "", browser: str = ""
    ) -> str:
        """A token that signs this address in, once, and leads `onward`.

        `subject`: whose account at a provider it confirms the address for, in this browser.
        """
        token = secrets.token_urlsafe(32)
        value = {"address": address, "onward": onward, "subject": subject, "browser": browser}
        await self.kept.put(LINK, digest(token), value, self.now() + self.link_lasts, address)
        return token

    async def look_at_link(self, token: str) -> tuple[str, str] | None:
        """Address and way onward of a link that still signs in. Changes nothing."""
        found = await self.kept.get(LINK, digest(token), self.now())
        return None if found is None else (found["address"], found["onward"])

    async def use_link(self, token: str, browser: str = "") -> tuple[str, str] | None:
        """The same; afterwards it does not sign in any more, but in this browser for a moment: of
        two presses of its button a browser shows the answer to the second alone.

        In the browser in which somebody was at their provider, the address is theirs from now on.
        """
        pressed, now = digest(f"{token}/{browser}"), self.now()
        found = await self.kept.take(LINK, digest(token), now)
        if found is None:
            again = await self.kept.get(PRESSED, pressed, now) if browser else None
            return None if again is None else (again["address"], again["onward"])
        value = {"address": found["address"], "onward": found["onward"]}
        await self.kept.put(PRESSED, pressed, value, now + PRESSED_LASTS, found["address"])
        if found.get("subject") and found["browser"] == browser:
            until = self.now() + _CONFIRMED_LASTS
            subject, owner = found["subject"], digest(found["address"])
            value = {"address": _sealed(found["address"], subject)}
            await self.kept.put(CONFIRMED, digest(subject), value, until, owner)
        return found["address"], found["onward"]

    async def keep_account(self, subject: str, browser: str) -> str:
        """A token for whose account it is that a provider confirms no address of."""
        token = secrets.token_urlsafe(32)
        value = {"subject": subject, "browser": browser}
        await self.kept.put(ACCOUNT, digest(token), value, self.now() + self.link_lasts)
        return token

    async def account(self, token: str, browser: str) -> str:
        """Whose account it is; "" for nobody's, or another browser's."""
        found = await self.kept.get(ACCOUNT, digest(token), self.now()) if token else None
        return found["subject"] if found and found["browser"] == browser else ""

    async def confirmed(self, subject: str) -> str:
        """The address that was confirmed for this account; "" for none."""
        found = await self.kept.get(CONFIRMED, digest(subject), self.now())
        return opened(found["address"], subject) if found else ""

    async def set_out(self, browser: str, onward: str) -> Way:
        """A new way, for this browser."""
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        value = {"nonce": nonce, "verifier": verifier, "browser": browser, "onward": onward}
        await self.kept.put(WAY, digest(state), value, self.now() + _WAY_LASTS)
        return Way(state, nonce, verifier, browser, onward)

    async def come_back(self, state: str, browser: str) -> Way | None:
        """The way of this state, if it is this browser's; afterwards there is none of it."""
        found = await self.kept.take(WAY, digest(state), self.now())
        if found is None or not hmac.compare_digest(found["browser"].encode(), browser.encode()):
            return None
        return Way(state=state, **found)

    async def begin(
        self,
        address: str,
        roles: tuple[Role, ...] = (),
        cohorts: frozenset[str] | None = frozenset(),
        said: str = "",
        organisations: frozenset[str] = frozenset(),
        account: str = "",
        sid: str = "",
    ) -> str:
        """The token of a new session; `said`: the token by which a provider has vouched for it.

        `account`, `sid`: at the provider, which may end the session by either.
        """
        token, now = secrets.token_urlsafe(32), self.now()
        value = {
            "address": address,
            "began": now,
            "roles": list(roles),
            "cohorts": None if cohorts is None else sorted(cohorts),
            "said": _sealed(said, token) if said else "",
            "organisations": sorted(organisations),
            "there": [_there(n, x) for n, x in (("account", account), ("sid", sid)) if x],
        }
        await self._keep(digest(token), value, now)
        return token

    async def find(self, token: str, *, by_itself: bool = False) -> SignedIn | None:
        """The session of a token, if there is one. To be seen keeps it from ending in silence.

        `by_itself`: nobody is seen, a page that was left open asks.
        """
        key, now = digest(token), self.now()
        found = await self.kept.get(SESSION, key, now)
        if found is None:
            return None
        for whose in found.get("there", ()):
            ended = await self.kept.get(ENDED, whose, now)
            if ended is not None and found["began"] <= ended["at"]:
                await self.kept.forget(SESSION, key)
                return None
        if not by_itself and now - found["seen"] >= _SEEN_EVERY:
            await self._keep(key, found, now)
        cohorts = found.get("cohorts", ())
        return SignedIn(
            found["address"],
            key,
            tuple(found.get("roles", ())),
            None if cohorts is None else frozenset(cohorts),
            found.get("said", ""),
            frozenset(found.get("organisations", ())),
        )

    async def _keep(self, key: str, value: Row, seen: datetime) -> None:
        until = min(seen + self.idle, value["began"] + self.longest)
        kept = {**value, "seen": seen}
        await self.kept.put(SESSION, key, kept, until, value["address"])

    async def end(self, session: SignedIn) -> None:
        """Revoke this session."""
        await self.kept.forget(SESSION, session.key)

    async def end_all(self, address: str) -> int:
        """Revoke every session, link and account of an address; how many sessions there were."""
        for kind in (LINK, PRESSED):
            await self.kept.forget_all(kind, address)
        await self.kept.forget_all(CONFIRMED, digest(address))
        return await self.kept.forget_all(SESSION, address)

    async def end_at_provider(self, jti: str, account: str, sid: str) -> bool:
        """Revoke the session that a provider calls `sid` or, without one, those of an account.

        Whether this word (`jti`) is heard for the first time: nobody ends later sessions by it.
        """
        now = self.now()
        if await self.kept.get(ENDED, _there("jti", jti), now) is not None:
            return False
        whose = _there("sid", sid) if sid else _there("account", account)
        await self.kept.put(ENDED, whose, {"at": now}, now + self.longest)
        await self.kept.put(ENDED, _there("jti", jti), {}, now + 3 * _WAY_LASTS)
        return True

    async def may_ask(self, address: str, place: str) -> bool:
        """Whether one more letter may go to this address, and one more wish come from there."""
        now = self.now()
        until = now + _PERIOD
        per_address = await self.kept.count(TRIES, f"a/{digest(address)}", until, now)
        per_place = await self.kept.count(TRIES, f"p/{digest(place)}", until, now)
        return per_address <= LINKS_PER_ADDRESS and per_place <= LINKS_PER_PLACE

    async def may_leave(self, place: str) -> bool:
        """Whether one more form may be kept that somebody there has typed before they sign in."""
        now = self.now()
        key = f"f/{digest(place)}"
        return await self.kept.count(TRIES, key, now + _PERIOD, now) <= FORMS_PER_PLACE


def _there(what: str, name: str) -> str:
    """By what is kept of what has this name at the provider."""
    return f"{what}/{digest(name)}"


def _sealed(text: str, token: str) -> str:
    """The text, for whoever has the token."""
    header = {"alg": "dir", "enc": "A256GCM"}
    return jwe.encrypt_compact(header, text.encode(), _seal(token))


def opened(sealed: str, token: str) -> str:
    """What was sealed. Raises `JoseError` of anything else."""
    return (jwe.decrypt_compact(sealed, _seal(token)).plaintext or b"").decode()


def _seal(token: str) -> OctKey:
    """A key that nobody finds from what is kept, which is another digest."""
    return OctKey.import_key(hashlib.sha256(f"seal:{token}".encode()).digest())
