"""The transaction of a step: in one thread from its beginning to its end.

Always holds: it is all or nothing, with majority and journal; each place is written only where its
`step` is still the one that was read, and not fenced. Whoever is broken off while waiting for it
leaves nothing behind, but for a commit that has already been asked for.

Through Motor each command would go to another thread and come back: six times for a step that has
nothing else to do meanwhile.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from pymongo import InsertOne, MongoClient, ReplaceOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from services.chassis.store.contract import Commit, Outpaced, Place, Row
from services.chassis.store.generations import PLACES
from services.chassis.store.kept import KEPT
from services.chassis.store.rows import Operation, chunks_of, operations_of, place_row

OUTBOX, SESSIONS = "outbox", "sessions_open"
ANNOUNCE_EVERY = 600.0  # seconds; a tenth of how long an announcement is kept

DURABLE = WriteConcern(w="majority", j=True)
_DUPLICATE_KEY = 11000


class BrokenOff(Exception):
    """Nobody waits for the transaction any more."""


class Transactions:
    """Makes the transactions of one process in one database (of the driver, without Motor)."""

    def __init__(self, database: Database[Row]) -> None:
        self.owner = secrets.token_hex(8)
        self._database = database
        self._client: MongoClient[Row] = database.client
        self._announced: dict[Any, float] = {}
        # Its own: threads that wait for a database that is away keep nobody else waiting.
        self._threads = ThreadPoolExecutor(4, "transaction")

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def forget(self) -> None:
        """What was announced is gone."""
        self._announced.clear()

    async def make(self, commit: Commit, prefix: str) -> ClientSession:
        """Make a step durable in the generation of this prefix; the session, which is over.

        Raises as `Store.commit` does.
        """
        broken_off, loop = threading.Event(), asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._make, commit, prefix, broken_off)
        except asyncio.CancelledError:
            broken_off.set()
            raise

    def _make(self, commit: Commit, prefix: str, broken_off: threading.Event) -> ClientSession:
        changed = {kind.collection: o for kind, o in operations_of(commit.changes).items()}
        beside = changed.pop(PLACES, [])
        chunks = [row for outgoing in commit.outgoing for row in chunks_of(outgoing)]
        with self._client.start_session() as session:
            self.announce(session)
            with session.start_transaction(write_concern=DURABLE):
                self._guard(self._database[prefix + PLACES], commit.places, beside, session)
                for name, operations in changed.items():
                    _go_on_unless(broken_off)
                    collection = self._database[prefix + name]
                    collection.bulk_write(operations, ordered=False, session=session)
                if chunks:
                    self._database[prefix + OUTBOX].insert_many(chunks, session=session)
                if commit.forgotten:
                    theirs = {"owner": {"$in": list(commit.forgotten)}}
                    self._database[KEPT].delete_many(theirs, session=session)
                _go_on_unless(broken_off)
            return session

    def announce(self, session: ClientSession) -> None:
        """Let whoever comes after us know the session, so that they can end what we left open."""
        lsid = session.session_id["id"]
        now = time.monotonic()
        if now - self._announced.get(lsid, -ANNOUNCE_EVERY) >= ANNOUNCE_EVERY:
            row = {"_id": lsid, "owner": self.owner, "at": datetime.now(UTC)}
            self._database[SESSIONS].replace_one({"_id": lsid}, row, upsert=True)
            self._announced[lsid] = now

    def _guard(
        self,
        collection: Any,
        places: Sequence[Place],
        beside: Sequence[Operation],
        session: ClientSession,
    ) -> None:
        """Write the places, each where nobody else has, and what lies beside them.

        Raises `Outpaced` where somebody has.
        """
        operations: list[InsertOne[Row] | Operation] = []
        for place in places:
            row = place_row(place)
            if place.step == 1:
                operations.append(InsertOne(row))
            else:
                before = {"_id": place.partition, "step": place.step - 1, "fenced": None}
                operations.append(ReplaceOne(before, row))
        try:
            result = collection.bulk_write([*operations, *beside], session=session)
        except BulkWriteError as error:
            if any(e["code"] == _DUPLICATE_KEY for e in error.details["writeErrors"]):
                raise Outpaced from None
            raise
        there = result.matched_count + result.deleted_count
        if there + result.inserted_count + result.upserted_count != len(places) + len(beside):
            raise Outpaced


def _go_on_unless(broken_off: threading.Event) -> None:
    if broken_off.is_set():
        raise BrokenOff
