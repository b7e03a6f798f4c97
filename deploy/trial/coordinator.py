"""The person who opens the cohorts, enters the rosters, runs the rounds and waits.

Always holds: nothing but HTTP is used, and for rosters the commands topics where that is asked for;
that the run is over is seen in the database, too: no service tells how many surveys are open.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.stack import SERVICES, Stack
from deploy.operating.rosters import Roster
from deploy.trial.chaos.watch import Watch
from deploy.trial.programme_time import ProgrammeTime
from schemas.base import Command
from schemas.envelope import encode
from schemas.matching import OpenCohort, RunRound
from schemas.people import PersonContact
from schemas.topics import PEOPLE, Service, commands_topic, partition_of
from schemas.values import CohortPolicy
from services.chassis.log.kafka import KafkaLog

START = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)  # the Monday on which the pilot begins
MOST_ROUNDS = 4
AT_ONCE = 32  # requests
LOOK_AGAIN = 0.2
SHOW_EVERY = 2.0
"""Real seconds after which all that is waited for is looked at, for whoever looks on."""

Overview = dict[str, dict[str, dict[str, int]]]
"""Service to collection to state to how many."""


class DemoError(RuntimeError):
    """The pilot did not come to its end; the text says where it stood."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run. `days_per_second`: how fast programme time flies; None: it leaps.

    `by_topic`: the rosters are written to the commands topics at once, instead of sent by HTTP;
    `at_portal`: everybody, coordinator included, acts at the pages of the portal.
    `killed`: which services `kill_every` is about; none named, all.
    `mail_trouble`: letters are put off and refused, and the mail server dies now and then; for time
    that leaps.
    `gather_ms`: from one batch of a service to its next, at least, while there is always something.
    """

    rosters: Mapping[str, Roster]
    names: Mapping[str, str]
    policy: CohortPolicy
    seed: int = 1
    days_per_second: float | None = None
    kill_every: float | None = None
    killed: tuple[Service, ...] = ()
    mail_trouble: bool = False
    maildir: Path | None = None
    kafka: str | None = None
    by_topic: bool = False
    at_portal: bool = False
    gather_ms: int = 0
    limit: float = 1800.0


@dataclass(slots=True)
class Progress:
    """Where the run stands, for whoever shows it. `surveys`: by state, as no service tells it.

    `deeds`: what people did, how often. `killed_at`: of `time.monotonic`.
    """

    phase: str = "starting"
    day: float = 0.0
    overview: dict[str, Overview] = field(default_factory=dict)
    letters: int = 0
    killed_at: list[float] = field(default_factory=list)
    surveys: dict[str, int] = field(default_factory=dict)
    deeds: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        return len(self.killed_at)

    def sum(
        self, service: str, collection: str, *states: str, cohorts: Iterable[str] | None = None
    ) -> int:
        """How many documents in these states (or all), over these cohorts (or all)."""
        total = 0
        for cohort in self.overview if cohorts is None else cohorts:
            tally = self.overview.get(cohort, {}).get(service, {}).get(collection, {})
            total += sum(n for state, n in tally.items() if not states or state in states)
        return total


Show = Callable[[Progress], None]


def coordination(cohort: str) -> PersonContact:
    """Who is told what wants attention in a cohort."""
    return PersonContact(
        cohort_id=cohort,
        person_id="coordination",
        name="Coordination",
        email=f"coordination@{cohort}.example.org",
        role="coordinator",
    )


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
        self._figures_due = set(plan.rosters)
        self._rounds: Counter[str] = Counter()
        self._time = time_
        self._show = show
        self._shown = -math.inf
        # The client's own queue is walked along, with all connections, for each request that begins
        # or ends.
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def conduct(self) -> None:
        """The programme, from the first volunteer to the verdict."""
        self.progress.phase = "enrolment"
        for cohort, roster in self.plan.rosters.items():
            await self._enter(cohort, roster)
        await self._until(self._enrolled, "matching")
        self.progress.phase = "rounds"
        for number in range(1, MOST_ROUNDS + 1):
            cohorts = [c for c in self.plan.rosters if number == 1 or self._waits(c)]
            await self._ask_rounds(cohorts, number)
            self._rounds.update(cohorts)
            await self._until(self._searched, "matching")
            await self._until(self._answered, "matching", "scheduling")  # some meet already
            if not any(map(self._waits, self.plan.rosters)):
                break
        self.progress.phase = "sessions"
        await self._until(self._ended, "matching", "scheduling")
        self.progress.phase = "last letters and figures"
        await self._until(self._quiet, *SERVICES)

    async def close(self) -> None:
        """Look no more."""
        await self._watch.close()

    async def _enter(self, cohort: str, roster: Roster) -> None:
        await self._send(
            "matching",
            OpenCohort(cohort_id=cohort, name=self.plan.names[cohort], policy=self.plan.policy),
        )
        people: Sequence[Command] = [*roster.mentors, *roster.managers]
        contacts = [coordination(cohort), *roster.contacts]
        if self.plan.by_topic:
            await self._write([*contacts, *people])
            return
        await asyncio.gather(
            *(self._send("notify", contact, wait=False) for contact in contacts),
            *(self._send("matching", person, wait=False) for person in people),
        )

    async def _ask_rounds(self, cohorts: Sequence[str], number: int) -> None:
        asked = [RunRound(cohort_id=c, round_id=f"round-{number}") for c in cohorts]
        await asyncio.gather(*(self._send("matching", one, wait=False) for one in asked))

    def _seen(self, cohort: str, service: str, collection: str, *states: str) -> int:
        return self.progress.sum(service, collection, *states, cohorts=[cohort])

    def _enrolled(self, cohort: str) -> bool:
        roster = self.plan.rosters[cohort]
        people = self._seen(cohort, "matching", "mentors") + self._seen(
            cohort, "matching", "managers"
        )
        return people >= len(roster.mentors) + len(roster.managers)

    def _waits(self, cohort: str) -> bool:
        return self._seen(cohort, "matching", "managers", "waiting") > 0

    def _searched(self, cohort: str) -> bool:
        return self._seen(cohort, "matching", "rounds", "completed") >= self._rounds[cohort]

    def _answered(self, cohort: str) -> bool:
        return not self._seen(cohort, "matching", "pairs", "proposed")

    def _ended(self, cohort: str) -> bool:
        return not self._seen(cohort, "matching", "pairs", "proposed", "formed")

    def _quiet(self, cohort: str) -> bool:
        return not (
            cohort in self._figures_due
            or self.progress.surveys.get("open")
            or self._seen(cohort, "notify", "letters", "queued")
            or self._seen(cohort, "scheduling", "sessions", "planned", "confirmed")
        )

    async def _until(self, holds: Callable[[str], bool], *services: Service) -> None:
        """Let time pass until something holds of every cohort, as the projections show it.

        Only what these services tell is looked at, and no cohort of which it has held already; nor
        those behind the first of which it does not hold, but for whoever looks on.
        """
        waiting = list(self.plan.rosters)

        async def look() -> bool:
            if time.monotonic() - self._shown > SHOW_EVERY:
                await self._look(waiting, services)
                self._show(self.progress)
                self._shown = time.monotonic()
            while waiting:
                await self._look(waiting[:1], services)
                if not holds(waiting[0]):
                    return False
                waiting.pop(0)
            return True

        await self._time.until(look)

    async def _look(self, cohorts: Sequence[str], services: Sequence[Service]) -> None:
        """Read these services' overviews of these cohorts, when all of them answer."""
        if not await self._looked(cohorts, services):
            await asyncio.sleep(LOOK_AGAIN)  # somebody was killed, and comes back
            await self._look(cohorts, services)

    async def _looked(self, cohorts: Sequence[str], services: Sequence[Service]) -> bool:
        looks = [self._look_at(cohort, service) for cohort in cohorts for service in services]
        whole = all(await asyncio.gather(*looks))
        surveys = await self._watch.tally("feedback", "surveys", "state")
        self.progress.surveys = surveys or self.progress.surveys
        self.progress.day = (self._time.now() - START) / timedelta(days=1)
        self.progress.letters = self.stack.mailbox.count
        return whole and surveys is not None

    async def _look_at(self, cohort: str, service: Service) -> bool:
        found = await self._get(service, f"/cohorts/{cohort}")
        if found is None:
            return False
        self.progress.overview.setdefault(cohort, {})[service] = found
        if service != "feedback":
            return True
        figures = await self._get(service, f"/cohorts/{cohort}/cohorts")
        due = any(item["due_at"] for item in (figures or {}).get("items", ()))
        (self._figures_due.add if due else self._figures_due.discard)(cohort)
        return figures is not None

    async def _get(self, service: str, path: str) -> Any:
        try:
            async with self._turn:
                response = await self.client.get(self._url(service) + path)
        except httpx.HTTPError:
            return None
        return response.json() if response.status_code == 200 else None

    def _url(self, service: str) -> str:
        return self.stack.services[service].url  # type: ignore[index]

    async def _write(self, commands: Sequence[Command]) -> None:
        """Write commands straight to their topics, as other systems do."""
        partitions, now = self.stack.terms.partitions, self._time.now()
        records = [
            encode(
                command,
                PEOPLE if isinstance(command, PersonContact) else commands_topic("matching"),
                partition_of(command.cohort_id, partitions),
                id=f"{command.cohort_id}-{number}",
                source="/ministries/rosters",
                time=now,
            )
            for number, command in enumerate(commands)
        ]
        log = KafkaLog({"bootstrap_servers": self.stack.kafka}, idempotent=False)
        await log.start()
        try:
            await log.publish(records)
        finally:
            await log.stop()

    async def _send(self, service: str, command: Command, *, wait: bool = True) -> None:
        url = f"{self._url(service)}/commands/{type(command).__name__}{'?wait=20' if wait else ''}"
        body = command.model_dump_json(exclude_none=True)  # as the portal: older ones know no more
        headers = {"content-type": "application/json"}
        for _ in range(200):
            try:
                async with self._turn:
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
