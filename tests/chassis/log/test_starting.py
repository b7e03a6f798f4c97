"""A client that is broken off while it starts leaves no connection open."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deploy.operating.topics import admin_client
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.reader import Reader

TIMES, AT_MOST = 150, 0.006
"""Broken off so many times, up to so many seconds after the beginning: a start takes two to four
thousandths of a second here, and where it takes longer, all are within it."""


async def read(connection: dict[str, Any]) -> None:
    reader = Reader(**connection, enable_auto_commit=False)
    try:
        await reader.start()
    finally:
        await reader.stop()


async def write(connection: dict[str, Any]) -> None:
    log = KafkaLog(connection, idempotent=False)
    try:
        await log.start()
    finally:
        await log.stop()


async def administer(connection: dict[str, Any]) -> None:
    async with admin_client(connection):
        pass


@pytest.mark.parametrize("use", [read, write, administer])
async def test_who_is_broken_off_while_it_starts_leaves_no_connection_open(
    use: Callable[[dict[str, Any]], Awaitable[None]], kafka_bootstrap: str
) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)
        for turn in range(TIMES):
            try:
                async with asyncio.timeout(AT_MOST * turn / TIMES):
                    await use({"bootstrap_servers": kafka_bootstrap})
            except TimeoutError:
                pass
        gc.collect()
    assert [str(one.message) for one in heard if one.category is ResourceWarning] == []


async def test_a_reader_that_ends_at_once_does_not_end_who_called_it(kafka_bootstrap: str) -> None:
    await read({"bootstrap_servers": kafka_bootstrap})
