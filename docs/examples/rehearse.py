"""Starts a broker with the rehearsal on it, to try a subscriber against, until Ctrl-C.

The embedded broker, the platform's topics and the records of rehearsal.jsonl; no service runs.
From a checkout, after `make up` or `make test` has installed what it needs:

    .venv/bin/python -m docs.examples.rehearse
"""

import asyncio
import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer

from deploy.local.broker import embedded_broker
from deploy.operating.topics import create_topics
from docs.examples.python.fake_publisher import records

PARTITIONS = 4


async def rehearse(directory: Path) -> None:
    async with embedded_broker(directory) as address:
        await create_topics({"bootstrap_servers": address}, partitions=PARTITIONS)
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            for row in records():
                await producer.send_and_wait(
                    row.topic, row.value, key=row.key, partition=row.partition, headers=row.headers
                )
        print(f"export KAFKA_BOOTSTRAP_SERVERS={address}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with TemporaryDirectory(prefix="rehearsal-") as name, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(rehearse(Path(name)))
