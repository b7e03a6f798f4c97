"""My sessions in a calendar program: an address to subscribe to, shown once, and revocable.

Always holds: only the SHA-256 of an address's token is kept; a new address ends the one before;
whoever was erased has none.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from fastapi.responses import Response

from schemas.retention import FEED_DAYS
from services.chassis.store.contract import Where
from services.portal.feeds import calendar_of
from services.portal.owners import digest
from services.portal.views import Pair, Participant, Session
from services.portal.web.own_space import MANY, me_of
from services.portal.web.rendering import page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

FEED, SEEN = "feed", "feed-seen"
LASTS = timedelta(days=FEED_DAYS)
"""How long an address is good for: longer than any programme."""
_UNDATED = datetime(2017, 1, 1, tzinfo=UTC)


async def form(visit: Visit) -> Response:
    """What it is, how to subscribe, how to replace it."""
    return page(visit, "feed.html", me=await me_of(visit), address=None, ended=False)


async def sent(visit: Visit) -> Response:
    """A new address, which is shown this once; or none any more."""
    me, site = await me_of(visit), visit.site
    owner = f"{me.cohort_id}/{me.id}"
    if visit.typed("action") == "arreter":
        await site.kept.forget_all(FEED, owner)
        return page(visit, "feed.html", me=me, address=None, ended=True)
    if visit.typed("action") != "creer":
        raise NotHere
    await site.kept.forget_all(FEED, owner)
    token = secrets.token_urlsafe(32)
    whose = {"cohort": me.cohort_id, "person": me.id}
    await site.kept.put(FEED, digest(token), whose, site.sessions.now() + LASTS, owner)
    address = f"{site.url}/agenda/{token}"
    return page(visit, "feed.html", me=me, address=address, ended=False)


async def feed(visit: Visit) -> Response:
    """The calendar of whoever the address was given to. Raises `NotHere`."""
    site, key = visit.site, digest(visit.path["token"])
    whose = await site.kept.get(FEED, key, site.sessions.now())
    if whose is None:
        raise NotHere
    me = await site.store.one(Participant, str(whose["cohort"]), str(whose["person"]))
    if me is None or me.address is None:
        raise NotHere
    bare = await _written(visit, me, _UNDATED)
    tag = hashlib.sha256(bare).hexdigest()[:32]
    since = await _since(visit, f"{key}/{tag}")
    heads = {
        "ETag": f'"{tag}"',
        "Last-Modified": format_datetime(since, usegmt=True),
        "Cache-Control": "private, no-cache",
    }
    if _has_it(visit, tag, since):
        return Response(status_code=304, headers=heads)
    content = await _written(visit, me, since)
    return Response(content, headers=heads, media_type="text/calendar; charset=utf-8")


async def _written(visit: Visit, me: Participant, changed_at: datetime) -> bytes:
    store, cohort = visit.site.store, await visit.site.cohort(me.cohort_id)
    pairs: list[Pair] = []
    for field in ("mentor_id", "manager_id"):
        pairs += await store.page(Pair, Where(cohort.id, {field: me.id}), MANY)
    sessions: list[Session] = []
    for pair in pairs:
        where = Where(cohort.id, {"pair_id": pair.id})
        sessions += await store.page(Session, where, cohort.policy.sessions)
    ids = [one for pair in pairs for one in (pair.mentor_id, pair.manager_id)]
    others = await visit.site.people(cohort.id, ids)
    by_id = {pair.id: pair for pair in pairs}
    domain = visit.site.mailing.domain
    return calendar_of(cohort, me, sessions, by_id, others, domain, changed_at)


async def _since(visit: Visit, key: str) -> datetime:
    """When this content was first asked for, to the second, as HTTP tells time."""
    now = visit.site.sessions.now().replace(microsecond=0)
    found = await visit.site.kept.settle(SEEN, key, {"at": now.isoformat()}, now + LASTS, now)
    return datetime.fromisoformat(str(found["at"]))


def _has_it(visit: Visit, tag: str, since: datetime) -> bool:
    """Whether the program has this very calendar; its tag says more than its date."""
    tags = visit.request.headers.get("if-none-match")
    if tags is not None:
        return "*" in tags or f'"{tag}"' in tags
    try:
        asked = parsedate_to_datetime(visit.request.headers.get("if-modified-since", ""))
    except (ValueError, OverflowError):
        return False
    return asked.tzinfo is not None and asked >= since
