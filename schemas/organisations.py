"""Of which organisation people are, and which ones a cohort has beside its own.

Always holds: the same organisation is spelt in one way, so that whoever coordinates it finds all of
its people and nobody else.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import StringConstraints

from schemas.base import described
from schemas.text import TIDY, tidied

_Name = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
AskedName = Annotated[_Name, TIDY]
MOST_NAMED = 50

Organisation = Annotated[
    _Name | None,
    described("The partner organisation that somebody is of; null: the cohort's own.", "Natixis"),
]
NewOrganisation = Annotated[
    Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] | None,
    TIDY,
    described("Another organisation; empty: the cohort's own; null: as it was.", "Natixis"),
]
Organisations = Annotated[
    tuple[_Name, ...] | None,
    described(
        "The organisations that people may be of, beside the cohort's own; null where nobody is "
        "asked, and any may be told.",
        ["Natixis"],
        min_length=1,
        max_length=MOST_NAMED,
    ),
]


def organisations_in(told: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names as people see them, without those in which there is nothing to see."""
    return tuple(filter(None, map(tidied, told or ()))) or None


def each_once(names: Iterable[str]) -> bool:
    """Whether no name stands there twice, in capitals or not."""
    listed = [tidied(name).casefold() for name in names]
    return len(set(listed)) == len(listed)
