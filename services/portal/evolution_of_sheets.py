"""How a programme's own sheets follow from what matching tells of them. A fold."""

from collections.abc import Iterable

from schemas.sheets import SheetTakenBack, SheetText, SheetWritten
from schemas.values import Language
from services.chassis.domain import Change, Evolution, State
from services.portal.markdown import minutes_of
from services.portal.views import ProgrammeSheet


def _written(_: State, event: SheetWritten) -> Iterable[Change]:
    texts: dict[Language, SheetText] = {"fr": event.fr}
    if event.en is not None:
        texts["en"] = event.en
    yield ProgrammeSheet(
        id=event.sheet_id,
        cohort_id=event.cohort_id,
        tool=event.tool,
        jobs=event.jobs,
        titles={language: text.title for language, text in texts.items()},
        bodies={language: text.body for language, text in texts.items()},
        minutes={language: minutes_of(text.body) for language, text in texts.items()},
        edition=event.edition,
    )


def _taken_back(state: State, event: SheetTakenBack) -> Iterable[Change]:
    sheet = state.get(ProgrammeSheet, event.cohort_id, event.sheet_id)
    if sheet is not None:
        yield sheet.model_copy(update={"edition": event.edition, "taken_back": True})


SHEETS: Evolution = {SheetWritten: _written, SheetTakenBack: _taken_back}
"""Event to the documents that it changes."""
