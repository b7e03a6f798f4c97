"""Scheduling's pages behind the links of letters: a session's date, and whether it took place."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from schemas.base import Command, parent_pair
from schemas.calendars import DeclareAbsence
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
from services.scheduling.moving import offers
from services.scheduling.views import (
    Cohort,
    Outcome,
    Session,
    SessionState,
    Slot,
    Slots,
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


_NEXT: dict[type[Command], Text] = {
    ConfirmSession: Text(
        "Après la séance, nous vous demanderons simplement si elle a eu lieu.",
        "After the session we will simply ask whether it took place.",
    ),
    RescheduleSession: Text(
        "Une lettre vous dit à tous les deux la nouvelle date, ou à l’autre personne celle que "
        "vous lui proposez.",
        "A letter tells both of you the new date, or the other person the one that you propose.",
    ),
    AcceptMove: Text(
        "Vous recevez tous les deux la nouvelle date, avec une invitation pour votre agenda.",
        "Both of you are sent the new date, with an invitation for your calendar.",
    ),
    DeclineMove: Text(
        "Une lettre vous rappelle à tous les deux la date qui tient.",
        "A letter tells both of you which date stands.",
    ),
    DeclareAbsence: Text(
        "Les séances qui tombent ces jours-là changent de date ; une lettre vous les dit à tous "
        "les deux.",
        "Sessions that lie in those days get other dates; letters tell both of you.",
    ),
    CancelSession: Text(
        "La séance quitte vos agendas, et nous vous proposons une nouvelle date à tous les deux.",
        "The session leaves your calendars, and we propose a new date to both of you.",
    ),
    ReportAttendance: Text(
        "Si la séance a eu lieu, nous vous demanderons votre avis ; sinon, une nouvelle date "
        "arrive. Vous n’avez rien d’autre à faire.",
        "If the session took place, we will ask for your view; if not, a new date is coming. There "
        "is nothing else to do.",
    ),
}


def _form(state: State, link: Link, now: datetime) -> Form:
    """What can be done about the session as it stands: its date, what is proposed, other dates."""
    agenda = agenda_of(state, link.cohort_id, parent_pair(link.id))
    session = state.get(Session, link.cohort_id, link.id)
    if agenda is None or session is None:
        return _SESSION
    if not session.is_open:
        return Form(_TITLE, (), _OVER[session.state])
    if session.starts_at <= now:
        return Form(_TITLE, (), _BEGUN)
    options = [*_answers(session, link), *_others(agenda, session, now)]
    label = Text("Que souhaitez-vous ?", "What would you like?")
    return Form(_TITLE, (Choice("answer", label, options),), _unanswered(session), _THEN)


_OVER: dict[SessionState, Text] = {
    "completed": Text("Cette séance a eu lieu.", "This session took place."),
    "missed": Text("Cette séance n’a pas eu lieu.", "This session did not take place."),
    "cancelled": Text("Cette date ne tient plus.", "This date no longer stands."),
}
_BEGUN = Text("Cette séance a commencé.", "This session has begun.")


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
        yield Option("confirm", yes)
    if moved is not None and moved.by != link.side:
        was = Text.of(lambda language: day_and_time(moved.previously_at, language))
        yield Option(
            f"decline:{session.starts_at.isoformat()}",
            Text(f"Non, revenir au {was.fr}", f"No, go back to {was.en}"),
        )


def _others(agenda: Agenda, session: Session, now: datetime) -> Iterator[Option]:
    """Other dates, those that both have free first, by day."""
    for at in offers(agenda, session, now):
        yield _offer(at, at + agenda.length)
    yield Option("propose", _PROPOSE, fields=_OWN_TIME)
    yield Option("away", _AWAY, fields=_DATES_AWAY)
    yield Option("cancel", Text("Annuler et replanifier", "Cancel and plan again"))


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
    if cohort is not None:
        number, of = link.id.rpartition("~")[2], cohort.policy.sessions
        lines.append((_WHICH, Text(f"{number} sur {of}", f"{number} of {of}")))
    return About([*lines, (_WITH, _NAMED)])


def _span(start: datetime, length: timedelta) -> Text:
    return Text.of(lambda language: span(start, start + length, language))


_WHEN, _WHICH, _WITH = Text("Quand", "When"), Text("Séance", "Session"), Text("Avec", "With")
_PROPOSED = Text("Autre date proposée", "Another date proposed")
_NAMED = Text("la personne nommée dans votre lettre", "the person named in your letter")


def _after(state: State, link: Link, command: Command) -> Text | None:
    session = state.get(Session, link.cohort_id, link.id)
    if isinstance(command, RescheduleSession) and session is not None:
        return _unanswered(session) or _NEXT[AcceptMove]
    return _NEXT.get(type(command))


def _session(link: Link, answers: Mapping[str, str], _: str) -> Command:
    answer, _, at = answers.get("answer", "").partition(":")
    fields: dict[str, object] = {
        "cohort_id": link.cohort_id,
        "session_id": link.id,
        "by": link.side,
    }
    if answer in _BY_TIME and at:
        kind, name = _BY_TIME[answer]
        return kind.model_validate(fields | {name: at})
    if answer == "propose":
        return RescheduleSession.model_validate(fields | {"starts_at": _own_time(answers)})
    if answer == "away":
        return _away(link, answers)
    if answer not in _PLAIN:
        options = ", ".join((*_PLAIN, "propose", "away", *(f"{name}:TIME" for name in _BY_TIME)))
        raise Problem(422, f"answer: it is one of {options}")
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
    so_far = _COUNTS.get((cause, ended.outcome)) or _COUNTS["", ended.outcome]
    choices = () if ended.outcome == "cancelled" else _ATTENDANCE.choices
    return Form(_ATTENDANCE.title, choices, so_far)


_COUNTS: dict[tuple[str, str], Text] = {
    ("", "completed"): Text("Elle compte comme tenue.", "It counts as held."),
    ("", "missed"): Text("Elle compte comme manquée.", "It counts as missed."),
    ("", "cancelled"): Text("Elle a été annulée.", "It was cancelled."),
    ("presumed", "completed"): Text(
        "Sans réponse, elle est présumée tenue : vous l’aviez confirmée tous les deux.",
        "Without an answer it is presumed held: both of you had confirmed it.",
    ),
    ("disputed", "completed"): Text(
        "Vos réponses diffèrent. Elle compte comme tenue pour l’instant.",
        "Your answers differ. It counts as held for now.",
    ),
    ("disputed", "missed"): Text(
        "Vos réponses diffèrent. Elle compte comme manquée pour l’instant.",
        "Your answers differ. It counts as missed for now.",
    ),
}
"""What an attempt counts as, by cause and outcome; where the cause says no more, by the outcome."""


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
    "session": LinkPage(_form, _session, _about, _after),
    "attendance": LinkPage(_attendance_form, _attendance, _attempt_about, _after),
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


LOOKS = (Look("sessions", "slots", Slots, _slots),)
