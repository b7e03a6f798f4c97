"""Whom a coordinator is not told of: whoever they stand above in the reporting line. Pure.

Always holds: what a digest names, its reader finds on the portal's pages, too; who stands behind
the wall, `schemas.lines.below` says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.attention import AttentionKind, Matter
from schemas.lines import below, known_as

Hidden = frozenset[str]


@dataclass(frozen=True, slots=True)
class Open:
    """What wants attention, and everybody whom it is about: of a letter, whom it tells of, too."""

    kind: AttentionKind
    matter: Matter
    about: frozenset[str]


def hidden_from(
    coordinators: Mapping[str, str],
    people: Iterable[tuple[str, str]],
    lines: Iterable[tuple[str, str | None]],
    secret: str,
) -> dict[str, Hidden]:
    """Of each coordinator, whom they stand above.

    `coordinators`: id to address; `people`: everybody, (id, address); `lines`: a person and who
    they report to; `secret`: what ids of addresses are made with.
    """
    ids: dict[str, list[str]] = {}
    for person_id, address in people:
        ids.setdefault(address.casefold(), []).append(person_id)
    known = list(lines)
    return {
        who: below(known, known_as(address, ids.get(address.casefold(), ()), secret))
        for who, address in coordinators.items()
    }


def seen(matters: Iterable[Open], hidden: Hidden) -> list[Open]:
    """What is about nobody behind the wall."""
    return [matter for matter in matters if matter.about.isdisjoint(hidden)]
