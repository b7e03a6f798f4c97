"""docs/adding-an-event.md is true, and what no other test misses is missed here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import COMMANDS

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "docs" / "adding-an-event.md"
NAMED = sorted(set(re.findall(r"`([\w./-]+/[\w./-]+(?:::\w+)?)`", RECIPE.read_text("utf-8"))))


def used(path: Path) -> Iterator[str]:
    """The names that a file does something with; to import one is not enough."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id


@pytest.mark.parametrize("name", NAMED)
def test_every_file_and_every_test_that_the_recipe_names_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert (ROOT / file).exists(), file
    assert not test or f"def {test}(" in (ROOT / file).read_text("utf-8"), name


def test_the_recipe_names_files_and_tests() -> None:
    assert len([name for name in NAMED if "::" in name]) >= 10
    assert len([name for name in NAMED if "::" not in name]) >= 12


def test_a_new_command_with_its_event_and_letter_is_twelve_files_at_most() -> None:
    steps = re.findall(r"^\| (\d+) \| `([^`]+)` \|", RECIPE.read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert 10 <= len({file for _, file in steps}) == len(steps) <= 12


def test_somebody_in_the_simulation_sends_every_command() -> None:
    sent = set(used(ROOT / "tests" / "simulation" / "people.py"))
    assert {kind.__name__ for kinds in COMMANDS.values() for kind in kinds} <= sent


def test_the_tests_of_a_service_decide_on_every_command_of_it() -> None:
    for service, kinds in COMMANDS.items():
        files = (ROOT / "tests" / service).rglob("*.py")
        decided = {name for file in files for name in used(file)}
        assert {kind.__name__ for kind in kinds} <= decided, service
