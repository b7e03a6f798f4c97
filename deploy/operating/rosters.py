"""Reads the rosters: two CSV files that say who takes part, as commands and contacts.

Always holds: a roster is read whole or not at all; every broken row of both files is reported at
once; what is valid is decided by the published schemas; and no finding shows a name or an e-mail
address, since findings end up in logs and tickets.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.base import CohortId, Command
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.people import PersonContact
from services.matching.families import needs_of

C = TypeVar("C", bound=Command)

_CONTACT = ("name", "email", "language")
_PLACE = ("directorate", "site")
_WEEK_AND_LINE = ("availability", "line_manager", "excludes")
_OFFER = (*_PLACE, "skills", "capacity", *_WEEK_AND_LINE)
_REQUEST = (*_PLACE, "job_family", "needs", *_WEEK_AND_LINE)
MENTOR_COLUMNS = ("id", *_CONTACT, *_OFFER)
MANAGER_COLUMNS = ("id", *_CONTACT, *_REQUEST)

_PRIVATE = ("name", "email")
_IDS = ("id", "line_manager", "excludes")
_OF_THE_PERSON = (*_CONTACT, *_PLACE, "line_manager")  # the same in whichever file
_LONGEST_SHOWN = 60

_ID = "a letter or digit, then at most 47 letters, digits, '.', '_' or '-'"
_TOOLS = "1 to 40 tool:level joined by ';' (small letters, digits, '-'; 1 to 5), as linkedin:4"
_EXPECTED = {
    "id": _ID,
    "name": "1 to 64 characters",
    "email": "one e-mail address",
    "language": "fr or en (empty: fr)",
    "directorate": "1 to 64 characters",
    "site": "1 to 64 characters",
    "job_family": "1 to 64 characters",
    "skills": _TOOLS,
    "needs": f"{_TOOLS}; or nothing, for a job family whose tools are known",
    "capacity": "a whole number from 1 to 5 (empty: 1)",
    "availability": "1 to 20 windows joined by ';', mon to fri, each ending after it starts, "
    "as mon 09:00-12:00",
    "line_manager": f"an id or nothing: {_ID}",
    "excludes": f"ids joined by ';': {_ID}",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `line` counts from 1; `value` is None where it is not shown."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    expected: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        column = f", column {self.column}" if self.column else ""
        value = "" if self.value is None else f" {self.value!r}:"
        return f"{self.file}{line}{column}:{value} expected {self.expected}"


class RosterError(ValueError):
    """The rosters cannot be used; `findings` has every reason, in the order of the files."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        count = len(self.findings)
        title = f"{count} thing{'' if count == 1 else 's'} to correct in the rosters"
        return "\n  ".join([title, *map(str, self.findings)])


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who takes part, in the order of the files; one contact per person."""

    mentors: tuple[VolunteerAsMentor, ...]
    managers: tuple[EnrolManager, ...]
    contacts: tuple[PersonContact, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    line: int
    cells: dict[str, str]

    def finding(self, column: str, expected: str, value: str | None = None) -> Finding:
        """`value`: the part of the cell that is meant; the whole cell by default."""
        shown = _shown(self, column, self.cells[column] if value is None else value)
        return Finding(self.file, self.line, column, shown, expected)


@dataclass(slots=True)
class _File:
    name: str
    rows: list[_Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    half_read: set[str] = field(default_factory=set)  # ids of rows with too many or few cells
    rows_lost: bool = False

    def lost(self, expected: str, line: int | None = None, column: str | None = None) -> "_File":
        """Rows of the file could not be read at all."""
        self.findings.append(Finding(self.name, line, column, None, expected))
        self.rows_lost = True
        return self


def read_rosters(mentors: Path, managers: Path, cohort_id: str) -> Roster:
    """The people of a cohort, from the two files (UTF-8, commas, a header; any column order).

    Raises RosterError with all findings, and pydantic's ValidationError if `cohort_id` is no id.
    """
    return _read_both((mentors, MENTOR_COLUMNS), (managers, MANAGER_COLUMNS), cohort_id)


def read_people(mentors: Path, managers: Path, cohort_id: str) -> Roster:
    """As `read_rosters`, from files that hold no name, address or language: without contacts."""
    return _read_both((mentors, ("id", *_OFFER)), (managers, ("id", *_REQUEST)), cohort_id)


def _read_both(
    mentors: tuple[Path, Sequence[str]], managers: tuple[Path, Sequence[str]], cohort_id: str
) -> Roster:
    TypeAdapter(CohortId).validate_python(cohort_id)
    files = [_read(*mentors), _read(*managers)]
    rows = [row for file in files for row in file.rows]
    findings = [finding for file in files for finding in file.findings]
    volunteers = _commands(VolunteerAsMentor, "mentor_id", files[0].rows, cohort_id, findings)
    enrolments = _commands(EnrolManager, "manager_id", files[1].rows, cohort_id, findings)
    known_by_name = [row for row in rows if "name" in row.cells]
    contacts = _commands(PersonContact, "person_id", known_by_name, cohort_id, findings)
    findings += [*_repeated_tools(rows), *_duplicates(rows), *_circles(rows)]
    if not any(file.rows_lost for file in files):  # else whoever is on a lost row seems unknown
        known = {row.cells["id"] for row in rows}.union(*(file.half_read for file in files))
        findings += _unknown(rows, known)
    if findings:
        order = [file.name for file in files]
        unique = dict.fromkeys(findings)
        raise RosterError(sorted(unique, key=lambda f: (order.index(f.file), f.line or 0)))
    once = {contact.person_id: contact for contact in contacts}
    return Roster(tuple(volunteers), tuple(enrolments), tuple(once.values()))


def write_roster(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows of cells so that `read_rosters` reads them: UTF-8, commas, a header.

    No cell has a carriage return (before Python 3.13 csv would not quote it).
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# From a file to rows of cells


def _read(path: Path, columns: Sequence[str]) -> _File:
    file = _File(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        return file.lost(f"a file that can be read ({error.strerror})")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return file.lost(_UTF8, content.count(b"\n", 0, error.start) + 1)
    if "\0" in text:  # UTF-16 without its mark
        return file.lost(_UTF8, text.count("\n", 0, text.index("\0")) + 1)
    if not text.strip():
        return file.lost("a header and people below it, and the file is empty")
    if separator := _other_separator(text, columns):
        return file.lost(f"commas between the cells, and there are {separator}")
    records = _records(text, file)
    line, header = next(records, (1, []))
    if not file.rows_lost:
        _check_header(file, line, header, columns)
    if file.rows_lost:
        return file
    for line, cells in records:
        if len(cells) == len(header):
            file.rows.append(_Row(file.name, line, dict(zip(header, cells, strict=True))))
        else:  # the cells have shifted, so that a name may be in any column: show none
            expected = f"{len(header)} cells as in the header, and there are {len(cells)}"
            file.findings.append(Finding(file.name, line, None, None, expected))
            place = header.index("id")
            file.half_read.update(cells[place : place + 1])
    if not file.rows and not file.findings:
        file.lost("people below the header, and there is nobody")
    return file


_UTF8 = "text in UTF-8, and it is in another encoding (save it as 'CSV UTF-8')"


def _other_separator(text: str, columns: Sequence[str]) -> str | None:
    """What separates the names of the header, if that is not the comma."""
    first = text.lstrip().splitlines()[0]

    def found(sign: str) -> int:
        return len({part.strip(' "') for part in first.split(sign)} & set(columns))

    best = max((",", ";", "\t"), key=found)
    return {";": "semicolons", "\t": "tabs"}.get(best)


def _records(text: str, file: _File) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line on which it starts; cells are stripped."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            file.lost('quotes (") at both ends of a cell or at neither', line)
            continue
        if any(cells):
            yield line, cells


def _check_header(file: _File, line: int, header: Sequence[str], columns: Sequence[str]) -> None:
    """What stands there is not shown: where the header was left out, that is a person.

    A column that nobody asked for is refused, not ignored: it may hold what we must not know.
    """
    if not set(columns) & set(header):
        file.lost(f"a header with the columns {','.join(columns)}, and there is none", line)
        return
    for column in columns:
        count = header.count(column)
        if count != 1:
            found = f"there {count} times" if count else "missing"
            file.lost(f"this column once, and it is {found}", line, column)
    for position, column in enumerate(header, 1):
        if column not in columns:
            only = ",".join(columns)
            file.lost(f"the columns {only} only, and column {position} is none of them", line)


# From rows of cells to commands


def _commands(
    kind: type[C],
    id_field: str,
    rows: Iterable[_Row],
    cohort_id: str,
    findings: list[Finding],
) -> list[C]:
    """One command per row that makes one; what is wrong with the others joins the findings."""
    found: list[C] = []
    for row in rows:
        given: dict[str, Any] = {"cohort_id": cohort_id, id_field: row.cells["id"]}
        given |= {name: _value(name, cell) for name, cell in row.cells.items() if name != "id"}
        if kind is EnrolManager and not row.cells["needs"]:
            given["needs"] = needs_of(row.cells["job_family"])
            if not given["needs"]:
                findings.append(row.finding("needs", _EXPECTED["needs"], ""))
        fields = {name: given[name] for name in kind.model_fields if given.get(name)}
        try:
            found.append(kind.model_validate(fields))
        except ValidationError as error:
            findings.extend(_explained(error, row))
    return found


def _value(column: str, cell: str) -> Any:
    """What the schema is asked about. What cannot be taken apart is left for it to refuse."""
    if column in ("skills", "needs"):
        return {tool.strip(): level.strip() for tool, _, level in _parted(cell, ":")}
    if column == "availability":
        windows = [(day, *hours.partition("-")) for day, _, hours in _parted(cell, " ")]
        return [{"day": d, "start": s.strip(), "end": e.strip()} for d, s, _, e in windows]
    if column == "excludes":
        return list(dict.fromkeys(_parts(cell)))
    return cell


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _parted(cell: str, sign: str) -> list[tuple[str, str, str]]:
    return [part.partition(sign) for part in _parts(cell)]


def _explained(error: ValidationError, row: _Row) -> Iterator[Finding]:
    """Pydantic's errors in the words of the file: which column, which part of its cell."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name, *inside = problem["loc"]
        column = "id" if name in ("mentor_id", "manager_id", "person_id") else str(name)
        yield row.finding(column, _EXPECTED[column], _part(column, row.cells[column], inside))


def _part(column: str, cell: str, inside: Sequence[int | str]) -> str:
    match inside:
        case [int(index), *_]:
            parts = list(dict.fromkeys(_parts(cell))) if column == "excludes" else _parts(cell)
            return parts[index]
        case [str(tool), *_]:
            found = (p for p in _parts(cell) if p.partition(":")[0].strip() == tool)
            return next(found, cell)
        case _:
            return cell


def _shown(row: _Row, column: str, value: str) -> str | None:
    """The value, unless it is, or may be, a name or an address: people mix up columns."""
    name, email = row.cells.get("name", ""), row.cells.get("email", "")
    person = _words(name) | _words(email.partition("@")[0])
    if column in _PRIVATE or "@" in value or person & _words(value):
        return None
    if column in _IDS and re.search(r"\s", value):
        return None
    return value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", text.casefold()))


# What one row alone does not tell


def _repeated_tools(rows: Iterable[_Row]) -> Iterator[Finding]:
    for row in rows:
        column = "skills" if "skills" in row.cells else "needs"
        seen: set[str] = set()
        for part in _parts(row.cells[column]):
            tool = part.partition(":")[0].strip()
            if tool in seen:
                yield row.finding(column, "each tool once", part)
            seen.add(tool)


def _duplicates(rows: Iterable[_Row]) -> Iterator[Finding]:
    """An id is once in a file, and the same person in both; an address is one person's."""
    places: dict[tuple[str, str], _Row] = {}
    people: dict[str, _Row] = {}
    addresses: dict[str, _Row] = {}
    for row in rows:
        person = row.cells["id"]
        first = places.setdefault((row.file, person), row) if person else row
        if first is not row:
            yield row.finding("id", f"an id that is not yet there (line {first.line} has it)")
            continue
        other = people.setdefault(person, row) if person else row
        for column in _OF_THE_PERSON:
            if row.cells.get(column) != other.cells.get(column):
                expected = f"the same as in {other.file}, line {other.line}, for the same id"
                yield row.finding(column, expected)
        address = row.cells.get("email", "").casefold()
        owner = addresses.setdefault(address, row) if address else row
        if owner.cells["id"] != person:
            expected = f"an address of their own ({owner.file}, line {owner.line} has the same)"
            yield row.finding("email", expected)


def _unknown(rows: Iterable[_Row], known: set[str]) -> Iterator[Finding]:
    """Whoever is named is in a file: a misspelt exclusion would keep nobody apart."""
    for row in rows:
        for column in ("line_manager", "excludes"):
            named = _parts(row.cells[column]) if column == "excludes" else [row.cells[column]]
            for person in named:
                if person and person not in known:
                    yield row.finding(column, "the id of somebody in one of the files", person)


def _circles(rows: Iterable[_Row]) -> Iterator[Finding]:
    """Each circle in the reporting line once, at the person by whom it was entered."""
    first: dict[str, _Row] = {}
    for row in rows:
        if row.cells["id"]:
            first.setdefault(row.cells["id"], row)
    done: set[str] = set()
    for start in first:
        path: list[str] = []
        person = start
        while person in first and person not in done:
            done.add(person)
            path.append(person)
            person = first[person].cells["line_manager"]
        if person in path:
            circle = [first[p] for p in [*path[path.index(person) :], person]]
            named = (_shown(row, "id", row.cells["id"]) or f"line {row.line}" for row in circle)
            expected = f"a reporting line without a circle, and there is {' → '.join(named)}"
            yield circle[0].finding("line_manager", expected)
