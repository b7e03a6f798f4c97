"""The alerts over a real platform that a real Prometheus watches: silent, until something breaks.

What takes minutes by its nature (`for:`, a lag that rises) is in the cases of tests/deploy/alerts
and was walked through by hand (docs/runbooks); here the expressions themselves are asked.
"""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.mongodb import Mongod, mongod
from deploy.local.prometheus import prometheus
from deploy.local.stack import Stack, Terms, running_stack
from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.pilot.generate import generate
from schemas.base import Command
from schemas.envelope import Record
from schemas.letter_rules import LetterRules
from schemas.matching import OpenCohort
from schemas.topics import Service, partition_of
from schemas.values import CohortPolicy
from services.chassis.log.kafka import KafkaLog
from tests.conftest import PATIENCE, eventually
from tests.deploy.alerts.alerting import RULES, alerts

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[3]
AT_ONCE = CohortPolicy(letters=LetterRules(gather_minutes=0))
MONDAY = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)  # letters leave, whenever the test is run
TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum")}


@dataclass(frozen=True, slots=True)
class Watched:
    """A platform, and the Prometheus that watches it."""

    stack: Stack
    mongod: Mongod
    url: str
    client: httpx.AsyncClient

    async def firing(self) -> dict[str, list[dict[str, Any]]]:
        """The alerts whose expression holds at the moment, with the series that it gives."""
        found = {rule["alert"]: await self._asked(rule["expr"]) for rule in alerts()}
        return {name: series for name, series in found.items() if series}

    async def fires(self, *names: str) -> dict[str, list[dict[str, Any]]]:
        """Wait until the expressions of these hold."""

        async def holds() -> dict[str, list[dict[str, Any]]] | None:
            found = await self.firing()
            return found if found.keys() >= set(names) else None

        found = await eventually(holds, PATIENCE)
        assert found is not None
        return found

    async def metrics(self, service: Service) -> str:
        return (await self.client.get(f"{self.stack.services[service].url}/metrics")).text

    async def scraped(self) -> None:
        """Wait until every service has been scraped, and the rules be computed from it."""

        async def known() -> bool:
            return len(await self._asked('mentoring:parked:ratio_rate5m{job="connecte"}')) == 4

        await eventually(known, PATIENCE)

    async def _asked(self, query: str) -> list[dict[str, Any]]:
        answer = await self.client.get(f"{self.url}/api/v1/query", params={"query": query})
        assert answer.is_success, answer.text
        return [row["metric"] for row in answer.json()["data"]["result"]]


@asynccontextmanager
async def watched(
    directory: Path, monkeypatch: pytest.MonkeyPatch, rate: float, interval: str
) -> AsyncIterator[Watched]:
    async with mongod(directory) as server:
        monkeypatch.setenv("MONGODB_URI", server.uri)
        terms = Terms(rate=rate, start=MONDAY)
        async with running_stack(directory, terms) as stack:
            targets = {name: service.url for name, service in stack.services.items()}
            async with (
                prometheus(directory, targets, rules=[RULES], interval=interval) as url,
                httpx.AsyncClient(timeout=30) as client,
            ):
                yield Watched(stack, server, url, client)


def roster(directory: Path) -> Roster:
    mentors, managers = generate(12, 8, 3)
    write_roster(directory / "mentors.csv", MENTOR_COLUMNS, mentors)
    write_roster(directory / "managers.csv", MANAGER_COLUMNS, managers)
    return read_rosters(directory / "mentors.csv", directory / "managers.csv", "watched")


async def test_faults_that_are_really_made_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Scrapes have to be further apart than one takes while the database is away.
    async with watched(tmp_path, monkeypatch, rate=1.0, interval="5s") as platform:
        await platform.scraped()
        assert await platform.firing() == {}
        # A mail server that takes nothing, and letters for everybody of a roster.
        platform.stack.mailbox.refuse = lambda _: "451 4.2.1 busy"
        await _enter(platform, roster(tmp_path))
        await platform.fires("MentoringLettersFailing")
        # Records that nobody can read.
        await _send_poison(platform.stack, 150)
        found = await platform.fires(
            "MentoringRecordsParked", "MentoringParkedGrowing", "MentoringParkedBudgetBurn"
        )
        assert {row["service"] for row in found["MentoringRecordsParked"]} == {"matching"}
        # A process that stands still.
        notify = platform.stack.services["notify"].child
        assert notify is not None
        notify.send(signal.SIGSTOP)
        found = await platform.fires("MentoringTargetDown", "MentoringServiceGone")
        assert {row["service"] for row in found["MentoringServiceGone"]} == {"notify"}
        notify.send(signal.SIGCONT)
        # A database that is gone.
        platform.mongod.child.kill()
        found = await platform.fires("MentoringNotReady")
        assert "MentoringPartitionsUnassigned" not in found


async def _enter(platform: Watched, roster: Roster) -> None:
    """Open the cohort, and enter everybody."""
    commands: list[tuple[Service, Command]] = [
        ("matching", OpenCohort(cohort_id="watched", name="Watched", policy=AT_ONCE)),
        *(("notify", contact) for contact in roster.contacts),
        *(("matching", person) for person in (*roster.mentors, *roster.managers)),
    ]
    for service, command in commands:
        url = f"{platform.stack.services[service].url}/commands/{type(command).__name__}"
        answer = await platform.client.post(
            url, content=command.model_dump_json(), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 202, answer.text


async def _send_poison(stack: Stack, count: int) -> None:
    log = KafkaLog({"bootstrap_servers": stack.kafka}, idempotent=False)
    await log.start()
    try:
        where = "mentoring.matching.commands", partition_of("watched", stack.terms.partitions)
        await log.publish([Record(*where, None, b"{", []) for _ in range(count)])
    finally:
        await log.stop()
