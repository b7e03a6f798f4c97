"""What is read is never older than what is known to be written.

After an election the new primary can show, at "majority", less than what a majority has (it does
not know yet); MongoDB answers a read that names a moment only once it knows of that moment.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.timestamp import Timestamp
from pymongo.monitoring import CommandListener, CommandStartedEvent

from services.chassis.domain import One
from services.chassis.store.contract import EVERYWHERE, Commit, Outgoing, Place
from services.chassis.store.mongo import MongoStore
from tests.chassis.toy import KINDS, Reminder, Tally

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
READS: dict[str, Callable[[MongoStore], Awaitable[Any]]] = {
    "load": lambda store: store.load([One(Tally, "c", "x")]),
    "columns": lambda store: store.columns(Tally, "c", ["id"], {}),
    "alike": lambda store: store.alike(Tally, ["id"], "id", ["x"]),
    "encoded": lambda store: store.encoded(Tally, "c", ["id"]),
    "outgoing": lambda store: store.outgoing([0]),
    "due": lambda store: store.due(Reminder, [0], NOW, 10),
    "next_due": lambda store: store.next_due(Reminder, [0]),
    "one": lambda store: store.one(Tally, "c", "x"),
    "several": lambda store: store.several(Tally, "c", ["x"]),
    "page": lambda store: store.page(Tally),
    "extract": lambda store: store.extract(Tally, ["id"], limit=1),
    "count": lambda store: store.count(Tally),
    "counts": lambda store: store.counts([(Tally, EVERYWHERE), (Tally, EVERYWHERE)]),
    "tally": lambda store: store.tally(Tally, ["id"]),
    "positions": lambda store: store.positions([0]),
}
"""Every way to read that a service has."""


class Heard(CommandListener):
    """From which moment on each read wanted to know; None: from no moment on."""

    def __init__(self) -> None:
        self.since: list[Timestamp | None] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate"):
            asked = event.command["readConcern"]
            assert asked["level"] == "majority"
            self.since.append(asked.get("afterClusterTime"))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


async def committed(store: MongoStore, step: int) -> Timestamp:
    """When the step's commit was, by the database's own clock."""
    tally = Tally(id="x", cohort_id="c", count=step)
    await store.commit(Commit([Place(0, step)], [(0, tally)], [Outgoing(0, step, [])]))
    ours = {"o.applyOps.ns": f"{store.database.name}.places"}
    newest = await store.client.local["oplog.rs"].find_one(ours, sort=[("$natural", -1)])
    assert newest is not None
    time: Timestamp = newest["ts"]
    return time


@pytest.mark.parametrize("name", READS)
async def test_a_read_waits_until_the_database_knows_of_the_last_commit(
    name: str, mongodb_uri: str, database: str
) -> None:
    heard = Heard()
    store = MongoStore(mongodb_uri, database, KINDS, listeners=[heard])
    await store.open()
    await committed(store, 1)
    written = await committed(store, 2)
    heard.since.clear()

    await READS[name](store)

    assert heard.since
    assert all(since is not None and since >= written for since in heard.since), heard.since
    await store.close()


async def test_who_takes_a_place_over_reads_what_others_have_committed(
    mongodb_uri: str, database: str
) -> None:
    heard = Heard()
    before = MongoStore(mongodb_uri, database, KINDS)
    after = MongoStore(mongodb_uri, database, KINDS, listeners=[heard])
    await before.open()
    await after.open()
    written = await committed(before, 1)

    assert (await after.places([0]))[0].step == 1
    heard.since.clear()
    [found] = await after.load([One(Tally, "c", "x")])

    assert isinstance(found, Tally)
    assert found.count == 1
    [since] = heard.since
    assert since is not None
    assert since >= written
    await before.close()
    await after.close()
