"""What is kept beside the documents until a moment of real time: it may be lost without harm.

Always holds: nothing of it is a fold of anything, so no rebuild touches it and none brings it back;
what is past its moment is not there, whether it has been deleted yet or not; of several who `take`
the same thing at once, one gets it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.chassis.store.contract import Row
from services.chassis.store.views import answering

KEPT = "kept"


class Kept(Protocol):
    """Values by kind and key. Every method raises `NoAnswer`, and nothing else of a database.

    `until`, `now`: real time, not the programme's. `owner`: whose it is, to be forgotten together.
    """

    async def put(self, kind: str, key: str, value: Row, until: datetime, owner: str = "") -> None:
        """Keep it; what was there is replaced."""

    async def get(self, kind: str, key: str, now: datetime) -> Row | None:
        """What is there, if it is."""

    async def take(self, kind: str, key: str, now: datetime) -> Row | None:
        """What is there; afterwards nothing is."""

    async def settle(
        self, kind: str, key: str, value: Row, until: datetime, now: datetime, owner: str = ""
    ) -> Row:
        """What is there; if nothing is, this from now on."""

    async def count(self, kind: str, key: str, until: datetime, now: datetime) -> int:
        """How often this was asked, this time included, since the first of them was over."""

    async def owned(self, kind: str, owner: str, now: datetime, limit: int) -> list[Row]:
        """What is there of this owner, so many at most."""

    async def forget(self, kind: str, key: str) -> None:
        """Nothing is there."""

    async def forget_all(self, kind: str, owner: str) -> int:
        """Nothing of this owner is there; how many there were."""


class MongoKept:
    """In a collection of its own of a service's database (a Motor database)."""

    def __init__(self, database: Any) -> None:
        self._rows = database[KEPT]

    async def put(self, kind: str, key: str, value: Row, until: datetime, owner: str = "") -> None:
        row = {"value": value, "until": until, "kind": kind, "owner": owner}
        with answering():
            await self._rows.replace_one({"_id": f"{kind}/{key}"}, row, upsert=True)

    async def get(self, kind: str, key: str, now: datetime) -> Row | None:
        with answering():
            row = await self._rows.find_one(_there(kind, key, now))
        return None if row is None else row["value"]

    async def take(self, kind: str, key: str, now: datetime) -> Row | None:
        with answering():
            row = await self._rows.find_one_and_delete(_there(kind, key, now))
        return None if row is None else row["value"]

    async def settle(
        self, kind: str, key: str, value: Row, until: datetime, now: datetime, owner: str = ""
    ) -> Row:
        row = {"value": value, "until": until, "kind": kind, "owner": owner}
        with answering():
            await self._rows.delete_one({"_id": f"{kind}/{key}", "until": {"$lte": now}})
            try:
                found = await self._rows.find_one_and_update(
                    {"_id": f"{kind}/{key}"},
                    {"$setOnInsert": row},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:  # somebody was faster
                found = await self._rows.find_one({"_id": f"{kind}/{key}"})
        return value if found is None else found["value"]

    async def count(self, kind: str, key: str, until: datetime, now: datetime) -> int:
        first = {"until": until, "kind": kind, "owner": ""}
        with answering():
            await self._rows.delete_one({"_id": f"{kind}/{key}", "until": {"$lte": now}})
            try:
                row = await self._counted(kind, key, first)
            except DuplicateKeyError:  # somebody was faster, so now it is there
                row = await self._counted(kind, key, first)
        return int(row["times"])

    async def _counted(self, kind: str, key: str, first: Row) -> Any:
        return await self._rows.find_one_and_update(
            {"_id": f"{kind}/{key}"},
            {"$inc": {"times": 1}, "$setOnInsert": first},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )

    async def owned(self, kind: str, owner: str, now: datetime, limit: int) -> list[Row]:
        theirs = {"kind": kind, "owner": owner, "until": {"$gt": now}}
        with answering():
            rows = await self._rows.find(theirs, {"value": 1}).limit(limit).to_list(None)
        return [row["value"] for row in rows]

    async def forget(self, kind: str, key: str) -> None:
        with answering():
            await self._rows.delete_one({"_id": f"{kind}/{key}"})

    async def forget_all(self, kind: str, owner: str) -> int:
        with answering():
            gone = await self._rows.delete_many({"kind": kind, "owner": owner})
        return int(gone.deleted_count)


def _there(kind: str, key: str, now: datetime) -> dict[str, Any]:
    return {"_id": f"{kind}/{key}", "until": {"$gt": now}}


class MemoryKept:
    """In a process's own memory."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[Any, datetime, str]] = {}

    async def put(self, kind: str, key: str, value: Row, until: datetime, owner: str = "") -> None:
        self._rows[kind, key] = dict(value), until, owner

    async def get(self, kind: str, key: str, now: datetime) -> Row | None:
        value, until, _ = self._rows.get((kind, key), (None, now, ""))
        return value if until > now else None

    async def take(self, kind: str, key: str, now: datetime) -> Row | None:
        found = await self.get(kind, key, now)
        self._rows.pop((kind, key), None)
        return found

    async def settle(
        self, kind: str, key: str, value: Row, until: datetime, now: datetime, owner: str = ""
    ) -> Row:
        found = await self.get(kind, key, now)
        if found is not None:
            return found
        await self.put(kind, key, value, until, owner)
        return value

    async def count(self, kind: str, key: str, until: datetime, now: datetime) -> int:
        found = await self.get(kind, key, now)
        if found is None:
            self._rows[kind, key] = {"times": 1}, until, ""
            return 1
        found["times"] += 1
        return int(found["times"])

    async def owned(self, kind: str, owner: str, now: datetime, limit: int) -> list[Row]:
        rows = self._rows.items()
        theirs = [v for (k, _), (v, until, o) in rows if (k, o) == (kind, owner) and until > now]
        return theirs[:limit]

    async def forget(self, kind: str, key: str) -> None:
        self._rows.pop((kind, key), None)

    async def forget_all(self, kind: str, owner: str) -> int:
        theirs = [at for at, (_, _, whose) in self._rows.items() if (at[0], whose) == (kind, owner)]
        for at in theirs:
            del self._rows[at]
        return len(theirs)

    def forget_owners(self, owners: Collection[str]) -> None:
        """Nothing of these owners is there, of whatever kind."""
        for at in [at for at, (_, _, whose) in self._rows.items() if whose in owners]:
            del self._rows[at]
