"""What measuring and the headers of every answer cost a command, in a service's processor time;
and what checking a token of an identity provider does, with the rule that it leads to.

The same application twice in one process, with and without them, each behind the services' own
server and with a real broker; another process sends commands to one and the other in turns.
`python -m tests.bench.http` measures this alone.
"""

import asyncio
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.local.broker import embedded_broker
from deploy.local.process import free_ports
from deploy.operating.topics import create_topics
from schemas.matching import PauseMentor
from schemas.rights import rights
from services.chassis.clock import Clock
from services.chassis.http.application import create_app
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.connections import server_of
from services.chassis.http.effects import Effects
from services.chassis.http.guards import protected
from services.chassis.http.issuers import providers
from services.chassis.log.kafka import KafkaLog
from services.chassis.settings import Issuer
from services.chassis.store.memory import MemoryStore
from services.chassis.watch.metrics import Metrics
from tests.chassis.http.issuer import AUDIENCE, CLIENT, LocalIssuer

TURNS, COMMANDS = 201, 10
"""How often each has its turn, and how many commands that is: many short ones, so that some of
each are not disturbed by what else the machine does."""
PARTITIONS = 2
PATIENCE = 600.0
BODY = json.dumps({"cohort_id": "bench", "mentor_id": "m-1"})


class Marked:
    """Notes the process's time when a turn begins: with its first command."""

    def __init__(self, app: ASGIApp, marks: list[float]) -> None:
        self.app = app
        self._marks = marks
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._count % COMMANDS == 0:
            self._marks.append(time.process_time())
        self._count += 1
        await self.app(scope, receive, send)


def _application(
    log: KafkaLog, metrics: Metrics | None, kind_of_route: type[APIRoute] = APIRoute
) -> FastAPI:
    topic = CommandTopic("matching", log, Clock(), PARTITIONS)
    commands = Commands(topic, Effects("matching", MemoryStore()))
    app = create_app("bench", "What a command costs.", metrics, hsts_seconds=3600)
    app.include_router(command_routes(commands, [PauseMentor], {}, kind_of_route))
    return app


def _without_headers(app: FastAPI) -> ASGIApp:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await FastAPI.__call__(app, scope, receive, send)

    return plain


def _measured(log: KafkaLog) -> tuple[ASGIApp, ASGIApp]:
    """With measuring and headers, and without."""
    return _application(log, Metrics("matching")), _without_headers(_application(log, None))


async def microseconds() -> tuple[float, float]:
    """Processor time of a command with measuring and headers, and without."""
    return await _of_both(_measured, "")


async def microseconds_of_a_token() -> tuple[float, float]:
    """Processor time of a command of whose token and rights are checked, and without a check.

    The token is a machine's, signed by RS256; the issuer's keys have been fetched.
    """
    with LocalIssuer() as running:
        told = {"issuer": running.url, "audience": AUDIENCE, "role": "machine", "cohorts": ["*"]}
        issuers = [Issuer.model_validate(told)]

        def apps(log: KafkaLog) -> tuple[ASGIApp, ASGIApp]:
            authorities = [providers(issuers, "what pseudonyms are made with")]
            guarded = protected(authorities, partial(rights, "matching"))
            return _application(log, None, guarded), _application(log, None)

        return await _of_both(apps, running.token(sub=CLIENT, exp=int(time.time()) + 3600))


async def _of_both(
    apps_on: Callable[[KafkaLog], tuple[ASGIApp, ASGIApp]], token: str
) -> tuple[float, float]:
    """Processor time of a command in each of two applications, sent with this token.

    Of each the tenth of its turns that took least: what else runs here only makes turns longer.
    """
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with embedded_broker(Path(directory)) as kafka:
            connection = {"bootstrap_servers": kafka}
            await create_topics(connection, partitions=PARTITIONS)
            log = KafkaLog(connection, idempotent=False)
            marks: list[float] = []
            apps = apps_on(log)
            ports = free_ports(2)
            servers = [
                server_of(Marked(app, marks), "127.0.0.1", port)
                for app, port in zip(apps, ports, strict=True)
            ]
            serving = [asyncio.create_task(server.serve()) for server in servers]
            try:
                while not all(server.started for server in servers):
                    await asyncio.sleep(0.05)
                client = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.bench.http", token, *map(str, ports))
                )
                async with asyncio.timeout(PATIENCE):
                    code = await client.wait()
                assert code == 0, "the client failed"
            finally:
                for server in servers:
                    server.should_exit = True
                await asyncio.gather(*serving)
                await log.stop()
    # The first turns warm up; the last one has no end.
    taken = [(after - before) / COMMANDS for before, after in itertools.pairwise(marks)]
    ours, bare = (statistics.quantiles(turns, n=10)[0] for turns in (taken[2::2], taken[3::2]))
    return ours * 1e6, bare * 1e6


def _send(token: str, ports: list[int]) -> None:
    """Commands to each port in turns, one at a time."""
    clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for port in ports]
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    for _ in range(TURNS):
        for client in clients:
            for _ in range(COMMANDS):
                client.request("POST", "/commands/PauseMentor", BODY, headers)
                answer = client.getresponse()
                answer.read()
                assert answer.status == 202, answer.status


if __name__ == "__main__":
    if sys.argv[1:]:
        _send(sys.argv[1], [int(port) for port in sys.argv[2:]])
    else:
        for both in (microseconds, microseconds_of_a_token):
            ours, bare = asyncio.run(both())
            print(f"{ours:.0f} µs, {bare:.0f} µs without: {ours / bare - 1:.1%} more")  # noqa: T201
