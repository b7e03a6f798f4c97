"""Scheduling's pages behind the links of letters: a session's date, and whether it took place."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from schemas.base import Command, parent_pair
from schemas.calendars import DeclareAbsence
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
)
from services.chassis.domain import State
from services.chassis.http.links import Link
from services.chassis.http.looks import Look
from services.chassis.http.pages import Choice, Field, Form, LinkPage, Text
from services.chassis.http.problems import Problem
from services.scheduling.agenda import Agenda, agenda_of
from services.scheduling.moving import offers
from services.scheduling.slots import PARIS
from services.scheduling.views import (
    Outcome,
    Proposal,
    Session,
    SessionState,
    Slot,
    Slots,
    outcome_of,
)
from services.scheduling.words import span, until

_SESSION = Form(
    Text("Votre séance", "Your session"),
    (
        Choice(
            "answer",
            Text("Cette date vous convient-elle ?", "Does this date suit you?"),
            (
                ("confirm", Text("Oui, je confirme", "Yes, I confirm")),
                ("reschedule", Text("Plus tard : déplacer la séance", "Later: move the session")),
                ("cancel", Text("Non : annuler et replanifier", "No: cancel and plan again")),
            ),
        ),
    ),
)
_ATTENDANCE = Form(
    Text("Votre séance", "Your session"),
    (
        Choice(
            "held",
            Text("La séance a-t-elle eu lieu ?", "Did the session take place?"),
            (
                ("yes", Text("Oui", "Yes")),
                ("no", Text("Non", "No")),
                ("no:mentor", Text("Non : le mentor était absent", "No: the mentor was away")),
                ("no:manager", Text("Non : le manager était absent", "No: the manager was away")),
                ("no:both", Text("Non : personne n’est venu", "No: nobody came")),
            ),
        ),
    ),
)

_OWN_TIME = (
    Field("day", Text("Un autre jour", "Another day"), "date"),
    Field("time", Text("À quelle heure", "At what time"), "time"),
)
_DATES_AWAY = (
    Field("away_from", Text("En congé ou en mission du", "On leave or away from"), "date"),
    Field("away_until", Text("jusqu’au", "until"), "date"),
)
_AWAY = Text(
    "Je serai absent·e aux dates ci-dessous : déplacer ce qui y tombe",
    "I shall be away on the dates below: move what lies in them",
)
_PROPOSE = Text("Proposer le moment indiqué ci-dessous", "Propose the time given below")

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


def _seen(state: State, link: Link, now: datetime) -> Form:
    """What can be done about the session as it stands: its date, what is proposed, other dates."""
    agenda = agenda_of(state, link.cohort_id, parent_pair(link.id))
    session = state.get(Session, link.cohort_id, link.id)
    if agenda is None or session is None:
        return _SESSION
    when = span(session.starts_at, session.ends_at)
    title = Text(f"Séance {session.number}", f"Session {session.number}")
    if not session.is_open:
        over = _OVER[session.state]
        return Form(title, (), Text(f"{when.fr} : {over.fr}", f"{when.en}: {over.en}"))
    if session.starts_at <= now:
        return Form(title, (), Text(f"{when.fr} : elle a commencé.", f"{when.en}: it has begun."))
    proposal = session.proposal
    planned = Text(when.fr, when.en)
    notice = planned if proposal is None else _proposed(planned, proposal, agenda.length)
    options = [*_answers(session, link), *_others(agenda, session, now)]
    label = Text("Que souhaitez-vous ?", "What would you like?")
    return Form(title, (Choice("answer", label, options),), notice, (*_OWN_TIME, *_DATES_AWAY))


_OVER: dict[SessionState, Text] = {
    "completed": Text("elle a eu lieu.", "it took place."),
    "missed": Text("elle n’a pas eu lieu.", "it did not take place."),
    "cancelled": Text("cette date ne tient plus.", "this date no longer stands."),
}


def _proposed(when: Text, proposal: Proposal, length: timedelta) -> Text:
    other = span(proposal.proposed_at, proposal.proposed_at + length)
    by = until(proposal.answer_by)
    return Text(
        f"Prévue : {when.fr}. Autre date proposée : {other.fr}. Sans réponse avant le {by.fr}, "
        "la date prévue tient.",
        f"Planned: {when.en}. Another date is proposed: {other.en}. Without an answer before "
        f"{by.en}, the date planned stands.",
    )


def _answers(session: Session, link: Link) -> Iterator[tuple[str, Text]]:
    """Yes or no to what is planned or proposed."""
    proposal, moved = session.proposal, session.moved
    if proposal is not None:
        at = proposal.proposed_at.isoformat()
        if proposal.by != link.side:
            yield f"accept:{at}", Text("J’accepte la date proposée", "I accept the date proposed")
            yield f"decline:{at}", Text("Je garde la date prévue", "I keep the date planned")
        else:
            yield f"decline:{at}", Text("Je retire ma proposition", "I take my proposal back")
    if link.side not in session.confirmed_by:
        yield "confirm", Text("Oui, je confirme la date prévue", "Yes, I confirm the date planned")
    if moved is not None and moved.by != link.side:
        was = until(moved.previously_at)
        at = session.starts_at.isoformat()
        yield (
            f"decline:{at}",
            Text(f"Non, revenir au {was.fr}", f"No, go back to {was.en}"),
        )


def _others(agenda: Agenda, session: Session, now: datetime) -> Iterator[tuple[str, Text]]:
    """Other dates, those that both have free first."""
    for at in offers(agenda, session, now):
        when = span(at, at + agenda.length)
        yield (
            f"to:{at.isoformat()}",
            Text(f"Déplacer : {when.fr}", f"Move: {when.en}"),
        )
    yield "propose", _PROPOSE
    yield "away", _AWAY
    yield "cancel", Text("Annuler et replanifier", "Cancel and plan again")


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


def _attendance_seen(state: State, link: Link, _: datetime) -> Form:
    """Which session is meant, and what it counts as so far."""
    agenda = agenda_of(state, link.cohort_id, parent_pair(link.id))
    ended = state.get(Outcome, link.cohort_id, outcome_of(link.id, link.attempt or 1))
    session = state.get(Session, link.cohort_id, link.id)
    if agenda is None or session is None:
        return _ATTENDANCE
    title = Text(f"Séance {session.number}", f"Session {session.number}")
    start = ended.starts_at if ended else session.starts_at
    when = span(start, start + agenda.length)
    if ended is None:
        return Form(title, _ATTENDANCE.choices, Text(when.fr, when.en))
    cause = "disputed" if ended.disputed else ended.cause
    so_far = _COUNTS.get((cause, ended.outcome)) or _COUNTS["", ended.outcome]
    notice = Text(f"{when.fr}. {so_far.fr}", f"{when.en}. {so_far.en}")
    choices = () if ended.outcome == "cancelled" else _ATTENDANCE.choices
    return Form(title, choices, notice)


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
    "session": LinkPage(lambda _: _SESSION, _session, _seen),
    "attendance": LinkPage(lambda _: _ATTENDANCE, _attendance, _attendance_seen),
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
