"""The job families by name, and the tools that their work asks for, with the reasons.

Data, in job_families.toml and in what a deployment adds. Always holds: any family can be said, and
asks for some tool; one that is not in the table is said as it is spelt, and asks for what every job
does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter

from schemas.base import Value
from schemas.known.added import table
from schemas.values import JobFamily, Level, ToolName, Words

GENERAL = "general"


class Recommended(Value):
    """To what level a job asks for a tool, and what for: an infinitive, `to` left out."""

    level: Level
    fr: str
    en: str


class Family(Value):
    """A job family: its names, and what is recommended to whoever is in charge of it."""

    fr: str
    en: str
    tools: Annotated[dict[ToolName, Recommended], Field(min_length=1)]


@cache
def job_families() -> Mapping[str, Family]:
    """Every family by id, but for `general`."""
    return {name: family for name, family in _table().items() if name != GENERAL}


def is_known(job_family: str) -> bool:
    """Whether the table has the family, by its id or by one of its names."""
    return _spelling(job_family) in _by_spelling()


def recommended(job_family: str) -> Mapping[str, Recommended]:
    """The tools that the family's work asks for, and why; what every job asks for, if unknown."""
    return (_by_spelling().get(_spelling(job_family)) or _table()[GENERAL]).tools


def needs_of(job_family: str) -> dict[str, int]:
    """The tools that the job asks for, with levels."""
    return {tool: why.level for tool, why in recommended(job_family).items()}


def said(job_family: str) -> Words:
    """The family's name, whether it is known or not."""
    known = _by_spelling().get(_spelling(job_family))
    return Words(fr=known.fr, en=known.en) if known else Words(fr=job_family, en=job_family)


@cache
def _table() -> Mapping[str, Family]:
    return TypeAdapter(dict[JobFamily, Family]).validate_python(table("job_families.toml"))


@cache
def _by_spelling() -> Mapping[str, Family]:
    spelt: dict[str, Family] = {}
    for name, family in job_families().items():
        spelt |= {_spelling(text): family for text in (name, family.fr, family.en)}
    return spelt


def _spelling(text: str) -> str:
    return text.replace("’", "'").casefold()
