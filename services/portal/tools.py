"""The tools that people teach and learn: what they are called, and the levels in words. Pure.

A tool's id is what events hold; its names are data, in tools.toml. A tool that is not there is
called by its id, so a cohort can have tools of its own.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from schemas.values import Language
from services.portal.spelling import folded

LEVELS: Mapping[int, Mapping[Language, str]] = {
    1: {"fr": "je débute", "en": "I am beginning"},
    2: {"fr": "je m’en sers", "en": "I use it"},
    3: {"fr": "je suis à l’aise", "en": "I am at ease with it"},
    4: {"fr": "je sais l’expliquer", "en": "I can explain it"},
    5: {"fr": "je forme les autres", "en": "I train others"},
}


@cache
def known_tools() -> Mapping[str, Mapping[str, str]]:
    """Tool id to its name by language."""
    text = files(__package__).joinpath("tools.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


def tool_name(tool: str, language: Language) -> str:
    """What people call it."""
    names = known_tools().get(tool)
    return tool.replace("-", " ") if names is None else names[language]


@cache
def _by_name() -> Mapping[str, str]:
    """Every spelling of a known tool, folded, to its id."""
    found = {}
    for tool, names in known_tools().items():
        for name in (tool, tool.replace("-", " "), *names.values()):
            found[folded(name)] = tool
    return found


def tool_of(name: str) -> str | None:
    """The id of a tool that somebody names; None if nobody knows it."""
    return _by_name().get(folded(name))


def level_of(text: str) -> int | None:
    """A level from its digit or its words; None if it is none."""
    said = folded(text)
    for level, words in LEVELS.items():
        if said in (str(level), *(folded(one) for one in words.values())):
            return level
    return None
