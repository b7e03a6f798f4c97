"""What no row of a roster alone shows: doubles, strangers, circles in the reporting line.

And what is not wrong, but may be misspelt: a tool or a job family that the catalogue has not.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from deploy.operating.roster_files import (
    CONTACT,
    ORGANISATION,
    OWN_WORDS,
    PLACE,
    Finding,
    Row,
    parts,
    shown,
)
from schemas.known.jobs import is_known, job_families
from schemas.known.tools import tools

# The same in whichever file.
_OF_THE_PERSON = (*CONTACT, *OWN_WORDS, *PLACE, ORGANISATION, "line_manager")


def across_rows(rows: Iterable[Row]) -> Iterator[Finding]:
    """What does not fit together in the rows of both files."""
    rows = list(rows)
    yield from _repeated_tools(rows)
    yield from _duplicates(rows)
    yield from _circles(rows)


def _repeated_tools(rows: Iterable[Row]) -> Iterator[Finding]:
    for row in rows:
        column = "skills" if "skills" in row.cells else "needs"
        seen: set[str] = set()
        for part in parts(row.cells[column]):
            tool = part.partition(":")[0].strip()
            if tool in seen:
                yield row.finding(column, "each tool once", part)
            seen.add(tool)


def _duplicates(rows: Iterable[Row]) -> Iterator[Finding]:
    """An id is once in a file, and the same person in both; an address is one person's."""
    places: dict[tuple[str, str], Row] = {}
    people: dict[str, Row] = {}
    addresses: dict[str, Row] = {}
    for row in rows:
        person = row.cells["id"]
        first = places.setdefault((row.file, person), row) if person else row
        if first is not row:
            yield row.finding("id", f"an id that is not yet there (line {first.line} has it)")
            continue
        other = people.setdefault(person, row) if person else row
        for column in _OF_THE_PERSON:
            if (row.cells.get(column) or "") != (other.cells.get(column) or ""):
                expected = f"the same as in {other.file}, line {other.line}, for the same id"
                yield row.finding(column, expected)
        address = row.cells.get("email", "").casefold()
        owner = addresses.setdefault(address, row) if address else row
        if owner.cells["id"] != person:
            expected = f"an address of their own ({owner.file}, line {owner.line} has the same)"
            yield row.finding("email", expected)


def unknown_people(rows: Iterable[Row], known: set[str]) -> Iterator[Finding]:
    """Whoever is named is in a file: a misspelt exclusion would keep nobody apart."""
    for row in rows:
        for column in ("line_manager", "excludes"):
            named = parts(row.cells[column]) if column == "excludes" else [row.cells[column]]
            for person in named:
                if person and person not in known:
                    yield row.finding(column, "the id of somebody in one of the files", person)


def unknown_nouns(rows: Iterable[Row]) -> Iterator[Finding]:
    """Tools and job families that the catalogue has not, each once: they are taken as spelt."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        for column in ("skills", "needs"):
            for part in parts(row.cells.get(column, "")):
                tool = part.partition(":")[0].strip()
                if tool not in tools() and (tool, "") not in seen:
                    seen.add((tool, ""))
                    yield row.finding(column, _taken("a tool", tool, tools()), tool)
        family = row.cells.get("job_family", "")
        if family and not is_known(family) and ("", family) not in seen:
            seen.add(("", family))
            expected = _taken("a job family", family, job_families())
            yield row.finding("job_family", f"{expected}; it gets what every job does", family)


def _taken(what: str, spelt: str, known: Iterable[str]) -> str:
    close = get_close_matches(spelt, known, 1)
    meant = f"; is {close[0]!r} meant?" if close else ""
    return f"{what} of the catalogue, and takes it as it is spelt{meant}"


def _circles(rows: Iterable[Row]) -> Iterator[Finding]:
    """Each circle in the reporting line once, at the person by whom it was entered."""
    first: dict[str, Row] = {}
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
            named = (shown(row, "id", row.cells["id"]) or f"line {row.line}" for row in circle)
            expected = f"a reporting line without a circle, and there is {' → '.join(named)}"
            yield circle[0].finding("line_manager", expected)
