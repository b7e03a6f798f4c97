"""Which generation of a service's database is the live one, and how another takes its place.

A generation is a set of collections with a prefix of its own (the first has none) in the
service's one database, so its credentials go on to fit. Always holds: exactly one generation is
live; a new one becomes live in one transaction, and only if every place of the old one is fenced
then, so that nothing was written to the old one that the new one does not have. A fence that
nobody renews falls by itself.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

PLACES, POINTER = "places", "generations"
A_PLACE = {"_id": {"$type": "number"}}
"""Of what lies among the places: beside them are the counts of their cohorts."""
FENCE_SECONDS = 30
_ID = "live"


class Moving(PyMongoError):
    """The places are fenced: another generation is about to become the live one. It passes."""


class FenceFell(Exception):
    """The fence did not last until the new generation was ready; nothing has changed."""


def prefix_of(generation: int) -> str:
    """What the names of a generation's collections begin with."""
    return "" if generation == 1 else f"g{generation}."


class Generations:
    """The generations of one database (a Motor database)."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self._pointer = database[POINTER]

    async def live(self) -> int:
        """The live generation's number."""
        row = await self._pointer.find_one({"_id": _ID})
        return int(row["number"]) if row else 1

    async def reserve(self) -> int:
        """The number of a generation that is to be built; nobody else is given it."""
        counter = await self._pointer.find_one_and_update(
            {"_id": "reserved"},
            {"$inc": {"number": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(counter["number"]) + 1

    async def older(self) -> list[int]:
        """The generations before the live one of which something is left."""
        names = await self.database.list_collection_names()
        live = await self.live()
        return [n for n in range(1, live) if prefix_of(n) + PLACES in names]

    async def drop(self, generation: int, collections: Iterable[str]) -> None:
        """Remove a generation that is not live."""
        assert generation != await self.live(), "the live generation is not dropped"
        for name in collections:
            await self.database.drop_collection(prefix_of(generation) + name)

    # --- the fence --------------------------------------------------------------------------

    async def fence(self, partitions: Iterable[int]) -> str:
        """Keep everybody from writing to the live generation for a while; the fence's token."""
        token = secrets.token_hex(8)
        places = self.database[prefix_of(await self.live()) + PLACES]
        until = {"$add": ["$$NOW", FENCE_SECONDS * 1000]}
        # A place that does not exist yet would otherwise be made meanwhile.
        empty = {"step": 0, "positions": {}, "seen": {}, "sequences": {}, "order": 0, "parked": 0}
        fields = {name: {"$ifNull": [f"${name}", {"$literal": v}]} for name, v in empty.items()}
        for partition in partitions:
            await places.update_one(
                {"_id": partition},
                [{"$set": {**fields, "fenced": {"token": token, "until": until}}}],
                upsert=True,
            )
        return token

    async def lift(self, token: str) -> None:
        """Take a fence away again, unless the change-over that it was for has been made.

        Whoever asks may not know that: the answer to a commit can get lost.
        """
        places = self.database[prefix_of(await self.live()) + PLACES]
        mine = {"fenced.token": token, "fenced.until": {"$exists": True}}
        await places.delete_many({**mine, "step": 0})
        await places.update_many(mine, {"$unset": {"fenced": ""}})

    async def lift_overdue(self, generation: int) -> None:
        """Take away the fences that have stood too long: whoever set them has died."""
        places = self.database[prefix_of(generation) + PLACES]
        # What was fenced for good has no such moment, and nothing is less than a moment.
        overdue = {
            "fenced.until": {"$exists": True},
            "$expr": {"$lt": ["$fenced.until", "$$NOW"]},
        }
        await places.delete_many({**overdue, "step": 0})
        await places.update_many(overdue, {"$unset": {"fenced": ""}})

    async def swap(self, token: str, partitions: int, generation: int) -> None:
        """Make a generation the live one, or raise `FenceFell`. The old one stays fenced."""
        live = await self.live()
        if live > generation:
            raise FenceFell(f"generation {live} has become the live one meanwhile")
        places = self.database[prefix_of(live) + PLACES]
        durable = WriteConcern(w="majority", j=True)
        async with (
            await self.database.client.start_session() as session,
            session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=durable),
        ):
            result = await places.update_many(
                {"fenced.token": token},
                {"$set": {"fenced": {"token": token, "next": generation}}},
                session=session,
            )
            if result.matched_count != partitions:
                raise FenceFell("the fence fell before the new generation was ready")
            await self._pointer.replace_one(
                {"_id": _ID}, {"number": generation}, upsert=True, session=session
            )
