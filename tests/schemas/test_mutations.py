"""No change of the contract that somebody would stumble over passes the gate; what adds, does.

Each is made in a copy of the sources and taken back, and the gate of the copy is asked meanwhile
(`mutating.py`).
"""

from collections.abc import Iterator

import pytest

from tests.schemas.mutating import BREAKING, PAGE, PASSING, Change, Gate, gate, row


@pytest.fixture(scope="module")
def says(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with gate(tmp_path_factory.mktemp("gate")) as found:
        yield found


@pytest.mark.parametrize("change", BREAKING, ids=str)
def test_a_change_that_breaks_is_found_where_it_is(change: Change, says: Gate) -> None:
    found = says(change)
    assert any(str(change.field) in where for where, *_ in found), found
    assert all(part.strip() for finding in found for part in finding)
    assert row(change, found) in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("change", PASSING, ids=str)
def test_a_change_that_adds_passes(change: Change, says: Gate) -> None:
    assert says(change) == []


def test_there_are_sixty_and_more_and_no_two_alike() -> None:
    assert len({change.what for change in (*BREAKING, *PASSING)}) == len(BREAKING) + len(PASSING)
    assert len(BREAKING) >= 60
