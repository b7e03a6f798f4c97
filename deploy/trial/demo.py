"""A whole programme on this machine: from rosters to the verdict of each cohort; then the check.

Always holds: the figures come from an independent check that reads topics, databases and mailbox,
not from the services.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pymongo import AsyncMongoClient

from deploy.local.stack import SERVICES, WITH_PORTAL, Stack, Terms, running_stack
from deploy.operating.reach import Access
from deploy.operating.rebuilding import rebuild_service
from deploy.trial.at_portal import COORDINATOR, AtPortal
from deploy.trial.check import Evidence, Findings, check, read_evidence
from deploy.trial.check.calendars import check_calendars
from deploy.trial.coordinator import (
    LOOK_AGAIN,
    START,
    Coordinator,
    DemoError,
    Plan,
    Progress,
    Show,
)
from deploy.trial.mail_trouble import MailTrouble
from deploy.trial.people import People
from deploy.trial.people_at_portal import CoordinatorAtPortal, PeopleAtPortal
from deploy.trial.programme_time import DAY, FlyingTime, LeapingTime, ProgrammeTime
from deploy.trial.stillness import Stillness, stillness
from deploy.trial.usage import watched
from services.chassis.clock import Clock

SIGNING_IN = {"CONNECTE_COORDINATORS": COORDINATOR, "CONNECTE_SIGN_IN_DOMAINS": "*"}


async def run_demo(directory: Path, plan: Plan, show: Show) -> dict[str, Any]:
    """Run the pilot to its end and check it; the document that `--json` prints."""
    days = plan.days_per_second
    terms = Terms(
        rate=math.inf if days is None else days * DAY,
        start=START,
        kafka=plan.kafka,
        settings={
            "CONNECTE_GATHER_MS": str(plan.gather_ms),
            **(SIGNING_IN if plan.at_portal else {}),
        },
        services=WITH_PORTAL if plan.at_portal else SERVICES,
    )
    started = time.monotonic()
    async with running_stack(directory, terms, plan.maildir) as stack, watched() as usage:
        begun = time.monotonic()
        async with (
            _mail(stack, plan) as mail,
            time_of(stack, mail) as time_,
            background(stack, plan, time_, show) as coordinator,
            asyncio.timeout(plan.limit),
        ):
            await coordinator.conduct()
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
        used = usage.by_name()  # the check has its own
        findings = check(evidence)
        letters = evidence.databases["notify"]["letters"]
        given_up = {str(row["_id"]) for row in letters if row["state"] == "failed"}
        findings.lost.extend(check_calendars(stack.mailbox.held(), given_up))
        sizes = await _sizes(stack, evidence)
        rebuilt = await _differences(stack)
    document = _document(findings, rebuilt, seconds, time.monotonic() - started, progress)
    told = {"mail": mail.told(progress.killed_at)} if mail else {}
    return {**document, **told, "bytes": sizes, "used": used}


async def _sizes(stack: Stack, evidence: Evidence) -> dict[str, int]:
    """How many bytes there are in the topics (keys, values, headers) and in the databases."""
    log = sum(
        len(r.key or b"") + len(r.value or b"") + sum(len(k) + len(v or b"") for k, v in r.headers)
        for r in evidence.records
    )
    data = indexes = 0
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stack.mongodb)
    async with client:
        for service in stack.services:
            stats = await client[f"connecte_{service}"].command("dbStats")
            data, indexes = data + int(stats["dataSize"]), indexes + int(stats["indexSize"])
    return {"kafka": log, "mongodb_data": data, "mongodb_indexes": indexes}


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
    for service in stack.services:
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
        "people": dict(sorted(progress.deeds.items())),
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
async def _mail(stack: Stack, plan: Plan) -> AsyncIterator[MailTrouble | None]:
    """What its mail server is up to, if anything."""
    if not plan.mail_trouble:
        yield None
        return
    trouble = MailTrouble(stack.mailbox, plan.seed)
    async with trouble.afoot():
        yield trouble


@asynccontextmanager
async def time_of(stack: Stack, mail: MailTrouble | None = None) -> AsyncIterator[ProgrammeTime]:
    """How time passes in this stack: it stands while the mail server is away."""
    if stack.hand is None:
        yield FlyingTime(Clock(stack.terms.rate, stack.terms.start, stack.origin))
    else:
        reached = (stack.mongodb, stack.kafka, stack.terms.partitions)
        async with stillness(*reached, services=stack.terms.services) as seen:

            async def still(now: datetime) -> tuple[bool, datetime | None]:
                return (False, None) if mail and mail.away else await seen.next(now)

            yield LeapingTime(stack.hand, still)
            await _written(seen)


async def _written(seen: Stillness) -> None:
    """Wait until the databases know of all that was read, which the check wants to see."""
    if not await seen.written():
        await asyncio.sleep(LOOK_AGAIN)
        await _written(seen)


@asynccontextmanager
async def background(
    stack: Stack, plan: Plan, time_: ProgrammeTime, show: Show
) -> AsyncIterator[Coordinator]:
    """People live, and services are killed, for as long as the block lasts."""
    async with httpx.AsyncClient(timeout=30) as client, AsyncExitStack() as closing:
        coordinator = Coordinator(stack, plan, time_, client, show)
        people = People(stack, plan.seed, time_)
        if plan.at_portal:
            portal = AtPortal(stack.services["portal"].url, stack.mailbox)
            await closing.enter_async_context(portal.open())
            coordinator = CoordinatorAtPortal(portal, COORDINATOR, stack, plan, time_, client, show)
            people = PeopleAtPortal(portal, _addresses(plan), stack, plan.seed, time_)
        coordinator.progress.deeds = people.done
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


def _addresses(plan: Plan) -> dict[tuple[str, str], str]:
    """Cohort and person to the address with which they sign in."""
    return {
        (contact.cohort_id, contact.person_id): contact.email.casefold()
        for roster in plan.rosters.values()
        for contact in roster.contacts
        if contact.email
    }


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
                child = stack.services[chance.choice(plan.killed or stack.terms.services)].child
                assert child is not None
                progress.killed_at.append(time.monotonic())
                child.kill()


async def _all_ready(stack: Stack, client: httpx.AsyncClient) -> bool:
    urls = [service.url for service in stack.services.values()]
    asked = [client.get(f"{url}/health/ready") for url in urls]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return all(isinstance(a, httpx.Response) and a.status_code == 200 for a in answers)
