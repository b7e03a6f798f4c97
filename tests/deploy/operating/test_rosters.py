"""Rosters: read whole or not at all, every fault at once, and no name in what is reported."""

import traceback
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Finding,
    Roster,
    RosterError,
    read_rosters,
    write_roster,
)
from schemas.known.jobs import needs_of
from schemas.people import PersonContact
from schemas.text import tidied
from schemas.values import Window

Row = dict[str, str]


def mentor(id: str = "m-1", **changes: str) -> Row:
    row = dict.fromkeys(MENTOR_COLUMNS, "")
    row |= {"id": id, "name": f"Zénobie Quercinois {id}", "email": f"zenobie-{id}@pilote.example"}
    row |= {"directorate": "DGFiP", "site": "Lyon", "skills": "linkedin:4"}
    return row | {"availability": "mon 09:00-12:00"} | changes


def manager(id: str = "g-1", **changes: str) -> Row:
    row = dict.fromkeys(MANAGER_COLUMNS, "")
    row |= {"id": id, "name": f"Gaspard Noirclair {id}", "email": f"gaspard-{id}@pilote.example"}
    row |= {"directorate": "INSEE", "site": "Lyon", "job_family": "budget", "needs": "linkedin:3"}
    return row | {"availability": "mon 09:00-12:00"} | changes


class Files:
    """The two files, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.mentors, self.managers = folder / "mentors.csv", folder / "managers.csv"
        self.write()

    def write(
        self, mentors: Iterable[Row] | None = None, managers: Iterable[Row] | None = None
    ) -> "Files":
        write_roster(self.mentors, MENTOR_COLUMNS, [mentor()] if mentors is None else mentors)
        write_roster(self.managers, MANAGER_COLUMNS, [manager()] if managers is None else managers)
        return self

    def read(self) -> Roster:
        return read_rosters(self.mentors, self.managers, "c")

    def refused(self) -> tuple[Finding, ...]:
        with pytest.raises(RosterError) as caught:
            self.read()
        return caught.value.findings

    def only(self) -> Finding:
        (finding,) = self.refused()
        return finding

    def where(self) -> list[tuple[str, int | None, str | None]]:
        return [(Path(f.file).name, f.line, f.column) for f in self.refused()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


# What is read


def test_a_roster_may_say_of_which_organisation_people_are(files: Files) -> None:
    columns = (*MENTOR_COLUMNS, "organisation")
    people = [mentor("m-1", organisation=" Natixis"), mentor("m-2", organisation="")]
    write_roster(files.mentors, columns, people)
    roster = files.read()
    assert [one.organisation for one in roster.mentors] == ["Natixis", None]
    assert [one.organisation for one in roster.managers] == [None]
    assert [field for one in roster.contacts for field in vars(one) if "organ" in field] == []


def test_a_person_is_of_one_organisation_in_whichever_file(files: Files) -> None:
    same = {"name": "Zoé Tournevault", "email": "zoe@pilote.example", "directorate": "SG"}
    columns = (*MENTOR_COLUMNS, "organisation")
    write_roster(files.mentors, columns, [mentor("p-1", organisation="Natixis", **same)])
    write_roster(files.managers, MANAGER_COLUMNS, [manager("p-1", **same)])
    assert files.only().column == "organisation"


def test_the_name_of_an_organisation_has_its_bound(files: Files) -> None:
    columns = (*MENTOR_COLUMNS, "organisation")
    write_roster(files.mentors, columns, [mentor(organisation="x" * 65)])
    assert files.only().expected == "at most 64 characters (empty: the cohort's own)"


def test_a_row_becomes_a_command_and_a_contact(files: Files) -> None:
    row = mentor(
        language="en",
        skills="linkedin:4; wiki:2",
        capacity="2",
        availability="tue 14:00-17:00;mon 09:00-12:00",
        line_manager="g-1",
        excludes="g-2;g-1",
    )
    roster = files.write([row], [manager(), manager("g-2")]).read()
    (found,) = roster.mentors
    assert (found.cohort_id, found.mentor_id, found.capacity) == ("c", "m-1", 2)
    assert found.skills == {"linkedin": 4, "wiki": 2}
    assert found.availability == (
        Window(day="mon", start="09:00", end="12:00"),
        Window(day="tue", start="14:00", end="17:00"),
    )
    assert (found.line_manager, found.excludes) == ("g-1", ("g-2", "g-1"))
    assert [m.manager_id for m in roster.managers] == ["g-1", "g-2"]
    assert roster.contacts[0] == PersonContact(
        cohort_id="c",
        person_id="m-1",
        name="Zénobie Quercinois m-1",
        email="zenobie-m-1@pilote.example",
        language="en",
    )


def test_people_can_be_introduced_in_their_own_words(files: Files) -> None:
    own = {"post": "Cheffe de bureau", "presentation": "J’aime expliquer, sans jargon."}
    columns = (*MENTOR_COLUMNS, *own)
    write_roster(files.mentors, columns, [mentor(**own), mentor("m-2", post="", presentation="")])
    write_roster(files.managers, MANAGER_COLUMNS, [manager()])
    contacts = {contact.person_id: contact for contact in files.read().contacts}
    assert (contacts["m-1"].post, contacts["m-1"].presentation) == tuple(own.values())
    assert (contacts["m-2"].post, contacts["m-2"].presentation) == (None, None)


@pytest.mark.parametrize(
    "words", ["zoe@example.org", "voir https://x.example", "06 12 34 56 78", "x" * 281]
)
def test_an_introduction_with_an_address_is_refused_and_not_shown(files: Files, words: str) -> None:
    write_roster(
        files.mentors,
        (*MENTOR_COLUMNS, "presentation"),
        [mentor(presentation=f"Je suis là {words}")],
    )
    write_roster(files.managers, MANAGER_COLUMNS, [manager()])
    finding = files.only()
    assert (finding.column, finding.value) == ("presentation", None)
    assert "without an address" in finding.expected


def test_what_the_catalogue_has_not_is_taken_as_it_is_spelt_with_a_warning(files: Files) -> None:
    row = mentor(skills="linkdin:4;tchap:2")
    jobs = [manager(job_family="jonglerie", needs=""), manager("g-2", job_family="jonglerie")]
    roster = files.write([row], jobs).read()
    assert roster.mentors[0].skills == {"linkdin": 4, "tchap": 2}
    assert roster.managers[0].needs.keys() == needs_of("general").keys()
    told = [(Path(w.file).name, w.line, w.column, w.value) for w in roster.warnings]
    assert told == [
        ("mentors.csv", 2, "skills", "linkdin"),
        ("managers.csv", 2, "job_family", "jonglerie"),
    ]
    assert "is 'linkedin' meant?" in str(roster.warnings[0])
    assert files.write([mentor()], [manager(job_family="Achats publics")]).read().warnings == ()


def test_a_cell_left_empty_takes_the_default_of_the_schema(files: Files) -> None:
    roster = files.read()
    assert (roster.mentors[0].capacity, roster.mentors[0].line_manager) == (1, None)
    assert roster.contacts[0].language == "fr"


def test_what_a_spreadsheet_adds_is_no_fault(files: Files) -> None:
    header, row = files.mentors.read_text(encoding="utf-8").splitlines()
    text = f"\ufeff\r\n{header}\r\n{row.replace(',', ' , ')}\r\n\r\n{',' * 10}\r\n"
    files.mentors.write_bytes(text.encode())
    assert [m.mentor_id for m in files.read().mentors] == ["m-1"]


def test_the_columns_may_stand_in_any_order(files: Files) -> None:
    before = files.read()
    write_roster(files.mentors, MENTOR_COLUMNS[::-1], [mentor()])
    assert files.read() == before


def test_somebody_in_both_files_has_one_contact(files: Files) -> None:
    same = {"name": "Zoé Tournevault", "email": "zoe@pilote.example", "directorate": "SG"}
    roster = files.write([mentor("x", **same)], [manager("x", **same)]).read()
    assert [contact.person_id for contact in roster.contacts] == ["x"]
    assert (roster.mentors[0].mentor_id, roster.managers[0].manager_id) == ("x", "x")


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=64
)
_WORDS = _TEXT.filter(lambda text: 0 < len(tidied(text)) <= 64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=4))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[str, str]]
) -> None:
    files = Files(tmp_path_factory.mktemp("rosters"))
    rows = [mentor(f"m-{i}", name=name, site=site) for i, (name, site) in enumerate(people)]
    roster = files.write(rows).read()
    found = [(c.name, m.site) for c, m in zip(roster.contacts, roster.mentors, strict=False)]
    assert found == [(tidied(name), tidied(site)) for name, site in people]


# What is wrong in a row


def test_every_broken_row_is_reported_at_once(files: Files) -> None:
    files.write(
        [mentor(), mentor("m-2", capacity="9", language="de"), mentor("m-2", email="")],
        [manager("g-1", needs="linkedin"), manager("g-2"), manager("g-3", excludes="nobody")],
    )
    assert files.where() == [
        ("mentors.csv", 3, "capacity"),
        ("mentors.csv", 3, "language"),
        ("mentors.csv", 4, "email"),
        ("mentors.csv", 4, "id"),
        ("managers.csv", 2, "needs"),
        ("managers.csv", 4, "excludes"),
    ]


@pytest.mark.parametrize(
    ("column", "cell", "shown"),
    [
        ("id", "", ""),
        ("id", "m~1", "m~1"),
        ("language", "french", "french"),
        ("directorate", "", ""),
        ("site", "x" * 65, "x" * 60 + "…"),
        ("skills", "", ""),
        ("skills", "linkedin", "linkedin"),
        ("skills", "wiki:2;linkedin:6", "linkedin:6"),
        ("skills", "wiki:2;Linked In:4", "Linked In:4"),
        ("skills", "wiki:2;:3", ":3"),
        ("skills", "wiki:2;wiki:3", "wiki:3"),
        ("skills", "wiki=2", "wiki=2"),
        ("capacity", "0", "0"),
        ("capacity", "two", "two"),
        ("availability", "", ""),
        ("availability", "mon 09:00-12:00;sun 09:00-12:00", "sun 09:00-12:00"),
        ("availability", "mon 9:00-12:00", "mon 9:00-12:00"),
        ("availability", "mon 12:00-09:00", "mon 12:00-09:00"),
        ("availability", "mon", "mon"),
        ("availability", "lundi matin", "lundi matin"),
        ("line_manager", "g-9", "g-9"),
        ("excludes", "g-1;g-1;g-9", "g-9"),
        ("excludes", "g-1;g~1", "g~1"),
    ],
)
def test_a_finding_names_the_line_the_column_and_the_part_of_the_cell(
    files: Files, column: str, cell: str, shown: str
) -> None:
    files.write([mentor("m-0"), mentor(**{column: cell})])
    found = [f for f in files.refused() if "somebody" not in f.expected or cell.endswith("9")]
    assert [(f.line, f.column, f.value) for f in found] == [(3, column, shown)]
    assert found[0].expected


def test_a_finding_reads_as_a_sentence(files: Files) -> None:
    files.write([mentor(capacity="9"), mentor("m-2", name="")])
    with pytest.raises(RosterError) as caught:
        files.read()
    assert str(caught.value).splitlines() == [
        "2 things to correct in the rosters",
        f"  {files.mentors}, line 2, column capacity: '9': "
        "expected a whole number from 1 to 5 (empty: 1)",
        f"  {files.mentors}, line 3, column name: expected 1 to 64 characters",
    ]


def test_a_line_is_where_its_row_starts_in_the_file(files: Files) -> None:
    files.write([mentor(site="Lyon\nPart-Dieu"), mentor("m-2", capacity="9")])
    assert files.only().line == 4


def test_a_comma_too_many_is_a_fault_of_the_row(files: Files) -> None:
    files.write(managers=[manager(line_manager="m-1")])
    text = files.mentors.read_text(encoding="utf-8")
    files.mentors.write_text(text.replace("Quercinois", "Quercinois, dite Zoé"), encoding="utf-8")
    finding = files.only()  # and m-1 is not unknown for it
    assert (finding.line, finding.column) == (2, None)
    assert finding.expected == "11 cells as in the header, and there are 12"


# What is wrong between rows


def test_an_id_is_once_in_a_file(files: Files) -> None:
    files.write([mentor(), mentor(email="other@pilote.example")])
    finding = files.only()
    assert (finding.line, finding.column, finding.value) == (3, "id", "m-1")
    assert finding.expected == "an id that is not yet there (line 2 has it)"


def test_an_address_is_one_persons(files: Files) -> None:
    files.write([mentor()], [manager(email="ZENOBIE-M-1@pilote.example")])
    finding = files.only()
    assert (finding.column, finding.value) == ("email", None)
    assert "mentors.csv, line 2 has the same" in finding.expected


def test_somebody_in_both_files_is_the_same_in_both(files: Files) -> None:
    same = {"name": "Zoé Tournevault", "email": "zoe@pilote.example", "directorate": "SG"}
    changed = {"name": "Zoë Tournevault", "line_manager": "g-2"}
    files.write([mentor("x", **same)], [manager("x", **{**same, **changed}), manager("g-2")])
    assert files.where() == [("managers.csv", 2, "name"), ("managers.csv", 2, "line_manager")]


def test_a_circle_in_the_reporting_line_is_named_once(files: Files) -> None:
    line = [manager("g-1", line_manager="g-2"), manager("g-2", line_manager="g-3")]
    files.write([mentor(line_manager="g-1")], [*line, manager("g-3", line_manager="g-1")])
    finding = files.only()
    assert (finding.line, finding.column, finding.value) == (2, "line_manager", "g-2")
    assert finding.expected.endswith("g-1 → g-2 → g-3 → g-1")


def test_nobody_is_their_own_manager(files: Files) -> None:
    files.write([mentor(line_manager="m-1")])
    assert files.only().expected.endswith("m-1 → m-1")


def test_two_circles_are_two_findings(files: Files) -> None:
    pairs = [("g-1", "g-2"), ("g-2", "g-1"), ("g-3", "g-4"), ("g-4", "g-3")]
    files.write(managers=[manager(one, line_manager=other) for one, other in pairs])
    assert files.where() == [("managers.csv", n, "line_manager") for n in (2, 4)]


# What is wrong with a file


def test_a_file_that_is_not_there_is_a_finding(files: Files) -> None:
    files.mentors.unlink()
    assert files.only().expected.startswith("a file that can be read (")


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_a_finding(files: Files, text: str) -> None:
    files.managers.write_text(text, encoding="utf-8")
    assert files.only().expected.endswith("and the file is empty")


def test_a_header_with_nobody_below_it_is_a_finding(files: Files) -> None:
    files.write([])
    assert files.only().expected.endswith("and there is nobody")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_however_an_office_writes_the_cells_they_are_read(
    files: Files, encoding: str, sign: str, quote: str
) -> None:
    rows = (mentor().keys(), mentor().values())
    lines = [sign.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
    files.mentors.write_bytes("\n".join(lines).encode(encoding))
    assert files.read().contacts[0].name == mentor()["name"]


def test_a_workbook_with_french_headings_is_read_and_its_faults_have_its_lines(
    files: Files,
) -> None:
    head = ["Identifiant", "Prénom", "Nom", "Adresse", "Direction", "Site", "Outils", "Semaine"]
    row = ["m-1", "Lise", "Œuvrard", "lise@m.example", "DGFiP", "Lyon"]
    week = "lundi 9h-12h, jeudi après-midi"
    book = openpyxl.Workbook()
    for cells in (["Printemps"], [], head, [*row, "LinkedIn, Tableur:4", week]):
        book.active.append(cells)
    book.save(files.mentors)
    (lise,) = files.read().mentors
    assert lise.skills == {"linkedin": 3, "spreadsheets": 4}
    assert [(w.day, w.start) for w in lise.availability] == [("mon", "09:00"), ("thu", "14:00")]
    assert files.read().contacts[0].name == "Lise Œuvrard"
    book.active.append(["m-2", *row[1:3], "b@m.example", *row[4:], "LinkedIn", "lundi 9h-8h"])
    book.save(files.mentors)
    assert files.where() == [("mentors.csv", 5, "availability")]


def test_what_is_no_text_and_no_workbook_is_a_finding(files: Files) -> None:
    text = files.mentors.read_text(encoding="utf-8")
    files.mentors.write_bytes(text.encode("utf-16-le"))
    finding = files.only()
    assert finding.expected.startswith("text in UTF-8, and it is in another encoding")
    assert finding.line == 2


def test_each_missing_column_is_a_finding(files: Files) -> None:
    columns = [name for name in MENTOR_COLUMNS if name not in ("site", "email")]
    row = {name: mentor()[name] for name in columns}
    write_roster(files.mentors, columns, [row])
    found = files.refused()
    assert [f.column for f in found] == ["email", "site"]
    assert found[0].expected == "this column once, and it is missing"


def test_a_column_that_nobody_asked_for_is_refused(files: Files) -> None:
    write_roster(files.mentors, [*MENTOR_COLUMNS, "age"], [mentor() | {"age": "43"}])
    assert files.only().expected.endswith("only, and column 12 is none of them")


def test_a_column_is_there_once(files: Files) -> None:
    write_roster(files.mentors, [*MENTOR_COLUMNS, "site"], [mentor()])
    assert files.only().expected == "this column once, and it is there 2 times"


def test_a_header_that_was_left_out_is_a_finding(files: Files) -> None:
    lines = files.mentors.read_text(encoding="utf-8").splitlines()
    files.mentors.write_text(lines[1], encoding="utf-8")
    assert files.only().expected.endswith("and there is none")


@pytest.mark.parametrize("broken", ['"Lyon', '"Lyon" Est'])
def test_a_quote_in_the_wrong_place_is_a_finding(files: Files, broken: str) -> None:
    files.write([mentor("m-1", capacity="9"), mentor("m-2")])
    text = files.mentors.read_text(encoding="utf-8")
    at = text.rindex("Lyon")
    files.mentors.write_text(text[:at] + broken + text[at + 4 :], encoding="utf-8")
    assert files.where() == [("mentors.csv", 2, "capacity"), ("mentors.csv", 3, None)]


def test_nobody_is_called_unknown_when_rows_were_lost(files: Files) -> None:
    files.write(managers=[manager(line_manager="m-1")]).mentors.write_bytes(b"")
    assert [Path(f.file).name for f in files.refused()] == ["mentors.csv"]


def test_a_cohort_id_that_is_none_is_refused(files: Files) -> None:
    with pytest.raises(ValidationError):
        read_rosters(files.mentors, files.managers, "not an id")


# What is never shown


@pytest.mark.parametrize("column", MENTOR_COLUMNS)
@pytest.mark.parametrize("secret", ["Zénobie Quercinois", "Quercinois", "zenobie@pilote.example"])
def test_a_name_or_an_address_in_the_wrong_column_is_not_shown(
    files: Files, column: str, secret: str
) -> None:
    broken = {"capacity": "9", "email": "not an address of Quercinois", column: secret}
    files.write([mentor(**broken), mentor(**broken)])
    _shows_nobody(files)


def test_a_name_is_not_shown_when_the_header_was_left_out_or_cells_shifted(files: Files) -> None:
    header, row = files.mentors.read_text(encoding="utf-8").splitlines()
    shifted = row.replace("Zénobie ", "Zénobie,")
    for text in (row, f"{row}\n{row}", f"{header}\n{shifted}", f"{header}{row}\n{row}"):
        files.mentors.write_text(text, encoding="utf-8")
        _shows_nobody(files)


def _shows_nobody(files: Files) -> None:
    with pytest.raises(RosterError) as caught:
        files.read()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.findings)
    for secret in ("nobie", "quercinois", "@"):
        assert secret not in told.casefold()
