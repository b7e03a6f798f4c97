"""Rosters: what looks the same on a screen is the same, whoever typed it on whatever machine."""

import unicodedata
from pathlib import Path

import pytest

from tests.deploy.operating.test_rosters import Files, manager, mentor


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize(
    "spelling",
    [
        unicodedata.normalize("NFD", "DG Trésor"),
        "DG\u00a0Trésor",
        "DG\u202fTrésor\u200b",
        "DG\nTrésor",
        "\ufeffDG  Trésor",
    ],
)
def test_two_spellings_of_one_place_are_one_place(files: Files, spelling: str) -> None:
    places = {"directorate": spelling, "site": spelling}
    plain = {"directorate": "DG Trésor", "site": "DG Trésor"}
    roster = files.write([mentor(**places)], [manager(**plain, job_family=spelling)]).read()
    assert roster.mentors[0].directorate == roster.managers[0].directorate == "DG Trésor"
    assert roster.mentors[0].site == roster.managers[0].site == roster.managers[0].job_family


def test_somebody_in_both_files_may_be_spelt_in_two_ways(files: Files) -> None:
    name = "Zoé Tournevault"
    same = {"email": "zoe@pilote.example", "directorate": "SG"}
    decomposed = unicodedata.normalize("NFD", name)
    roster = files.write([mentor("x", name=decomposed, **same)], [manager("x", name=name, **same)])
    assert roster.read().contacts[0].name == name


def test_a_list_in_a_cell_may_have_spaces_and_lines_of_any_kind(files: Files) -> None:
    row = mentor(
        skills="linkedin:4;\nteams:\u00a03",
        availability="mon\u00a009:00-12:00;\u2028tue 09:00-10:00",
    )
    found = files.write([row]).read().mentors[0]
    assert found.skills == {"linkedin": 4, "teams": 3}
    assert [window.day for window in found.availability] == ["mon", "tue"]


@pytest.mark.parametrize(
    "address", ["a..b@a.example", ".a@a.example", "jörg@a.example", "a\u200bb@a.example"]
)
def test_an_address_that_no_letter_reaches_is_a_finding_that_says_why(
    files: Files, address: str
) -> None:
    finding = files.write([mentor(email=address)]).only()
    assert (finding.line, finding.column, finding.value) == (2, "email", None)
    assert "no accents, nothing unseen" in finding.expected
    assert address not in str(finding)
