"""Reads the rosters: two CSV files that say who takes part, as commands and contacts.

Always holds: a roster is read whole or not at all; every broken row of both files is reported at
once; what is valid is decided by the published schemas; and no finding shows a name or an e-mail
address, since findings end up in logs and tickets.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from deploy.errors import BadInput
from deploy.operating.roster_checks import across_rows, unknown_nouns, unknown_people
from deploy.operating.roster_files import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    OFFER,
    REQUEST,
    Finding,
    RosterError,
    Row,
    parts,
    read_file,
    write_roster,
)
from schemas.base import CohortId, Command
from schemas.known import whole
from schemas.known.added import FOLDER
from schemas.known.jobs import needs_of
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.people import PersonContact

__all__ = [
    "MANAGER_COLUMNS",
    "MENTOR_COLUMNS",
    "Finding",
    "Roster",
    "RosterError",
    "read_people",
    "read_rosters",
    "write_roster",
]

C = TypeVar("C", bound=Command)

_ID = "a letter or digit, then at most 47 letters, digits, '.', '_' or '-'"
_TOOLS = "1 to 40 tool:level joined by ';' (small letters, digits, '-'; 1 to 5), as linkedin:4"
_EXPECTED = {
    "id": _ID,
    "name": "1 to 64 characters",
    "email": "one e-mail address that a letter can be sent to: no accents, nothing unseen, no dot "
    "at either end of its first part or beside another, a domain with a dot",
    "language": "fr or en (empty: fr)",
    "post": "at most 64 characters, without an address, a link or a telephone number",
    "presentation": "at most 280 characters, without an address, a link or a telephone number",
    "directorate": "1 to 64 characters",
    "site": "1 to 64 characters",
    "organisation": "at most 64 characters (empty: the cohort's own)",
    "job_family": "1 to 64 characters",
    "skills": _TOOLS,
    "needs": f"{_TOOLS}; or nothing, for what the job family asks for",
    "capacity": "a whole number from 1 to 5 (empty: 1)",
    "availability": "1 to 20 windows joined by ';', mon to fri, each ending after it starts, "
    "as mon 09:00-12:00",
    "line_manager": f"an id or nothing: {_ID}",
    "excludes": f"ids joined by ';': {_ID}",
}


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who takes part, in the order of the files; one contact per person.

    `warnings`: what nobody else calls like that, and is taken all the same.
    """

    mentors: tuple[VolunteerAsMentor, ...]
    managers: tuple[EnrolManager, ...]
    contacts: tuple[PersonContact, ...]
    warnings: tuple[Finding, ...] = ()


def read_rosters(mentors: Path, managers: Path, cohort_id: str) -> Roster:
    """The people of a cohort, from the two files (UTF-8, commas, a header; any column order).

    Raises RosterError with all findings, BadInput if what a deployment adds to the catalogues is
    not whole, and pydantic's ValidationError if `cohort_id` is no id.
    """
    return _read_both((mentors, MENTOR_COLUMNS), (managers, MANAGER_COLUMNS), cohort_id)


def read_people(mentors: Path, managers: Path, cohort_id: str) -> Roster:
    """As `read_rosters`, from files that hold no name, address or language: without contacts."""
    return _read_both((mentors, ("id", *OFFER)), (managers, ("id", *REQUEST)), cohort_id)


def _read_both(
    mentors: tuple[Path, Sequence[str]], managers: tuple[Path, Sequence[str]], cohort_id: str
) -> Roster:
    TypeAdapter(CohortId).validate_python(cohort_id)
    try:
        whole.check()
    except ValueError as error:
        raise BadInput(f"{FOLDER}: {error}") from None
    files = [read_file(*mentors), read_file(*managers)]
    rows = [row for file in files for row in file.rows]
    findings = [finding for file in files for finding in file.findings]
    volunteers = _commands(VolunteerAsMentor, "mentor_id", files[0].rows, cohort_id, findings)
    enrolments = _commands(EnrolManager, "manager_id", files[1].rows, cohort_id, findings)
    known_by_name = [row for row in rows if "name" in row.cells]
    contacts = _commands(PersonContact, "person_id", known_by_name, cohort_id, findings)
    findings += across_rows(rows)
    if not any(file.rows_lost for file in files):  # else whoever is on a lost row seems unknown
        known = {row.cells["id"] for row in rows}.union(*(file.half_read for file in files))
        findings += unknown_people(rows, known)
    if findings:
        order = [file.name for file in files]
        unique = dict.fromkeys(findings)
        raise RosterError(sorted(unique, key=lambda f: (order.index(f.file), f.line or 0)))
    once = {contact.person_id: contact for contact in contacts}
    warnings = tuple(unknown_nouns(rows))
    return Roster(tuple(volunteers), tuple(enrolments), tuple(once.values()), warnings)


def _commands(
    kind: type[C],
    id_field: str,
    rows: Iterable[Row],
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
        return list(dict.fromkeys(parts(cell)))
    return cell


def _parted(cell: str, sign: str) -> list[tuple[str, str, str]]:
    return [part.partition(sign) for part in parts(cell)]


def _explained(error: ValidationError, row: Row) -> Iterator[Finding]:
    """Pydantic's errors in the words of the file: which column, which part of its cell."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name, *inside = problem["loc"]
        column = "id" if name in ("mentor_id", "manager_id", "person_id") else str(name)
        yield row.finding(column, _EXPECTED[column], _part(column, row.cells[column], inside))


def _part(column: str, cell: str, inside: Sequence[int | str]) -> str:
    match inside:
        case [int(index), *_]:
            listed = list(dict.fromkeys(parts(cell))) if column == "excludes" else parts(cell)
            return listed[index]
        case [str(tool), *_]:
            found = (p for p in parts(cell) if p.partition(":")[0].strip() == tool)
            return next(found, cell)
        case _:
            return cell
