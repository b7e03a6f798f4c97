"""Mon espace: my pairs, my sessions, what comes next.

Always holds: whatever is shown or sent is of the person who is signed in; what belongs to somebody
else is not there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.responses import Response

from schemas import saying
from schemas.base import Command
from schemas.charter import CHARTER, Charter
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
)
from schemas.meeting import SetMeetingPlace
from schemas.places import chosen
from schemas.saying import PARIS
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
)
from schemas.values import Side
from services.chassis.store.contract import Where
from services.portal import phrases
from services.portal.readings import OWN_FIELDS, Own, Reading, to_prepare
from services.portal.readings import own as own_sheet
from services.portal.views import Cohort, Pair, Participant, ProgrammeSheet, Session
from services.portal.web.doing import Refused, done, refused
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
    if not parts and visit.coordinates and "fait" in visit.query:
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
        sheets = _sheets(visit, pair, one.next.number, manager, mine) if one.next else ()
        own.append(replace(one, prepare=sheets))
    living = [one for one in own if one.pair.state in _LIVING]
    return Part(cohort, me, tuple(sorted(living, key=_first_to_see)))


_LIVING = ("proposed", "formed", "graduated")


def _first_to_see(one: OwnPair) -> tuple[int, bool, datetime, str]:
    """What waits for an answer, then what comes soonest: never by ids, which say nothing."""
    pair = one.pair
    due = one.next.starts_at if one.next else pair.expires_at
    return _LIVING.index(pair.state), one.answered, due or _NEVER, pair.id


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


def _sheets(
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
    if pair.state not in _LIVING:
        return Refused("pair-ended")
    return Refused("formed-already") if not yes else Refused(rule, done="accepte-deja")


async def session_page(visit: Visit) -> Response:
    """One session: its date, and what can be done with it."""
    followed = await visit.follow(visit.path["cohort"])
    me, session, side = await _session(visit)
    return await _shown_session(visit, me, session, side, {}, followed)


async def _shown_session(
    visit: Visit,
    me: Participant,
    session: Session,
    side: Side,
    errors: dict[str, str],
    followed: str = "",
) -> Response:
    other = session.manager_id if side == "mentor" else session.mentor_id
    people = await visit.site.people(me.cohort_id, [other])
    pair = await visit.site.store.one(Pair, me.cohort_id, session.pair_id)
    manager = me if side == "manager" else people.get(other)
    mine = await owned(visit, me.cohort_id)
    return page(
        visit,
        "session.html",
        422 if errors else 200,
        follow=followed,
        session=session,
        side=side,
        place=pair.place if pair else None,
        place_typed=visit.typed("lieu"),
        other=people.get(other),
        prepare=_sheets(visit, pair, session.number, manager, mine) if pair else (),
        state_now=state_of(session, visit.now),
        errors=errors,
        day_typed=visit.typed("jour"),
        time_typed=visit.typed("heure"),
        first_day=(visit.now.astimezone(PARIS) + timedelta(days=1)).date().isoformat(),
    )


async def session_sent(visit: Visit) -> Response:
    """Confirm, move, answer what is proposed, cancel or report."""
    me, session, side = await _session(visit)
    about: dict[str, Any] = {"cohort_id": me.cohort_id, "session_id": session.id, "by": side}
    meant = about | {"stands_at": _seen(visit)}
    command: Command
    match visit.typed("action"):
        case "confirmer":
            command, said = ConfirmSession(**meant), "confirme"
        case "deplacer":
            starts_at = moment_of(visit.typed("jour"), visit.typed("heure"))
            if starts_at is None:
                wrong = visit.say("Choisissez un jour et une heure.", "Choose a day and a time.")
                return await _shown_session(visit, me, session, side, {"jour": wrong})
            command, said = RescheduleSession(**about, starts_at=starts_at), "deplace"
        case "plus-tard":
            command, said = RescheduleSession(**meant), "deplace"
        case "accepter" | "garder" as answer:
            at = session.proposal.proposed_at if session.proposal else None
            if at is None or visit.typed("date") != at.isoformat():
                return refused(visit, "no-proposal", _holds(session, visit))
            kind = AcceptMove if answer == "accepter" else DeclineMove
            said = "date-acceptee" if answer == "accepter" else "date-gardee"
            command = kind(**about, proposed_at=at)
        case "lieu":
            return await _move_elsewhere(visit, me, session, side)
        case "annuler":
            command, said = CancelSession(**meant), "annule"
        case "tenue" | "manquee" as report:
            held = report == "tenue"
            command = ReportAttendance(**about, attempt=session.attempt, held=held)
            said = "raconte"
        case _:
            raise NotHere

    async def shows() -> bool:
        nonlocal said
        after = await visit.site.store.one(Session, me.cohort_id, session.id)
        if isinstance(command, RescheduleSession) and after is not None and after.proposal:
            said = "propose"
        return after != session

    async def stands(rule: str) -> Refused:
        now = await visit.site.store.one(Session, me.cohort_id, session.id) or session
        return Refused(rule, holds=_holds(now, visit))

    return await done(visit, command, shows, lambda: said, stands)


def _holds(session: Session, visit: Visit) -> str:
    """How a session stands, in a sentence."""
    language, state = visit.language, state_of(session, visit.now)
    stands = phrases.STATES[state][language]
    if state not in ("postponed", "cancelled"):
        stands = f"{saying.span(session.starts_at, session.ends_at, language)} – {stands}"
    return visit.say(
        f"Où en est la séance {session.number} : {stands}.",
        f"How session {session.number} stands: {stands}.",
    )


async def _move_elsewhere(visit: Visit, me: Participant, session: Session, side: Side) -> Response:
    try:
        place = chosen(visit.typed("lieu"))
    except ValueError:
        wrong = visit.say(
            "Écrivez un lieu, ou un lien qui commence par https://.",
            "Write a place, or a link that begins with https://.",
        )
        return await _shown_session(visit, me, session, side, {"lieu": wrong})
    pair_id = session.pair_id
    command = SetMeetingPlace(cohort_id=me.cohort_id, pair_id=pair_id, by=side, place=place)

    async def shows() -> bool:
        pair = await visit.site.store.one(Pair, me.cohort_id, pair_id)
        return pair is not None and pair.place == place

    return await done(visit, command, shows, "lieu")


def moment_of(day: str, time: str) -> datetime | None:
    """A day and a time in Paris, as a browser's fields give them; None if they are none."""
    try:
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=PARIS)
    except ValueError:
        return None


def _seen(visit: Visit) -> datetime | None:
    """The session's date on the page that was filled in. Raises `NotHere`."""
    typed = visit.typed("vue")
    try:
        seen = datetime.fromisoformat(typed) if typed else None
    except ValueError:
        raise NotHere from None
    if seen is not None and seen.tzinfo is None:
        raise NotHere
    return seen


async def me_of(visit: Visit) -> Participant:
    """Who is signed in, in the cohort that the address names. Raises `NotHere`."""
    where = Where(visit.path["cohort"], {"address": visit.address})
    found = await visit.site.store.page(Participant, where, 1)
    if not found:
        raise NotHere
    return found[0]


async def _session(visit: Visit) -> tuple[Participant, Session, Side]:
    me = await me_of(visit)
    session = await visit.site.store.one(Session, me.cohort_id, visit.path["session"])
    side = None if session is None else side_in(me, session)
    if session is None or side is None:
        raise NotHere
    return me, session, side


def side_in(me: Participant, thing: Pair | Session | None) -> Side | None:
    """On which side of it I am; None if on none."""
    if thing is None:
        return None
    if thing.mentor_id == me.id:
        return "mentor"
    return "manager" if thing.manager_id == me.id else None
