"""Workbooks of which the library makes too much: they are refused, and whoever reads goes on."""

import zipfile
from io import BytesIO

import openpyxl
import pytest

from services.portal import workbooks
from services.portal.roster import check, headings_known, listed
from services.portal.tables import MOST_ROWS, NoTable, read_table
from tests.portal.test_roster import PEOPLE, as_ods, as_xlsx, read, saved

SHEET = "xl/worksheets/sheet1.xml"


def with_a_cell_far_away(row: int, column: int) -> bytes:
    book = openpyxl.load_workbook(BytesIO(as_xlsx(PEOPLE)))
    book.active.cell(row, column, "x")
    return saved(book)


def rewritten(workbook: bytes, part: str, before: bytes, after: bytes) -> bytes:
    """A workbook of which one part says something else."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(workbook)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == part:
                assert before in content
                content = content.replace(before, after)
            new.writestr(name, content)
    return file.getvalue()


def ods_with(attributes: bytes) -> bytes:
    cell = b'<table:table-cell office:value-type="string">'
    return rewritten(
        as_ods(PEOPLE), "content.xml", cell, cell.replace(b"cell ", b"cell " + attributes)
    )


def with_one_text_everywhere(text: str, cells: int) -> bytes:
    """Each cell is the one text that all of them share."""
    shared = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, cells + 1)
    )
    file = BytesIO(as_xlsx(PEOPLE))
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(told := BytesIO(), "w") as new:
        for name in set(old.namelist()) - {SHEET, "xl/sharedStrings.xml"}:
            new.writestr(name, old.read(name))
        data = f"<sheetData>{rows}</sheetData>"
        new.writestr(SHEET, f'<worksheet xmlns="{shared}">{data}</worksheet>')
        texts = f'<sst xmlns="{shared}" count="{cells}"><si><t>{text}</t></si></sst>'
        new.writestr("xl/sharedStrings.xml", texts)
    return told.getvalue()


TOO_MUCH = {
    "one text that is in every cell": with_one_text_everywhere("é" * 1_000_000, 60),
    "the last cell that Excel has": with_a_cell_far_away(1_048_576, 16_384),
    "a cell far below and far right": with_a_cell_far_away(20_000, 16_384),
    "a cell that no sheet has": rewritten(
        as_xlsx(PEOPLE), SHEET, b'r="A2"', b'r="ZZZZZZ4294967295"'
    ),
}


@pytest.mark.parametrize("content", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_cell_far_from_the_list_is_told_and_ends_nobody(content: bytes) -> None:
    with pytest.raises(NoTable, match=r"cell far from the list .* Save the list alone, as \.csv"):
        read(content)
    assert len(read(as_xlsx(PEOPLE))) == len(PEOPLE)


@pytest.mark.parametrize(
    "attributes",
    [
        b'table:number-columns-repeated="2000000000" ',
        b'table:number-columns-repeated="-5" ',
        b'table:number-columns-repeated="16384" table:number-rows-repeated="1048576" ',
    ],
)
def test_cells_that_are_repeated_without_end_are_a_table_or_told(attributes: bytes) -> None:
    try:
        read_table(ods_with(attributes), headings_known)
    except NoTable as told:
        assert told.fr.endswith(".csv.")


def test_as_many_people_as_are_read_at_a_time_have_room() -> None:
    everybody = [PEOPLE[0], *([PEOPLE[1]] * MOST_ROWS)]

    assert len(read(as_xlsx(everybody))) == MOST_ROWS + 1


def checked(content: bytes) -> tuple[list[dict[str, str]], list[tuple[int, str]]]:
    found = listed(read(content))
    _, faults = check([cells for _, cells in found.rows], None)
    wrong = [(place, column) for place, of_row in faults.items() for column in of_row]
    return [dict(cells) for _, cells in found.rows], wrong


def test_of_merged_cells_the_first_has_what_is_written_and_of_the_others_each_is_asked_for() -> (
    None
):
    book = openpyxl.load_workbook(BytesIO(as_xlsx(PEOPLE)))
    book.active.merge_cells("E2:E3")  # one directorate for the two
    rows, faults = checked(saved(book))
    assert [row["directorate"] for row in rows] == ["DGFiP", ""]
    assert faults == [(1, "directorate")]


def test_a_formula_is_what_the_office_had_worked_out_and_else_is_asked_for() -> None:
    book = openpyxl.load_workbook(BytesIO(as_xlsx(PEOPLE)))
    book.active["E3"] = '="D" & "AE"'
    worked_out = rewritten(saved(book), SHEET, b"<v></v>", b"<v>DAE</v>")
    typed = rewritten(worked_out, SHEET, b'<c r="E3"', b'<c t="str" r="E3"')
    rows, faults = checked(typed)
    assert (rows[1]["directorate"], faults) == ("DAE", [])
    rows, faults = checked(saved(book))
    assert (rows[1]["directorate"], faults) == ("", [(1, "directorate")])


def test_whoever_waits_for_others_files_is_told_and_waits_no_longer_than_one_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbooks, "SECONDS", 0.05)
    with workbooks._ALONE, pytest.raises(NoTable, match="Send yours again in a minute"):
        read(as_xlsx(PEOPLE))
    monkeypatch.undo()
    assert len(read(as_xlsx(PEOPLE))) == len(PEOPLE)
