"""What a process that was killed in the middle of a transaction leaves on the database server."""

import asyncio
import threading

import pytest
from pymongo.errors import BulkWriteError
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from schemas.envelope import Record
from services.chassis.store.contract import Commit, Outgoing, Place
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
    killed._transactions.announce(session.delegate)
    session.start_transaction()
    await killed.database[PLACES].update_one({"_id": 0}, {"$set": {"order": 9}}, session=session)

    await next_one.claim()

    # the server gives up a transaction by itself after a minute
    async with asyncio.timeout(50):
        await next_one.commit(Commit([Place(0, 2)], [], []))
    assert (await next_one.places([0]))[0].step == 2
    await next_one.close()
    await killed.close()


class _Pausing(CommandListener):
    """Holds the driver up before it writes the outbox, until it may go on."""

    def __init__(self) -> None:
        self.reached, self.go_on, self.over = (threading.Event() for _ in range(3))
        self.ended: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "insert" and event.command["insert"] == "outbox":
            self.reached.set()
            self.go_on.wait()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name in ("commitTransaction", "abortTransaction"):
            self.ended.append(event.command_name)
            self.over.set()

    def failed(self, event: CommandFailedEvent) -> None:
        pass


async def test_a_commit_that_is_broken_off_before_its_end_leaves_nothing_behind(
    mongodb_uri: str, database: str
) -> None:
    pausing = _Pausing()
    store = MongoStore(mongodb_uri, database, (), listeners=[pausing])
    await store.open()
    record = Record("topic", 0, b"key", b"value", [])
    under_way = asyncio.create_task(
        store.commit(Commit([Place(0, 1)], [], [Outgoing(0, 1, [record])]))
    )
    await asyncio.to_thread(pausing.reached.wait)

    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    pausing.go_on.set()
    await asyncio.to_thread(pausing.over.wait)

    assert pausing.ended == ["abortTransaction"]
    assert (await store.places([0]), await store.outgoing([0])) == ({}, [])
    await store.close()


def test_a_write_that_no_majority_has_confirmed_is_tried_again_and_a_refused_one_is_not() -> None:
    unconfirmed = {"writeErrors": [], "writeConcernErrors": [{"code": 11601}]}
    refused = {"writeErrors": [{"code": 121}], "writeConcernErrors": []}

    assert is_transient(BulkWriteError(unconfirmed))
    assert not is_transient(BulkWriteError(refused))
