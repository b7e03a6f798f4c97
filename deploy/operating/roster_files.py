"""The two files of a roster: their columns, and from a file to rows of cells and back.

Always holds: cells that look the same are the same; no finding shows a name or an e-mail address,
since findings end up in logs and tickets; and a file that cannot be read whole says so, at every
place where it is broken.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from deploy.errors import BadInput
from deploy.operating.office_files import as_roster, is_plain
from schemas.text import tidied

CONTACT = ("name", "email", "language")
OWN_WORDS = ("post", "presentation")
"""Columns that need not be there; they go with the contact."""
PLACE = ("directorate", "site")
ORGANISATION = "organisation"
"""A column that need not be there: whoever has none in it is of the cohort's own."""
WEEK_AND_LINE = ("availability", "line_manager", "excludes")
OFFER = (*PLACE, "skills", "capacity", *WEEK_AND_LINE)
REQUEST = (*PLACE, "job_family", "needs", *WEEK_AND_LINE)
MENTOR_COLUMNS = ("id", *CONTACT, *OFFER)
MANAGER_COLUMNS = ("id", *CONTACT, *REQUEST)

_PRIVATE = ("name", "email", *OWN_WORDS)
_IDS = ("id", "line_manager", "excludes")
_LONGEST_SHOWN = 60


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


class RosterError(BadInput):
    """The rosters cannot be used; `findings` has every reason, in the order of the files."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        count = len(self.findings)
        title = f"{count} thing{'' if count == 1 else 's'} to correct in the rosters"
        return "\n  ".join([title, *map(str, self.findings)])


@dataclass(frozen=True, slots=True)
class Row:
    """One person in one file: the cells by column, and the line on which they start."""

    file: str
    line: int
    cells: dict[str, str]

    def finding(self, column: str, expected: str, value: str | None = None) -> Finding:
        """`value`: the part of the cell that is meant; the whole cell by default."""
        part = shown(self, column, self.cells.get(column, "") if value is None else value)
        return Finding(self.file, self.line, column, part, expected)


@dataclass(slots=True)
class RosterFile:
    """A file as far as it could be read, and what is wrong with it."""

    name: str
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    half_read: set[str] = field(default_factory=set)  # ids of rows with too many or few cells
    rows_lost: bool = False

    def lost(
        self, expected: str, line: int | None = None, column: str | None = None
    ) -> "RosterFile":
        """Rows of the file could not be read at all."""
        self.findings.append(Finding(self.name, line, column, None, expected))
        self.rows_lost = True
        return self


def write_roster(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows of cells so that `read_rosters` reads them: UTF-8, commas, a header.

    No cell has a carriage return (before Python 3.13 csv would not quote it).
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_file(path: Path, columns: Sequence[str]) -> RosterFile:
    """A file with a header of these columns, in any order.

    In UTF-8 with commas, or as an office keeps it (`office_files`). It may say of which
    organisation people are and, where it has contacts, have their own words too.
    """
    file = RosterFile(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        return file.lost(f"a file that can be read ({error.strerror})")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        translated = as_roster(content, columns)
        if translated is None:
            return file.lost(_UTF8, content.count(b"\n", 0, error.start) + 1)
        text = translated
    if not is_plain(text, columns):
        text = as_roster(content, columns) or text
    if "\0" in text:  # UTF-16 without its mark
        return file.lost(_UTF8, text.count("\n", 0, text.index("\0")) + 1)
    if not text.strip():
        return file.lost("a header and people below it, and the file is empty")
    if separator := _other_separator(text, columns):
        return file.lost(f"commas between the cells, and there are {separator}")
    records = _records(text, file)
    line, header = next(records, (1, []))
    header = [tidied(name) for name in header]
    if not file.rows_lost:
        _check_header(file, line, header, columns)
    if file.rows_lost:
        return file
    for line, cells in records:
        if len(cells) == len(header):
            row = {name: _as_meant(name, cell) for name, cell in zip(header, cells, strict=True)}
            file.rows.append(Row(file.name, line, row))
        else:  # the cells have shifted, so that a name may be in any column: show none
            expected = f"{len(header)} cells as in the header, and there are {len(cells)}"
            file.findings.append(Finding(file.name, line, None, None, expected))
            place = header.index("id")
            file.half_read.update(cells[place : place + 1])
    if not file.rows and not file.findings:
        file.lost("people below the header, and there is nobody")
    return file


def _as_meant(column: str, cell: str) -> str:
    """A cell without what nobody sees. Not an address: what is unseen in it is told, not mended."""
    return cell if column == "email" else tidied(cell)


_UTF8 = "text in UTF-8, and it is in another encoding (save it as 'CSV UTF-8')"


def _other_separator(text: str, columns: Sequence[str]) -> str | None:
    """What separates the names of the header, if that is not the comma."""
    first = text.lstrip().splitlines()[0]

    def found(sign: str) -> int:
        return len({part.strip(' "') for part in first.split(sign)} & set(columns))

    best = max((",", ";", "\t"), key=found)
    return {";": "semicolons", "\t": "tabs"}.get(best)


def _records(text: str, file: RosterFile) -> Iterator[tuple[int, list[str]]]:
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


def _check_header(
    file: RosterFile, line: int, header: Sequence[str], columns: Sequence[str]
) -> None:
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
    for column in (*OWN_WORDS, ORGANISATION):
        if header.count(column) > 1:
            file.lost(
                f"this column once, and it is there {header.count(column)} times", line, column
            )
    known = {*columns, ORGANISATION, *(OWN_WORDS if set(CONTACT) <= set(columns) else ())}
    for position, column in enumerate(header, 1):
        if column not in known:
            only = ",".join(columns)
            file.lost(f"the columns {only} only, and column {position} is none of them", line)


def shown(row: Row, column: str, value: str) -> str | None:
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


def parts(cell: str) -> list[str]:
    """The things that a cell lists."""
    return [part.strip() for part in cell.split(";") if part.strip()]
