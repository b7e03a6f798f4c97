"""One process of a service under more than it can take: it says so, and goes on."""

import asyncio
import json
import logging
import resource
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import httpx
import pytest

from services.chassis.http.connections import SPARE_FILES
from tests.conftest import PATIENCE, eventually
from tests.limits.conftest import Matching, Run, Watch, cohort_on, fill, open_cohort, volunteer

pytestmark = pytest.mark.journey

figures = logging.getLogger("figures")  # shown with --log-cli-level=INFO

IDLE = 10_000
FLOOD, CONNECTIONS = 4_000, 200


async def hammer(service: Matching, path: str, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Post bodies one after the other on one connection: status and head of each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    found = []
    for body in bodies:
        head = f"POST {path} HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
        writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].split()[0])
        await reader.readexactly(length)
        found.append((int(answer.split()[1]), answer))
    writer.close()
    await writer.wait_closed()
    return found


async def test_of_a_flood_what_was_accepted_is_done_and_what_was_refused_is_not(
    matching: Run,
) -> None:
    async with (
        matching(CONNECTE_COMMANDS_IN_FLIGHT="20") as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as client,
    ):
        await open_cohort(client, "c")
        bodies = [json.dumps(volunteer("c", number)).encode() for number in range(FLOOD)]
        start = time.monotonic()
        with Watch(service) as watch:
            found = await asyncio.gather(
                *(
                    hammer(service, "/commands/VolunteerAsMentor", bodies[n::CONNECTIONS])
                    for n in range(CONNECTIONS)
                )
            )
        took = time.monotonic() - start
        answers = [answer for answers in found for answer in answers]
        statuses = Counter(status for status, _ in answers)
        assert set(statuses) == {202, 503}, statuses
        for status, head in answers:
            if status == 503:
                assert b"retry-after: 1\r\n" in head
                assert b"application/problem+json" in head

        async def done() -> bool:
            total = (await client.get("/cohorts/c/mentors?limit=1")).json()["total"]
            return bool(total == statuses[202])

        await eventually(done, PATIENCE)
        figures.info("flood: %s", {"answers": statuses, "a second": FLOOD / took, **watch.figures})
        assert watch.worst < took, "nobody had to wait for the flood to be over"
        assert watch.memory - watch.before < 60


async def test_ten_thousand_idle_connections_keep_nobody_from_being_served(
    matching: Run,
) -> None:
    with many_files() as most:
        async with matching() as service:
            with closing(Connections(min(IDLE, most - 2 * SPARE_FILES))) as idle:
                figures.info("idle connections: %s", await _served_beside(service, idle))


async def _served_beside(service: Matching, idle: "Connections") -> dict[str, float]:
    memory = service.memory
    async with httpx.AsyncClient(base_url=service.url, timeout=20) as client:

        async def accepted() -> bool:
            return await service.metric("mentoring_http_connections") > len(idle.kept)

        while idle.missing:
            # As many at a time as the service's queue of new connections holds.
            await asyncio.to_thread(idle.open, service.port, 1_000)
            await eventually(accepted)
        with Watch(service) as watch:
            await open_cohort(client, "c")
            for number in range(20):
                sent = await client.post(
                    "/commands/VolunteerAsMentor?wait=5", json=volunteer("c", number)
                )
                assert sent.status_code == 200, sent.text
        assert len(idle.kept) > len(idle.opened) / 2, "they were there all the time"
    return watch.figures | {"memory before, MB": round(memory), "connections": len(idle.opened)}


class Connections:
    """Connections that say nothing."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.opened: list[socket.socket] = []

    @property
    def missing(self) -> int:
        return self.wanted - len(self.opened)

    @property
    def kept(self) -> list[socket.socket]:
        """Those that the service has not closed (it lets go of who says nothing for long)."""
        poll = select.poll()
        for connection in self.opened:
            poll.register(connection, select.POLLIN)
        closed = {file for file, _ in poll.poll(0)}
        return [connection for connection in self.opened if connection.fileno() not in closed]

    def open(self, port: int, most: int) -> None:
        for _ in range(min(most, self.missing)):
            self.opened.append(socket.create_connection(("127.0.0.1", port), timeout=20))

    def close(self) -> None:
        for connection in self.opened:
            connection.close()


@contextmanager
def many_files() -> Iterator[int]:
    """As many open files as may be, here and in the children: how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_large_bodies_do_not_fill_the_memory(
    matching: Run,
) -> None:
    body = b" " * 5_000_000
    async with matching() as service:
        with Watch(service) as watch:
            found = await asyncio.gather(
                *(hammer(service, "/commands/OpenCohort", [body] * 2) for _ in range(50))
            )
        assert {status for answers in found for status, _ in answers} == {413}
        figures.info("100 bodies of 5 MB: %s", watch.figures)
        assert watch.memory - watch.before < 60


async def test_where_commands_wait_more_are_turned_away_with_a_time_that_holds(
    matching: Run, fresh_kafka: str, kafka_idempotent: bool
) -> None:
    flooded, calm = cohort_on(0), cohort_on(1)
    async with matching(CONNECTE_COMMANDS_BACKLOG="5000") as service:  # noqa: SIM117
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
            await open_cohort(client, calm)
            await fill(fresh_kafka, kafka_idempotent, flooded, 40_000)

            async def send(cohort: str) -> httpx.Response:
                return await client.post("/commands/VolunteerAsMentor", json=volunteer(cohort, 1))

            assert (await send(flooded)).status_code == 202  # with which the service learns of it
            refused = await send(flooded)
            assert refused.status_code == 503, refused.text
            assert (await send(calm)).status_code == 202
            retry_after = int(refused.headers["retry-after"])
            start = time.monotonic()

            async def taken() -> bool:
                return (await send(flooded)).status_code == 202

            await eventually(taken, PATIENCE)
            took = time.monotonic() - start
            figures.info("time to come back: %s", {"said": retry_after, "was": round(took, 1)})
            # It is told by how fast the service was until then, and a machine can become quicker.
            assert retry_after / 20 - 2 < took < retry_after * 4 + 2
