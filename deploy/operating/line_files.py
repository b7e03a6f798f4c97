"""The reporting line, from a file as a directory writes it: on each line a person and their chief.

Always holds: of people who take no part, nothing but a pseudonym leaves the file, and only of those
who stand above somebody who does; no finding shows who is meant.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from deploy.errors import BadInput
from deploy.operating.roster_files import Finding, RosterError
from deploy.operating.rosters import Roster
from schemas.lines import NameLineManager, outsider
from schemas.text import tidied
from services.portal.tables import NoTable, decoded

KEY = "CONNECTE_PSEUDONYM_KEY"
SHORTEST_KEY = 16
PERSON = ("person", "personne", "agent", "id", "email", "matricule")
CHIEF = ("chief", "chef", "responsable", "line_manager", "line manager", "n+1")
_SIGNS = (";", ",", "\t")
Lines = Mapping[str, tuple[int, str]]
"""Person to the line of the file and their chief, as the file has both."""


def read_lines(
    path: Path, cohort_id: str, roster: Roster, key: str | None
) -> list[NameLineManager]:
    """The lines above everybody who takes part. Raises RosterError, and BadInput without a `key`.

    People are named by the id or the address that the roster has of them, or by whatever the
    directory calls them. `key`: of the pseudonyms of those who take no part; the same each time,
    or nobody is known again.
    """
    here = {person.subject for person in (*roster.mentors, *roster.managers)}
    ids = {contact.email.casefold(): contact.person_id for contact in roster.contacts}
    lines = _read(path, ids | {person.casefold(): person for person in here})
    above = _above(lines, sorted(here))
    outside = {who for line in above for who in line if who} - here
    if outside and (key is None or len(key) < SHORTEST_KEY):
        raise BadInput(
            f"{KEY}: {SHORTEST_KEY} characters or more are needed, always the same: {len(outside)} "
            f"people in {path} take no part, and are sent under a pseudonym"
        )

    def called(who: str) -> str:
        return who if who in here else outsider(who, key or "")

    return [
        NameLineManager(
            cohort_id=cohort_id,
            person_id=called(person),
            line_manager=called(chief) if chief else None,
        )
        for person, chief in above
    ]


def _above(lines: Lines, here: Iterable[str]) -> list[tuple[str, str]]:
    """Everybody who takes part and whoever stands above them, each once, with their chief."""
    found: dict[str, str] = {}
    for person in here:
        who = person
        while who in lines and who not in found:
            found[who] = lines[who][1]
            who = found[who]
    return list(found.items())


def _read(path: Path, ids: Mapping[str, str]) -> Lines:
    name = str(path)
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise _wrong(name, None, f"a file that can be read ({error.strerror})") from None
    except NoTable:
        raise _wrong(name, None, "lines of text, and it is empty or of another kind") from None
    first = next(line for line in text.splitlines() if line.strip())
    sign = max(_SIGNS, key=first.count)
    rows = csv.reader(text.splitlines(), delimiter=sign, strict=True)
    try:
        header = [tidied(cell).casefold() for cell in next(rows)]
        person, chief = (_column(header, names) for names in (PERSON, CHIEF))
        if person is None or chief is None:
            expected = "two columns with a heading each, as person;chief"
            raise _wrong(name, 1, f"{expected} (or {', '.join(CHIEF[1:])} for the second)")
        return _checked(name, _people(rows, person, chief, ids))
    except csv.Error:
        raise _wrong(name, rows.line_num, "quotes that are closed on their line") from None


def _column(header: list[str], names: Iterable[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _people(
    rows: Iterable[list[str]], person: int, chief: int, ids: Mapping[str, str]
) -> Iterator[tuple[int, str, str]]:
    """Number, person and chief of each line; whoever takes part by their id."""
    for number, cells in enumerate(rows, 2):
        if any(cells):
            who, over = (_cell(cells, column) for column in (person, chief))
            yield number, ids.get(who, who), ids.get(over, over)


def _checked(name: str, rows: Iterable[tuple[int, str, str]]) -> Lines:
    """Every line, or all that is wrong with them at once."""
    found: dict[str, tuple[int, str]] = {}
    wrong: list[Finding] = []
    for number, who, over in rows:
        earlier = found.get(who)
        if not who:
            wrong.append(Finding(name, number, "person", None, "who reports to the chief"))
        elif who == over:
            wrong.append(Finding(name, number, "chief", None, "somebody else than the person"))
        elif earlier is not None and earlier[1] != over:
            expected = f"one chief of each person, and line {earlier[0]} names another"
            wrong.append(Finding(name, number, "chief", None, expected))
        else:
            found.setdefault(who, (number, over))
    try:
        TopologicalSorter({who: [over] for who, (_, over) in found.items() if over}).prepare()
    except CycleError as error:
        numbers = sorted(found[who][0] for who in set(error.args[1]) if who in found)
        circle = " → ".join(str(number) for number in numbers)
        expected = f"lines without a circle, and lines {circle} lead back to themselves"
        wrong.append(Finding(name, numbers[0], "chief", None, expected))
    if wrong:
        raise RosterError(wrong)
    return found


def _cell(cells: list[str], column: int) -> str:
    return tidied(cells[column]).casefold() if column < len(cells) else ""


def _wrong(name: str, line: int | None, expected: str) -> RosterError:
    return RosterError([Finding(name, line, None, None, expected)])
