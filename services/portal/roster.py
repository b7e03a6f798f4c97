"""A list of people: which column is what, what is wrong in which cell, and what it asks for. Pure.

Always holds: a list is entered whole or not at all; every fault is told at once, in its cell, with
what was expected; cells that were corrected are checked like those that were read.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from schemas.base import Command, PersonId
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.people import Address, PersonContact
from schemas.text import tidied
from schemas.values import Side, Tools, Window
from services.portal import weeks
from services.portal.jobs import job_of
from services.portal.spelling import folded
from services.portal.tools import level_of, tool_of

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "identifiant", "matricule"),
    "role": ("role", "profil", "type"),
    "first_name": ("prenom", "first name", "given name"),
    "name": ("nom", "name", "nom complet", "prenom et nom", "nom et prenom", "full name", "agent"),
    "email": (
        "email",
        "e-mail",
        "mail",
        "courriel",
        "adresse",
        "adresse mail",
        "adresse e-mail",
        "adresse electronique",
        "address",
    ),
    "language": ("langue", "language"),
    "directorate": ("direction", "directorate", "service", "direction ou service"),
    "organisation": ("organisation", "organisme", "organization", "partenaire", "partner"),
    "site": ("site", "lieu", "lieu de travail", "ville", "place"),
    "job_family": ("poste", "job_family", "job family", "famille de metier", "metier", "job"),
    "tools": ("outils", "tools", "skills", "needs", "competences", "besoins", "outils et niveaux"),
    "capacity": ("places", "capacity", "capacite", "nombre de places"),
    "availability": (
        "disponibilites",
        "disponibilite",
        "availability",
        "semaine",
        "week",
        "creneaux",
    ),
    "line_manager": ("line_manager", "line manager", "responsable", "n+1", "chef"),
    "excludes": ("excludes", "exclusions", "ne pas associer avec"),
}
"""Column to the headings by which it is known, folded."""
COLUMNS = tuple(HEADINGS)
_KNOWN = {name: column for column, names in HEADINGS.items() for name in names}
MOST_EXCLUDED = 200
"""As many as a command takes."""
_SIGNS = (";", "\n", ",")
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)
_ID: TypeAdapter[str] = TypeAdapter(PersonId)
_MENTOR = {"mentor", "mentore", "mentors", "accompagnateur", "accompagnatrice"}
_MANAGER = {"manager", "managers", "manageur", "monitore", "monitoree", "cadre"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a cell: what was expected there."""

    fr: str
    en: str


Cells = Mapping[str, str]
Faults = Mapping[str, Fault]


def column_of(heading: str) -> str | None:
    """The column that a heading names; None if nobody knows it."""
    said = folded(tidied(heading)).strip(" *:")
    return _KNOWN.get(said) or _KNOWN.get(said.replace("_", " "))


def headings_known(cells: Sequence[str]) -> int:
    """Of how many cells the column is known."""
    return sum(column_of(cell) is not None for cell in cells)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list with its columns known. `unknown`: headings that nobody asked for."""

    rows: tuple[tuple[int, dict[str, str]], ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    doubled: tuple[str, ...]


def listed(rows: Sequence[tuple[int, Sequence[str]]]) -> Listed:
    """Rows of cells to people, by the first row with two known headings or more."""
    start = next((n for n, (_, cells) in enumerate(rows[:10]) if headings_known(cells) >= 2), None)
    if start is None:
        return Listed((), (), ("name", "email"), ())
    header = [column_of(cell) for cell in rows[start][1]]
    found = []
    for number, cells in rows[start + 1 :]:
        row = {column: "" for column in header if column}
        row |= {c: cell for c, cell in zip(header, cells, strict=False) if c and cell}
        if any(row.values()):
            found.append((number, _named(row)))
    known = [column for column in header if column is not None]
    named = [cell for cell, column in zip(rows[start][1], header, strict=True) if not column]
    needed = ("name", "email", "directorate", "site", "availability")
    return Listed(
        tuple(found),
        tuple(cell for cell in named if cell),
        tuple(column for column in needed if column not in known),
        tuple(column for column, times in Counter(known).items() if times > 1),
    )


def _named(row: dict[str, str]) -> dict[str, str]:
    """First and last name together."""
    first = row.pop("first_name", "")
    if first:
        row["name"] = f"{first} {row.get('name', '')}".strip()
    return row


def side_of(cells: Cells, default: Side | None) -> Side | None:
    """Which side a row is of, by its own word or for the whole list."""
    said = folded(cells.get("role", ""))
    if said in _MENTOR:
        return "mentor"
    if said in _MANAGER:
        return "manager"
    return None if said else default


def read_tools(cell: str) -> Tools:
    """ "LinkedIn, tableur : 4"; "linkedin:4;mind-mapping:2". Without a level it is 3.

    Raises ValueError with what cannot be read.
    """
    found: dict[str, int] = {}
    for part in _parts(cell):
        name, sign, level_text = part.rpartition(":")
        if not sign:
            name, level_text = _split_level(part)
        tool = tool_of(name) or _as_id(name)
        level = level_of(level_text) if level_text.strip() else 3
        if tool is None or level is None or tool in found:
            raise ValueError(part)
        found[tool] = level
    return found


def _as_id(name: str) -> str | None:
    """A tool of the cohort's own, if it is written as an id."""
    name = name.strip()
    plain = name.replace("-", "")
    fits = plain.isascii() and plain.isalnum() and name == name.lower() and len(name) <= 32
    return name if fits and name[0] != "-" else None


def _split_level(part: str) -> tuple[str, str]:
    """`LinkedIn 4` and `LinkedIn (4)` have a level."""
    bare = part.rstrip(" )").rstrip()
    if bare[-1:].isdigit() and bare[-2:-1] in (" ", "("):
        return bare[:-2].strip(" ("), bare[-1]
    return part, ""


def _parts(cell: str) -> list[str]:
    sign = next((sign for sign in _SIGNS if sign in cell), ";")
    return [part.strip() for part in cell.split(sign) if part.strip()]


def check(
    rows: Sequence[Cells], side: Side | None, organisations: Collection[str] | None = None
) -> tuple[list[tuple[Side, Cells]], dict[int, dict[str, Fault]]]:
    """Which side each row is of, and what is wrong: row's place to column to fault.

    `organisations`: those of which alone people may be entered; None: of any, and of none.
    """
    faults: dict[int, dict[str, Fault]] = {}
    sided: list[tuple[Side, Cells]] = []
    for place, cells in enumerate(rows):
        its_side = side_of(cells, side)
        wrong = dict(_faults_of(cells, its_side))
        if organisations is not None and _organisation(cells) not in organisations:
            named = ", ".join(sorted(organisations))
            wrong["organisation"] = Fault(f"l’un de : {named}", f"one of: {named}")
        if wrong:
            faults[place] = wrong
        sided.append((its_side or "mentor", cells))
    for place, column, fault in _across(sided):
        faults.setdefault(place, {}).setdefault(column, fault)
    return sided, faults


def _faults_of(cells: Cells, side: Side | None) -> Iterable[tuple[str, Fault]]:
    if side is None:
        yield "role", Fault("mentor ou manager", "mentor or manager")
    for column in ("name", "directorate", "site"):
        if not 1 <= len(tidied(cells.get(column, ""))) <= 64:
            yield column, Fault("de 1 à 64 caractères", "1 to 64 characters")
    if len(cells.get("organisation", "")) > 64:
        yield "organisation", Fault("64 caractères au plus", "64 characters at most")
    if not _valid(_ADDRESS, cells.get("email", "")):
        yield (
            "email",
            Fault(
                "une adresse sans accent, comme prenom.nom@ministere.gouv.fr",
                "an address without accents, as first.last@ministry.example",
            ),
        )
    if cells.get("id") and not _valid(_ID, cells["id"]):
        yield (
            "id",
            Fault(
                "une lettre ou un chiffre, puis lettres, chiffres, points ou tirets (47 au plus)",
                "a letter or digit, then at most 47 letters, digits, '.', '_' or '-'",
            ),
        )
    if folded(cells.get("language", "")) not in LANGUAGES:
        yield "language", Fault("français ou anglais", "French or English")
    yield from _faults_of_tools(cells, side)
    try:
        weeks.read_week(cells.get("availability", ""))
    except weeks.NoWeek as error:
        yield "availability", Fault(error.fr, error.en)
    if side == "mentor" and cells.get("capacity", "") not in ("", "1", "2", "3", "4", "5"):
        yield "capacity", Fault("un nombre de 1 à 5", "a number from 1 to 5")
    if len(_parts(cells.get("line_manager", ""))) > 1:
        yield "line_manager", Fault("une seule personne", "one person alone")
    if len(_parts(cells.get("excludes", ""))) > MOST_EXCLUDED:
        most = MOST_EXCLUDED
        yield "excludes", Fault(f"{most} personnes au plus", f"{most} people at most")
    if side == "manager" and not 1 <= len(tidied(cells.get("job_family", ""))) <= 64:
        yield (
            "job_family",
            Fault("un poste, par exemple Achats publics", "a job, as Public procurement"),
        )


def _faults_of_tools(cells: Cells, side: Side | None) -> Iterable[tuple[str, Fault]]:
    expected = Fault(
        "des outils connus, avec un niveau de 1 à 5, comme « LinkedIn:4, Tableur:3 »",
        "known tools with a level of 1 to 5, as 'LinkedIn:4, Spreadsheets:3'",
    )
    try:
        found = read_tools(cells.get("tools", ""))
    except ValueError as error:
        part = str(error)
        yield "tools", Fault(f"« {part} » : {expected.fr}", f"'{part}': {expected.en}")
        return
    advised = side == "manager" and cells.get("job_family")
    if (not found and not advised) or len(found) > 40:
        yield "tools", expected


def _across(sided: Sequence[tuple[Side, Cells]]) -> Iterable[tuple[int, str, Fault]]:
    """What no row alone shows: the same person twice, people who are named and not there."""
    first: dict[tuple[Side, str], int] = {}
    known = {cells.get("email", "").casefold() for _, cells in sided}
    known |= {cells["id"] for _, cells in sided if cells.get("id")}
    by_id: dict[str, tuple[str, int]] = {}
    by_address: dict[str, tuple[str, int]] = {}
    for place, (side, cells) in enumerate(sided):
        address = cells.get("email", "").casefold()
        earlier = first.setdefault((side, address), place)
        if address and earlier != place:
            yield (
                place,
                "email",
                Fault(
                    f"une adresse qui n’est pas déjà dans la liste (personne n° {earlier + 1})",
                    f"an address that is not in the list already (person {earlier + 1})",
                ),
            )
        yield from _of_ids(place, cells, by_id, by_address)
        for column in ("line_manager", "excludes"):
            for named in _parts(cells.get(column, "")):
                if named.casefold() not in known and named not in known:
                    yield (
                        place,
                        column,
                        Fault(
                            "l’adresse ou l’identifiant d’une personne de la liste",
                            "the address or id of somebody in the list",
                        ),
                    )


def _of_ids(
    place: int,
    cells: Cells,
    by_id: dict[str, tuple[str, int]],
    by_address: dict[str, tuple[str, int]],
) -> Iterable[tuple[int, str, Fault]]:
    """An id is that of one person, and a person has one: told by their address."""
    person_id, address = cells.get("id", ""), cells.get("email", "").casefold()
    if not person_id:
        return
    for known, key, value, fr, en in (
        (by_id, person_id, address, "un identifiant à elle seule", "an id of their own"),
        (by_address, address, person_id, "un seul identifiant par personne", "one id a person"),
    ):
        first, row = known.setdefault(key, (value, place))
        if first != value:
            told = Fault(f"{fr} (voir la personne n° {row + 1})", f"{en} (see person {row + 1})")
            yield place, "id", told


LANGUAGES = {
    "": "fr",
    "fr": "fr",
    "francais": "fr",
    "french": "fr",
    "en": "en",
    "anglais": "en",
    "english": "en",
}


def _valid(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


def commands_of(
    cohort_id: str, sided: Sequence[tuple[Side, Cells]], ids: Mapping[str, str]
) -> list[tuple[PersonContact, Command]]:
    """What each row asks for. `ids`: small address to person id. Rows without faults only."""
    by_name = {cells["id"]: cells["id"] for _, cells in sided if cells.get("id")} | dict(ids)

    def person(named: str) -> str:
        return by_name.get(named) or by_name[named.casefold()]

    found: list[tuple[PersonContact, Command]] = []
    for side, cells in sided:
        person_id = cells.get("id") or ids[cells["email"].casefold()]
        contact = PersonContact.model_validate(
            {
                "cohort_id": cohort_id,
                "person_id": person_id,
                "name": cells["name"],
                "email": cells["email"],
                "language": LANGUAGES[folded(cells.get("language", ""))],
            }
        )
        chief = next(iter(_parts(cells.get("line_manager", ""))), None)
        common = {
            "cohort_id": cohort_id,
            "directorate": cells["directorate"],
            "site": cells["site"],
            "organisation": _organisation(cells) or None,
            "availability": [w.model_dump() for w in week_of(cells)],
            "line_manager": person(chief) if chief else None,
            "excludes": [person(named) for named in _parts(cells.get("excludes", ""))],
        }
        tools = read_tools(cells.get("tools", ""))
        command: Command
        if side == "mentor":
            places = int(cells.get("capacity") or 1)
            own = {"mentor_id": person_id, "skills": tools, "capacity": places}
            command = VolunteerAsMentor.model_validate(common | own)
        else:
            job = job_of(cells["job_family"])
            own = {"manager_id": person_id, "job_family": job, "needs": tools}
            command = EnrolManager.model_validate(common | own)
        found.append((contact, command))
    return found


def _organisation(cells: Cells) -> str:
    return tidied(cells.get("organisation", ""))


def week_of(cells: Cells) -> tuple[Window, ...]:
    """The week of a row. Raises `NoWeek`."""
    return weeks.read_week(cells.get("availability", ""))
