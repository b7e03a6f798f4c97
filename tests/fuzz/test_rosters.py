"""Any bytes for a roster: the people in it, or what is wrong with it, and no name in that."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    RosterError,
    read_rosters,
)
from schemas.text import tidied
from tests.fuzz.corpus import entries

CELLS = {
    "id": "m-1",
    "name": "Zénobie Quercinois",
    "email": "zenobie@pilote.example",
    "language": "fr",
    "directorate": "DGFiP",
    "site": "Lyon",
    "skills": "linkedin:4",
    "capacity": "1",
    "availability": "mon 09:00-12:00",
    "line_manager": "",
    "excludes": "",
}
GOOD = ",".join(CELLS) + "\n" + ",".join(CELLS.values()) + "\n"
MANAGERS = (
    "id,name,email,language,directorate,site,job_family,needs,availability,line_manager,excludes\n"
    "g-1,Gaspard Noirclair,gaspard@pilote.example,fr,INSEE,Lyon,budget,linkedin:3,"
    "mon 09:00-12:00,,\n"
)
SIGNS = st.sampled_from([*"=+-@\t\r\n\0\",;:'|\ufeff\u2028\u202e\ud7ff😀é ", "\r\n", '""'])
cell = st.text(max_size=12) | st.lists(SIGNS, max_size=6).map("".join) | st.just("x" * 200_000)
many = settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rosters")


def outcome(folder: Path, mentors: bytes, managers: bytes = MANAGERS.encode()) -> Roster | str:
    """The people, or the findings as they are printed. Any other exception is a fault."""
    paths = folder / "mentors.csv", folder / "managers.csv"
    paths[0].write_bytes(mentors)
    paths[1].write_bytes(managers)
    try:
        return read_rosters(*paths, "c")
    except RosterError as error:
        assert error.findings
        return str(error)


@many
@given(st.binary(max_size=400))
def test_any_bytes_are_a_roster_or_what_is_wrong_with_it(folder: Path, content: bytes) -> None:
    assert isinstance(outcome(folder, content), str)
    outcome(folder, GOOD.encode() + content)
    outcome(folder, content + GOOD.encode())


@many
@given(st.sampled_from(list(CELLS)), cell)
@example("name", "=cmd|' /C calc'!A0")
@example("directorate", '=HYPERLINK("http://x")')
def test_any_cell_is_read_or_named(folder: Path, column: str, text: str) -> None:
    found = outcome(folder, written({**CELLS, column: text}))
    if isinstance(found, str):
        assert f"column {column}" in found or "line" in found
        assert "Zénobie" not in found, "no name in what is reported"
        assert len(found) < 10_000
    else:
        [mentor] = found.mentors
        [contact, _] = found.contacts
        told = mentor.model_dump(mode="json") | contact.model_dump(mode="json")
        if column in ("name", "directorate", "site"):
            assert told[column] == tidied(text), "what was read is what was there to be seen"
        if column == "email":
            assert told[column] == text.strip()


def written(cells: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([cells, cells.values()])
    return text.getvalue().encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_roster_is_read_with_a_mark_and_any_line_end(
    folder: Path, encoding: str, end: str
) -> None:
    assert isinstance(outcome(folder, GOOD.replace("\n", end).encode(encoding)), Roster)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_what_an_office_writes_is_read(folder: Path, encoding: str) -> None:
    assert isinstance(outcome(folder, GOOD.encode(encoding)), Roster)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32", "cp037"])
def test_another_encoding_is_named(folder: Path, encoding: str) -> None:
    found = outcome(folder, GOOD.encode(encoding))
    assert isinstance(found, str) and "UTF-8" in found


def test_what_was_once_a_fault_is_none_any_more(folder: Path) -> None:
    for _, content in entries("rosters"):
        outcome(folder, content)
        outcome(folder, GOOD.encode() + content)
        outcome(folder, GOOD.encode(), content)
    assert set(MENTOR_COLUMNS) == set(CELLS)
    assert MANAGERS.startswith(",".join(MANAGER_COLUMNS))
