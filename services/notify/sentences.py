"""What a text of a letter says, with its facts. Pure.

Always holds: it says what its template says; a fact that is not there is an error, and no gap.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, StrictUndefined

from schemas import saying
from schemas.values import Language

JINJA = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
_NAMED, _BRACE = re.compile(r"\{\{ ([a-z]\w*) \}\}"), re.compile("[{}]")
"""A name that is put in, and what else a template can have."""


def say(text: str, facts: Mapping[str, Any], language: Language) -> str:
    """A sentence in its language, as it is printed."""
    if "{" not in text:
        return _fixed(text, language)
    return saying.typeset(filled(text)(facts), language).strip()


@lru_cache(maxsize=1024)
def _fixed(text: str, language: Language) -> str:
    """What is said in the same words of everybody."""
    return saying.typeset(_compiled(text).render(), language).strip()


@lru_cache(maxsize=512)
def filled(text: str) -> Callable[[Mapping[str, Any]], str]:
    """What makes a sentence of its facts. Most have a name or a date to put in, and no more."""
    if _BRACE.search(_NAMED.sub("", text)):
        return _compiled(text).render  # type: ignore[no-any-return]
    return _NAMED.sub(r"{\1}", text).format_map


@lru_cache(maxsize=512)
def _compiled(text: str) -> Any:
    return JINJA.from_string(text)
