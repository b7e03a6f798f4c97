"""Who watches a run in trouble goes on watching."""

import asyncio

from deploy.local.process import free_port
from deploy.trial.chaos.watch import Watch


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
