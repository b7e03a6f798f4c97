"""How letters follow from what notify tells of them. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable
from datetime import datetime

from schemas.appointments import RoleLetterQueued
from schemas.base import recast
from schemas.lines import people_told_of
from schemas.notify import LetterDeferred, LetterEvent, LetterFailed, LetterQueued, LetterSent
from services.chassis.domain import Change, Evolution, Gone, State
from services.portal.views import FailedLetter, Letter


def _queued(_: State, event: LetterQueued) -> Iterable[Change]:
    told = (event.facts, *(news.facts for news in event.also))
    about = sorted({person for facts in told for person in people_told_of(facts)})
    closes = event.facts.get("closes_at") if event.template == "SurveyOpened" else None
    yield Letter(
        id=event.letter_id,
        cohort_id=event.cohort_id,
        person_id=event.person_id,
        about=tuple(about),
        side=event.side,
        template=event.template,
        owed_at=event.send_at,
        closes_at=datetime.fromisoformat(closes) if isinstance(closes, str) else None,
    )


def _told_of_a_role(_: State, event: RoleLetterQueued) -> Iterable[Change]:
    about = tuple(sorted(people_told_of(event.facts)))
    yield recast(Letter, event, id=event.letter_id, about=about, owed_at=event.send_at)


def _sent(state: State, event: LetterSent) -> Iterable[Change]:
    yield from _becomes(state, event, "sent")


def _failed(state: State, event: LetterFailed) -> Iterable[Change]:
    letter = state.get(Letter, event.cohort_id, event.letter_id)
    about = letter.about if letter is not None else ()
    yield recast(FailedLetter, event, id=event.letter_id, about=about)
    yield from _becomes(state, event, "failed")


def _tried_again(state: State, event: LetterDeferred) -> Iterable[Change]:
    letter = state.get(FailedLetter, event.cohort_id, event.letter_id)
    if letter is not None:
        yield Gone(letter)
    yield from _becomes(state, event, "queued")


def _becomes(state: State, event: LetterEvent, became: str) -> Iterable[Change]:
    letter = state.get(Letter, event.cohort_id, event.letter_id)
    if letter is not None:
        yield letter.model_copy(update={"state": became})


EVOLUTION_OF_LETTERS: Evolution = {
    LetterQueued: _queued,
    RoleLetterQueued: _told_of_a_role,
    LetterSent: _sent,
    LetterFailed: _failed,
    LetterDeferred: _tried_again,
}
"""What notify tells of a letter, to the documents that it changes."""
