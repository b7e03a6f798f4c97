"""A world of its own for every test, and a database for those that ask for one."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.settings import Settings
from services.chassis.store.mongo import MongoStore
from tests.chassis.toy import KINDS, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing of a service is set."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    return monkeypatch


@pytest.fixture
async def mongo(mongodb_uri: str, database: str) -> AsyncIterator[MongoStore]:
    store = MongoStore(mongodb_uri, database, KINDS)
    await store.open()
    yield store
    await store.close()
