"""A platform as in a cluster: two processes of each service, probed, and Prometheus with our rules.

Always holds: whatever ends the block, every process has ended. A small, steady load goes on: people
enrol, letters leave, somebody looks at the pages; only ready processes are asked.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.local.kafka import KafkaCluster, apache_kafka
from deploy.local.mail import Mailbox
from deploy.local.mongodb import Mongod, mongod
from deploy.local.process import free_ports
from deploy.local.prometheus import prometheus
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.topics import create_topics
from deploy.trial.chaos.population import POLICY, Crowd
from schemas.base import Command
from schemas.letter_rules import LetterRules
from schemas.topics import Service
from tests.deploy.alerts.alerting import RULES
from tests.outages.kubelet import Pod

COPIES = 2
PARTITIONS = 12
MONDAY = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)  # letters leave, whenever it is run
INTERVAL = "30s"  # podMonitor.interval of the chart
LOAD_EVERY = 2.0
COHORT = "outage"


@dataclass(slots=True)
class Site:
    """`pods`: two of each service."""

    directory: Path
    cluster: KafkaCluster
    mongod: Mongod
    mailbox: Mailbox
    pods: dict[Service, list[Pod]]
    prometheus: str
    client: httpx.AsyncClient

    async def firing(self) -> set[tuple[str, str]]:
        """Alerts that fire, each with its service."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/alerts")
        return {
            (row["labels"]["alertname"], row["labels"].get("service", ""))
            for row in answer.json()["data"]["alerts"]
            if row["state"] == "firing"
        }

    async def range(self, query: str, start: float, end: float, step: float) -> list[Any]:
        """Series over a while: each with its labels and [moment, value]."""
        asked = {"query": query, "start": start, "end": end, "step": step}
        answer = await self.client.get(f"{self.prometheus}/api/v1/query_range", params=asked)
        answer.raise_for_status()
        return list(answer.json()["data"]["result"])

    async def send(self, service: Service, command: Command) -> None:
        """To a ready process, if there is one."""
        await self._asked(service, f"commands/{type(command).__name__}", command.model_dump_json())

    async def _asked(self, service: Service, path: str, body: str | None = None) -> None:
        for pod in self.pods[service]:
            if pod.ready:
                method = "GET" if body is None else "POST"
                headers = {"content-type": "application/json"}
                try:
                    await self.client.request(
                        method, f"{pod.process.url}/{path}", content=body, headers=headers
                    )
                except httpx.HTTPError:
                    continue
                return

    async def load(self) -> None:
        """Until cancelled: somebody volunteers every two seconds, and somebody looks."""
        at_once = LetterRules(gather_minutes=0)  # letters leave while somebody looks
        policy = POLICY.model_copy(update={"letters": at_once})
        crowd = Crowd(1, COHORT, 5000, 1, policy)
        await self.send("matching", crowd.opening)
        for number in itertools.count():
            await self.send("notify", crowd.contacts[number % 5000])
            await self.send("matching", crowd.volunteers[number % 5000])
            for service in SERVICES:
                await self._asked(service, "cohorts")
            await asyncio.sleep(LOAD_EVERY)


@asynccontextmanager
async def running_site(directory: Path) -> AsyncIterator[Site]:
    """Start everything, and wait until every process is ready."""
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(apache_kafka(directory))
        database = await stack.enter_async_context(mongod(directory))
        mailbox = await stack.enter_async_context(Mailbox(directory / "mail"))
        await create_topics(
            {"bootstrap_servers": cluster.bootstrap}, partitions=PARTITIONS, replication=1
        )
        terms = Terms(
            start=MONDAY, partitions=PARTITIONS, kafka=cluster.bootstrap, session_timeout_ms=10_000
        )
        ports = free_ports(COPIES * len(SERVICES))
        first = dict(zip(SERVICES, ports, strict=False))
        env = environment(
            terms, cluster.bootstrap, database.uri, mailbox.port, first, datetime.now(UTC)
        )
        pods: dict[Service, list[Pod]] = {name: [] for name in SERVICES}
        for number, port in enumerate(ports):
            name, copy = SERVICES[number % len(SERVICES)], number // len(SERVICES)
            process = ServiceProcess(name, directory, env, port, label=f"{name}-{copy}")
            pods[name].append(Pod(process))
        everyone = [pod for some in pods.values() for pod in some]
        lives = [asyncio.create_task(pod.live()) for pod in everyone]
        stack.push_async_callback(_ended, lives, everyone)
        targets = {name: [pod.process.url for pod in some] for name, some in pods.items()}
        url = await stack.enter_async_context(
            prometheus(directory, targets, rules=[RULES], interval=INTERVAL)
        )
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=15))
        site = Site(directory, cluster, database, mailbox, pods, url, client)
        while not all(pod.ready for pod in everyone):
            await asyncio.sleep(1)
        yield site


async def _ended(lives: list[asyncio.Task[None]], pods: list[Pod]) -> None:
    for task in lives:
        task.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    await asyncio.gather(*(pod.process.stop() for pod in pods))
