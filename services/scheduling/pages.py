"""Scheduling's pages behind the links of letters: a session's date, and whether it took place."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from schemas.base import Command, parent_pair
from schemas.calendars import DeclareAbsence
from schemas.meeting import SetMeetingPlace
from schemas.places import MeetingPlace, chosen, where
from schemas.saying import PARIS, day, day_and_time, hours, span
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
)
from services.chassis.domain import State
from services.chassis.http.forms import About, Choice, Field, Form, LinkPage, Option, Text
from services.chassis.http.links import Link
from services.chassis.http.looks import Look
from services.chassis.http.problems import Problem
from services.scheduling.agenda import Agenda, agenda_of
from services.scheduling.looking import waits_of
from services.scheduling.moving import offers
from services.scheduling.phrases import BEGUN, COUNTS, NEXT, OVER
from services.scheduling.refusals import REFUSALS
from services.scheduling.views import (
    Calendar,
    Cohort,
    Outcome,
    Pair,
    Session,
    Slot,
    Slots,
    Waits,
    outcome_of,
)

_TITLE = Text("Votre séance", "Your session")
_THEN = Text(
    "L’autre personne apprend tout changement par une lettre, et vos agendas sont mis à jour. Un "
    "moment que vous n’avez pas libre tous les deux lui est d’abord proposé.",
    "The other person learns of any change by letter, and your calendars are updated. A time that "
    "you do not both have free is proposed to them first.",
)
_SESSION = Form(
    _TITLE,
    (
        Choice(
            "answer",
            Text("Cette date vous convient-elle ?", "Does this date suit you?"),
            (
                Option("confirm", Text("Oui, je confirme", "Yes, I confirm")),
                Option(
                    "reschedule", Text("Plus tard : déplacer la séance", "Later: move the session")
                ),
                Option("cancel", Text("Non : annuler et replanifier", "No: cancel and plan again")),
            ),
        ),
    ),
    then=_THEN,
)
"""What is asked about a session of which nothing can be read."""
_ABSENT = (
    Option("no:mentor", Text("Non : le mentor était absent", "No: the mentor was away")),
    Option("no:manager", Text("Non : le manager était absent", "No: the manager was away")),
    Option("no:both", Text("Non : personne n’est venu", "No: nobody came")),
)
_ATTENDANCE = Form(
    _TITLE,
    (
        Choice(
            "held",
            Text("La séance a-t-elle eu lieu ?", "Did the session take place?"),
            (
                Option("yes", Text("Oui", "Yes")),
                Option("no", Text("Non", "No")),
                *_ABSENT,
            ),
        ),
    ),
)

_OWN_TIME = (
    Field("day", Text("Un autre jour", "Another day"), "date"),
    Field("time", Text("À quelle heure", "At what time"), "time"),
)
_DATES_AWAY = (
    Field("away_from", Text("Du", "From"), "date"),
    Field("away_until", Text("jusqu’au", "until"), "date", required=False),
)
_PLACE = (
    Field("place", Text("Un lieu, ou un lien https://…", "A place, or an https://… link"), "text"),
)
_ELSEWHERE = Text(
    "Se retrouver ailleurs, pour les séances à venir", "Meet elsewhere, for the sessions to come"
)
_AWAY = Text(
    "Je serai en congé ou en mission : déplacer ce qui y tombe",
    "I shall be on leave or away: move what lies in those days",
)
_PROPOSE = Text("Proposer un autre moment", "Propose another time")

_BY_TIME: dict[str, tuple[type[Command], str]] = {
    "to": (RescheduleSession, "starts_at"),
    "accept": (AcceptMove, "proposed_at"),
    "decline": (DeclineMove, "proposed_at"),
}
_PLAIN: dict[str, type[Command]] = {
    "confirm": ConfirmSession,
    "reschedule": RescheduleSession,
    "cancel": CancelSession,
}


def _form(state: State, link: Link, now: datetime) -> Form:
    """What can be done about the session as it stands: its date, what is proposed, other dates."""
    agenda = agenda_of(state, link.cohort_id, parent_pair(link.id))
    session = state.get(Session, link.cohort_id, link.id)
    if agenda is None or session is None:
        return _SESSION
    if not session.is_open:
        return Form(_TITLE, (), OVER[session.state])
    if session.starts_at <= now:
        return Form(_TITLE, (), BEGUN)
    options = [*_answers(session, link), *_others(agenda, session, link, now)]
    label = Text("Que souhaitez-vous ?", "What would you like?")
    return Form(_TITLE, (Choice("answer", label, options),), _unanswered(session), _THEN)


def _unanswered(session: Session) -> Text | None:
    """What holds if nobody answers what is proposed."""
    if (proposal := session.proposal) is None:
        return None
    by = Text.of(lambda language: day_and_time(proposal.answer_by, language))
    return Text(
        f"Sans réponse avant le {by.fr}, la date prévue tient.",
        f"Without an answer before {by.en}, the date planned stands.",
    )


def _answers(session: Session, link: Link) -> Iterator[Option]:
    """Yes or no to what is planned or proposed."""
    proposal, moved = session.proposal, session.moved
    if proposal is not None:
        at = proposal.proposed_at.isoformat()
        if proposal.by != link.side:
            accept = Text("J’accepte la date proposée", "I accept the date proposed")
            yield Option(f"accept:{at}", accept)
            yield Option(
                f"decline:{at}", Text("Je garde la date prévue", "I keep the date planned")
            )
        else:
            back = Text("Je retire ma proposition", "I take my proposal back")
            yield Option(f"decline:{at}", back)
    if link.side not in session.confirmed_by:
        yes = Text("Oui, je confirme la date prévue", "Yes, I confirm the date planned")
        yield Option(f"confirm:{session.starts_at.isoformat()}", yes)
    if moved is not None and moved.by != link.side:
        was = Text.of(lambda language: day_and_time(moved.previously_at, language))
        yield Option(
            f"decline:{session.starts_at.isoformat()}",
            Text(f"Non, revenir au {was.fr}", f"No, go back to {was.en}"),
        )


def _others(agenda: Agenda, session: Session, link: Link, now: datetime) -> Iterator[Option]:
    """Other dates, those that both have free first, by day; of dates alone an assistant says."""
    for at in offers(agenda, session, now):
        yield _offer(at, at + agenda.length)
    yield Option("propose", _PROPOSE, fields=_OWN_TIME)
    if link.role is None:
        yield Option("away", _AWAY, fields=_DATES_AWAY)
        yield Option("place", _ELSEWHERE, fields=_PLACE)
    cancel = Text("Annuler et replanifier", "Cancel and plan again")
    yield Option(f"cancel:{session.starts_at.isoformat()}", cancel)


def _offer(start: datetime, end: datetime) -> Option:
    on = Text.of(lambda language: day(start, language))
    return Option(
        f"to:{start.isoformat()}",
        Text.of(lambda language: hours(start, end, language)),
        under=Text(f"Déplacer au {on.fr}", f"Move to {on.en}"),
    )


def _about(state: State, link: Link) -> About:
    """Which session, when, with whom, as far as scheduling knows: names stand in the letter."""
    return _told(state, link, state.get(Session, link.cohort_id, link.id))


def _told(state: State, link: Link, session: Session | None) -> About:
    cohort = state.get(Cohort, link.cohort_id, link.cohort_id)
    lines = []
    if session is not None:
        length = session.ends_at - session.starts_at
        lines.append((_WHEN, _span(session.starts_at, length)))
        if session.proposal is not None:
            lines.append((_PROPOSED, _span(session.proposal.proposed_at, length)))
    pair = state.get(Pair, link.cohort_id, parent_pair(link.id))
    if pair is not None and pair.place is not None:
        lines.append((_WHERE, _said(pair.place)))
    if cohort is not None:
        number, of = link.id.rpartition("~")[2], cohort.policy.sessions
        lines.append((_WHICH, Text(f"{number} sur {of}", f"{number} of {of}")))
    return About([*lines, (_WITH, _NAMED)])


def _span(start: datetime, length: timedelta) -> Text:
    return Text.of(lambda language: span(start, start + length, language))


def _said(place: MeetingPlace) -> Text:
    return Text.of(lambda language: where(place, language))


_WHERE = Text("Où", "Where")
_WHEN, _WHICH, _WITH = Text("Quand", "When"), Text("Séance", "Session"), Text("Avec", "With")
_PROPOSED = Text("Autre date proposée", "Another date proposed")
_NAMED = Text("la personne nommée dans votre lettre", "the person named in your letter")


def _after(state: State, link: Link, command: Command) -> Text | None:
    session = state.get(Session, link.cohort_id, link.id)
    if isinstance(command, RescheduleSession) and session is not None:
        return _unanswered(session) or NEXT[AcceptMove]
    return NEXT.get(type(command))


def _session(link: Link, answers: Mapping[str, str], _: str) -> Command:
    answer, _, at = answers.get("answer", "").partition(":")
    fields: dict[str, object] = {
        "cohort_id": link.cohort_id,
        "session_id": link.id,
        "by": link.side,
        "on_behalf": link.role is not None,
    }
    if answer in _BY_TIME and at:
        kind, name = _BY_TIME[answer]
        return kind.model_validate(fields | {name: at})
    if answer == "propose":
        return RescheduleSession.model_validate(fields | {"starts_at": _own_time(answers)})
    if answer == "away":
        return _away(link, answers)
    if answer == "place":
        return _elsewhere(link, answers)
    if answer not in _PLAIN:
        options = ", ".join(
            (*_PLAIN, "propose", "away", "place", *(f"{name}:TIME" for name in _BY_TIME))
        )
        raise Problem(422, f"answer: it is one of {options}")
    if at:
        fields["stands_at"] = at
    if answer == "reschedule" and answers.get("starts_at"):
        fields["starts_at"] = answers["starts_at"]
    return _PLAIN[answer].model_validate(fields)


def _away(link: Link, answers: Mapping[str, str]) -> Command:
    first = answers.get("away_from", "")
    return DeclareAbsence.model_validate(
        {
            "cohort_id": link.cohort_id,
            "person_id": link.person_id,
            "first_day": first,
            "last_day": answers.get("away_until") or first,
        }
    )


def _elsewhere(link: Link, answers: Mapping[str, str]) -> Command:
    return SetMeetingPlace.model_validate(
        {
            "cohort_id": link.cohort_id,
            "pair_id": parent_pair(link.id),
            "by": link.side,
            "place": chosen(answers.get("place", "")),
        }
    )


def _own_time(answers: Mapping[str, str]) -> datetime:
    """The moment that somebody entered, in Paris."""
    day, time = answers.get("day", ""), answers.get("time", "")
    try:
        at = datetime.fromisoformat(f"{day}T{time}")
    except ValueError:
        raise Problem(422, "day and time: the moment to propose, as 2017-03-14 and 10:00") from None
    return at.replace(tzinfo=PARIS)


def _attempt(state: State, link: Link) -> Outcome | None:
    """How the attempt that is asked about ended, as far as anybody has said."""
    return state.get(Outcome, link.cohort_id, outcome_of(link.id, link.attempt or 1))


def _attendance_form(state: State, link: Link, _: datetime) -> Form:
    """What the attempt counts as so far, and whether it took place."""
    ended = _attempt(state, link)
    if ended is None:
        return _ATTENDANCE
    cause = "disputed" if ended.disputed else ended.cause
    so_far = COUNTS.get((cause, ended.outcome)) or COUNTS["", ended.outcome]
    choices = () if ended.outcome == "cancelled" else _ATTENDANCE.choices
    return Form(_ATTENDANCE.title, choices, so_far)


def _attempt_about(state: State, link: Link) -> About:
    """As of a session, at the date of the attempt that is asked about, not a later one."""
    session = state.get(Session, link.cohort_id, link.id)
    ended = _attempt(state, link)
    if session is not None and ended is not None:
        ends_at = ended.starts_at + (session.ends_at - session.starts_at)
        then = {"starts_at": ended.starts_at, "ends_at": ends_at, "proposal": None}
        session = session.model_copy(update=then)
    return _told(state, link, session)


def _attendance(link: Link, answers: Mapping[str, str], _: str) -> Command:
    said, _, absent = answers.get("held", "").partition(":")
    held = {"yes": True, "no": False}.get(said)
    if held is None:
        raise Problem(422, "held: it is yes or no, or no with who was away (no:mentor)")
    return ReportAttendance.model_validate(
        {
            "cohort_id": link.cohort_id,
            "session_id": link.id,
            "attempt": link.attempt,
            "by": link.side,
            "held": held,
            "absent": absent or None,
        }
    )


LINK_PAGES = {
    "session": LinkPage(_form, _session, _about, _after, REFUSALS),
    "attendance": LinkPage(_attendance_form, _attendance, _attempt_about, _after, REFUSALS),
}


def _slots(state: State, cohort_id: str, id: str, now: datetime) -> Slots | None:
    if id.count("~") != 2:
        return None
    agenda = agenda_of(state, cohort_id, parent_pair(id))
    session = state.get(Session, cohort_id, id)
    if agenda is None or session is None:
        return None
    movable = session.is_open and now < session.starts_at
    found = offers(agenda, session, now) if movable else []
    return Slots(slots=tuple(Slot(starts_at=at, ends_at=at + agenda.length) for at in found))


def _waits(state: State, cohort_id: str, id: str, now: datetime) -> Waits | None:
    calendar = state.get(Calendar, cohort_id, id)
    if calendar is None:
        return None
    sessions = (state.get(Session, cohort_id, busy.session_id) for busy in calendar.busy)
    found = (wait for one in sessions if one is not None for wait in waits_of(one, now))
    return Waits(waits=tuple(found), without_hour=calendar.waiting)


LOOKS = (
    Look("sessions", "slots", Slots, _slots),
    Look("calendars", "waits", Waits, _waits),
)
