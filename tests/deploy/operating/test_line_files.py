"""The reporting line from a directory's file: those above whoever takes part, none by name."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.errors import BadInput
from deploy.operating.line_files import read_lines
from deploy.operating.roster_files import RosterError
from deploy.operating.rosters import Roster
from tests.deploy.operating.test_rosters import Files, manager, mentor

KEY = "a key of sixteen characters or more"


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    """m-1, m-2 and g-1 take part."""
    files = Files(tmp_path)
    return files.write([mentor("m-1"), mentor("m-2")], [manager("g-1")]).read()


def read(
    tmp_path: Path, roster: Roster, text: str | bytes, key: str | None = KEY
) -> dict[str, str | None]:
    path = tmp_path / "lines.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = read_lines(path, "c", roster, key)
    assert len({line.person_id for line in found}) == len(found)
    return {line.person_id: line.line_manager for line in found}


def faults(tmp_path: Path, roster: Roster, text: str | bytes) -> list[str]:
    with pytest.raises(RosterError) as caught:
        read(tmp_path, roster, text)
    return [
        f"{finding.line} {finding.column}: {finding.expected}" for finding in caught.value.findings
    ]


def test_those_who_take_part_are_named_by_their_id_whatever_the_directory_calls_them(
    tmp_path: Path, roster: Roster
) -> None:
    text = "personne;responsable\nZenobie-M-1@pilote.example;g-1\nm-2;gaspard-g-1@pilote.example\n"
    assert read(tmp_path, roster, text, key=None) == {"m-1": "g-1", "m-2": "g-1"}


def test_chiefs_who_take_no_part_have_a_pseudonym_that_is_the_same_each_time(
    tmp_path: Path, roster: Roster
) -> None:
    text = "person;chief\nm-1;anne.roy@dgfip.example\nanne.roy@dgfip.example;g-1\n"
    once = read(tmp_path, roster, text)
    chief = once["m-1"]
    assert chief is not None and chief.startswith("x-") and once[chief] == "g-1"
    assert "anne" not in str(once)
    assert read(tmp_path, roster, text) == once
    assert read(tmp_path, roster, text, key=KEY + "!")["m-1"] != chief


def test_of_a_whole_directory_only_those_above_somebody_who_takes_part_are_told(
    tmp_path: Path, roster: Roster
) -> None:
    text = "person;chief\n0017;0018\n0019;m-1\nm-1;0020\n0020;0021\n0021;\n"
    found = read(tmp_path, roster, text)
    assert len(found) == 3 and list(found.values())[-1] is None


def test_without_a_key_nobody_who_takes_no_part_is_told(tmp_path: Path, roster: Roster) -> None:
    for key in (None, "", "short"):
        with pytest.raises(BadInput, match="CONNECTE_PSEUDONYM_KEY: 16 characters"):
            read(tmp_path, roster, "person;chief\nm-1;0020\n", key)


@pytest.mark.parametrize(
    "text",
    [
        "person;chief\nm-1;g-1\n",
        "﻿Agent,N+1\r\nm-1,g-1\r\n",
        "ministère\tmatricule\tchef\nx\tm-1\tg-1\n",
        "person;chief\n\n;;\nM-1 ; G-1\n",
        "agent;responsable;bureau\nm-1;g-1;Contrôle".encode("cp1252"),
        "person;chief\nm-1;g-1\n".encode("utf-16"),
    ],
)
def test_a_file_is_read_as_offices_and_directories_write_it(
    tmp_path: Path, roster: Roster, text: str | bytes
) -> None:
    assert read(tmp_path, roster, text) == {"m-1": "g-1"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("person;chief\nm-1;m-1\n", "2 chief: somebody else than the person"),
        ("person;chief\n;g-1\n", "2 person: who reports to the chief"),
        (
            "person;chief\nm-1;g-1\nzenobie-m-1@pilote.example;g-2\n",
            "3 chief: one chief of each person, and line 2 names another",
        ),
        (
            "person;chief\nm-1;b\nx;y\nb;m-1\n",
            "2 chief: lines without a circle, and lines 2 → 4 lead back to themselves",
        ),
        ("name;site\na;b\n", "1 None: two columns with a heading each, as person;chief"),
        ('person;chief\nm-1;"g-1\n', "2 None: quotes that are closed on their line"),
        ("", "None None: lines of text, and it is empty"),
        (b"\0\1\2", "None None: lines of text"),
    ],
)
def test_what_is_wrong_is_named_by_its_line_and_nobody_is_shown(
    tmp_path: Path, roster: Roster, text: str | bytes, fault: str
) -> None:
    [found] = faults(tmp_path, roster, text)
    assert found.startswith(fault)
    assert "zenobie" not in found


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, roster: Roster) -> None:
    assert len(faults(tmp_path, roster, "person;chief\nm-1;m-1\n;g-1\nm-2;g-1\nm-2;b\n")) == 3


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_there_are_lines_or_a_clear_answer(content: bytes) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "lines.csv"
        path.write_bytes(content)
        try:
            read_lines(path, "c", Roster((), (), ()), KEY)
        except BadInput as error:
            assert str(error)
