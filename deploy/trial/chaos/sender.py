"""How the load reaches the platform without letters: commands by Kafka in batches, and by HTTP.

Always holds: a batch goes out in order for each partition, and again under the same ids until it
is acknowledged; what HTTP leaves without an answer is sent anew as another command.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

import httpx
from aiokafka.errors import KafkaError

from deploy.trial.chaos.ledger import Ledger
from schemas.base import Command
from schemas.envelope import Record, encode
from schemas.people import PersonContact
from schemas.topics import COMMANDS, PEOPLE, Service, commands_topic, partition_of
from services.chassis.clock import Clock
from services.chassis.log.kafka import KafkaLog

SERVICE_OF: dict[type[Command], Service] = {
    kind: service for service, kinds in COMMANDS.items() for kind in kinds
}
PAUSE = 0.5
PATIENCE = 60.0


class Sender:
    """One client of the platform. `urls`: the addresses of a service's processes."""

    def __init__(
        self,
        bootstrap: str,
        urls: Callable[[Service], Sequence[str]],
        clock: Clock,
        partitions: int,
        ledger: Ledger,
        seed: str,
    ) -> None:
        self.ledger = ledger
        self.log = KafkaLog({"bootstrap_servers": bootstrap.split(",")})
        self._urls = urls
        self._clock = clock
        self._partitions = partitions
        self._chance = random.Random(f"{seed}:sender")  # noqa: S311  # no secret
        self._source = f"/chaos/{seed}"
        self._client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=30))

    async def close(self) -> None:
        await self.log.stop()
        await self._client.aclose()

    # --- Kafka --------------------------------------------------------------------------------

    def record(self, command: Command) -> tuple[str, Record]:
        """A command as it goes to its topic, and its id."""
        kind = type(command)
        topic = PEOPLE if kind is PersonContact else commands_topic(SERVICE_OF[kind])
        command_id = f"{self._chance.getrandbits(96):024x}"
        partition = partition_of(command.cohort_id, self._partitions)
        now = self._clock.now()
        record = encode(command, topic, partition, id=command_id, source=self._source, time=now)
        return command_id, record

    async def send(self, commands: Sequence[Command]) -> None:
        """Send commands to their topics; returns once all are acknowledged."""
        ids, records = zip(*(self.record(command) for command in commands), strict=True)
        await self.publish(records)
        self.ledger.acknowledged(list(ids))

    async def publish(self, records: Sequence[Record]) -> list[int]:
        """Make records durable, however often it takes; their offsets."""
        while True:
            try:
                return await self.log.publish(records)
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(PAUSE)

    # --- HTTP ---------------------------------------------------------------------------------

    async def post(self, command: Command, wait: int = 0) -> httpx.Response | None:
        """Ask one of a service's processes, another if it does not answer; None: nobody did."""
        kind = type(command)
        service: Service = "notify" if kind is PersonContact else SERVICE_OF[kind]
        body = command.model_dump_json()
        headers = {"content-type": "application/json"}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while loop.time() < deadline:
            url = self._chance.choice(self._urls(service))
            path = f"{url}/commands/{kind.__name__}"
            try:
                response = await self._client.post(
                    path, content=body, headers=headers, params={"wait": wait}
                )
            except httpx.HTTPError:
                await asyncio.sleep(PAUSE)
                continue
            if response.status_code < 500:
                self.ledger.answered(response)
                return response
            await asyncio.sleep(PAUSE)
        self.ledger.unanswered += 1
        return None

    async def get(self, service: Service, path: str) -> httpx.Response | None:
        """A projection, from whichever process answers."""
        for url in self._urls(service):
            try:
                response = await self._client.get(url + path)
            except httpx.HTTPError:
                continue
            if response.status_code == httpx.codes.OK:
                return response
        return None
