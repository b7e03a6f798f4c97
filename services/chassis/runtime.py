"""The composition of a service: from settings and a domain to a running process.

Always holds: building opens nothing; `run` ends with everything closed, at a signal (0), or at a
fault that no retry mends (1), which it names in one line. HTTP answers from the first moment; a
database or broker that is away is waited for, at the start as later, and no process ends for it.
Ready means: at least one partition is owned, read and worked on. Alive means: what waits is being
read, or waits for a database or broker that is away.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.specification import AsyncAPI
from prometheus_client import ProcessCollector

from schemas.rights import rights
from schemas.topics import COMMANDS, TOPICS, commands_topic, stream_topic
from services.chassis.clock import Clock, Hand, SharedClock
from services.chassis.documents import CHASSIS_DOCUMENTS, ParkedRecord
from services.chassis.domain import Domain, Tally
from services.chassis.faults import Nature
from services.chassis.http.acts import act_routes
from services.chassis.http.answering import Answering
from services.chassis.http.application import create_app
from services.chassis.http.authorities import authorities_of
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.connections import server_of
from services.chassis.http.effects import Effects
from services.chassis.http.foresight import Foresight
from services.chassis.http.guards import protected
from services.chassis.http.health import Health, operations_routes
from services.chassis.http.links import LinkVerifier
from services.chassis.http.looks import look_routes
from services.chassis.http.pages import link_routes
from services.chassis.http.personal import personal_routes
from services.chassis.http.pressure import Bounds, Pressure
from services.chassis.http.projections import projection_routes
from services.chassis.http.rates import rates_of
from services.chassis.log import faults as log_faults
from services.chassis.log.broker import ReadingBroker
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.security import security_of
from services.chassis.parts import Parts
from services.chassis.settings import Settings, WrongSetting
from services.chassis.step.consumer import Consumer, Pace
from services.chassis.step.loops import (
    decide_deadlines,
    publish_what_is_left,
    write_what_was_passed,
)
from services.chassis.step.ports import Limits, Ports
from services.chassis.step.retrying import Abandoned, Retry
from services.chassis.step.stepper import TROUBLES, Stepper
from services.chassis.store import faults as store_faults
from services.chassis.store.contract import NoAnswer
from services.chassis.store.database_metrics import CommandMetrics, ConnectionMetrics
from services.chassis.store.mongo import MongoStore
from services.chassis.tracing import OFF, Tracing
from services.chassis.watch import logs
from services.chassis.watch.metrics import Metrics, Programme
from services.chassis.watch.scrape import Scrape

logger = logging.getLogger(__name__)

HEARTBEAT = timedelta(days=1)
FASTEST_BEAT = 86_400.0  # a day in a second; beyond, the next one would come after all dates
LOOK_EVERY = 1.0
LEAVE_WITHIN = 25.0  # of the 30 seconds that an orchestrator gives by default


class Service:
    """One process of one service."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        domain = parts.domain
        self.settings = settings
        self.parts = parts
        self.clock = _clock(settings)
        verifier = verifier_of(settings)
        self.metrics = Metrics(domain.name, domain.untold)
        self.programme = Programme([*parts.measures, PARKED])
        self.metrics.registry.register(self.programme)
        ProcessCollector(registry=self.metrics.registry)
        endpoint = settings.otlp_endpoint
        self.tracing = tracing_of(domain.name, str(endpoint) if endpoint else None)
        self.store = _store(settings, domain, self.metrics)
        connection = settings.kafka_connection
        if ends := settings.certificate_ends:
            self.metrics.certificate_ends.labels("broker").set(ends.timestamp())
        self.log = KafkaLog(
            connection, idempotent=settings.kafka_idempotent, prefix=settings.topic_prefix
        )
        self.stepper = self._stepper()
        self.broker = _broker(connection, self.metrics)
        self.consumer = Consumer(
            self.broker,
            (commands_topic(domain.name), *domain.reads, *domain.tables),
            self.stepper,
            self.log,
            self.fail,
            Pace(
                settings.batch,
                settings.gather_ms,
                settings.session_timeout_ms,
                settings.fetch_wait_ms,
            ),
        )
        self._starting = Retry(self.stepper.ports, Limits())
        self.health = Health(self.stepper, self.consumer, self._starting.put_off)
        self.metrics.ready.set_function(lambda: self.health.ready)
        for reason in TROUBLES:
            self.metrics.trouble.labels(reason).set_function(partial(self.health.suffers, reason))
        self.scrape = Scrape(
            self.metrics,
            self.programme,
            self.store,
            lambda: self.stepper.owned,
            self.consumer.lags,
            self.consumer.errors,
        )
        bounds = Bounds(settings.commands_in_flight, settings.commands_backlog)
        self.commands = Commands(
            CommandTopic(domain.name, self.log, self.clock, settings.partitions, self.tracing),
            Effects(
                domain.name,
                self.store,
                parts.done_when,
                lambda: self.stepper.owned,
                self.clock.now,
            ),
            Pressure(bounds),
            parts.checks,
        )
        self._ending = asyncio.Event()
        self.http = self._http(verifier)

    def _stepper(self) -> Stepper:
        settings = self.settings
        due_workers = self.parts.due_workers(self.store, self.log, self.tracing)
        self.tracing.follow(due_workers)
        ports = Ports(
            self.tracing.around(self.store, "load", "commit"),
            self.tracing.around(self.log, "publish"),
            self.clock,
            self.metrics,
            nature_of,
            self.tracing,
        )
        return Stepper(
            self.parts.domain,
            ports,
            settings.partitions,
            due_workers=due_workers,
            limits=Limits(parked=settings.parked_limit),
            # A day of those who watch the topics, however fast the programme's clock runs.
            beat=HEARTBEAT * min(self.clock.rate, FASTEST_BEAT),
        )

    def _http(self, verifier: LinkVerifier) -> FastAPI:
        parts, domain = self.parts, self.parts.domain
        about = f"Commands and projections of {domain.name}."
        app = create_app(
            f"mentoring {domain.name}",
            about,
            self.metrics,
            largest_body=parts.largest_body,
            hsts_seconds=self.settings.hsts_seconds,
            proxies=self.settings.proxies,
        )
        rates = rates_of(self.settings)
        table = partial(rights, domain.name)
        kind_of_route = protected(authorities_of(self.settings), table, rates)
        kinds = [kind for kind in COMMANDS[domain.name] if kind not in parts.by_link]
        app.include_router(
            command_routes(self.commands, [*kinds, *parts.topics], parts.topics, kind_of_route)
        )
        app.include_router(
            projection_routes(
                self.store, parts.listed, parts.counted, domain.documents, kind_of_route
            )
        )
        app.include_router(personal_routes(self.store, parts.personal, kind_of_route))
        if COMMANDS[domain.name]:  # nobody asks the others for anything
            own = stream_topic(domain.name, "events"), stream_topic(domain.name, "private")
            told = *(topic for topic in own if topic in TOPICS), *domain.tables
            partitions = self.settings.partitions
            app.include_router(act_routes(self.log, told, partitions, kind_of_route))
        foresight = Foresight(domain, self.store)
        app.include_router(look_routes(parts.looks, foresight, self.clock, kind_of_route))
        answering = Answering(self.commands, foresight, self.clock)
        app.include_router(link_routes(parts.link_pages, verifier, answering, rates))
        app.include_router(operations_routes(self.health, self.scrape.text, self._reads))
        for router in parts.routes(self.store, self.store.kept, self.clock):
            app.include_router(router)
        self.tracing.serve(app)
        return app

    def _reads(self) -> str:
        """What the service reads, as AsyncAPI in JSON."""
        document = AsyncAPI(self.broker, title=f"mentoring {self.parts.domain.name}")
        return document.to_specification().to_json()

    # --- running --------------------------------------------------------------------------

    def fail(self, error: Exception) -> None:
        """End the process: going on would be wrong."""
        if self.health.fault is None:
            logger.critical(logs.told(error), exc_info=error)
            self.health.fault = error
        self._ending.set()

    async def run(self) -> int:
        """Run until a signal or a fault; the exit code."""
        server = server_of(self.http, self.settings.http_host, self.settings.http_port)
        self.metrics.connections.set_function(lambda: len(server.server_state.connections))
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, self._ending.set)
        serving = asyncio.create_task(server.serve())
        ending = asyncio.create_task(self._ending.wait())
        running = asyncio.create_task(self._work())
        await asyncio.wait([serving, ending, running], return_when=asyncio.FIRST_COMPLETED)
        if running.done() and (error := running.exception()):
            self.fail(_cause(error))
        server.should_exit = True
        if self.health.fault is None:
            # Whoever still gets an answer gets it from an open database; this takes five seconds
            # at most.
            await asyncio.wait([serving])
            # What is under way comes to its end, so that nobody hands the same letter over again.
            with contextlib.suppress(TimeoutError, Abandoned):
                async with asyncio.timeout(LEAVE_WITHIN):
                    await self.stepper.leave(list(self.stepper.owned))
        for task in (running, ending):
            task.cancel()
        await asyncio.gather(serving, running, ending, return_exceptions=True)
        return 1 if self.health.fault else 0

    async def _work(self) -> None:
        async with self._open(), asyncio.TaskGroup() as tasks:
            tasks.create_task(decide_deadlines(self.stepper))
            tasks.create_task(write_what_was_passed(self.stepper))
            tasks.create_task(publish_what_is_left(self.stepper))
            tasks.create_task(self._look())

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        """Database, producer and consumer, in this order; closed in the other."""
        _spare_the_collector()
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.tracing.close)
            self.tracing.start()
            stack.push_async_callback(self.store.close)
            await self._started("database", self.store.open)
            stack.push_async_callback(self.log.stop)
            await self._started("broker", self.log.start)
            if self.parts.close is not None:
                stack.push_async_callback(self.parts.close)
            stack.push_async_callback(self.broker.stop)
            await self._started("broker", self.broker.start)
            if self.parts.beside is not None:
                shared = (self.store, self.log, self.clock, self.metrics.registry)
                await stack.enter_async_context(self.parts.beside(*shared))
            yield

    async def _started(self, part: str, start: Callable[[], Awaitable[None]]) -> None:
        """Start a part that may not be there yet, however long that takes."""
        await self._starting.until_done(start, part)
        self.stepper.progress = time.monotonic()  # until now there was nothing to make steps with

    async def _look(self) -> None:
        """Know how many commands wait, whoever reads them."""
        while True:
            try:
                await self.commands.look()
            except NoAnswer as error:
                logger.warning("commands not counted: %s", type(error.__cause__).__name__)
            await asyncio.sleep(LOOK_EVERY)


def nature_of(error: BaseException) -> Nature:
    """Whether it passes, as far as the database or the broker knows."""
    found = store_faults.nature_of(error)
    return log_faults.nature_of(error) if found == "permanent" else found


def _clock(settings: Settings) -> Clock:
    if settings.clock_file is not None:
        return SharedClock(Hand(settings.clock_file))
    return Clock(settings.clock_rate, settings.clock_start, settings.clock_origin)


def verifier_of(settings: Settings) -> LinkVerifier:
    """What checks the links of letters. Raises `WrongSetting`."""
    keys = {
        "CONNECTE_LINK_VERIFY_KEY": settings.link_verify_key,
        "CONNECTE_LINK_VERIFY_KEY_OLD": settings.link_verify_key_old,
    }
    given = {name: key for name, key in keys.items() if key is not None}
    for name, key in given.items():
        try:
            LinkVerifier(key)
        except ValueError as error:
            raise WrongSetting(f"{name}: {error}") from None
    return LinkVerifier(*given.values())


def _store(settings: Settings, domain: Domain, metrics: Metrics) -> MongoStore:
    return MongoStore(
        settings.mongodb.get_secret_value(),
        f"{settings.database_prefix}{domain.name}",
        (*domain.documents, *CHASSIS_DOCUMENTS),
        listeners=(
            CommandMetrics(metrics.database_seconds, metrics.database_failures),
            ConnectionMetrics(metrics.database_connections),
        ),
    )


def _broker(connection: Mapping[str, Any], metrics: Metrics) -> ReadingBroker:
    return ReadingBroker(
        connection["bootstrap_servers"],
        security=security_of(connection),
        middlewares=[KafkaPrometheusMiddleware(registry=metrics.registry)],
        allow_auto_create_topics=False,
        apply_types=False,  # the batch is taken as it came: there is nothing to be injected
        logger=logging.getLogger("mentoring.faststream"),
        log_level=logging.DEBUG,
    )


def tracing_of(service: str, endpoint: str | None) -> Tracing:
    """The tracing of a service, to a collector at this address (OTLP over HTTP); None: off.

    Raises `WrongSetting` if OpenTelemetry cannot be built from its settings.
    """
    if endpoint is None:
        return OFF
    try:
        from services.chassis.watch.otel import tracing_to  # noqa: PLC0415  # loaded only if it is used

        return tracing_to(endpoint, service)
    except (ValueError, RuntimeError, ImportError) as error:
        raise WrongSetting(f"OTEL_…: {error}") from None


def _cause(error: BaseException) -> Exception:
    """What went wrong in one of several tasks."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


def _spare_the_collector() -> None:
    """Look for garbage in circles less often, and never among what was imported.

    A step makes thousands of small objects that hold no circles; by default Python walks all it
    knows again and again meanwhile, which took a quarter of a step's time (`make bench`). Until now
    it did not look at all (`beginning.py`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


PARKED = Tally(
    "mentoring_parked",
    "Records set aside",
    ParkedRecord,
    (("topic", "topic"), ("reason", "reason")),
)


def main(build: Callable[[], Service]) -> int:
    """Run a service as a process; its exit code. 2: a setting is wrong."""
    try:
        service = build()
    except WrongSetting as error:
        print(error, file=sys.stderr)  # noqa: T201  # nothing is configured yet
        return 2
    logs.configure(service.parts.domain.name, service.settings.log_level)
    return asyncio.run(service.run())
