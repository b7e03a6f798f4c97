"""The whole pilot, on this machine: roster in, rounds, sessions, surveys, verdict; then the check.

Always holds: the coordinator and the people use nothing but HTTP and letters (but that the run is
over is seen in the database: no service tells how many surveys are open); the figures come from an
independent check that reads topics, databases and mailbox, not from the services.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.stack import SERVICES, Stack, Terms, running_stack
from deploy.operating.reach import Access
from deploy.operating.rebuilding import rebuild_service
from deploy.operating.rosters import Roster
from deploy.trial.chaos.watch import Watch
from deploy.trial.check import Findings, check, read_evidence
from deploy.trial.people import People
from deploy.trial.programme_time import DAY, FlyingTime, LeapingTime, ProgrammeTime
from deploy.trial.stillness import stillness
from schemas.base import Command
from schemas.matching import OpenCohort, RunRound
from schemas.values import CohortPolicy
from services.chassis.clock import Clock

START = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)  # the Monday on which the pilot begins
MOST_ROUNDS = 4
LOOK_AGAIN = 0.2

Overview = dict[str, dict[str, dict[str, int]]]
"""Service to collection to state to how many."""


class DemoError(RuntimeError):
    """The pilot did not come to its end; the text says where it stood."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run. `days_per_second`: how fast programme time flies; None: it leaps."""

    rosters: Mapping[str, Roster]
    names: Mapping[str, str]
    policy: CohortPolicy
    seed: int = 1
    days_per_second: float | None = None
    kill_every: float | None = None
    maildir: Path | None = None
    kafka: str | None = None
    limit: float = 1800.0


@dataclass(slots=True)
class Progress:
    """Where the run stands, for whoever shows it. `surveys`: by state, as no service tells it."""

    phase: str = "starting"
    day: float = 0.0
    overview: dict[str, Overview] = field(default_factory=dict)
    letters: int = 0
    kills: int = 0
    surveys: dict[str, int] = field(default_factory=dict)

    def sum(self, service: str, collection: str, *states: str) -> int:
        """How many documents in these states (or all), over the cohorts."""
        total = 0
        for overview in self.overview.values():
            tally = overview.get(service, {}).get(collection, {})
            total += sum(n for state, n in tally.items() if not states or state in states)
        return total


Show = Callable[[Progress], None]


async def run_demo(directory: Path, plan: Plan, show: Show) -> dict[str, Any]:
    """Run the pilot to its end and check it; the document that `--json` prints."""
    days = plan.days_per_second
    terms = Terms(rate=math.inf if days is None else days * DAY, start=START, kafka=plan.kafka)
    started = time.monotonic()
    async with running_stack(directory, terms, plan.maildir) as stack:
        begun = time.monotonic()
        async with _time(stack) as time_, _background(stack, plan, time_, show) as coordinator:
            await asyncio.wait_for(coordinator.conduct(), plan.limit)
        seconds = time.monotonic() - begun
        progress = coordinator.progress
        progress.phase = "checking"
        show(progress)
        for service in stack.services.values():
            await service.stop()
        evidence = await read_evidence(
            {"bootstrap_servers": stack.kafka},
            stack.mongodb,
            stack.mailbox.held,
            terms.partitions,
            redelivered_letters=stack.mailbox.redelivered,
        )
        findings = check(evidence)
        rebuilt = await _differences(stack)
    return _document(findings, rebuilt, seconds, time.monotonic() - started, progress)


async def _differences(stack: Stack) -> list[str]:
    """Fold every service's database again from its journal; the documents that differ."""
    access = Access.model_validate(
        {
            "KAFKA_BOOTSTRAP_SERVERS": stack.kafka,
            "CONNECTE_KAFKA_IDEMPOTENT": stack.terms.kafka is not None,
            "CONNECTE_PARTITIONS": stack.terms.partitions,
            "MONGODB_URI": stack.mongodb,
        }
    )
    found: list[str] = []
    for service in SERVICES:
        rebuilt = await rebuild_service(access, service, verify=True, advance=lambda _: None)
        found.extend(f"{service}: {name}" for name in rebuilt.differences or ())
    return found


def _document(
    findings: Findings, rebuilt: list[str], seconds: float, total: float, progress: Progress
) -> dict[str, Any]:
    return {
        **findings.figures,
        "events": findings.events,
        "events_per_second": round(findings.events / seconds, 1),
        "seconds": round(seconds, 1),
        "seconds_in_all": round(total, 1),
        "parked": findings.parked,
        "lost": len(findings.lost),
        "doubled": len(findings.doubled),
        "rebuilt_equal": not rebuilt,
        "findings": {
            "lost": findings.lost[:50],
            "doubled": findings.doubled[:50],
            "rebuilt": rebuilt[:50],
        },
        "kills": progress.kills,
        "republished": findings.redelivered,
        "letters_redelivered": findings.redelivered_letters,
    }


@asynccontextmanager
async def _time(stack: Stack) -> AsyncIterator[ProgrammeTime]:
    """How time passes in this stack."""
    if stack.hand is None:
        yield FlyingTime(Clock(stack.terms.rate, stack.terms.start, stack.origin))
    else:
        async with stillness(stack.mongodb, stack.kafka, stack.terms.partitions) as seen:
            yield LeapingTime(stack.hand, seen.next)


@asynccontextmanager
async def _background(
    stack: Stack, plan: Plan, time_: ProgrammeTime, show: Show
) -> AsyncIterator["Coordinator"]:
    """People live, and services are killed, for as long as the block lasts."""
    async with httpx.AsyncClient(timeout=30) as client:
        coordinator = Coordinator(stack, plan, time_, client, show)
        people = People(stack, plan.seed, time_)
        jobs: list[Awaitable[None]] = [people.live()]
        if plan.kill_every is not None:
            jobs.append(_kill(stack, plan, coordinator.progress))
        tasks = [asyncio.ensure_future(job) for job in jobs]
        watched = [*tasks, asyncio.ensure_future(asyncio.shield(stack.failed))]
        me = asyncio.current_task()
        assert me is not None
        for task in watched:
            task.add_done_callback(lambda done: _fail(me, done))
        try:
            yield coordinator
        except asyncio.CancelledError:
            for task in watched:
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error from None
            raise
        finally:
            for task in watched:
                task.cancel()
            await asyncio.gather(*watched, return_exceptions=True)
            await coordinator.close()
        if people.failed:
            raise DemoError(f"people could not act: {dict(people.failed)}")


def _fail(main: asyncio.Task[Any], done: asyncio.Future[Any]) -> None:
    """What fails in the background ends the run."""
    if not done.cancelled() and done.exception() is not None:
        main.cancel()


async def _kill(stack: Stack, plan: Plan, progress: Progress) -> None:
    """Kill a service at random, with no warning, and another one once all are back at work.

    Where a start takes longer than the pause, nobody would ever get anything done.
    """
    chance = random.Random(f"{plan.seed}:kill")  # noqa: S311  # no secret
    assert plan.kill_every is not None
    async with httpx.AsyncClient(timeout=2) as client:
        while True:
            await asyncio.sleep(0.1)
            if await _all_ready(stack, client):
                await asyncio.sleep(chance.uniform(0.5, 1.5) * plan.kill_every)
                child = stack.services[chance.choice(SERVICES)].child
                assert child is not None
                child.kill()
                progress.kills += 1


async def _all_ready(stack: Stack, client: httpx.AsyncClient) -> bool:
    urls = [service.url for service in stack.services.values()]
    asked = [client.get(f"{url}/health/ready") for url in urls]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return all(isinstance(a, httpx.Response) and a.status_code == 200 for a in answers)


class Coordinator:
    """The person who opens the cohorts, enters the rosters, runs the rounds and waits."""

    def __init__(
        self,
        stack: Stack,
        plan: Plan,
        time_: ProgrammeTime,
        client: httpx.AsyncClient,
        show: Show,
    ) -> None:
        self.stack = stack
        self.plan = plan
        self.progress = Progress()
        self.client = client
        self._watch = Watch(stack.kafka, stack.mongodb, stack.terms.partitions)
        self.figures_due = True
        self._time = time_
        self._show = show

    async def conduct(self) -> None:
        """The pilot, from the first volunteer to the verdict."""
        for cohort, roster in self.plan.rosters.items():
            await self._enter(cohort, roster)
        self.progress.phase = "rounds"
        for number in range(1, MOST_ROUNDS + 1):
            for cohort in self.plan.rosters:
                await self._send("matching", RunRound(cohort_id=cohort, round_id=f"round-{number}"))
            done = number * len(self.plan.rosters)
            await self._until(lambda done=done: self._searched(done))  # type: ignore[misc]
            await self._until(self._answered)
            if not self.progress.sum("matching", "managers", "waiting"):
                break
        self.progress.phase = "sessions"
        await self._until(self._ended)
        self.progress.phase = "last letters and figures"
        await self._until(self._quiet)

    async def close(self) -> None:
        """Look no more."""
        await self._watch.close()

    async def _enter(self, cohort: str, roster: Roster) -> None:
        self.progress.phase = "enrolment"
        await self._send(
            "matching",
            OpenCohort(cohort_id=cohort, name=self.plan.names[cohort], policy=self.plan.policy),
        )
        for contact in roster.contacts:
            await self._send("notify", contact, wait=False)
        people: Sequence[Command] = [*roster.mentors, *roster.managers]
        await asyncio.gather(*(self._send("matching", p, wait=False) for p in people))
        await self._until(lambda: self._enrolled(len(people)))

    def _enrolled(self, people: int) -> bool:
        p = self.progress
        return p.sum("matching", "mentors") + p.sum("matching", "managers") >= people

    def _searched(self, rounds: int) -> bool:
        return self.progress.sum("matching", "rounds", "completed") >= rounds

    def _answered(self) -> bool:
        return not self.progress.sum("matching", "pairs", "proposed")

    def _ended(self) -> bool:
        return not self.progress.sum("matching", "pairs", "proposed", "formed")

    def _quiet(self) -> bool:
        p = self.progress
        return not (
            self.figures_due
            or self.progress.surveys.get("open")
            or p.sum("notify", "letters", "queued")
            or p.sum("scheduling", "sessions", "planned", "confirmed")
        )

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds, as the projections show it."""

        async def look() -> bool:
            if not await self._look():  # somebody was killed, and comes back
                await asyncio.sleep(LOOK_AGAIN)
                return await look()
            self._show(self.progress)
            return holds()

        await self._time.until(look)

    async def _look(self) -> bool:
        """Read every service's overview; whether all of them answered."""
        whole = True
        for cohort in self.plan.rosters:
            overview: Overview = {}
            for service in SERVICES:
                found = await self._get(service, f"/cohorts/{cohort}")
                whole = whole and found is not None
                overview[service] = found or self.progress.overview.get(cohort, {}).get(service, {})
            self.progress.overview[cohort] = overview
            figures = await self._get("feedback", f"/cohorts/{cohort}/cohorts")
            whole = whole and figures is not None
            self.figures_due = any(item["due_at"] for item in (figures or {}).get("items", ()))
        surveys = await self._watch.tally("feedback", "surveys", "state")
        whole = whole and surveys is not None
        self.progress.surveys = surveys or self.progress.surveys
        self.progress.day = (self._time.now() - START) / timedelta(days=1)
        self.progress.letters = self.stack.mailbox.count
        return whole

    async def _get(self, service: str, path: str) -> Any:
        try:
            response = await self.client.get(self._url(service) + path)
        except httpx.HTTPError:
            return None
        return response.json() if response.status_code == 200 else None

    def _url(self, service: str) -> str:
        return self.stack.services[service].url  # type: ignore[index]

    async def _send(self, service: str, command: Command, *, wait: bool = True) -> None:
        url = f"{self._url(service)}/commands/{type(command).__name__}{'?wait=20' if wait else ''}"
        body = command.model_dump_json()
        headers = {"content-type": "application/json"}
        for _ in range(200):
            try:
                response = await self.client.post(url, content=body, headers=headers)
            except httpx.HTTPError:
                await asyncio.sleep(0.3)
                continue
            if response.status_code in (200, 202):
                return
            if response.status_code < 500:
                raise DemoError(f"{type(command).__name__}: {response.text}")
            await asyncio.sleep(0.3)
        raise DemoError(f"{service} does not answer")
