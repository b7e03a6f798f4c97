"""How notify's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable

from schemas.cohorts import PolicyChanged
from schemas.matching import CohortOpened
from schemas.meeting import MeetingPlaceSet
from schemas.notify import LetterDeferred, LetterEvent, LetterFailed, LetterQueued, LetterSent
from schemas.people import PersonContact, PersonErased
from services.chassis.domain import Change, Evolution, Gone, State
from services.notify.views import Cohort, Letter, Pair, Person


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    yield Cohort(
        id=event.cohort_id,
        cohort_id=event.cohort_id,
        name=event.name,
        quiet_hours=event.policy.quiet_hours,
        languages=event.policy.languages,
        placed=event.policy.where is not None,
    )


def _policy_changed(state: State, event: PolicyChanged) -> Iterable[Change]:
    cohort = state.get(Cohort, event.cohort_id, event.cohort_id)
    if cohort is not None:
        after = event.after
        fields = {"quiet_hours": after.quiet_hours, "languages": after.languages}
        yield cohort.model_copy(update=fields)


def _place_set(_: State, event: MeetingPlaceSet) -> Iterable[Change]:
    yield Pair(id=event.pair_id, cohort_id=event.cohort_id, place=event.place)


def _contact(_: State, contact: PersonContact) -> Iterable[Change]:
    yield Person(
        id=contact.person_id,
        cohort_id=contact.cohort_id,
        name=contact.name,
        email=contact.email,
        language=contact.language,
        post=contact.post,
        presentation=contact.presentation,
    )


def _erased(state: State, event: PersonErased) -> Iterable[Change]:
    person = state.get(Person, event.cohort_id, event.person_id)
    if person is not None:
        yield Gone(person)


def _queued(_: State, event: LetterQueued) -> Iterable[Change]:
    yield Letter(
        id=event.letter_id,
        cohort_id=event.cohort_id,
        state="queued",
        person_id=event.person_id,
        side=event.side,
        template=event.template,
        facts=event.facts,
        owed_since=event.send_at,
        due_at=event.send_at,
    )


def _sent(state: State, event: LetterSent) -> Iterable[Change]:
    for letter in _known(state, event):
        yield letter.model_copy(
            update={"state": "sent", "attempts": event.attempt, "cause": None, "due_at": None}
        )


def _deferred(state: State, event: LetterDeferred) -> Iterable[Change]:
    for letter in _known(state, event):
        change = {
            "state": "queued",
            "attempts": event.attempt,
            "cause": event.cause,
            "due_at": event.retry_at,
        }
        if letter.state == "failed":  # asked again by a coordinator: the wait starts anew
            change["owed_since"] = event.retry_at
        yield letter.model_copy(update=change)


def _failed(state: State, event: LetterFailed) -> Iterable[Change]:
    for letter in _known(state, event):
        yield letter.model_copy(
            update={
                "state": "failed",
                "attempts": event.attempt,
                "cause": event.cause,
                "due_at": None,
            }
        )


def _known(state: State, event: LetterEvent) -> Iterable[Letter]:
    """The letter that an event is about, if there is one."""
    letter = state.get(Letter, event.cohort_id, event.letter_id)
    return () if letter is None else (letter,)


EVOLUTION: Evolution = {
    CohortOpened: _cohort_opened,
    PolicyChanged: _policy_changed,
    MeetingPlaceSet: _place_set,
    PersonContact: _contact,
    PersonErased: _erased,
    LetterQueued: _queued,
    LetterSent: _sent,
    LetterDeferred: _deferred,
    LetterFailed: _failed,
}
"""Event, or record of the people topic, to the documents that it changes."""
