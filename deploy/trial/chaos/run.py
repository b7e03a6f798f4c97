"""One run: the load begins, faults come as planned, everything heals, comes to rest, is judged.

Always holds: whatever ends a run, every process has ended; a run that could not be judged raises.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.stack import Terms
from deploy.trial.chaos.answers import Answers
from deploy.trial.chaos.bulk import Bulk
from deploy.trial.chaos.faults import KINDS, Scene
from deploy.trial.chaos.handed_again import causes
from deploy.trial.chaos.judge import Judgement, judge
from deploy.trial.chaos.ledger import Ledger
from deploy.trial.chaos.plan import PlannedFault, schedule
from deploy.trial.chaos.programmes import PREFIX as TOWN
from deploy.trial.chaos.programmes import Programmes
from deploy.trial.chaos.quiet import Quiet
from deploy.trial.chaos.sender import Sender
from deploy.trial.chaos.stage import Stage, running_stage
from deploy.trial.chaos.watch import Watch
from deploy.trial.people import People
from deploy.trial.programme_time import DAY, FlyingTime
from services.chassis.http.links import LinkSigner

START = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)
DAYS_PER_SECOND = 0.15
SESSION_TIMEOUT_MS = 3000
PARTITIONS = 4
WISHES_PER_SECOND = 250.0
COHORT_EVERY, COHORT_PAIRS = 30.0, 40
TOWN_EVERY, TOWN_PAIRS = 60.0, 10
PROGRAMME_SECONDS = 75.0  # from the first volunteer to the last letter, when nothing is away
LONGEST_LINGER = 60.0
LONGEST_QUIET = 600.0
LONGEST_FAULT = 150.0
LOOK_EVERY = 1.0
CANCEL_AGAIN = 5.0
SHOW_EVERY = 5.0


class ChaosError(RuntimeError):
    """The run did not come to its end; the text says where it stood."""


@dataclass(frozen=True, slots=True)
class ChaosTerms:
    """What is asked for."""

    seed: int
    minutes: float
    kinds: Sequence[str]


@dataclass(slots=True)
class ChaosProgress:
    """Where a run stands, for whoever shows it."""

    phase: str = "starting"
    seconds: float = 0.0
    events: int = 0
    behind: int = 0
    letters: int = 0
    commands: int = 0
    pairs: Mapping[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    active: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


Show = Callable[[ChaosProgress], None]


class Run:
    """The parts of one run, while it lasts."""

    def __init__(
        self, asked: ChaosTerms, stage: Stage, progress: ChaosProgress, show: Show
    ) -> None:
        self.asked = asked
        self.stage = stage
        self.progress = progress
        self.ledger = Ledger()
        self.history: list[dict[str, Any]] = []
        self._show = show
        self._begun, self.begun_at = time.monotonic(), time.time()
        partitions, bootstrap = stage.terms.partitions, stage.cluster.bootstrap
        self.sender = Sender(
            *(bootstrap, stage.urls, stage.clock, partitions, self.ledger, str(asked.seed))
        )
        self.watch = Watch(bootstrap, stage.mongodb, partitions)
        signer = LinkSigner(stage.env["CONNECTE_LINK_SIGNING_KEY"])
        self.answers = Answers(bootstrap, partitions, self.sender, asked.seed, signer)
        self.bulk = Bulk(
            *(self.sender, self.watch, asked.seed),
            rate=WISHES_PER_SECOND,
            every=COHORT_EVERY,
            pairs=COHORT_PAIRS,
        )
        self.programmes = Programmes(
            self.sender, asked.seed, every=TOWN_EVERY, pairs=TOWN_PAIRS, day=1 / DAYS_PER_SECOND
        )
        self.people = People(
            *(stage, asked.seed, FlyingTime(stage.clock)),
            concerned=lambda c: c.startswith(TOWN),
            heard=self.ledger.answered,
        )
        self.quiet = Quiet(stage, self.watch, self.sender)

    async def conduct(self) -> bool:
        """Load and faults, then rest; whether it came to rest."""
        seconds = self.asked.minutes * 60
        new_until = max(1.0, seconds - PROGRAMME_SECONDS)
        async with self._beside(self._look(), self.answers.run(), self.people.live()):
            self.progress.phase = "load and faults"
            self._begun, self.begun_at = time.monotonic(), time.time()
            async with self._beside(self.bulk.run(new_until), self.programmes.run(new_until)):
                lanes = schedule(self.asked.seed, self.asked.minutes, self.asked.kinds)
                async with asyncio.TaskGroup() as tasks:
                    for planned in lanes.values():
                        tasks.create_task(self._lane(planned, seconds))
                    tasks.create_task(asyncio.sleep(seconds))
            self.progress.phase = "waiting for the services"
            self.answers.closing = True
            await asyncio.gather(*(p.ready(LONGEST_QUIET) for p in self.stage.everyone))
            self.progress.phase = "coming to rest"
            linger = min(LONGEST_LINGER, seconds / 2)
            return await self.quiet.settle(linger, LONGEST_QUIET)

    @asynccontextmanager
    async def _beside(self, *jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """These go on for as long as the block lasts; what fails of them ends it."""
        failed = asyncio.ensure_future(asyncio.shield(self.stage.failed))
        tasks = [*(asyncio.ensure_future(job) for job in jobs), failed]
        me = asyncio.current_task()
        assert me is not None

        def ended(task: asyncio.Future[Any]) -> None:
            if not task.cancelled() and task.exception() is not None:
                me.cancel()

        for task in tasks:
            task.add_done_callback(ended)
        try:
            yield
        except asyncio.CancelledError:
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error from None
            raise
        finally:
            # Again and again: a client that is closing may take a cancellation for its own.
            pending: set[asyncio.Future[Any]] = set(tasks)
            while pending:
                for task in pending:
                    task.cancel()
                _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN)

    # --- faults -------------------------------------------------------------------------------

    async def _lane(self, lane: Sequence[PlannedFault], seconds: float) -> None:
        for planned in lane:
            wait = planned.at - self._elapsed
            if wait > 0:
                await asyncio.sleep(wait)
            # What could not begin in time is left out, and the counts say so.
            if self._elapsed + planned.seconds > seconds:
                return
            await self._inflict(planned)

    async def _inflict(self, planned: PlannedFault) -> None:
        kind = KINDS[planned.kind]
        row: dict[str, Any] = {"kind": kind.name, "at": round(self._elapsed, 1), "victim": ""}
        self.history.append(row)
        self.progress.active[kind.name] = ""

        def note(victim: str) -> None:
            row["victim"] = self.progress.active[kind.name] = victim

        scene = Scene(
            *(self.stage, self.sender, self.bulk, self.watch, self.ledger),
            note=note,
        )
        try:
            async with asyncio.timeout(LONGEST_FAULT):
                await kind.inflict(scene, planned.draw, planned.seconds)
        except TimeoutError:
            raise ChaosError(f"{kind.name} ({row['victim']}) did not heal") from None
        finally:
            row["seconds"] = round(self._elapsed - row["at"], 1)
            del self.progress.active[kind.name]
        self.progress.faults[kind.name] += 1
        self.progress.said.append(f"{kind.name} {row['victim']}, {row['seconds']:.1f} s")

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    # --- what is to be seen -------------------------------------------------------------------

    async def _look(self) -> None:
        shown = 0.0
        while True:
            # Resting looks for itself, and more closely.
            if self.progress.phase != "coming to rest":
                await self.watch.look()
            progress, glance = self.progress, self.watch.last
            progress.seconds = self._elapsed
            progress.events, progress.behind = glance.events, glance.backlog
            progress.letters = self.stage.mailbox.count
            progress.commands = len(self.ledger.accepted)
            if time.monotonic() - shown > SHOW_EVERY:
                progress.pairs = await self.watch.tally("matching", "pairs", "state") or {}
                self._show(progress)
                progress.said.clear()
                shown = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)

    async def close(self) -> None:
        await self.sender.close()
        await self.watch.close()


async def run_chaos(directory: Path, asked: ChaosTerms, show: Show) -> dict[str, Any]:
    """Run it and judge it; the document that `--json` prints."""
    # What is away shall be away: a line for each try of each client tells nobody anything.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    progress = ChaosProgress()
    show(progress)
    terms = Terms(
        rate=DAYS_PER_SECOND * DAY,
        start=START,
        partitions=PARTITIONS,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        replication=3,
        kafka="apache",
        settings={"SMTP_TIMEOUT": "3"},
    )
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(running_stage(directory, terms))
        run = Run(asked, stage, progress, show)
        stack.push_async_callback(run.close)
        begun = time.monotonic()
        rested = await run.conduct()
        seconds = time.monotonic() - begun

        def say(phase: str) -> None:
            progress.phase, progress.seconds = phase, time.monotonic() - begun
            show(progress)

        say("stopping the services")
        await stage.stop_services()
        judgement = await judge(stage, run.ledger, say)
    return _document(run, judgement, rested, seconds, time.monotonic() - started)


def _document(
    run: Run, judgement: Judgement, rested: bool, seconds: float, total: float
) -> dict[str, Any]:
    asked, ledger, faults = run.asked, run.ledger, run.progress.faults
    exits = [
        {"process": process.label, "reason": reason}
        for process in (*run.stage.everyone, *run.stage.guests)
        for reason in process.exits
    ]
    findings = judgement.documents()
    if not rested:
        findings["rest"] = [f"not at rest: {run.quiet.open}"]
    # None of the faults is one that a process has to end for by itself (G8).
    findings["exits"] = [f"{row['process']}: {row['reason']}" for row in exits]
    checked = judgement.checked
    return {
        "seed": asked.seed,
        "minutes": asked.minutes,
        "clean": judgement.clean and rested and not exits,
        "events": checked["events"],
        "events_per_second": round(checked["events"] / seconds, 1),
        "programmes": len(run.programmes.towns) + len(run.bulk.cohorts),
        "programmes_by_letter": len(run.programmes.towns),
        **{name: checked["figures"][name] for name in _FIGURES},
        "commands_accepted": len(ledger.accepted),
        "commands_by": dict(ledger.sent),
        "commands_refused": checked["figures"]["refused"],
        "commands_unanswered": ledger.unanswered,
        "letters": checked["letters"],
        "letters_redelivered": checked["redelivered_letters"],
        "letters_again": causes(run.stage.mailbox.again, run.history, run.begun_at),
        "letters_retried": run.quiet.letters_retried,
        "faults": dict(sorted(faults.items())),
        "faults_total": faults.total(),
        "kinds": len(faults),
        "lost": len(checked["lost"]),
        "doubled": len(checked["doubled"]),
        "parked": checked["parked"],
        "poison_sent": ledger.poison.total(),
        "poison_in_log": judgement.poison_read,
        "poison": dict(sorted(ledger.poison.items())),
        "copies_sent": ledger.copies.total(),
        "republished": checked["redelivered"],
        "rebuilt_equal": not judgement.rebuilt,
        "findings": findings,
        "exits": exits,
        "starts": sum(p.starts for p in (*run.stage.everyone, *run.stage.guests)),
        "people": {"done": dict(run.people.done), "failed": dict(run.people.failed)},
        "held_back_seconds": round(run.bulk.held_back, 1),
        "seconds": round(seconds, 1),
        "seconds_in_all": round(total, 1),
        "history": run.history,
    }


_FIGURES = (
    *("pairs_formed", "pairs_graduated", "pairs_dissolved", "sessions_completed"),
    *("sessions_missed", "surveys_answered"),
)
