"""The service's database: MongoDB, through Motor. The only file that imports Motor.

Always holds: a step is one transaction (`transaction.py`). Every read that a decision rests on is
from the primary with read concern majority, and from the generation that the step will write to:
that changes when places are read, never within a step.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import IndexModel, UpdateOne, WriteConcern
from pymongo.errors import OperationFailure
from pymongo.monitoring import CommandListener, ConnectionPoolListener
from pymongo.read_concern import ReadConcern

from schemas.envelope import Record
from services.chassis.domain import Cells, Change, D, Document, One
from services.chassis.store.causal import Confirmed
from services.chassis.store.contract import Commit, DeadlineAside, Outgoing, Place
from services.chassis.store.generations import PLACES, POINTER, Moving, prefix_of
from services.chassis.store.kept import KEPT, MongoKept
from services.chassis.store.rows import (
    WHICH,
    aside_operation,
    document_of,
    only,
    operations_of,
    place_of,
    place_row,
    these_of,
    unequal,
)
from services.chassis.store.transaction import (
    ANNOUNCE_EVERY,
    DURABLE,
    OUTBOX,
    SESSIONS,
    Transactions,
)
from services.chassis.store.views import ASIDE, Views

logger = logging.getLogger(__name__)

TOPICS = "topics"
CONFIRM_MS = 10_000  # within which a primary knows that it is one, and what a majority has
READ_AT_ONCE = 500  # documents; left to itself, the driver would ask for 101, and then again
NOTED_SECONDS = 7200  # after the moment of its next try, a deadline is not noted as set aside

_NAMESPACE_EXISTS = 48


class MongoStore(Views):
    """A service's own database. `documents` are the kinds that it keeps.

    With `generation` it is that one for good, live or not; else whichever is live.
    """

    database: AsyncIOMotorDatabase[dict[str, Any]]

    def __init__(
        self,
        uri: str,
        database: str,
        documents: Sequence[type[Document]],
        generation: int | None = None,
        listeners: Sequence[CommandListener | ConnectionPoolListener] = (),
    ) -> None:
        self.client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri,
            tz_aware=True,
            uuidRepresentation="standard",
            serverSelectionTimeoutMS=3000,
            # A primary that is frozen, and not gone, is noticed by a heartbeat without an answer.
            connectTimeoutMS=3000,
            heartbeatFrequencyMS=2000,
            event_listeners=list(listeners),
        )
        self._confirmed = Confirmed()
        whole = self.client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=DURABLE,
            read_concern=self._confirmed,
        )
        super().__init__(whole, generation)
        self.documents = documents
        self.kept = MongoKept(self.database)
        self._written = self._shown
        self._transactions = Transactions(whole.delegate)

    @property
    def collections(self) -> tuple[str, ...]:
        """The names of a generation's collections, without its prefix."""
        return tuple(dict.fromkeys((PLACES, OUTBOX, *(kind.collection for kind in self.documents))))

    def _own(self, name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        """A collection of the generation that steps write to."""
        return self.database[prefix_of(self._written) + name]

    async def open(self) -> None:
        """Create the collections and their indexes (a transaction must not), side by side."""
        await self.refresh()
        self._written = self._shown
        existing = set(await self.database.list_collection_names())
        old = IndexModel("at", expireAfterSeconds=int(10 * ANNOUNCE_EVERY))
        queue = IndexModel([("partition", 1), ("step", 1), ("chunk", 1)])
        past = IndexModel("until", expireAfterSeconds=NOTED_SECONDS)
        over, whose = (
            IndexModel("until", expireAfterSeconds=0),
            IndexModel([("owner", 1), ("kind", 1)]),
        )
        wanted = {POINTER: [], TOPICS: [], SESSIONS: [old], ASIDE: [past], KEPT: [over, whose]}
        own = {PLACES: [], OUTBOX: [queue]} | {k.collection: _indexes(k) for k in self.documents}
        wanted |= {prefix_of(self._written) + name: indexes for name, indexes in own.items()}
        await asyncio.gather(
            *(self._made(name, name in existing, indexes) for name, indexes in wanted.items())
        )

    async def _made(self, name: str, exists: bool, indexes: Sequence[IndexModel]) -> None:
        if not exists:
            try:
                await self.database.command("create", name)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:  # another process was faster
                    raise
        if indexes:
            await self.database[name].create_indexes(indexes)

    async def close(self) -> None:
        self.client.close()
        self._transactions.close()

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        wanted = list(partitions)
        found = await self._places(wanted)
        if not self._pinned and (len(found) < len(wanted) or _fenced(found)):
            await self.refresh()
            if self._shown != self._written:
                self._written = self._shown
                found = await self._places(wanted)
        if _fenced(found):
            await self.generations.lift_overdue(self._written)
            raise Moving("the places are fenced")
        return {row["_id"]: place_of(row) for row in found}

    async def _places(self, partitions: Sequence[int]) -> list[dict[str, Any]]:
        # A primary that was deposed and does not know it yet would tell of older ones.
        places = self._own(PLACES).with_options(read_concern=ReadConcern("linearizable"))
        size, query = len(partitions) + 1, {"_id": {"$in": partitions}}
        async with await self.client.start_session(causal_consistency=False) as session:
            rows = places.find(query, batch_size=size, session=session)
            found: list[dict[str, Any]] = await rows.max_time_ms(CONFIRM_MS).to_list(None)
            self._confirmed.learn(session)
        return found

    async def load(self, needs: Iterable[One]) -> list[Document]:
        wanted: dict[type[Document], set[str]] = {}
        for need in needs:
            wanted.setdefault(need.kind, set()).add(f"{need.cohort_id}/{need.id}")
        if not wanted:
            return []
        first, *others = (
            (prefix_of(self._written) + kind.collection, these_of(kind, keys))
            for kind, keys in wanted.items()
        )
        # What is asked for by its key comes in one answer, however many there are, of all kinds:
        # four questions take thrice the time of one, here and in the database.
        cursor = self.database[first[0]].aggregate(
            [*first[1], *({"$unionWith": {"coll": c, "pipeline": p}} for c, p in others)],
            batchSize=max(READ_AT_ONCE, sum(map(len, wanted.values())) + 1),
            maxTimeMS=CONFIRM_MS,
        )
        kinds = {kind.collection: kind for kind in wanted}
        found: list[Document] = []
        async for rows in _portions(cursor):
            found += [document_of(kinds[row.pop(WHICH)], row) for row in rows]
        return found

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        query = {"cohort_id": cohort_id} | {name: {"$eq": value} for name, value in equal.items()}
        cursor = self._own(kind.collection).find(query, only(fields), batch_size=READ_AT_ONCE)
        found: list[Cells] = []
        async for rows in _portions(cursor.sort("id", 1)):
            found += [tuple(map(row.get, fields)) for row in rows]
        return found

    async def alike(
        self, kind: type[Document], fields: Sequence[str], by: str, values: Collection[str]
    ) -> list[Cells]:
        found = self._own(kind.collection).find({by: {"$in": list(values)}}, only(fields))
        rows = await found.sort([("cohort_id", 1), ("id", 1)]).to_list(None)
        return [tuple(map(row.get, fields)) for row in rows]

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        portions = self._own(kind.collection).find_raw_batches(
            {"cohort_id": cohort_id}, only(fields), batch_size=READ_AT_ONCE
        )
        return [portion async for portion in portions.sort("id", 1)]

    async def commit(self, commit: Commit) -> None:
        session = await self._transactions.make(commit, prefix_of(self._written))
        self._confirmed.learn(session)

    async def claim(self) -> None:
        # A process that was killed leaves its transaction open on the server, with its locks, for
        # a minute. Ending that of a process that lives only has it try its step again.
        others = self.database[SESSIONS].find({"owner": {"$ne": self._transactions.owner}})
        sessions = [{"id": row["_id"]} async for row in others]
        if sessions:
            try:
                await self.client.admin.command("killSessions", sessions)
            except OperationFailure as error:
                logger.warning("open transactions of others stay for a minute: %s", error.code)

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        found: dict[tuple[int, int], list[Record]] = {}
        query = {"partition": {"$in": list(partitions)}}
        order = [("partition", 1), ("step", 1), ("chunk", 1)]
        async for row in self._own(OUTBOX).find(query).sort(order).max_time_ms(CONFIRM_MS):
            records = found.setdefault((row["partition"], row["step"]), [])
            for topic, partition, key, value, headers in row["records"]:
                records.append(Record(topic, partition, key, value, list(headers.items())))
        return [Outgoing(partition, step, records) for (partition, step), records in found.items()]

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        # Losing this write would only have the records published again, so it need not be durable.
        outbox = self._own(OUTBOX).with_options(write_concern=WriteConcern(w=1))
        await outbox.delete_many(
            {"$or": [{"partition": o.partition, "step": o.step} for o in outgoing]}
        )

    async def due(
        self,
        kind: type[D],
        partitions: Iterable[int],
        now: datetime,
        limit: int,
        besides: Sequence[str] = (),
    ) -> list[tuple[int, D]]:
        # `$type` lets the partial index serve the query.
        moment = {"$lte": now, "$type": "date"}
        query = {"partition": {"$in": list(partitions)}, "due_at": moment}
        if besides:
            query["_id"] = {"$nin": list(besides)}
        cursor = self._own(kind.collection).find(query, batch_size=limit + 1)
        rows = await cursor.sort("due_at", 1).limit(limit).max_time_ms(CONFIRM_MS).to_list(None)
        return [(row["partition"], document_of(kind, row)) for row in rows]

    async def next_due(self, kind: type[Document], partitions: Iterable[int]) -> datetime | None:
        query = {"partition": {"$in": list(partitions)}, "due_at": {"$type": "date"}}
        rows = self._own(kind.collection).find(query, {"due_at": 1}).sort("due_at", 1).limit(1)
        found = await rows.max_time_ms(CONFIRM_MS).to_list(None)
        return next((row["due_at"] for row in found), None)

    async def note_aside(self, news: Mapping[tuple[str, str], DeadlineAside | None]) -> None:
        await self.database[ASIDE].bulk_write([aside_operation(*item) for item in news.items()])

    async def changed_topics(self, present: Mapping[str, str]) -> list[str]:
        if not present:
            return []
        await self.database[TOPICS].bulk_write(
            [
                UpdateOne({"_id": topic}, {"$setOnInsert": {"topic_id": known}}, upsert=True)
                for topic, known in present.items()
            ]
        )
        rows = self.database[TOPICS].find({"_id": {"$in": list(present)}})
        return sorted([r["_id"] async for r in rows if r["topic_id"] != present[r["_id"]]])

    # --- rebuilding -------------------------------------------------------------------------

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        for kind, operations in operations_of([(place.partition, c) for c in changes]).items():
            await self._own(kind.collection).bulk_write(operations, ordered=False)
        if place.step:
            query = {"_id": place.partition}
            await self._own(PLACES).replace_one(query, place_row(place), upsert=True)

    async def steps(self, partitions: Iterable[int], session: Any = None) -> dict[int, int]:
        """How many steps each partition has made, fenced or not; with `session`, at its moment."""
        places = self._own(PLACES)
        if session is not None:
            places = places.with_options(read_concern=ReadConcern())
        rows = places.find({"_id": {"$in": list(partitions)}}, {"step": 1}, session=session)
        found = {row["_id"]: int(row["step"]) async for row in rows}
        return {partition: found.get(partition, 0) for partition in partitions}

    async def differences(self, other: "MongoStore", session: Any = None) -> list[str]:
        """Documents that are not the same bytes in both, as `collection/_id`.

        With `session` this one is read as it was at one moment.
        """
        found: list[str] = []
        for name in self.collections:
            if name == OUTBOX:
                continue
            keys = unequal(self.raw(name, session), other.raw(name))
            found.extend([f"{name}/{key}" async for key in keys])
        return found

    async def raw(self, collection: str, session: Any = None) -> AsyncIterator[tuple[Any, bytes]]:
        """Every document of a collection as bytes, by its id, in the order of ids."""
        options = CodecOptions(document_class=RawBSONDocument)
        rows = self._own(collection).with_options(codec_options=options)
        if session is not None:
            rows = rows.with_options(read_concern=ReadConcern())
        async for row in rows.find({}, session=session).sort("_id", 1):
            yield row["_id"], row.raw

    async def wipe(self) -> None:
        self._transactions.forget()
        for name in self.collections:
            await self._own(name).drop()
        for name in (
            (TOPICS, SESSIONS, ASIDE) if self._written == await self.generations.live() else ()
        ):
            await self.database.drop_collection(name)
        await self.open()


async def _portions(cursor: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """What a cursor gives, some at a time: the event loop goes round between them."""
    while len(rows := await cursor.to_list(READ_AT_ONCE)) == READ_AT_ONCE:
        yield rows
    yield rows


def _fenced(rows: Iterable[dict[str, Any]]) -> bool:
    return any("fenced" in row for row in rows)


def _indexes(kind: type[Document]) -> list[IndexModel]:
    """The indexes of a kind of document."""
    fields = (("cohort_id", "id"), *kind.indexes)
    found = [IndexModel([(field, 1) for field in names]) for names in fields]
    if kind.timed:
        due = {"due_at": {"$type": "date"}}
        found.append(IndexModel([("partition", 1), ("due_at", 1)], partialFilterExpression=due))
    return found
