"""One of my sessions: its date, where it is, and what can be done with it.

Always holds: what is asked of a date is asked of the one on the page; where scheduling is away, a
page has no hours to pick, and is whole.
"""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from fastapi.responses import Response

from schemas import saying
from schemas.base import Command
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
from services.portal import phrases
from services.portal.views import Pair, Participant, Session
from services.portal.web.doing import Refused, done, refused
from services.portal.web.own_space import me_of, owned, sheets_for, side_in, state_of
from services.portal.web.rendering import page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit


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
    movable = state_of(session, visit.now) in ("planned", "confirmed")
    offers = await visit.site.engine.offers(me.cohort_id, session.id) if movable else []
    by_day = [(day, list(those)) for day, those in groupby(offers, _day)]
    return page(
        visit,
        "session.html",
        422 if errors else 200,
        offers=by_day,
        offer_typed=visit.typed("creneau"),
        follow=followed,
        session=session,
        side=side,
        place=pair.place if pair else None,
        place_typed=visit.typed("lieu"),
        other=people.get(other),
        prepare=sheets_for(visit, pair, session.number, manager, mine) if pair else (),
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
        case "creneau":
            wanted = _moment(visit.typed("creneau"))
            if wanted is None:
                wrong = visit.say("Choisissez une heure de la liste.", "Choose one of these hours.")
                return await _shown_session(visit, me, session, side, {"creneau": wrong})
            command, said = RescheduleSession(**meant, starts_at=wanted), "deplace"
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
        return after != session or _is_so(command, session)

    async def stands(rule: str) -> Refused:
        now = await visit.site.store.one(Session, me.cohort_id, session.id) or session
        return Refused(rule, holds=_holds(now, visit))

    return await done(visit, command, shows, lambda: said, stands)


def _is_so(command: Command, session: Session) -> bool:
    """Whether what is asked for was so before: nothing comes of it when it is sent again."""
    match command:
        case ConfirmSession():
            return command.by in session.confirmed_by
        case RescheduleSession(starts_at=datetime() as wanted):
            proposal = session.proposal
            return wanted in (session.starts_at, proposal.proposed_at if proposal else None)
        case CancelSession():
            return session.state == "cancelled"
        case ReportAttendance():
            return session.state == ("completed" if command.held else "missed")
    return False


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


def _day(offer: tuple[datetime, datetime]) -> datetime:
    """The day of an offer in Paris, by a moment of it."""
    return offer[0].astimezone(PARIS).replace(hour=12, minute=0)


def _seen(visit: Visit) -> datetime | None:
    """The session's date on the page that was filled in. Raises `NotHere`."""
    typed = visit.typed("vue")
    seen = _moment(typed)
    if typed and seen is None:
        raise NotHere
    return seen


def _moment(typed: str) -> datetime | None:
    """A moment as a page's hidden or chosen fields tell it; None if it is none."""
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


async def _session(visit: Visit) -> tuple[Participant, Session, Side]:
    me = await me_of(visit)
    session = await visit.site.store.one(Session, me.cohort_id, visit.path["session"])
    side = None if session is None else side_in(me, session)
    if session is None or side is None:
        raise NotHere
    return me, session, side
