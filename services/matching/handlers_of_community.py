"""Which wishes of coordinators for everybody lead to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Message
from schemas.community import TellCommunity
from schemas.sheets import SheetEvent, TakeSheetBack, WriteSheet
from services.chassis.domain import Columns, Decision, Handlers, Need, One, State
from services.matching import community, sheets
from services.matching.views import Cohort, Sheet


def needs_of_sheet(message: WriteSheet | TakeSheetBack | SheetEvent) -> Iterable[Need]:
    """What a message about a sheet will touch."""
    yield One(Sheet, message.cohort_id, message.sheet_id)
    if isinstance(message, WriteSheet):
        yield One(Cohort, message.cohort_id, message.cohort_id)
        yield _sheets(message.cohort_id)


def _sheets(cohort_id: str) -> Columns:
    return Columns(Sheet, cohort_id, ())


def _cohort(state: State, message: Message) -> Cohort | None:
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def _tell_community(state: State, command: TellCommunity, _: datetime) -> Decision:
    return community.tell(_cohort(state, command), command)


def _write_sheet(state: State, command: WriteSheet, _: datetime) -> Decision:
    sheet = state.get(Sheet, command.cohort_id, command.sheet_id)
    there = len(state.columns(_sheets(command.cohort_id)))
    return sheets.write(_cohort(state, command), sheet, there, command)


def _take_sheet_back(state: State, command: TakeSheetBack, _: datetime) -> Decision:
    return sheets.take_back(state.get(Sheet, command.cohort_id, command.sheet_id), command)


COMMUNITY: Handlers = {
    TellCommunity: _tell_community,
    WriteSheet: _write_sheet,
    TakeSheetBack: _take_sheet_back,
}
"""Message to decision."""
