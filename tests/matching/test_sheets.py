"""The sheets of a cohort: written, taken back, shown again; nobody's words are lost."""

from typing import Any

from schemas.sheets import SheetText, TakeSheetBack, WriteSheet
from services.matching.sheets import MOST
from services.matching.views import Sheet
from tests.matching.given import scenario, the
from tests.scenario import kinds, refusal

WIKI = SheetText(title="Wiki", body="Cherchez une procédure.")
OTHER = SheetText(title="Wiki", body="Cherchez deux procédures.")
BACK = TakeSheetBack(cohort_id="c", sheet_id="f1")


def written(fr: SheetText = WIKI, **more: Any) -> WriteSheet:
    return WriteSheet(cohort_id="c", **{"sheet_id": "f1", "tool": "wiki", "fr": fr, **more})


def test_a_sheet_stands_as_it_was_last_written_and_the_same_again_changes_nothing() -> None:
    found = scenario()
    assert kinds(found.when(written())) == ["SheetWritten"]
    assert found.when(written()) == []
    assert kinds(found.when(written(OTHER, jobs=("budget",)))) == ["SheetWritten"]
    sheet = the(found, Sheet, "f1")
    assert (sheet.fr, sheet.jobs, sheet.edition) == (OTHER, ("budget",), 2)


def test_nobody_writes_over_what_they_have_not_seen() -> None:
    found = scenario()
    found.when(written(follows=0))
    assert refusal(found.when(written(OTHER, follows=0))) == "sheet-changed"
    assert refusal(found.when(BACK.model_copy(update={"follows": 0}))) == "sheet-changed"
    assert found.when(written(follows=0)) == [], "the form was sent twice"
    assert kinds(found.when(written(OTHER, follows=1))) == ["SheetWritten"]


def test_what_is_taken_back_is_shown_again_once_it_is_written_again() -> None:
    found = scenario()
    found.when(written())
    assert kinds(found.when(BACK)) == ["SheetTakenBack"]
    assert found.when(BACK) == []
    assert the(found, Sheet, "f1").taken_back
    assert kinds(found.when(written(follows=2))) == ["SheetWritten"]
    sheet = the(found, Sheet, "f1")
    assert (sheet.taken_back, sheet.edition) == (False, 3)


def test_what_there_is_not_is_told() -> None:
    assert refusal(scenario().when(BACK)) == "unknown-sheet"
    nowhere = written().model_copy(update={"cohort_id": "none"})
    assert refusal(scenario().when(nowhere)) == "unknown-cohort"


def test_a_cohort_has_so_many_sheets_and_no_more() -> None:
    found = scenario()
    for number in range(MOST):
        assert kinds(found.when(written(sheet_id=f"f{number}"))) == ["SheetWritten"]
    assert refusal(found.when(written(sheet_id="one-more"))) == "too-many-sheets"
    assert kinds(found.when(written(OTHER, sheet_id="f0"))) == ["SheetWritten"]
