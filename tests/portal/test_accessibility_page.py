"""RGAA's list in `docs/accessibility.md` is whole, and names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "accessibility.md").read_text(encoding="utf-8")
CRITERIA = (9, 2, 3, 13, 8, 2, 5, 10, 4, 14, 13, 11, 12)
"""How many each of the thirteen themes of RGAA 4.1 has; 106 in all."""
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d", line)
]


def test_every_criterion_has_its_line_once() -> None:
    wanted = [f"{n}.{m}" for n, many in enumerate(CRITERIA, 1) for m in range(1, many + 1)]
    assert [number for number, *_ in LINES] == wanted


def test_every_line_says_what_holds_here() -> None:
    for number, *cells in LINES:
        assert len(cells) == 3, number
        assert all(cells), number


def test_every_test_that_is_named_is_there() -> None:
    files = [*(ROOT / "tests" / "portal").glob("*.py"), *(ROOT / "tests" / "journeys").glob("*.py")]
    there = {file.name for file in files}
    for file in files:
        there |= set(re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8")))
    named = {name for *_, held_by in LINES for name in re.findall(r"`([\w.]+)`", held_by)}
    assert named - there == set()
