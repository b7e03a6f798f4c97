"""Two versions side by side on the same topics and databases: the last release and today's, today's
and the next one.

In the order of docs/operating/upgrade.md: who reads before who writes, and back in the other
direction.
"""

import asyncio
import json
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import SERVICES, WITH_PORTAL, ServiceProcess
from deploy.operating.reach import domain_of
from deploy.trial.coordinator import Progress
from schemas.base import Command
from schemas.matching import WithdrawMentor
from schemas.notify import RetryLetter
from schemas.scheduling import ConfirmSession
from schemas.topics import COMMANDS, Service
from tests.conftest import eventually
from tests.deploy.operating.commands import connecte
from tests.drills.next_version import write_next_version
from tests.drills.older_version import NoHistory, older_revision, write_older_version
from tests.drills.site import PARTITIONS, Site, programme, rosters, running_site

pytestmark = pytest.mark.journey

DAYS_PER_SECOND = 0.6
READERS: tuple[Service, ...] = ("notify", "feedback", "matching")
UPGRADING = Path(__file__).parents[2] / "deploy/chart/UPGRADING.md"
PREFIX = "fr.gouv.mentoring."

figures = logging.getLogger("figures")

CHECK = """
import asyncio, json, sys
from collections import Counter
from pathlib import Path
from deploy.trial.check import check, read_evidence
from deploy.local.mail import Mailbox
kafka, mongodb, mail, partitions = sys.argv[1:]
held = Mailbox(Path(mail)).held
read = read_evidence({"bootstrap_servers": kafka}, mongodb, held, int(partitions))
evidence = asyncio.run(read)
found = check(evidence)
public = {(dict(r.headers)["ce_id"], dict(r.headers)["ce_type"], "ce_copyof" in dict(r.headers))
          for r in evidence.records if r.topic == "mentoring.scheduling.events"}
types = Counter((kind.decode(), copy) for _, kind, copy in public)
headers = [(r.topic, dict(r.headers)) for r in evidence.records if r.topic.endswith(".private")]
learned = [[topic, told["ce_type"].decode(), told["ce_cause"].decode()]
           for topic, told in headers if "ce_cause" in told]
print(json.dumps({"lost": found.lost, "doubled": found.doubled, "parked": found.parked,
    "learned": learned, "completed": found.figures["sessions_completed"],
    "types": [[kind, copy, count] for (kind, copy), count in types.items()]}))
"""


LEARNS = """
import json, sys
from deploy.operating.reach import SERVICES, domain_of
print(json.dumps({s: sorted(kind.__name__ for kind in domain_of(s).learns) for s in SERVICES}))
"""
NOT_LEARNED = re.compile(r"(\w+) \S+ \(/mentoring/(\S+) (\d+)\) was not learned by (\w+)\.")


async def newly_learned(site: Site, **old: str) -> set[tuple[str, str]]:
    """Services, and types of events that they learn today and the older version did not."""
    then, now = [json.loads(await _ran(site, LEARNS, **given)) for given in (old, {})]
    return {(service, kind) for service in now for kind in {*now[service]} - {*then[service]}}


def lost_for_good(told: Any, newly: set[tuple[str, str]]) -> list[str]:
    """What is lost, but for what a process passed over that did not learn its type yet.

    That is what came before the first one that was learned of its source, and nothing else.
    """
    first: dict[tuple[str, str, str], int] = {}
    for topic, kind, cause in told["learned"]:
        source, _, number = cause.rpartition(".")
        which = topic.split(".")[1], kind.removeprefix(PREFIX).partition(".")[0], source
        if which[:2] in newly:
            first[which] = min(int(number), first.get(which, sys.maxsize))

    def passed_over(line: str) -> bool:
        found = NOT_LEARNED.fullmatch(line)
        if found is None or (found[4], found[1]) not in newly:
            return False
        which = found[4], found[1], found[2].replace("/", ".")
        return int(found[3]) < first.get(which, sys.maxsize)

    return [line for line in told["lost"] if not passed_over(line)]


def asked_for(what: str) -> list[Service]:
    """For which services UPGRADING.md has somebody do this, in its order."""
    loop = rf"^for service in ([a-z ]+); do {what} .*done$"
    [found] = re.findall(loop, UPGRADING.read_text("utf-8"), re.MULTILINE)
    assert set(found.split()) <= COMMANDS.keys()
    return found.split()


def refused_by(service: Service, cohort: str) -> Command | None:
    """What a service has to refuse, for nothing of it exists; feedback takes none but by links."""
    match service:
        case "matching":
            return WithdrawMentor(cohort_id=cohort, mentor_id="nobody")
        case "scheduling":
            return ConfirmSession(cohort_id=cohort, session_id="no~body~1", by="mentor")
        case "feedback":
            return None
        case "notify":
            return RetryLetter(cohort_id=cohort, letter_id="nothing")
        case "portal":
            return None


class Clients:
    """Whoever sends commands all the time, and again when nobody answers."""

    def __init__(self, site: Site, cohorts: list[str]) -> None:
        self.site = site
        self.cohorts = cohorts
        self.taken: Counter[str] = Counter()
        self.gaps: dict[str, float] = {}

    async def send(self, service: Service) -> None:
        url = self.site.stack.services[service].url
        last = time.monotonic()
        async with httpx.AsyncClient(timeout=10) as client:
            while True:
                cohort = self.cohorts[self.taken[service] % len(self.cohorts)]
                try:
                    answer = await _asked(client, url, refused_by(service, cohort))
                except httpx.HTTPError:
                    continue
                if answer.status_code < 500:
                    assert answer.status_code in (202, 403), answer.text
                    self.taken[service] += 1
                    now = time.monotonic()
                    self.gaps[service] = max(self.gaps.get(service, 0.0), now - last)
                    last = now
                await asyncio.sleep(0.1)


async def _asked(client: httpx.AsyncClient, url: str, command: Command | None) -> httpx.Response:
    if command is None:
        return await client.post(f"{url}/links/no-token", json={})
    return await client.post(
        f"{url}/commands/{type(command).__name__}",
        content=command.model_dump_json(),
        headers={"content-type": "application/json"},
    )


@asynccontextmanager
async def sending(site: Site, cohorts: list[str]) -> AsyncIterator[Clients]:
    clients = Clients(site, cohorts)
    tasks = [asyncio.create_task(clients.send(service)) for service in SERVICES]
    try:
        yield clients
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def owned(process: ServiceProcess) -> int:
    """How many partitions a process says that it owns."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{process.url}/health/ready")
    except httpx.HTTPError:
        return 0
    return int(answer.json()["partitions"])


async def shared(*processes: ServiceProcess) -> None:
    """The processes own all partitions, each some of them."""

    async def so() -> bool:
        found = [await owned(process) for process in processes]
        return sum(found) == PARTITIONS and min(found) > 0

    await eventually(so, within=120)


async def side_by_side(site: Site, service: Service, **settings: str) -> list[ServiceProcess]:
    """One process of another version beside those that run."""
    await site.start(service, **settings)
    processes = list(site.running[service])
    await shared(*processes)
    return processes


async def replaced(site: Site, service: Service, **settings: str) -> None:
    """A process of another version takes the place of the one that runs."""
    before, after = await side_by_side(site, service, **settings)
    await site.stop(before)
    await shared(after)


def held(progress: Progress) -> int:
    return progress.sum("scheduling", "sessions", "completed")


async def checked(site: Site, **settings: str) -> Any:
    """The independent check, by the next version's knowledge of types."""
    stack = site.stack
    arguments = stack.kafka, stack.mongodb, str(stack.directory / "mail"), str(PARTITIONS)
    return json.loads(await _ran(site, CHECK, *arguments, **settings))


async def _ran(site: Site, program: str, *arguments: str, **settings: str) -> bytes:
    """What a program prints that runs by the code of a version."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments),
        env={**site.env, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out


@pytest.mark.drill
async def test_two_versions_side_by_side_and_back_again_lose_nothing_and_park_nothing(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    new = write_next_version(tmp_path / "next")
    people = rosters(tmp_path, 4, 3)
    async with running_site(tmp_path, kafka_if_real, DAYS_PER_SECOND) as site:
        async with programme(site, people, 5) as going, sending(site, list(people)) as clients:

            async def more_is_held() -> None:
                before = held(going.coordinator.progress)
                await going.until(lambda progress: held(progress) > before)

            await going.until(lambda p: p.sum("scheduling", "sessions", "planned") > 0)
            for reader in READERS:
                await replaced(site, reader, **new)
            await more_is_held()  # by the version before, read by the next one

            first, second = await side_by_side(site, "scheduling", **new)
            await more_is_held()
            await site.kill(second)
            await shared(first)  # the version before takes over what the next one had
            await replaced(site, "scheduling", **new)
            await more_is_held()
            await replaced(site, "scheduling")  # who writes goes back
            await more_is_held()
            await replaced(site, "scheduling", **new)
            await more_is_held()
            await going.over(within=300)
        await site.at_rest()
        await site.end()
        told = await checked(site, **new)
        assert (told["lost"], told["doubled"], told["parked"]) == ([], [], 0)

        # each session that was held, once: for who knows version 1 alone, and for who knows both
        types = {(kind.removeprefix(PREFIX), copy): n for kind, copy, n in told["types"]}
        first_only = types["SessionCompleted.v1", False]
        assert first_only > 0
        assert types["SessionCompleted.v1", True] == types["SessionCompleted.v2", False] > 0
        assert first_only + types["SessionCompleted.v2", False] == told["completed"]
        assert types["PairPraised.v1", False] == types["SessionCompleted.v2", False]

        # what the version before wrote lacks what only the next one knows, until it is rebuilt
        for service, done in (await site.rebuild_all("--verify", **new)).items():
            different = done.document["differences"]
            assert all(name.startswith("sessions/") for name in different), different
            assert bool(different) == (service == "scheduling")
        assert (await site.rebuild("scheduling", **new)).code == 0
        again = await site.rebuild("scheduling", "--verify", **new)
        assert again.document["differences"] == []
    figures.info("largest gap between two accepted commands, in seconds: %s", clients.gaps)


def test_who_reads_what_scheduling_writes_is_replaced_before_it_and_everybody_is_rebuilt() -> None:
    readers = {name for name in COMMANDS if "mentoring.scheduling.events" in domain_of(name).reads}
    assert set(asked_for("kubectl rollout status")) == readers - {"scheduling"}
    assert set(asked_for("connecte parked retry")) == COMMANDS.keys()
    assert set(asked_for("connecte rebuild")) == COMMANDS.keys()


@pytest.mark.drill
async def test_from_the_last_release_to_today_nothing_is_lost_and_a_rebuild_finds_the_same(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    try:
        revision = older_revision()
        old = write_older_version(tmp_path / "older", revision)
    except NoHistory as missing:
        pytest.skip(str(missing))
    figures.info("from %s", revision)
    people = rosters(tmp_path, 4, 3)
    async with running_site(tmp_path, kafka_if_real, DAYS_PER_SECOND, WITH_PORTAL, **old) as site:
        async with programme(site, people, 3) as going, sending(site, list(people)) as clients:
            await going.until(lambda p: p.sum("scheduling", "sessions", "planned") > 0)
            for service in asked_for("kubectl rollout status"):
                await replaced(site, service)
            await replaced(site, "scheduling")
            before = held(going.coordinator.progress)
            await going.until(lambda progress: held(progress) > before)
            await replaced(site, "scheduling", **old)  # the way back, while both are in the log
            await replaced(site, "scheduling")
            for service in asked_for("connecte parked retry"):
                done = await connecte(
                    *("parked", "retry", service, "--reason", "unknown-type"), **site.access
                )
                assert done.code == 0, done.err
            await going.over(within=300)
        await site.at_rest()
        await site.end()

        told = await checked(site)
        lost = lost_for_good(told, await newly_learned(site, **old))
        assert (lost, told["doubled"], told["parked"]) == ([], [], 0)
        for service in asked_for("connecte rebuild"):
            done = await site.rebuild(service)
            assert done.code == 0, done.err
        for service, done in (await site.rebuild_all("--verify")).items():
            assert done.document["differences"] == [], service
    figures.info("largest gap between two accepted commands, in seconds: %s", clients.gaps)
