"""What people and tools see of a service's database on MongoDB.

Always holds: it shows the generation that was live when it was last refreshed; what the driver
raises does not leave (`NoAnswer` does, with it as its cause).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo.errors import PyMongoError

from services.chassis.domain import D, Document, text_of
from services.chassis.store.contract import EVERYWHERE, DeadlineAside, NoAnswer, Row, Where
from services.chassis.store.generations import PLACES, Generations, prefix_of
from services.chassis.store.rows import aside_of, document_of

ASIDE = "deadlines_aside"
_BY_ID = [("cohort_id", 1), ("id", 1)]


class Views:
    """The documents of a database (a Motor database), as the contract's `Projections`.

    With `generation` it shows that one for good, live or not; else whichever is live.
    """

    def __init__(self, database: Any, generation: int | None) -> None:
        self.database = database
        self.generations = Generations(database)
        self._pinned = generation is not None
        self._shown = generation or 1

    async def refresh(self) -> None:
        if not self._pinned:
            with answering():
                self._shown = await self.generations.live()

    def _view(self, name: str) -> Any:
        return self.database[prefix_of(self._shown) + name]

    async def deadlines_aside(self, limit: int) -> list[DeadlineAside]:
        with answering():
            rows = await self.database[ASIDE].find().sort("_id", 1).limit(limit).to_list(None)
        return [aside_of(row) for row in rows]

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        with answering():
            row = await self._view(kind.collection).find_one({"_id": f"{cohort_id}/{id}"})
        return None if row is None else document_of(kind, row)

    async def several(self, kind: type[D], cohort_id: str, ids: Collection[str]) -> list[D]:
        query = {"_id": {"$in": [f"{cohort_id}/{one}" for one in ids]}}
        with answering():
            rows = await self._view(kind.collection).find(query).to_list(None)
        return [document_of(kind, row) for row in rows]

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        with answering():
            found = self._view(kind.collection).find(_behind(kind, where, after, by))
            found = found.sort([("cohort_id", 1), (by, 1)]).limit(limit)
            rows = await found.to_list(None)
        return [document_of(kind, row) for row in rows]

    async def extract(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        *,
        limit: int,
        within: float | None = None,
    ) -> list[Row]:
        wanted = {"_id": False} | dict.fromkeys(fields, True)
        with answering():
            found = self._view(kind.collection).find(_query(kind, where), wanted).sort(_BY_ID)
            rows = await found.limit(limit).max_time_ms(_milliseconds(within)).to_list(None)
        return list(rows)

    async def count(
        self, kind: type[Document], where: Where = EVERYWHERE, after: str = "", by: str = "id"
    ) -> int:
        query = _behind(kind, where, after, by)
        with answering():
            return int(await self._view(kind.collection).count_documents(query))

    async def counts(self, asked: Sequence[tuple[type[Document], Where]]) -> list[int]:
        stages: list[dict[str, Any]] = []
        for number, (kind, where) in enumerate(asked):
            count: list[dict[str, Any]] = [
                {"$match": _query(kind, where)},
                {"$count": "n"},
                {"$set": {"of": number}},
            ]
            name = prefix_of(self._shown) + kind.collection
            stages += [{"$unionWith": {"coll": name, "pipeline": count}}] if number else count
        if not asked:
            return []
        with answering():
            rows = self._view(asked[0][0].collection).aggregate(stages)
            found = {row["of"]: int(row["n"]) async for row in rows}  # of what is not there, none
        return [found.get(number, 0) for number in range(len(asked))]

    async def tally(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        within: float | None = None,
    ) -> dict[tuple[str, ...], int]:
        group = {field: f"${field}" for field in fields}
        stages = [{"$match": _query(kind, where)}, {"$group": {"_id": group, "n": {"$sum": 1}}}]
        limit = _milliseconds(within) or 0  # which is no limit
        with answering():
            rows = self._view(kind.collection).aggregate(stages, maxTimeMS=limit)
            return {
                tuple(text_of(row["_id"].get(field)) for field in fields): row["n"]
                async for row in rows
            }

    async def positions(self, partitions: Iterable[int]) -> dict[tuple[str, int], int]:
        with answering():
            places = self._view(PLACES).find({"_id": {"$in": list(partitions)}}, {"positions": 1})
            return {
                (topic, row["_id"]): position
                async for row in places
                for topic, position in row["positions"].items()
            }


@contextmanager
def answering() -> Iterator[None]:
    """What the driver raises leaves as `NoAnswer`."""
    try:
        yield
    except PyMongoError as error:
        raise NoAnswer(type(error).__name__) from error


def _behind(kind: type[Document], where: Where, after: str, by: str) -> dict[str, Any]:
    query = _query(kind, where)
    return {"$and": [query, {by: {"$gt": after}}]} if after else query


def _query(kind: type[Document], where: Where) -> dict[str, Any]:
    # `$eq`, so that a value is a value whatever it looks like.
    query: dict[str, Any] = {name: {"$eq": value} for name, value in where.equal.items()}
    if where.cohort_id is not None:
        query["cohort_id"] = where.cohort_id
    elif kind.collection == PLACES:
        query["cohort_id"] = {"$exists": True}  # beside the places, which have none
    if where.partitions is not None:
        query["partition"] = {"$in": list(where.partitions)}
    both: list[dict[str, Any]] = [
        {f: {"$regex": f"^{re.escape(text)}"}} for f, text in where.starting
    ]
    both += [{f: {"$gte": start, "$lt": end}} for f, (start, end) in where.between.items()]
    both += [{f: {"$nin": sorted(values)}} for f, values in where.without.items()]
    both += [{f: {"$in": sorted(values)}} for f, values in where.among.items()]
    if both:
        query["$and"] = both
    return query


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(int(seconds * 1000), 1)
