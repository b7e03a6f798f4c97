"""Tools by the names that people write, and the levels in words. Pure.

What tools are called is in `schemas.known`. One that is not there is called as it is spelt, so a
cohort can have tools of its own.
"""

import re
from collections.abc import Mapping
from functools import cache

from schemas.known.tools import tools
from schemas.values import Language
from services.portal.spelling import folded

LEVELS: Mapping[int, Mapping[Language, str]] = {
    1: {"fr": "je débute", "en": "I am beginning"},
    2: {"fr": "je m’en sers", "en": "I use it"},
    3: {"fr": "je suis à l’aise", "en": "I am at ease with it"},
    4: {"fr": "je sais l’expliquer", "en": "I can explain it"},
    5: {"fr": "je forme les autres", "en": "I train others"},
}


def _spelling(name: str) -> str:
    """A name without its article, its plural, and what stands in brackets behind it."""
    bare = re.sub(r"\(.*?\)", " ", folded(name)).replace("-", " ")
    bare = re.sub(r"^(?:les?|la|the)\s|^l'", "", bare.strip())
    return " ".join(word.removesuffix("s") for word in bare.split())


@cache
def _by_name() -> Mapping[str, str]:
    """Every spelling of a known tool to its id."""
    found: dict[str, str] = {}
    for tool, known in tools().items():
        found |= {_spelling(name): tool for name in (tool, known.fr, known.en)}
    return found


def tool_of(name: str) -> str | None:
    """The id of a tool that somebody names; None if nobody knows it."""
    return _by_name().get(_spelling(name))


def level_of(text: str) -> int | None:
    """A level from its digit or its words; None if it is none."""
    said = folded(text)
    for level, words in LEVELS.items():
        if said in (str(level), *(folded(one) for one in words.values())):
            return level
    return None
