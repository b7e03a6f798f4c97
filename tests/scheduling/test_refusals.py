"""Whoever sends the form of a link is told which rule said no."""

import ast
from pathlib import Path

from services.scheduling.refusals import REFUSALS

SERVICE = Path(__file__).parents[2] / "services" / "scheduling"


def rules_of(name: str) -> set[str]:
    """The rules by which a file refuses."""
    calls = [
        n for n in ast.walk(ast.parse((SERVICE / name).read_text())) if isinstance(n, ast.Call)
    ]
    refusals = [n for n in calls if getattr(n.func, "id", "") == "Refusal"]
    return {n.args[1].value for n in refusals if isinstance(n.args[1], ast.Constant)}


def test_every_rule_about_a_time_has_its_words() -> None:
    about_times = rules_of("slots.py") | rules_of("moving.py")
    answered = {"no-proposal"}  # for which the plain words are the right ones
    assert about_times - answered <= REFUSALS.keys()


def test_no_words_are_kept_for_a_rule_that_is_gone() -> None:
    every = {rule for path in SERVICE.glob("*.py") for rule in rules_of(path.name)}
    assert REFUSALS.keys() <= every
