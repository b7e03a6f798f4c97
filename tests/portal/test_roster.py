"""Lists of people as offices write them: read, checked cell by cell, and what they ask for."""

import csv
import zipfile
from collections.abc import Callable
from io import BytesIO, StringIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from schemas.matching import EnrolManager, VolunteerAsMentor
from services.portal.roster import check, commands_of, headings_known, listed, read_tools
from services.portal.tables import MOST_ROWS, NoTable, Row, read_table

Cells = list[list[str]]

PEOPLE: Cells = [
    ["Rôle", "Prénom", "Nom", "Adresse e-mail", "Direction", "Site", "Poste", "Outils",
     "Places", "Disponibilités"],
    ["mentor", "Lise", "Œuvrard", "lise@m.example", "DGFiP", "Paris Bercy", "",
     "LinkedIn:4, Tableur", "2", "lundi 9h-12h, jeudi après-midi"],
    ["manager", "Paul", "L’Hôte", "paul@m.example", "DAE", "Noisy", "Achats publics", "", "",
     "lundi matin"],
]  # fmt: skip


def as_csv(rows: Cells, sign: str, encoding: str) -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=sign).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows: Cells) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def as_ods(rows: Cells) -> bytes:
    document = OpenDocumentSpreadsheet()
    table = OdfTable(name="Feuille1")
    for row in rows:
        line = TableRow()
        for cell in row:
            made = TableCell(valuetype="string")
            made.addElement(P(text=cell))
            line.addElement(made)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    file = BytesIO()
    document.write(file)
    return file.getvalue()


WAYS: dict[str, Callable[[Cells], bytes]] = {
    "French Excel's CSV": lambda rows: as_csv(rows, ";", "cp1252"),
    "French Excel's CSV UTF-8": lambda rows: as_csv(rows, ";", "utf-8-sig"),
    "commas": lambda rows: as_csv(rows, ",", "utf-8"),
    "Excel's Unicode text": lambda rows: as_csv(rows, "\t", "utf-16"),
    "pasted cells": lambda rows: as_csv(rows, "\t", "utf-8"),
    "xlsx": as_xlsx,
    "ods": as_ods,
}


def read(content: bytes) -> tuple[Row, ...]:
    return tuple(read_table(content, headings_known).rows)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_people_are_read_however_an_office_wrote_them(way: str) -> None:
    found = listed(read(WAYS[way](PEOPLE)))
    sided, faults = check([cells for _, cells in found.rows], None)
    assert faults == {}
    ids = {"lise@m.example": "p-1", "paul@m.example": "p-2"}
    (lise, mentor), (paul, manager) = commands_of("c", sided, ids)
    assert isinstance(mentor, VolunteerAsMentor)
    assert isinstance(manager, EnrolManager)
    assert (lise.name, paul.name) == ("Lise Œuvrard", "Paul L’Hôte")
    assert (mentor.skills, mentor.capacity) == ({"linkedin": 4, "spreadsheets": 3}, 2)
    assert [(w.day, w.start, w.end) for w in mentor.availability] == [
        ("mon", "09:00", "12:00"),
        ("thu", "14:00", "18:00"),
    ]
    assert (manager.job_family, manager.needs) == ("public-procurement", {})


def test_a_row_keeps_the_number_that_its_file_shows() -> None:
    rows = [["Liste du printemps"], [], PEOPLE[0], [], *PEOPLE[1:]]
    assert [number for number, _ in listed(read(as_csv(rows, ";", "utf-8"))).rows] == [5, 6]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "est vide"),
        (b" \n\n", "est vide"),
        (b"PK\x03\x04 no zip at all", "pas un tableau"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "pas un tableau"),
        (b'Nom;Adresse\n"Lise;lise@m.example\n', "guillemet"),
        (b"Nom;Adresse\n" + b"x" * 200_000, "cellule est trop longue"),
        (as_csv([PEOPLE[0]] + [PEOPLE[1]] * (MOST_ROWS + 1), ";", "utf-8"), "lignes"),
    ],
)
def test_what_is_no_table_is_told_with_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(NoTable, match=says) as found:
        raise_in_french(content)
    assert found.value.args


def raise_in_french(content: bytes) -> None:
    try:
        read(content)
    except NoTable as error:
        raise NoTable(error.en, error.fr) from None


def test_two_sheets_of_people_are_not_guessed_between() -> None:
    book = openpyxl.load_workbook(BytesIO(as_xlsx(PEOPLE)))
    other = book.create_sheet("Managers")
    for row in PEOPLE:
        other.append(row)
    with pytest.raises(NoTable, match="several sheets"):
        read(saved(book))


def test_a_sheet_of_notes_beside_the_people_is_left_alone() -> None:
    book = openpyxl.load_workbook(BytesIO(as_xlsx(PEOPLE)))
    book.create_sheet("Notes", 0).append(["à ne pas oublier"])
    assert len(listed(read(saved(book))).rows) == 2


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (80 * 1024 * 1024))
    with pytest.raises(NoTable, match="too large"):
        read(file.getvalue())


def test_columns_that_are_missing_or_there_twice_or_unknown_are_named() -> None:
    found = listed([(1, ["Nom", "Adresse", "Nom", "Âge"]), (2, ["a", "b", "c", "d"])])
    assert found.missing == ("directorate", "site", "availability")
    assert found.doubled == ("name",)
    assert found.unknown == ("Âge",)


def person(**cells: str) -> dict[str, str]:
    return {
        "name": "Lise",
        "email": "lise@m.example",
        "directorate": "DGFiP",
        "site": "Paris",
        "tools": "linkedin:4",
        "availability": "lundi",
        **cells,
    }


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("name", ""),
        ("email", "lise@m"),
        ("email", "élise@m.example"),
        ("directorate", "x" * 65),
        ("tools", "LinkedIn:9"),
        ("tools", "Un outil que personne ne connaît"),
        ("tools", ""),
        ("tools", "linkedin:4, LinkedIn:3"),
        ("availability", "lundi 9h-8h"),
        ("capacity", "6"),
        ("language", "klingon"),
        ("role", "chef"),
        ("id", "no id"),
        ("line_manager", "nobody@m.example"),
        ("excludes", "g-009"),
        ("name", "\u00ad\u200b"),
        ("site", "\u2060"),
        ("line_manager", "lise@m.example; b@m.example"),
        ("excludes", "lise@m.example;" * 201),
    ],
)
def test_a_fault_is_told_in_its_cell_with_what_was_expected(column: str, cell: str) -> None:
    _, faults = check(
        [
            person(),
            person(email="b@m.example", **{column: cell})
            if column != "email"
            else person(email=cell),
        ],
        "mentor",
    )
    assert set(faults) == {1}
    assert set(faults[1]) == {column}
    assert faults[1][column].fr
    assert faults[1][column].en


def test_the_same_person_twice_is_asked_about_and_on_both_sides_is_not() -> None:
    _, faults = check([person(), person(email="LISE@m.example")], "mentor")
    assert "personne n° 1" in faults[1]["email"].fr
    both = [person(role="mentor"), person(role="manager", job_family="budget")]
    assert check(both, None)[1] == {}


def test_an_id_is_that_of_one_person_and_a_person_has_one() -> None:
    _, faults = check([person(id="m-1"), person(id="m-1", email="b@m.example")], "mentor")
    assert "person 1" in faults[1]["id"].en
    both = [person(id="m-1", role="mentor"), person(id="g-1", role="manager", job_family="budget")]
    assert "person 1" in check(both, None)[1][1]["id"].en
    same = [person(id="m-1", role="mentor"), person(id="m-1", role="manager", job_family="budget")]
    assert check(same, None)[1] == {}


ODD = st.sampled_from(
    [*";,:\n \u00ad\u200b\u0301²٣-", "lise@m.example", "b@m.example", "p-1", "9h"]
)
cell = st.lists(ODD, max_size=4).map("".join)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(person(), cell)
        | dict.fromkeys(("id", "role", "language", "capacity", "line_manager", "excludes"), cell),
    )
)
def test_whatever_has_no_fault_is_something_to_ask_for(cells: dict[str, str]) -> None:
    rows = [person(), person(**{"email": "b@m.example", **cells})]
    sided, faults = check(rows, "mentor")
    if not faults:
        ids = {row["email"].casefold(): f"p-{place}" for place, row in enumerate(rows)}
        assert len(commands_of("c", sided, ids)) == 2


def test_whoever_is_named_in_the_list_is_known_by_their_id() -> None:
    rows = [
        person(),
        person(email="b@m.example", line_manager="Lise@m.example;", excludes="lise@m.example"),
    ]
    sided, faults = check(rows, "mentor")
    assert faults == {}
    *_, (_, second) = commands_of("c", sided, {"lise@m.example": "p-1", "b@m.example": "p-2"})
    assert isinstance(second, VolunteerAsMentor)
    assert (second.line_manager, second.excludes) == ("p-1", ("p-1",))


@pytest.mark.parametrize(
    ("cell", "tools"),
    [
        ("LinkedIn", {"linkedin": 3}),
        ("linkedin:4;mind-mapping:2", {"linkedin": 4, "mind-mapping": 2}),
        ("Cartes mentales 2, tableur (5)", {"mind-mapping": 2, "spreadsheets": 5}),
        ("LinkedIn : je forme les autres", {"linkedin": 5}),
        ("resana:4", {"resana": 4}),
        ("Documents partagés (Resana) 5", {"shared-documents": 5}),
    ],
)
def test_tools_are_read_by_name_with_a_level_or_without(cell: str, tools: dict[str, int]) -> None:
    assert read_tools(cell) == tools


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_are_told_to_be_none(content: bytes) -> None:
    try:
        found = listed(read(content))
    except NoTable as error:
        assert error.fr
        return
    check([cells for _, cells in found.rows], None)
