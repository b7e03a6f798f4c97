"""What a process that was killed in the middle of a transaction leaves on the database server."""

import asyncio

from pymongo.errors import BulkWriteError

from services.chassis.store.contract import Commit, Place
from services.chassis.store.faults import is_transient
from services.chassis.store.generations import PLACES
from services.chassis.store.mongo import MongoStore


async def test_who_comes_after_a_killed_process_does_not_wait_for_its_transaction(
    mongodb_uri: str, database: str
) -> None:
    killed, next_one = (MongoStore(mongodb_uri, database, ()) for _ in range(2))
    await killed.open()
    await killed.commit(Commit([Place(0, 1)], [], []))
    # given a transaction with the place's lock, that nobody will ever end
    session = await killed.client.start_session()
    await killed._announce(session)
    session.start_transaction()
    await killed.database[PLACES].update_one({"_id": 0}, {"$set": {"order": 9}}, session=session)

    await next_one.claim()

    # the server gives up a transaction by itself after a minute
    async with asyncio.timeout(50):
        await next_one.commit(Commit([Place(0, 2)], [], []))
    assert (await next_one.places([0]))[0].step == 2
    await next_one.close()
    await killed.close()


def test_a_write_that_no_majority_has_confirmed_is_tried_again_and_a_refused_one_is_not() -> None:
    unconfirmed = {"writeErrors": [], "writeConcernErrors": [{"code": 11601}]}
    refused = {"writeErrors": [{"code": 121}], "writeConcernErrors": []}

    assert is_transient(BulkWriteError(unconfirmed))
    assert not is_transient(BulkWriteError(refused))
