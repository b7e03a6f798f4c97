"""Who watches a run in trouble goes on watching."""

import asyncio
import shutil
from pathlib import Path

from deploy.local.mongodb import mongod
from deploy.local.process import free_port
from deploy.trial.chaos.watch import Watch
from tests.conftest import eventually


async def _is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what is asked, as a broker that was stopped does, and never answers."""
    await reader.read()
    writer.close()


async def test_looks_that_meet_at_a_broker_that_does_not_answer_see_nothing_and_both_end(
    mongodb_uri: str,
) -> None:
    port = free_port()
    async with await asyncio.start_server(_is_silent, "127.0.0.1", port):
        watch = Watch(f"127.0.0.1:{port}", mongodb_uri, partitions=1)
        seen = await asyncio.gather(watch.look(), watch.look())
        await watch.close()
    assert seen == [None, None]


async def test_a_database_in_the_place_of_one_that_was_lost_is_seen(tmp_path: Path) -> None:
    async with mongod(tmp_path) as server:
        watch = Watch("127.0.0.1:1", server.uri, partitions=1)

        async def seen() -> bool:
            return await watch.tally("feedback", "surveys", "state") is not None

        for lost in (False, True):
            await eventually(seen)
            server.child.kill()
            await server.child.wait()
            if lost:  # it is at its first election, and the one before was at its second
                shutil.rmtree(server.data)
            await server.start()
        await eventually(seen)
        await watch.close()
