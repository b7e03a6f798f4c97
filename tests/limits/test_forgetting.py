"""What it takes to forget somebody among very many."""

from datetime import UTC, datetime
from typing import Any

from pymongo.monitoring import CommandListener, CommandStartedEvent

from services.chassis.store.contract import Commit, Place
from services.chassis.store.kept import KEPT
from services.chassis.store.mongo import MongoStore
from tests.chassis.toy import KINDS

MANY = 500
FAR = datetime(2126, 1, 1, tzinfo=UTC)


class Deletes(CommandListener):
    """What was asked to be deleted beside the documents."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "delete" and event.command["delete"] == KEPT:
            self.asked += event.command["deletes"]

    def succeeded(self, _: Any) -> None:
        """Nobody asks."""

    def failed(self, _: Any) -> None:
        """Nobody asks."""


async def test_what_is_kept_of_somebody_is_forgotten_without_looking_through_all_that_is_kept(
    mongodb_uri: str, database: str
) -> None:
    deletes = Deletes()
    store = MongoStore(mongodb_uri, database, KINDS, None, [deletes])
    await store.open()
    for number in range(MANY):
        await store.kept.put("session", str(number), {}, FAR, f"owner-{number}")

    await store.commit(Commit([Place(0, step=1)], [], [], ["owner-7", "nobody"]))

    [asked] = deletes.asked
    what = {"delete": KEPT, "deletes": [asked]}
    plan = await store.database.command("explain", what, verbosity="executionStats")
    assert plan["executionStats"]["totalDocsExamined"] <= 1
    assert await store.kept.get("session", "7", datetime.now(UTC)) is None
    assert await store.kept.get("session", "8", datetime.now(UTC)) is not None
    await store.close()
