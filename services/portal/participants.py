"""How a participant follows from what the portal learned. A fold: no time, no rules, no I/O.

Always holds: what a contact changes of a participant and what an event changes of them are other
fields, so that it does not matter which of the two came first (a rebuild reads contacts last).
"""

from collections.abc import Iterable

from schemas.base import MentorEvent
from schemas.calendars import AbsenceDeclared, AbsenceWithdrawn
from schemas.community import DirectoryChanged
from schemas.dates import Absence
from schemas.lines import LineManagerNamed, line_told
from schemas.matching import (
    AvailabilityChanged,
    ManagerEnrolled,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
)
from schemas.people import PersonContact, PersonErased
from schemas.taking_part import (
    ManagerChanged,
    ManagerPaused,
    ManagerResumed,
    ManagerReturned,
    MentorChanged,
    MentorReturned,
)
from services.chassis.domain import Change, Evolution, Gone, State
from services.portal.spelling import folded, words_of
from services.portal.views import Line, Participant


def _contact(state: State, contact: PersonContact) -> Iterable[Change]:
    fields = {
        "name": contact.name,
        "email": contact.email,
        "address": contact.email.casefold(),
        "language": contact.language,
        "post": contact.post,
        "presentation": contact.presentation,
        "role": contact.role,
        "assistant": contact.assistant,
        "order": f"{folded(contact.name)} {contact.person_id}",
        "words": words_of(contact.name),
    }
    yield participant(state, contact.cohort_id, contact.person_id).model_copy(update=fields)


def _erased(state: State, event: PersonErased) -> Iterable[Change]:
    person = state.get(Participant, event.cohort_id, event.person_id)
    if person is None:
        return
    if not person.sides:
        yield Gone(person)
        return
    nobody = Participant(id=person.id, cohort_id=person.cohort_id, order=_nameless(person.id))
    yield person.model_copy(update={field: getattr(nobody, field) for field in _OF_A_CONTACT})


_OF_A_CONTACT = (
    *("name", "email", "address", "language", "post", "presentation", "assistant", "role"),
    *("order", "words"),
)


def _line(
    state: State,
    event: LineManagerNamed | MentorVolunteered | ManagerEnrolled | MentorChanged | ManagerChanged,
) -> Iterable[Change]:
    if told := line_told(event):
        known = state.get(Line, event.cohort_id, event.subject)
        line = known or Line(id=event.subject, cohort_id=event.cohort_id)
        yield line.model_copy(update=told)


def _mentor_volunteered(state: State, event: MentorVolunteered) -> Iterable[Change]:
    yield from _line(state, event)
    fields = {
        "mentor_state": "available",
        "directorate": event.directorate,
        "site": event.site,
        "organisation": event.organisation,
        "availability": event.availability,
        "skills": event.skills,
        "capacity": event.capacity,
    }
    yield participant(state, event.cohort_id, event.mentor_id).model_copy(update=fields)


_MENTOR_AFTER: dict[type[MentorEvent], str] = {
    MentorPaused: "paused",
    MentorResumed: "available",
    MentorReturned: "available",
    MentorWithdrew: "withdrawn",
}


def _mentor_becomes(state: State, event: MentorEvent) -> Iterable[Change]:
    mentor = participant(state, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"mentor_state": _MENTOR_AFTER[type(event)]})


def _manager_enrolled(state: State, event: ManagerEnrolled) -> Iterable[Change]:
    yield from _line(state, event)
    fields = {
        "manager_state": "waiting",
        "directorate": event.directorate,
        "site": event.site,
        "organisation": event.organisation,
        "availability": event.availability,
        "job_family": event.job_family,
        "needs": event.needs,
        "waiting": None,
        "waiting_for": None,
        "enrolled_at": event.enrolled_at,
    }
    yield participant(state, event.cohort_id, event.manager_id).model_copy(update=fields)


def _manager_waitlisted(state: State, event: ManagerWaitlisted) -> Iterable[Change]:
    manager = participant(state, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"waiting": event.waiting, "waiting_for": event.waiting.cause})


def _manager_withdrew(state: State, event: ManagerWithdrew) -> Iterable[Change]:
    manager = participant(state, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"manager_state": "withdrawn"})


def _says(state: State, event: MentorChanged | ManagerChanged) -> Iterable[Change]:
    yield from _line(state, event)
    person = participant(state, event.cohort_id, event.subject)
    said = {name: value for name, value in event.__dict__.items() if name in _SAID}
    yield person.model_copy(update=said)


_SAID = ("directorate", "site", "organisation", "skills", "capacity", "job_family", "needs")


def _directory_changed(state: State, event: DirectoryChanged) -> Iterable[Change]:
    mentor = participant(state, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"listed": event.listed})


def _manager_paused(state: State, event: ManagerPaused | ManagerResumed) -> Iterable[Change]:
    manager = participant(state, event.cohort_id, event.manager_id)
    paused = isinstance(event, ManagerPaused)
    rests = {"manager_state": "paused" if paused else "waiting"}
    free = manager.manager_state in ("waiting", "paused")
    yield manager.model_copy(update={"paused": paused, **(rests if free else {})})


def _manager_returned(state: State, event: ManagerReturned) -> Iterable[Change]:
    manager = participant(state, event.cohort_id, event.manager_id)
    anew = {"manager_state": "waiting", "paused": False, "pair_id": None}
    anew |= {"waiting": None, "waiting_for": None}
    yield manager.model_copy(update=anew)


def _absence_declared(state: State, event: AbsenceDeclared) -> Iterable[Change]:
    person = participant(state, event.cohort_id, event.person_id)
    others = (one for one in person.absences if _begins(one) != _begins(event.absence))
    absences = sorted((*others, event.absence), key=_begins)
    yield person.model_copy(update={"absences": tuple(absences)})


def _absence_withdrawn(state: State, event: AbsenceWithdrawn) -> Iterable[Change]:
    person = participant(state, event.cohort_id, event.person_id)
    left = tuple(one for one in person.absences if _begins(one) != _begins(event.absence))
    yield person.model_copy(update={"absences": left})


def _begins(absence: Absence) -> tuple[str, str]:
    return absence.first_day, absence.hours.start if absence.hours else ""


def _availability_changed(state: State, event: AvailabilityChanged) -> Iterable[Change]:
    person = participant(state, event.cohort_id, event.person_id)
    yield person.model_copy(update={"availability": event.availability})


def participant(state: State, cohort_id: str, person_id: str) -> Participant:
    """The person, or one of whom nothing is known yet."""
    found = state.get(Participant, cohort_id, person_id)
    return found or Participant(id=person_id, cohort_id=cohort_id, order=_nameless(person_id))


def _nameless(person_id: str) -> str:
    return f"~ {person_id}"  # behind all names


EVOLUTION_OF_PEOPLE: Evolution = {
    PersonContact: _contact,
    PersonErased: _erased,
    LineManagerNamed: _line,
    MentorVolunteered: _mentor_volunteered,
    MentorChanged: _says,
    DirectoryChanged: _directory_changed,
    MentorPaused: _mentor_becomes,
    MentorResumed: _mentor_becomes,
    MentorReturned: _mentor_becomes,
    MentorWithdrew: _mentor_becomes,
    ManagerEnrolled: _manager_enrolled,
    ManagerChanged: _says,
    ManagerPaused: _manager_paused,
    ManagerResumed: _manager_paused,
    ManagerReturned: _manager_returned,
    ManagerWaitlisted: _manager_waitlisted,
    ManagerWithdrew: _manager_withdrew,
    AvailabilityChanged: _availability_changed,
    AbsenceDeclared: _absence_declared,
    AbsenceWithdrawn: _absence_withdrawn,
}
"""What concerns one person alone, to the document that it changes."""
