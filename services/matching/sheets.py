"""Decisions about the sheets that coordinators write for their cohort."""

from schemas.base import recast
from schemas.sheets import SheetTakenBack, SheetWritten, TakeSheetBack, WriteSheet
from services.chassis.domain import Decision, Refusal
from services.matching.people import unknown_cohort
from services.matching.views import Cohort, Sheet

MOST = 100
"""Sheets that a cohort can have, those that were taken back included."""

_WORDS = ("tool", "jobs", "fr", "en")


def write(cohort: Cohort | None, sheet: Sheet | None, there: int, command: WriteSheet) -> Decision:
    """A sheet stands as it is written; the same again changes nothing. `there`: how many do."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if sheet is None and there >= MOST:
        return Refusal("conflict", "too-many-sheets", f"A cohort has {MOST} sheets at most.")
    edition = sheet.edition if sheet else 0
    if sheet is not None and not sheet.taken_back and _says(sheet, command):
        return []
    if command.follows not in (None, edition):
        return _changed(command.sheet_id)
    return [recast(SheetWritten, command, edition=edition + 1)]


def take_back(sheet: Sheet | None, command: TakeSheetBack) -> Decision:
    """Nobody reads it any more."""
    if sheet is None:
        return Refusal("unknown", "unknown-sheet", f"There is no sheet {command.sheet_id}.")
    if sheet.taken_back:
        return []
    if command.follows not in (None, sheet.edition):
        return _changed(sheet.id)
    return [recast(SheetTakenBack, command, edition=sheet.edition + 1)]


def _says(sheet: Sheet, command: WriteSheet) -> bool:
    return all(getattr(sheet, name) == getattr(command, name) for name in _WORDS)


def _changed(sheet_id: str) -> Refusal:
    return Refusal(
        "conflict", "sheet-changed", f"The sheet {sheet_id} has been written anew meanwhile."
    )
