"""Mon espace: my pairs, what comes next, and what is proposed.

Always holds: whatever is shown or sent is of the person who is signed in; what belongs to somebody
else is not there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import Response

from schemas.charter import CHARTER, Charter
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
)
from schemas.values import Side
from services.chassis.store.contract import Where
from services.portal.readings import OWN_FIELDS, Own, Reading, to_prepare
from services.portal.readings import own as own_sheet
from services.portal.views import LIVING, Cohort, Pair, Participant, ProgrammeSheet, Session
from services.portal.web.doing import Refused, done
from services.portal.web.rendering import onward, page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

MANY = 50
MANY_SHEETS = 100


@dataclass(frozen=True, slots=True)
class Station:
    """One of a pair's sessions on its line: done, next, to come."""

    number: int
    state: str
    session: Session | None


@dataclass(frozen=True, slots=True)
class OwnPair:
    """A pair as one of its two sees it.

    `next`: the session that comes, or is to be reported; `prepare`: the sheets to read before it.
    """

    pair: Pair
    side: Side
    other: Participant | None
    stations: tuple[Station, ...]
    next: Session | None
    answered: bool
    prepare: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody has in one programme."""

    cohort: Cohort
    me: Participant
    pairs: tuple[OwnPair, ...]


async def space(visit: Visit) -> Response:
    """Everything of mine, by programme."""
    mine = await visit.site.store.page(Participant, Where(equal={"address": visit.address}), MANY)
    followed = filter(None, [await visit.follow(me.cohort_id) for me in mine if me.sides])
    parts = [await _part(visit, me) for me in mine if me.sides]
    if not parts and visit.answers_for_others and "fait" in visit.query:
        return onward("/coordonner", visit.query["fait"])
    cohorts = await visit.site.open_cohorts() if not parts else []
    shown: dict[str, Any] = {"parts_of": parts, "cohorts": cohorts, "mixed": state_of}
    return page(visit, "space.html", charter_of=charter_of, follow=" ".join(followed), **shown)


def charter_of(cohort: Cohort) -> Charter:
    """What the two of a pair agree to."""
    return cohort.policy.charter or CHARTER


async def _part(visit: Visit, me: Participant) -> Part:
    store, cohort = visit.site.store, await visit.site.cohort(me.cohort_id)
    mine = await owned(visit, cohort.id)
    pairs: list[tuple[Pair, Side]] = []
    sides: tuple[tuple[Side, str], ...] = (("mentor", "mentor_id"), ("manager", "manager_id"))
    for side, field in sides:
        found = await store.page(Pair, Where(cohort.id, {field: me.id}), MANY)
        pairs += [(pair, side) for pair in found]
    others = [p.manager_id if side == "mentor" else p.mentor_id for p, side in pairs]
    people = await visit.site.people(cohort.id, others)
    own = []
    for (pair, side), other in zip(pairs, others, strict=True):
        where = Where(cohort.id, {"pair_id": pair.id})
        sessions = await store.page(Session, where, cohort.policy.sessions)
        one = own_pair(pair, side, people.get(other), sessions, cohort, visit.now)
        manager = me if side == "manager" else one.other
        sheets = sheets_for(visit, pair, one.next.number, manager, mine) if one.next else ()
        own.append(replace(one, prepare=sheets))
    living = [one for one in own if one.pair.state in LIVING]
    return Part(cohort, me, tuple(sorted(living, key=_first_to_see)))


def _first_to_see(one: OwnPair) -> tuple[int, bool, datetime, str]:
    """What waits for an answer, then what comes soonest: never by ids, which say nothing."""
    pair = one.pair
    due = one.next.starts_at if one.next else pair.expires_at
    return LIVING.index(pair.state), one.answered, due or _NEVER, pair.id


_NEVER = datetime.max.replace(tzinfo=UTC)


def own_pair(
    pair: Pair,
    side: Side,
    other: Participant | None,
    sessions: list[Session],
    cohort: Cohort,
    now: datetime,
) -> OwnPair:
    """A pair with its line of sessions."""
    by_number = {session.number: session for session in sessions}
    stations = []
    for number in range(1, cohort.policy.sessions + 1):
        session = by_number.get(number)
        stations.append(Station(number, state_of(session, now) if session else "to-come", session))
    open_ = [s.session for s in stations if s.session and s.session.state == "planned"]
    following = min(open_, key=lambda session: session.starts_at, default=None)
    return OwnPair(pair, side, other, tuple(stations), following, side in pair.accepted)


async def owned(visit: Visit, cohort_id: str) -> list[Own]:
    """The sheets that coordinators have written for this programme, by their titles."""
    there = Where(cohort_id, {"taken_back": False})
    rows = await visit.site.store.extract(ProgrammeSheet, OWN_FIELDS, there, limit=MANY_SHEETS)
    return [own_sheet(row, visit.language) for row in rows]


def sheets_for(
    visit: Visit, pair: Pair, number: int, manager: Participant | None, mine: list[Own]
) -> tuple[Reading, ...]:
    """What the two may read before a session, by the tools to begin with and the manager's job."""
    tools = [first.tool for first in pair.first_tools]
    job = manager.job_family if manager else ""
    return to_prepare(number, tools, job, mine, visit.language)


def state_of(session: Session, now: datetime) -> str:
    """A session's state in the words of people."""
    if session.state != "planned":
        return "presumed" if session.presumed else session.state
    if session.starts_at <= now:
        return "to-report"
    return "confirmed" if len(session.confirmed_by) == 2 else "planned"


async def answer_proposal(visit: Visit) -> Response:
    """Yes or no to a proposed pair."""
    me = await me_of(visit)
    pair = await visit.site.store.one(Pair, me.cohort_id, visit.typed("binome"))
    side = side_in(me, pair)
    if pair is None or side is None:
        raise NotHere
    yes = visit.typed("reponse") == "oui"
    asked: dict[str, Any] = {"cohort_id": me.cohort_id, "pair_id": pair.id, "by": side}
    command: AcceptProposal | DeclineProposal = DeclineProposal(**asked)
    if yes:
        cohort = await visit.site.store.one(Cohort, me.cohort_id, me.cohort_id)
        read = visit.typed("charte")
        if cohort is not None and read == charter_of(cohort).version:
            asked["charter"] = read
        knowing = visit.typed("ligne") == "oui"
        command = AcceptProposal(**asked, knowing_the_line=knowing)

    async def now() -> Pair:
        return await visit.site.store.one(Pair, me.cohort_id, pair.id) or pair

    async def shows() -> bool:
        answered = await now()
        return answered.state != "proposed" or (yes and side in answered.accepted)

    said = "accepte" if yes else "refuse"
    return await done(visit, command, shows, said, lambda rule: _answered(rule, yes, now))


async def _answered(rule: str, yes: bool, now: Callable[[], Awaitable[Pair]]) -> Refused:
    """What somebody is told whose answer comes too late, or for the second time."""
    if rule != "already-answered":
        return Refused(rule)
    pair = await now()
    if pair.state not in LIVING:
        return Refused("pair-ended")
    return Refused("formed-already") if not yes else Refused(rule, done="accepte-deja")


def side_in(me: Participant, thing: Pair | Session | None) -> Side | None:
    """On which side of it I am; None if on none."""
    if thing is None:
        return None
    if thing.mentor_id == me.id:
        return "mentor"
    return "manager" if thing.manager_id == me.id else None


async def me_of(visit: Visit) -> Participant:
    """Who is signed in, in the cohort that the address names. Raises `NotHere`."""
    where = Where(visit.path["cohort"], {"address": visit.address})
    found = await visit.site.store.page(Participant, where, 1)
    if not found:
        raise NotHere
    return found[0]
