"""The service's database: MongoDB, through Motor. The only file that imports Motor.

Always holds: a step is one transaction with majority and journal; each place is written only
where its `step` is still the one that was read. Every read that a decision rests on is from the
primary with read concern majority.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from schemas.envelope import Record
from services.chassis.domain import Change, D, Document, Gone, Need, One
from services.chassis.store import Commit, Outgoing, Outpaced, Place

logger = logging.getLogger(__name__)

PLACES, OUTBOX, TOPICS, SESSIONS = "places", "outbox", "topics", "sessions_open"
ANNOUNCE_EVERY = 600.0  # seconds; a tenth of how long an announcement is kept
OUTBOX_BYTES = 8 * 1024 * 1024  # of a document that may have 16 MiB

_DURABLE = WriteConcern(w="majority", j=True)
_DUPLICATE_KEY = 11000


def row_of(partition: int, document: Document) -> dict[str, Any]:
    """A document as it is stored: its key, its partition, its fields."""
    return {"_id": document.key, "partition": partition, **document.model_dump()}


def place_row(place: Place) -> dict[str, Any]:
    """A place as it is stored; keys sorted, so that equal places are equal bytes."""
    return {
        "_id": place.partition,
        "step": place.step,
        "positions": dict(sorted(place.positions.items())),
        "seen": dict(sorted(place.seen.items())),
        "sequences": dict(sorted(place.sequences.items())),
        "order": place.order,
        "parked": place.parked,
    }


class MongoStore:
    """A service's own database. `documents` are the kinds that it keeps."""

    def __init__(self, uri: str, database: str, documents: Sequence[type[Document]]) -> None:
        self.client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri, tz_aware=True, serverSelectionTimeoutMS=3000, uuidRepresentation="standard"
        )
        self.database = self.client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=_DURABLE,
            read_concern=ReadConcern("majority"),
        )
        self.documents = documents
        self._owner = secrets.token_hex(8)
        self._announced: dict[Any, float] = {}

    @property
    def _collections(self) -> tuple[str, ...]:
        kinds = (kind.collection for kind in self.documents)
        return (PLACES, OUTBOX, TOPICS, SESSIONS, *kinds)

    async def open(self) -> None:
        """Create the collections and their indexes (a transaction must not)."""
        existing = set(await self.database.list_collection_names())
        for name in set(self._collections) - existing:
            await self.database.create_collection(name)
        await self.database[SESSIONS].create_index(
            "at", expireAfterSeconds=int(10 * ANNOUNCE_EVERY)
        )
        await self.database[OUTBOX].create_index([("partition", 1), ("step", 1), ("chunk", 1)])
        for kind in self.documents:
            collection = self.database[kind.collection]
            await collection.create_index([("cohort_id", 1), ("id", 1)])
            for fields in kind.indexes:
                await collection.create_index([(field, 1) for field in fields])
            if kind.timed:
                await collection.create_index(
                    [("partition", 1), ("due_at", 1)],
                    partialFilterExpression={"due_at": {"$type": "date"}},
                )

    async def close(self) -> None:
        self.client.close()

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        rows = self.database[PLACES].find({"_id": {"$in": list(partitions)}})
        return {row["_id"]: _place(row) async for row in rows}

    async def load(self, needs: Iterable[Need]) -> list[Document]:
        wanted: dict[type[Document], tuple[set[str], set[str]]] = {}
        for need in needs:
            keys, cohorts = wanted.setdefault(need.kind, (set(), set()))
            if isinstance(need, One):
                keys.add(f"{need.cohort_id}/{need.id}")
            else:
                cohorts.add(need.cohort_id)
        found = await asyncio.gather(
            *(self._find(kind, keys, cohorts) for kind, (keys, cohorts) in wanted.items())
        )
        return [document for documents in found for document in documents]

    async def _find(
        self, kind: type[Document], keys: set[str], cohorts: set[str]
    ) -> list[Document]:
        query: dict[str, Any] = {"_id": {"$in": list(keys)}}
        if cohorts:
            query = {"$or": [query, {"cohort_id": {"$in": list(cohorts)}}]}
        rows = await self.database[kind.collection].find(query).to_list(None)
        return [kind.model_validate(row) for row in rows]

    async def commit(self, commit: Commit) -> None:
        async with await self.client.start_session() as session:
            await self._announce(session)
            await self._commit(commit, session)

    async def _announce(self, session: AsyncIOMotorClientSession) -> None:
        """Let whoever comes after us know the session, so that they can end what we left open."""
        known: Any = session.session_id
        lsid = known["id"]
        now = time.monotonic()
        if now - self._announced.get(lsid, -ANNOUNCE_EVERY) >= ANNOUNCE_EVERY:
            row = {"_id": lsid, "owner": self._owner, "at": datetime.now(UTC)}
            await self.database[SESSIONS].replace_one({"_id": lsid}, row, upsert=True)
            self._announced[lsid] = now

    async def claim(self) -> None:
        # A process that was killed leaves its transaction open on the server, with its locks, for
        # a minute. Ending that of a process that lives only has it try its step again.
        others = self.database[SESSIONS].find({"owner": {"$ne": self._owner}})
        sessions = [{"id": row["_id"]} async for row in others]
        if sessions:
            try:
                await self.client.admin.command("killSessions", sessions)
            except OperationFailure as error:
                logger.warning("open transactions of others stay for a minute: %s", error.code)

    async def _commit(self, commit: Commit, session: AsyncIOMotorClientSession) -> None:
        async with session.start_transaction(write_concern=_DURABLE):
            await self._guard(commit.places, session)
            for kind, operations in _operations(commit.changes).items():
                await self.database[kind.collection].bulk_write(
                    operations, ordered=False, session=session
                )
            chunks = [row for outgoing in commit.outgoing for row in _chunks(outgoing)]
            if chunks:
                await self.database[OUTBOX].insert_many(chunks, session=session)

    async def _guard(self, places: Sequence[Place], session: AsyncIOMotorClientSession) -> None:
        operations: list[InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]] = []
        for place in places:
            row = place_row(place)
            if place.step == 1:
                operations.append(InsertOne(row))
            else:
                before = {"_id": place.partition, "step": place.step - 1}
                operations.append(ReplaceOne(before, row))
        try:
            result = await self.database[PLACES].bulk_write(operations, session=session)
        except BulkWriteError as error:
            if any(e["code"] == _DUPLICATE_KEY for e in error.details["writeErrors"]):
                raise Outpaced from None
            raise
        if result.matched_count + result.inserted_count != len(places):
            raise Outpaced

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        found: dict[tuple[int, int], list[Record]] = {}
        query = {"partition": {"$in": list(partitions)}}
        order = [("partition", 1), ("step", 1), ("chunk", 1)]
        async for row in self.database[OUTBOX].find(query).sort(order):
            records = found.setdefault((row["partition"], row["step"]), [])
            for topic, partition, key, value, headers in row["records"]:
                records.append(Record(topic, partition, key, value, list(headers.items())))
        return [Outgoing(partition, step, records) for (partition, step), records in found.items()]

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        # Losing this write would only have the records published again, so it need not be durable.
        outbox = self.database.get_collection(OUTBOX, write_concern=WriteConcern(w=1))
        await outbox.delete_many(
            {"$or": [{"partition": o.partition, "step": o.step} for o in outgoing]}
        )

    async def due(
        self, kind: type[D], partitions: Iterable[int], now: datetime, limit: int
    ) -> list[tuple[int, D]]:
        # `$type` lets the partial index serve the query.
        moment = {"$lte": now, "$type": "date"}
        query = {"partition": {"$in": list(partitions)}, "due_at": moment}
        cursor = self.database[kind.collection].find(query).sort("due_at", 1).limit(limit)
        rows = await cursor.to_list(None)
        return [(row["partition"], kind.model_validate(row)) for row in rows]

    async def find(
        self, kind: type[Document], query: dict[str, Any], limit: int = 1
    ) -> list[dict[str, Any]]:
        """Rows of a projection, by id; for HTTP and tools, not for decisions."""
        cursor = self.database[kind.collection].find(query).sort([("cohort_id", 1), ("id", 1)])
        return await cursor.limit(limit).to_list(None)

    async def count(self, kind: type[Document], query: dict[str, Any]) -> int:
        """How many documents of a projection there are."""
        return await self.database[kind.collection].count_documents(query)

    async def tally(
        self, kind: type[Document], fields: Sequence[str], query: dict[str, Any]
    ) -> dict[tuple[str, ...], int]:
        """How many documents there are per combination of fields, among those of the query."""
        group = {field: f"${field}" for field in fields}
        rows = self.database[kind.collection].aggregate(
            [
                {"$match": query},
                {"$group": {"_id": group, "n": {"$sum": 1}}},
            ]
        )
        return {tuple(str(row["_id"].get(f)) for f in fields): row["n"] async for row in rows}

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

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        for kind, operations in _operations([(place.partition, c) for c in changes]).items():
            await self.database[kind.collection].bulk_write(operations, ordered=False)
        if place.step:
            query = {"_id": place.partition}
            await self.database[PLACES].replace_one(query, place_row(place), upsert=True)

    async def differences(self, other: "MongoStore") -> list[str]:
        """Documents that are not the same bytes in both databases, as `collection/_id`."""
        found: list[str] = []
        for name in (PLACES, *(kind.collection for kind in self.documents)):
            mine, theirs = [await store.raw(name) for store in (self, other)]
            different = {k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k)}
            found.extend(f"{name}/{key}" for key in sorted(different, key=str))
        return found

    async def raw(self, collection: str) -> dict[Any, bytes]:
        """Every document of a collection as bytes, by its id."""
        options = CodecOptions(document_class=RawBSONDocument)
        rows = self.database.get_collection(collection, codec_options=options).find({})
        return {row["_id"]: row.raw async for row in rows}

    async def wipe(self) -> None:
        self._announced.clear()
        for name in self._collections:
            await self.database.drop_collection(name)
        await self.open()


def is_transient(error: Exception) -> bool:
    """Whether trying the step again can help: the database is away, moving or busy."""
    return isinstance(error, PyMongoError) and not isinstance(error, BulkWriteError)


def _operations(
    changes: Sequence[tuple[int, Change]],
) -> dict[type[Document], list[ReplaceOne[dict[str, Any]] | DeleteOne]]:
    found: dict[type[Document], list[ReplaceOne[dict[str, Any]] | DeleteOne]] = {}
    for partition, change in changes:
        if isinstance(change, Gone):
            delete = DeleteOne({"_id": change.document.key})
            found.setdefault(type(change.document), []).append(delete)
        else:
            row = row_of(partition, change)
            replace = ReplaceOne({"_id": row["_id"]}, row, upsert=True)
            found.setdefault(type(change), []).append(replace)
    return found


def _chunks(outgoing: Outgoing) -> Iterable[dict[str, Any]]:
    rows: list[list[Any]] = []
    size = chunk = 0
    for r in outgoing.records:
        weight = len(r.value or b"") + len(r.key or b"") + 512
        if rows and size + weight > OUTBOX_BYTES:
            yield _chunk(outgoing, chunk, rows)
            rows, size, chunk = [], 0, chunk + 1
        rows.append([r.topic, r.partition, r.key, r.value, dict(r.headers)])
        size += weight
    yield _chunk(outgoing, chunk, rows)


def _chunk(outgoing: Outgoing, chunk: int, rows: list[list[Any]]) -> dict[str, Any]:
    return {
        "_id": f"{outgoing.partition}/{outgoing.step}/{chunk}",
        "partition": outgoing.partition,
        "step": outgoing.step,
        "chunk": chunk,
        "records": rows,
    }


def _place(row: dict[str, Any]) -> Place:
    fields = ("step", "positions", "seen", "sequences", "order", "parked")
    return Place(row["_id"], *(row[field] for field in fields))
