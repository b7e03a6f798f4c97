"""What a step asks of the database, counted: it must not grow with the batch."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from pymongo import monitoring

from services.chassis.store.mongo import SESSIONS, MongoStore
from tests.chassis.toy import KINDS, PARTITIONS, World, confirm, formed


class Commands(monitoring.CommandListener):
    """Counts the commands that a database is sent."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command.get(event.command_name) != SESSIONS:  # each session is announced once
            self.names[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def listened(
    mongodb_uri: str, database: str, commands: Commands
) -> AsyncIterator[MongoStore]:
    store = MongoStore(mongodb_uri, database, KINDS, listeners=[commands])
    await store.open()
    yield store
    await store.close()


@pytest.mark.parametrize("cohorts", [1, 12])
@pytest.mark.parametrize("pairs", [2, 300])
async def test_a_step_asks_the_database_the_same_few_things_however_large_its_batch(
    listened: MongoStore, commands: Commands, pairs: int, cohorts: int
) -> None:
    world = World(store=listened)
    ids = [(f"m~g{number}", f"c{number % cohorts}") for number in range(pairs)]
    for pair, cohort in ids:
        world.publish(formed(pair, cohort=cohort))
    stepper = await world.run()
    for pair, cohort in ids:
        world.command(confirm(pair, cohort=cohort))
    commands.names.clear()

    await stepper.handle(world.waiting(stepper, 500))

    # Two collections are read at once; places, two collections and the outbox are written.
    assert commands.names == {
        **{"aggregate": 1, "update": 3, "insert": 1},
        **{"commitTransaction": 1, "delete": 1},
    }
    assert len(stepper.owned) == PARTITIONS
