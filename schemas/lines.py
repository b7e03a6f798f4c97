"""Who reports to whom, whether or not they take part: what is asked of matching, and what it keeps.

A pair in one line of managers is a matter of the cohort's policy; it can only be seen where every
chief is known, and most of them take no part.

Always holds (the wall): whoever stands above somebody in the line sees nothing of their part in the
programme, whatever they are elsewhere; who that is, `below` alone decides.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import Command, Event, PersonId, described
from schemas.roles import COORDINATORS
from schemas.values import LineManager

LineRelation = Annotated[
    Literal["manager-above", "mentor-above", "same-manager"],
    described("How two people stand to each other in the reporting line.", "manager-above"),
]


class NameLineManager(Command):
    """Somebody reports to somebody: what a directory says of a person who need not take part.

    It counts from the next round on, before what the person said themselves. The newest one
    counts; pairs and proposals that stand are not touched.
    """

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    line_manager: Annotated[
        LineManager, Field(description="Who they report to; null: nobody stands above them.")
    ] = None

    @model_validator(mode="after")
    def _somebody_else(self) -> "NameLineManager":
        if self.line_manager == self.person_id:
            raise ValueError("line_manager: nobody reports to themselves")
        return self


class LineManagerNamed(Event):
    """A line of a directory: a person, and who they report to."""

    audience = "internal"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    line_manager: Annotated[
        LineManager, Field(description="Who they report to; null: nobody stands above them.")
    ] = None


def outsider(who: str, key: str) -> str:
    """By what somebody who takes no part is known in the lines: of what a directory calls them, or
    of their address, in small letters; the same with the same key, and telling nothing without."""
    return "x-" + blake2b(who.encode(), key=key.encode()[:64], digest_size=12).hexdigest()


def known_as(address: str, ids: Iterable[str], key: str) -> frozenset[str]:
    """By what somebody who looks is known in the lines: their address, and the ids that have it."""
    return frozenset((outsider(address.casefold(), key), *ids))


def line_told(event: Event) -> Mapping[str, str | None]:
    """What an event says of its subject's line: `line_manager` where a directory says it, `said`
    where they do; empty where it says nothing. Of both, the newest counts."""
    chief: str | None = getattr(event, "line_manager", None)
    if isinstance(event, LineManagerNamed):
        return {"line_manager": chief}
    return {} if chief is None else {"said": chief}


def below(lines: Iterable[tuple[str, str | None]], viewer: Collection[str]) -> frozenset[str]:
    """Everybody above whom the viewer stands, at whatever distance.

    `lines`: a person and who they report to, as a directory or the person says it, in any order;
    `viewer`: the ids by which whoever looks is known there.
    """
    reports: dict[str, list[str]] = {}
    for person, chief in lines:
        if chief is not None:
            reports.setdefault(chief, []).append(person)
    found: set[str] = set()
    ahead = list(viewer)
    while ahead:
        new = {person for person in reports.get(ahead.pop(), ()) if person not in found}
        found |= new
        ahead += new
    return frozenset(found - set(viewer))


def people_told_of(facts: Mapping[str, Any]) -> frozenset[str]:
    """Whom an event, as JSON, is about: a person, or the two of its pair."""
    named = {facts[name] for name in ("person_id", "mentor_id", "manager_id") if name in facts}
    for name in ("pair_id", "session_id", "survey_id"):
        if isinstance(facts.get(name), str) and "~" in facts[name]:
            named |= {*facts[name].split("~")[:2]}
    return frozenset(one for one in named if isinstance(one, str))
