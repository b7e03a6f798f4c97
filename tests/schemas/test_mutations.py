"""No change of the contract that somebody would stumble over passes the gate; what adds, does.

Each is made in a copy of the sources, and the gate of the copy is asked (`mutating.py`).
"""

from pathlib import Path

import pytest

from tests.schemas.mutating import BREAKING, PAGE, PASSING, Change, of_a_change, row


@pytest.mark.parametrize("change", BREAKING, ids=str)
def test_a_change_that_breaks_is_found_where_it_is(change: Change, tmp_path: Path) -> None:
    found = of_a_change(change, tmp_path)
    assert any(str(change.field) in where for where, *_ in found), found
    assert all(part.strip() for finding in found for part in finding)
    assert row(change, found) in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("change", PASSING, ids=str)
def test_a_change_that_adds_passes(change: Change, tmp_path: Path) -> None:
    assert of_a_change(change, tmp_path) == []


def test_there_are_sixty_and_more_and_no_two_alike() -> None:
    assert len({change.what for change in (*BREAKING, *PASSING)}) == len(BREAKING) + len(PASSING)
    assert len(BREAKING) >= 60
