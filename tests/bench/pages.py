"""What coordinators' pages of a cohort of 10,000 people take, and how soon they come.

The portal's pages over a real database, behind the services' own server; another process asks for
50 of them a second: a list, a search, a person's sheet, one after the other.
`python -m tests.bench.pages` measures this alone.
"""

import asyncio
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pymongo import AsyncMongoClient

from deploy.local.mongodb import mongodb
from deploy.local.process import free_port
from services.chassis.http.application import create_app
from services.chassis.http.connections import server_of
from services.chassis.store.mongo import MongoStore
from services.chassis.store.rows import row_of
from services.portal.handlers import DOMAIN
from services.portal.pages import page_routes
from services.portal.views import Cohort, Pair, Participant, Session
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, OPENED
from tests.portal.test_coordinating import crowd

PEOPLE = 10_000
RATE, SECONDS, WARM_UP = 50, 20, 50
PATIENCE = 600.0
PAGES = {
    "list": "/coordonner/c/participants",
    "search": "/coordonner/c/participants?q=durand{number:03d}",
    "sheet": "/coordonner/c/participants/m-{number}",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """Of the pages: milliseconds until 95 of 100 had come, by page; of each, processor time."""

    p95: dict[str, float]
    processor: float


async def taken() -> Taken:
    """Ask for them, at a steady rate whether or not the one before has come."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with mongodb(Path(directory)) as uri:
            store = MongoStore(uri, "bench_portal", DOMAIN.documents)
            await store.open()
            try:
                await _fill(uri)
                return await _served(store)
            finally:
                await store.close()


async def _fill(uri: str) -> None:
    """What a portal has folded, written in one go."""
    town = Town().happens(OPENED, *crowd(PEOPLE), *GOING_ON[1:])
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(uri)
    async with client:
        for kind in (Cohort, Participant, Pair, Session):
            found = await town.store.page(kind, limit=2 * PEOPLE)
            rows = [row_of(0, document) for document in found]
            await client["bench_portal"][kind.collection].insert_many(rows)


async def _served(store: MongoStore) -> Taken:
    port = free_port()
    site = replace(Town().site, store=store)
    app = create_app("portal", "The portal.")
    app.include_router(page_routes(site))
    server = server_of(app, "127.0.0.1", port)
    serving = asyncio.create_task(server.serve())
    token = await site.sessions.begin(COORDINATOR)
    try:
        while not server.started:
            await asyncio.sleep(0.05)
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.pages", str(port), token),
            stdout=asyncio.subprocess.PIPE,
        )
        before = time.process_time()
        async with asyncio.timeout(PATIENCE):
            out, _ = await client.communicate()
        used = time.process_time() - before
        assert client.returncode == 0, "the client failed"
    finally:
        server.should_exit = True
        await serving
    found: dict[str, list[float]] = json.loads(out)
    asked = sum(map(len, found.values())) + WARM_UP
    p95 = {name: statistics.quantiles(times, n=20)[-1] for name, times in found.items()}
    return Taken(p95, used / asked * 1000)


def _ask(port: int, token: str) -> None:
    """One page after the other, each at its moment; prints how many milliseconds each took."""
    found: dict[str, list[float]] = {name: [] for name in PAGES}
    names = list(PAGES)

    def one(number: int, noted: bool) -> None:
        name = names[number % len(names)]
        path = PAGES[name].format(number=number * 37 % PEOPLE)
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path, headers={"cookie": f"session={token}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        connection.close()
        if noted:
            found[name].append((time.perf_counter() - began) * 1000)

    for number in range(WARM_UP):
        one(number, noted=False)
    started, threads = time.perf_counter(), []
    for number in range(RATE * SECONDS):
        time.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        threads.append(threading.Thread(target=one, args=(number, True)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert sum(map(len, found.values())) == RATE * SECONDS, "a page failed"
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1:]:
        _ask(int(sys.argv[1]), sys.argv[2])
    else:
        print(asyncio.run(taken()))  # noqa: T201
