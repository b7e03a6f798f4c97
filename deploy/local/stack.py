"""The whole platform on this machine: broker, database, mail server, and its service processes.

Always holds: whatever ends the block (its end, Ctrl-C, an error), every process has ended and
nothing is left; a service that dies is started again, as an orchestrator would; a service that
refuses to start (a wrong setting, a log that was reset) ends the run with its reason, unless
whoever runs it has asked to be told instead.
"""

import asyncio
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.broker import embedded_broker
from deploy.local.mail import Mailbox
from deploy.local.mongodb import mongodb
from deploy.local.process import Child, PartError, free_ports
from deploy.operating.topics import create_topics
from schemas.topics import Service
from services.chassis.clock import Hand
from services.chassis.http.links import generate_keys

SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify")
"""The programme itself: it runs with or without the portal."""
WITH_PORTAL: tuple[Service, ...] = (*SERVICES, "portal")
READY_SECONDS = 180.0
WRONG_SETTING = 2
LONGEST_REASON = 300
REASON_LINES, REASON_BYTES = 2000, 1024 * 1024  # within which it says why it ends


ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "262144"}
"""As the image sets it: what large records needed is given back to the system."""


NOT_IDEMPOTENT = {"CONNECTE_KAFKA_IDEMPOTENT": "false"}
"""The embedded broker has no idempotent producer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the stack is run. `rate`: seconds of programme time per second, from `start`.

    If it is infinite, time stands until somebody turns the hand of the stack's clock.
    """

    rate: float = 1.0
    start: datetime | None = None
    partitions: int = 4
    session_timeout_ms: int = 1500
    replication: int = 1
    kafka: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Service, ...] = SERVICES


class ServiceProcess:
    """One process of a service, kept running: the process, and how often it has been started.

    `label` tells it from others of the same service. `settings` are its own, and count from its
    next start on. `forgiving`: an end with 1 is noted in `exits`, in one line, and it starts again.
    """

    def __init__(
        self,
        name: Service,
        directory: Path,
        env: Mapping[str, str],
        port: int,
        *,
        label: str | None = None,
        forgiving: bool = False,
    ) -> None:
        self.name = name
        self.label = label or name
        self.url = f"http://127.0.0.1:{port}"
        self.starts = 0
        self.stopping = False
        self.settings: dict[str, str] = {}
        self.exits: list[str] = []
        self._forgiving = forgiving
        self._directory = directory
        self._env = {**ALLOCATOR, **env, "CONNECTE_HTTP_PORT": str(port)}
        self.child: Child | None = None

    def start(self) -> None:
        self.starts += 1
        self.child = Child(
            self.label,
            [sys.executable, "-m", f"services.{self.name}.app"],
            log=self._directory / f"{self.label}.log",
            env={**self._env, **self.settings},
        )

    async def keep(self) -> None:
        """Start it again whenever it dies. Raises PartError if it never can run."""
        while not self.stopping:
            assert self.child is not None
            code = await self.child.wait()
            if self.stopping:
                return
            if code == 1 and self._forgiving:
                self.exits.append(reason_of(self.child.tail(REASON_LINES, REASON_BYTES)))
            elif code in (1, WRONG_SETTING):
                raise PartError(f"{self.label} ended with {code}:\n{self.child.tail(5)}")
            self.start()

    async def ready(self, within: float = READY_SECONDS) -> None:
        """Wait until it says that it is ready; PartError if it is not, in so many seconds."""
        assert self.child is not None

        # One client for all attempts: a new one reads all certificates of the machine.
        async with httpx.AsyncClient(timeout=2) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"{self.url}/health/ready")).status_code == 200
                except httpx.HTTPError:
                    return False

            await self.child.ready(answers, within)

    async def stop(self) -> None:
        self.stopping = True
        if self.child is not None:
            await self.child.stop()


def reason_of(log: str) -> str:
    """Why a service ended, in one line, from the end of its log."""
    for line in reversed(log.splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") == "CRITICAL":
            return str(entry.get("message"))[:LONGEST_REASON]
    return log.splitlines()[-1][:LONGEST_REASON] if log else "nothing is in its log"


@dataclass(slots=True)
class Stack:
    """A running platform, and what is needed to speak with it. `hand`: that of standing time.

    `inbound`: the port of notify to which a mail server would hand over what comes in.
    """

    directory: Path
    kafka: str
    mongodb: str
    mailbox: Mailbox
    services: dict[Service, ServiceProcess]
    terms: Terms
    origin: datetime
    failed: asyncio.Future[None]
    hand: Hand | None = None
    inbound: int | None = None

    @property
    def addresses(self) -> dict[str, object]:
        """What `connecte up --json` prints."""
        return {
            "kafka": self.kafka,
            "mongodb": self.mongodb,
            "smtp": f"127.0.0.1:{self.mailbox.port}",
            "lmtp": f"127.0.0.1:{self.inbound}",
            "letters": str(self.mailbox.directory / "new"),
            "services": {name: service.url for name, service in self.services.items()},
        }

    @property
    def settings(self) -> dict[str, str]:
        """What lets the operator's commands reach it."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "MONGODB_URI": self.mongodb,
            "CONNECTE_PARTITIONS": str(self.terms.partitions),
            **({} if self.terms.kafka else NOT_IDEMPOTENT),
            **{f"CONNECTE_{n.upper()}_URL": service.url for n, service in self.services.items()},
        }


@asynccontextmanager
async def running_stack(
    directory: Path, terms: Terms, maildir: Path | None = None
) -> AsyncIterator[Stack]:
    """Start everything in `directory`, wait until every service is ready, and end it after."""
    async with AsyncExitStack() as stack:
        kafka = terms.kafka
        if kafka is None:
            kafka = await stack.enter_async_context(embedded_broker(directory))
        uri = await stack.enter_async_context(mongodb(directory))
        mailbox = await stack.enter_async_context(Mailbox(maildir or directory / "mail"))
        await create_topics(
            {"bootstrap_servers": kafka},
            partitions=terms.partitions,
            replication=terms.replication,
            prefix=terms.settings.get("CONNECTE_TOPIC_PREFIX", ""),
        )
        inbound, *free = free_ports(len(terms.services) + 1)
        ports = dict(zip(terms.services, free, strict=True))
        origin = datetime.now(UTC)
        env = environment(terms, kafka, uri, mailbox.port, ports, origin)
        hand = None
        if math.isinf(terms.rate):
            hand = Hand.made(directory / "clock", terms.start or origin)
            env["CONNECTE_CLOCK_FILE"] = str(directory / "clock")
        services = {n: ServiceProcess(n, directory, env, ports[n]) for n in terms.services}
        # In its own settings: chaos gives the rest to several processes of one service.
        if "notify" in services:
            services["notify"].settings["CONNECTE_INBOUND_PORT"] = str(inbound)
        running = Stack(
            *(directory, kafka, uri, mailbox, services, terms, origin, asyncio.Future()),
            hand,
            inbound,
        )
        for service in services.values():
            stack.push_async_callback(service.stop)
            service.start()
        await asyncio.gather(*(service.ready() for service in services.values()))
        keepers = [asyncio.create_task(_keep(s, running.failed)) for s in services.values()]
        stack.push_async_callback(_cancel, keepers)
        yield running


async def _keep(service: ServiceProcess, failed: asyncio.Future[None]) -> None:
    try:
        await service.keep()
    except PartError as error:
        if not failed.done():
            failed.set_exception(error)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def environment(
    terms: Terms, kafka: str, uri: str, smtp: int, ports: Mapping[Service, int], origin: datetime
) -> dict[str, str]:
    """What every service is given; `ports` are those that the links of letters lead to."""
    private, public = generate_keys()
    clock = {}
    if math.isfinite(terms.rate):
        clock = {
            "CONNECTE_CLOCK_RATE": str(terms.rate),
            "CONNECTE_CLOCK_START": (terms.start or origin).isoformat(),
            "CONNECTE_CLOCK_ORIGIN": origin.isoformat(),
        }
    urls = {f"CONNECTE_{n.upper()}_URL": f"http://127.0.0.1:{p}" for n, p in ports.items()}
    # The embedded broker looks for new records only when a fetch begins.
    embedded = {**NOT_IDEMPOTENT, "CONNECTE_FETCH_WAIT_MS": "40"}
    if terms.kafka is not None:
        embedded = {}
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("CONNECTE_")},
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "MONGODB_URI": uri,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp),
        "SMTP_SECURITY": "none",
        "CONNECTE_PARTITIONS": str(terms.partitions),
        "CONNECTE_SESSION_TIMEOUT_MS": str(terms.session_timeout_ms),
        "CONNECTE_LINK_SIGNING_KEY": private,
        "CONNECTE_LINK_VERIFY_KEY": public,
        "LOG_LEVEL": "INFO",
        **clock,
        **urls,
        **embedded,
        **terms.settings,
    }
