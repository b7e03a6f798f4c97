"""A roster as an office keeps it (.xlsx, .ods, semicolons, another encoding, French headings).

It becomes text in the roster's own spelling: the portal's reader finds the people, and every row
keeps its line.

Always holds: what cannot be understood stays as it was written, so that it is refused in its cell.
"""

import csv
from collections.abc import Sequence
from io import StringIO

from services.portal import weeks
from services.portal.jobs import job_of
from services.portal.roster import LANGUAGES, column_of, headings_known, read_tools
from services.portal.spelling import folded
from services.portal.tables import NoTable, read_table

_MAY_BE_LEFT_OUT = ("language", "capacity", "needs", "line_manager", "excludes")


def is_plain(text: str, columns: Sequence[str]) -> bool:
    """Whether it is a roster in its own spelling, as far as its first line tells."""
    first = text.lstrip().partition("\n")[0]
    return any(part.strip(' "\r') in columns for part in first.split(","))


def as_roster(content: bytes, columns: Sequence[str]) -> str | None:
    """The text of a roster with these columns; None if nobody is found in it."""
    try:
        rows = read_table(content, headings_known).rows
    except NoTable:
        return None
    start = next((n for n, (_, cells) in enumerate(rows) if headings_known(cells) >= 2), None)
    if start is None:
        return None
    tools = "skills" if "skills" in columns else "needs"
    header = [_heading(cell, tools) for cell in rows[start][1]]
    while header and not header[-1]:
        header.pop()
    lacking = [name for name in _MAY_BE_LEFT_OUT if name in columns and name not in header]
    first_name = header.index("first_name") if "first_name" in header else None
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    line = 1
    for number, cells in rows[start:]:
        out.write("\n" * (number - line))
        line = number + 1
        if number == rows[start][0]:
            given = [*header, *lacking]
        else:
            given = _spelt(cells, header, first_name) + [""] * len(lacking)
        if first_name is not None:
            del given[first_name]
        writer.writerow(given)
    return out.getvalue()


def _heading(cell: str, tools: str) -> str:
    column = column_of(cell)
    return tools if column == "tools" else column or cell


def _spelt(cells: Sequence[str], header: Sequence[str], first_name: int | None) -> list[str]:
    """A row's cells in the roster's spelling."""
    padded = [*cells, *[""] * (len(header) - len(cells))]
    first = padded[first_name] if first_name is not None else ""
    found = []
    for cell, column in zip(padded, header, strict=False):
        named = f"{first} {cell}".strip() if column == "name" else cell
        found.append(_cell(column, named))
    return found + [cell for cell in padded[len(header) :] if cell]


def _cell(column: str, cell: str) -> str:
    try:
        match column:
            case "skills" | "needs":
                return ";".join(f"{tool}:{level}" for tool, level in read_tools(cell).items())
            case "availability":
                return ";".join(f"{w.day} {w.start}-{w.end}" for w in weeks.read_week(cell))
            case "job_family":
                return job_of(cell)
            case "language":
                return LANGUAGES.get(folded(cell), cell)
    except ValueError:
        pass
    return cell
