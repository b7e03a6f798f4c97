"""What partner coordinators see: the people of the organisations that they answer for, and no more.

Always holds: nobody else is listed, counted, found or told apart from who there is not; what stands
in no rule here they do not see. Of a pair with somebody of another organisation they are told that
person's name and post, for as long as the pair's two are told of each other; never anything said
in confidence.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.chassis.domain import D, Document
from services.chassis.store.contract import (
    EVERYWHERE,
    DeadlineAside,
    Where,
)
from services.portal.views import LIVING, Cohort, Pair, Participant, Session
from services.portal.web.narrowed import Narrowed

Scope = Callable[[str], frozenset[str] | None]
"""A cohort to the organisations whose people somebody sees there; None: they see everybody."""

IN_CONFIDENCE = frozenset(
    {
        *("asked_another", "wants_another", "at_risk", "reporting_line"),
        *("chosen_because", "reasons", "score", "first_tools"),
    }
)
"""Of a pair: what was said of it to coordinators alone, and how it was found."""
OF_EVERYBODY = frozenset({"figures", "criteria", "ready"})
"""Of a programme: what was measured of all of its people."""
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Partnered(Narrowed):
    """What a service shows, as far as it is of the people of somebody's organisations."""

    scope: Scope
    _people: dict[str, frozenset[str]] = field(default_factory=dict)

    async def people(self, cohort_id: str) -> frozenset[str]:
        """The ids of the people of the organisations, in a cohort. Raises `NoAnswer`."""
        if cohort_id not in self._people:
            there = Where(cohort_id, among={"organisation": self.scope(cohort_id) or ()})
            rows = await self.store.extract(Participant, ["id"], there, limit=MOST)
            self._people[cohort_id] = frozenset(row["id"] for row in rows)
        return self._people[cohort_id]

    async def others(self, cohort_id: str) -> frozenset[str]:
        """The ids of everybody else. Raises `NoAnswer`."""
        theirs = self.scope(cohort_id)
        if theirs is None:
            return frozenset()
        there = Where(cohort_id, without={"organisation": theirs})
        rows = await self.store.extract(Participant, ["id"], there, limit=MOST)
        return frozenset(row["id"] for row in rows)

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        found = await self.store.one(kind, cohort_id, id)
        return None if found is None else await self._seen(found)

    async def several(self, kind: type[D], cohort_id: str, ids: Collection[str]) -> list[D]:
        found = await self.store.several(kind, cohort_id, ids)
        seen = {one.id: one for one in [await self._seen(one) for one in found] if one is not None}
        others = {one.id: one for one in found if one.id not in seen}
        if kind is Participant and others:
            met = await self._met(cohort_id, others)
            seen |= {id_: _from_outside(one) for id_, one in others.items() if id_ in met}
        return list(seen.values())

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        if kind is Cohort:
            rows = await self.store.page(kind, where, limit, after, by)
            return [one for one in [await self._seen(row) for row in rows] if one is not None]
        asked = await self._asked(kind, where)
        pages = [await self.store.page(kind, one, limit, after, by) for one in asked]
        found = sorted((one for rows in pages for one in rows), key=lambda one: getattr(one, by))
        return [self._cut(one) for one in found[:limit]]

    async def count(
        self, kind: type[Document], where: Where = EVERYWHERE, after: str = "", by: str = "id"
    ) -> int:
        if kind is Cohort:
            return len(await self.page(kind, where, MOST, after, by))
        asked = await self._asked(kind, where)
        return sum([await self.store.count(kind, one, after, by) for one in asked])

    async def counts(self, asked: Sequence[tuple[type[Document], Where]]) -> list[int]:
        return [await self.count(kind, where) for kind, where in asked]

    async def tally(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        within: float | None = None,
    ) -> dict[tuple[str, ...], int]:
        found: Counter[tuple[str, ...]] = Counter()
        for one in await self._asked(kind, where, fields):
            found.update(await self.store.tally(kind, fields, one, within))
        return dict(found)

    async def deadlines_aside(self, limit: int) -> list[DeadlineAside]:
        del limit
        return []

    async def _asked(
        self, kind: type[Document], where: Where, fields: Iterable[str] = ()
    ) -> list[Where]:
        """What is asked for, of their people: each document by one of these alone."""
        if where.cohort_id is None:
            raise ValueError(f"{kind.__name__}: of which cohort, has to be known")
        theirs = self.scope(where.cohort_id)
        if theirs is None:
            return [where]
        if not IN_CONFIDENCE.isdisjoint((*where.equal, *fields)):
            return []
        if kind is Participant:
            return [_among(where, "organisation", theirs)]
        if kind in (Pair, Session):
            ids = await self.people(where.cohort_id)
            coached = _among(where, "manager_id", ids)
            others = ids.union(where.without.get("mentor_id", ()))
            return [
                _among(where, "mentor_id", ids),
                replace(coached, without={**where.without, "mentor_id": others}),
            ]
        return []

    async def _met(self, cohort_id: str, others: Mapping[str, Any]) -> set[str]:
        """Who of them is, in a pair that lives, with somebody of theirs."""
        found: set[str] = set()
        ids = await self.people(cohort_id)
        for other, own in (("mentor_id", "manager_id"), ("manager_id", "mentor_id")):
            two = Where(cohort_id, among={other: others.keys(), own: ids, "state": LIVING})
            rows = await self.store.extract(Pair, [other], two, limit=MOST)
            found |= {row[other] for row in rows}
        return found

    async def _seen(self, document: D) -> D | None:
        theirs = self.scope(document.cohort_id)
        if theirs is None:
            return document
        match document:
            case Cohort():
                seen = bool(theirs)
            case Participant():
                seen = document.organisation in theirs
            case Pair() | Session():
                ids = await self.people(document.cohort_id)
                seen = not ids.isdisjoint((document.mentor_id, document.manager_id))
            case _:
                seen = False
        return self._cut(document) if seen else None

    def _cut(self, document: D) -> D:
        """A document of theirs, without what it tells of others."""
        if self.scope(document.cohort_id) is None:
            return document
        match document:
            case Cohort():
                return _without(document, OF_EVERYBODY)
            case Pair():
                return _without(document, IN_CONFIDENCE)
            case Participant():
                return _without(document, ("pair_id",))
        return document


def _among(where: Where, name: str, values: Collection[str]) -> Where:
    named = where.among.get(name)
    both = values if named is None else frozenset(values).intersection(named)
    return replace(where, among={**where.among, name: both})


def _without(document: D, names: Iterable[str]) -> D:
    fields = type(document).model_fields
    nothing = {name: fields[name].get_default(call_default_factory=True) for name in names}
    return document.model_copy(update=nothing)


def _from_outside(document: D) -> D:
    """Somebody of another organisation as the one whom they are paired with knows them."""
    known = {name: getattr(document, name) for name in ("id", "cohort_id", "name", "post")}
    return type(document).model_validate({**known, "order": ""})
