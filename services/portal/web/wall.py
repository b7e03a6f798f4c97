"""What coordinators see: everything of their programmes, but nothing of whoever reports to them.

Always holds: behind the wall nothing is listed, counted, found or told apart from what there is
not; who stands behind it, `schemas.lines.below` says. Every kind of document stands in one of the
two tables, so that no new one can be forgotten.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.base import people_of
from schemas.lines import below, known_as
from services.chassis.domain import D, Document
from services.chassis.store.contract import (
    EVERYWHERE,
    Projections,
    Where,
)
from services.portal.views import (
    Apart,
    Cohort,
    Dispute,
    FailedLetter,
    HeldRole,
    Letter,
    Line,
    Pair,
    Participant,
    ProgrammeSheet,
    Round,
    Session,
    Simulation,
)
from services.portal.web.narrowed import Narrowed

_BOTH = ("mentor_id", "manager_id")
PEOPLE_IN: Mapping[type[Document], tuple[str, ...]] = {
    Participant: ("id",),
    Line: ("id", "line_manager", "said"),
    Pair: _BOTH,
    Session: _BOTH,
    Dispute: _BOTH,
    Apart: _BOTH,
    Letter: ("person_id", "about"),
    FailedLetter: ("person_id", "about"),
    HeldRole: ("person_id",),
}
"""The fields that name whom a document is about: it is hidden with any of them."""

NOBODY_IN: Collection[type[Document]] = (Cohort, Round, Simulation, ProgrammeSheet)
"""What is about nobody in particular; what it names of people is cut out of it."""

MOST_LINES = 1_000_000
Hidden = frozenset[str]


@dataclass(slots=True)
class Wall:
    """Whoever looks, by their address, and whom they do not see, cohort by cohort."""

    store: Projections
    address: str
    secret: str
    rule: Callable[[Iterable[tuple[str, str | None]], Collection[str]], Hidden] = below
    _known: dict[str, Hidden] = field(default_factory=dict)

    async def hidden(self, cohort_id: str) -> Hidden:
        """Everybody of this cohort above whom they stand. Raises `NoAnswer`."""
        if cohort_id not in self._known:
            self._known[cohort_id] = await self._below(cohort_id)
        return self._known[cohort_id]

    async def _below(self, cohort_id: str) -> Hidden:
        address = self.address.casefold()
        theirs = await self.store.page(Participant, Where(cohort_id, {"address": address}), 9)
        viewer = known_as(address, (person.id for person in theirs), self.secret)
        if not [one for one in sorted(viewer) if await self._is_chief(cohort_id, one)]:
            return frozenset()  # as of nearly everybody who coordinates
        fields = ("id", "line_manager", "said")
        rows = await self.store.extract(Line, fields, Where(cohort_id), limit=MOST_LINES)
        lines = [(row["id"], row[word]) for row in rows for word in fields[1:]]
        return self.rule(lines, viewer)

    async def _is_chief(self, cohort_id: str, who: str) -> bool:
        asked = [Where(cohort_id, {word: who}) for word in ("line_manager", "said")]
        return any([await self.store.page(Line, where, 1) for where in asked])


@dataclass(frozen=True, slots=True)
class Walled(Narrowed):
    """What a service shows, as somebody sees it from their side of the wall."""

    wall: Wall

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        return _seen(await self.store.one(kind, cohort_id, id), await self.wall.hidden(cohort_id))

    async def several(self, kind: type[D], cohort_id: str, ids: Collection[str]) -> list[D]:
        hidden = await self.wall.hidden(cohort_id)
        found = await self.store.several(kind, cohort_id, ids)
        return [one for document in found if (one := _seen(document, hidden)) is not None]

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        hidden, where = await self._without(kind, where)
        found = await self.store.page(kind, where, limit, after, by)
        return [_cut(document, hidden) for document in found]

    async def count(
        self, kind: type[Document], where: Where = EVERYWHERE, after: str = "", by: str = "id"
    ) -> int:
        _, where = await self._without(kind, where)
        return await self.store.count(kind, where, after, by)

    async def counts(self, asked: Sequence[tuple[type[Document], Where]]) -> list[int]:
        seen = [(kind, (await self._without(kind, where))[1]) for kind, where in asked]
        return await self.store.counts(seen)

    async def tally(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        within: float | None = None,
    ) -> dict[tuple[str, ...], int]:
        _, where = await self._without(kind, where)
        return await self.store.tally(kind, fields, where, within)

    async def _without(self, kind: type[Document], where: Where) -> tuple[Hidden, Where]:
        """What is asked for, without whom the wall hides. Of people one asks cohort by cohort."""
        if where.cohort_id is None:
            if kind is not Cohort:
                raise ValueError(f"{kind.__name__}: of which cohort, the wall has to know")
            return frozenset(), where
        hidden = await self.wall.hidden(where.cohort_id)
        if not hidden or kind in NOBODY_IN:
            return hidden, where
        others = {name: hidden.union(where.without.get(name, ())) for name in PEOPLE_IN[kind]}
        return hidden, replace(where, without={**where.without, **others})


def names(key: str, hidden: Hidden) -> bool:
    """Whether an id (of a pair, a session, a letter) names somebody behind the wall."""
    return not hidden.isdisjoint(key.replace("~", " ").replace(":", " ").replace("/", " ").split())


def _seen(document: D | None, hidden: Hidden) -> D | None:
    if document is None or not hidden:
        return document
    fields = PEOPLE_IN.get(type(document), ())
    if any(_named(getattr(document, name), hidden) for name in fields):
        return None
    return _cut(document, hidden)


def _named(value: Any, hidden: Hidden) -> bool:
    return value in hidden if isinstance(value, str) else not hidden.isdisjoint(value or ())


def _cut(document: D, hidden: Hidden) -> D:
    """The document without what it names of people behind the wall."""
    if not hidden:
        return document
    match document:
        case Participant(pair_id=str(pair_id)) if not hidden.isdisjoint(people_of(pair_id)):
            return document.model_copy(update={"pair_id": None})
        case Round():
            besides = tuple(p for p in document.besides if hidden.isdisjoint(people_of(p)))
            return document.model_copy(update={"besides": besides})
        case Simulation():
            pairs = [
                pair
                for pair in document.pairs
                if hidden.isdisjoint((pair.mentor_id, pair.manager_id))
            ]
            left = [place for place in document.left if place.manager_id not in hidden]
            return document.model_copy(update={"pairs": tuple(pairs), "left": tuple(left)})
    return document
