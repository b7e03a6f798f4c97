"""One step per batch: decide in memory, commit once, then publish.

A step (1) passes over what was handled before, (2) reads the documents that the batch needs,
one query per kind, (3) decides record by record, (4) commits documents, places and what is to be
published in one transaction, guarded on each place; then publishes, then forgets the outbox.
The caller commits offsets last. Always holds: whatever instant the process dies at, the next
owner of the partition finds either no trace of the step or all of it (G1, G2), and a step of a
partition that somebody else has written to since changes nothing (G3).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from schemas.base import Message
from schemas.envelope import Record
from schemas.journal import RetryParked
from services.chassis.clock import Clock
from services.chassis.documents import Beat, BlockedSubject, ParkedRecord
from services.chassis.domain import Change, D, Document, Domain, Due, Need, One, State
from services.chassis.inputs import Fault, Input
from services.chassis.log.contract import Log, Received
from services.chassis.step.admission import admit, in_time, read
from services.chassis.step.deciding import Decider
from services.chassis.step.draft import Draft
from services.chassis.step.heartbeats import Silence
from services.chassis.step.journal import needs, queue_of
from services.chassis.store.contract import Commit, Outgoing, Outpaced, Place, Store
from services.chassis.tracing import OFF, Tracing
from services.chassis.watch.metrics import Metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

Check = Callable[[Mapping[int, Place]], Awaitable[None]]
"""Raises if going on from these places would be wrong."""

DueWorker = Callable[[Sequence[Document], datetime], Awaitable[Sequence[Message]]]
"""What to do for documents that are due, outside of any decision; its outcomes are decided on."""

DUE_AT_ONCE = 200
FAILING_SECONDS = 30.0
SLOW_SECONDS = 10.0
"""After which a broker that has not said that it took a step's events counts as failing."""


class Abandoned(Exception):
    """The partitions are about to be taken away; the step was not made."""


class StateLost(Exception):
    """The database forgot steps: it was dropped, or replaced by an older one, under the service."""


class TooManyParked(Exception):
    """So much stands aside that the fault is not in the records; nothing more is set aside."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, to wait before a step that failed for a passing reason is retried.

    `parked`: how many records of a partition may stand aside.
    """

    first_retry: float = 0.05
    longest_retry: float = 5.0
    parked: int = 100_000


class Stepper:
    """Makes the steps of one process, one at a time, for the partitions that it owns."""

    def __init__(
        self,
        domain: Domain,
        store: Store,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        *,
        partitions: int,
        is_transient: Callable[[Exception], bool] = lambda _: False,
        due_workers: Mapping[type[Document], DueWorker] | None = None,
        limits: Limits | None = None,
        beat: timedelta | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        """`beat`: the time from a partition's heartbeat to its next; none has no heartbeats."""
        self.domain = domain
        self.store = store
        self.log = log
        self.clock = clock
        self.metrics = metrics
        self.partitions = partitions
        self.is_transient = is_transient
        self.due_workers = dict(due_workers or {})
        self.limits = limits or Limits()
        self.beat = beat
        self.tracing = tracing
        late = metrics.late_loads.inc
        self.decider = Decider(domain, store.load, late, beat or timedelta(), tracing)
        self.owned: dict[int, Place] = {}
        self.progress = time.monotonic()
        self._reached = self._publishes = True
        self._turn = asyncio.Lock()
        self._leaving = asyncio.Event()
        self._failing: dict[tuple[str, str], float] = {}
        self._silence = Silence(domain.name, store.load)

    @property
    def healthy(self) -> bool:
        """Whether the last attempts on database and broker worked, and what is owed is not late."""
        late = self.metrics.owed_for() > SLOW_SECONDS
        return self._reached and self._publishes and not late

    # --- ownership ------------------------------------------------------------------------

    async def take(self, partitions: Iterable[int], check: Check | None = None) -> dict[int, Place]:
        """Become the writer of these: know the places, publish what the last owner left.

        Nothing is published, and no step is made, before `check` has passed.
        """
        wanted = list(partitions)
        self._leaving.clear()
        async with self._turn:
            await self._retried(self.store.claim)
            found = await self._retried(lambda: self._adopt(wanted, check))
            self.owned |= found
            self.metrics.assigned.set(len(self.owned))
            if self.beat:
                await self._retried(lambda: self._silence.listen(wanted))
            return found

    async def leave(self, partitions: Iterable[int]) -> None:
        """Finish or abandon the step at hand, and write to these no more."""
        self._leaving.set()
        async with self._turn:
            for partition in partitions:
                self.owned.pop(partition, None)
            self.metrics.assigned.set(len(self.owned))
            if not self.owned:
                self.metrics.owes(0)  # whoever owns them next does
        self._leaving.clear()

    async def _adopt(self, partitions: Sequence[int], check: Check | None) -> dict[int, Place]:
        # In this order: whatever led to these places is published, or still in the outbox.
        known = await self.store.places(partitions)
        left = await self.store.outgoing(partitions)
        self.metrics.owes(sum(len(item.records) for item in left))
        found = {p: known.get(p, Place(p)) for p in partitions}
        if check is not None:
            await check(found)
        self._publishes = True  # as far as anybody knows, until it does not
        if left:
            await self._publish(left)
        return found

    # --- steps ----------------------------------------------------------------------------

    async def handle(self, records: Sequence[Received]) -> dict[tuple[str, int], int]:
        """Make one step of these records; (topic, partition) to the offset to commit.

        Records of partitions that are not owned are left alone.
        """
        inputs = in_time([read(self.domain, self.partitions, record) for record in records])
        async with self._turn:
            for portion in self._portions(inputs):
                await self._step(portion)
            return {
                (r.topic, r.partition): self.owned[r.partition].positions[r.topic]
                for r in records
                if r.partition in self.owned and r.topic in self.owned[r.partition].positions
            }

    def _portions(self, inputs: Sequence[Input]) -> Iterable[Sequence[Input]]:
        """The batch, in order, cut so that each retry of parked records has a step of its own."""
        start = 0
        for number, item in enumerate(inputs):
            if isinstance(item.message, RetryParked):
                yield inputs[start:number]
                yield inputs[number : number + 1]
                start = number + 1
        yield inputs[start:]

    async def publish_left(self) -> None:
        """See that the database is still the same; publish what stands in its outbox.

        That it was published is not written durably: a database that changes its primary may know
        of it again, long after. Published again, it has no second effect.
        """
        async with self._turn:
            if self.owned:
                await self._retried(self._catch_up)

    async def decide_due(self) -> int:
        """Find the documents whose moment has come, and decide on them.

        How many decisions there were: what a due worker has to say of its documents may come later.
        """
        if not self._turn.locked():  # a step that hangs is not made up for by looking
            self.progress = time.monotonic()
        total = 0
        if first := self._silence.broken(self.owned):
            total += len(first)
            async with self._turn:
                await self._step(first)
        for kind in (*self.domain.documents, *((Beat,) if self.beat else ())):
            if kind.timed and self.owned:
                now = self.clock.now()
                found = await self._retried(
                    lambda kind=kind, now=now: self.store.due(  # type: ignore[misc]
                        kind, list(self.owned), now, DUE_AT_ONCE
                    )
                )
                found = self._not_failing(found)
                if found:
                    inputs = await self._outcomes(kind, found, now)
                    total += len(inputs)
                    async with self._turn:
                        await self._step(inputs)
        return total

    def _set_aside(self, message: Message | None) -> None:
        """Leave a deadline that cannot be decided on alone for a while; the others go on."""
        if isinstance(message, Due):
            key = (message.collection, f"{message.cohort_id}/{message.id}")
            self._failing[key] = time.monotonic() + FAILING_SECONDS

    def _not_failing(self, found: Sequence[tuple[int, D]]) -> list[tuple[int, D]]:
        now = time.monotonic()
        self._failing = {key: until for key, until in self._failing.items() if until > now}
        return [row for row in found if (row[1].collection, row[1].key) not in self._failing]

    async def _outcomes(
        self, kind: type[Document], found: Sequence[tuple[int, Document]], now: datetime
    ) -> list[Input]:
        worker = self.due_workers.get(kind)
        if worker is None:
            return [
                Input(
                    partition,
                    message=Due(cohort_id=d.cohort_id, collection=d.collection, id=d.id),
                )
                for partition, d in found
            ]
        where = {document.cohort_id: partition for partition, document in found}
        documents = [document for _, document in found]
        outcomes = await self._retried(lambda: worker(documents, now))
        return [Input(where[outcome.cohort_id], message=outcome) for outcome in outcomes]

    async def _step(self, inputs: Sequence[Input]) -> None:
        async def attempt() -> None:
            mine = [item for item in inputs if item.partition in self.owned]
            if mine:
                with self.tracing.step(mine):
                    await self._attempt(mine)

        await self._retried(attempt)
        self.progress = time.monotonic()

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works: a passing fault parks nothing and loses nothing."""
        wait, outpaced = self.limits.first_retry, False
        while True:
            try:
                if outpaced:
                    await self._catch_up()
                    outpaced = False
                result = await attempt()
            except Outpaced as error:
                self._retries(error)
                logger.warning("somebody else wrote to a partition; its place is read again")
                outpaced = True
            except Exception as error:
                if not self.is_transient(error):
                    raise
                self._reached = False
                self._retries(error)
                logger.warning("step put off: %s", type(error).__name__)
                if await self._left_within(wait):
                    raise Abandoned from error
                wait = min(wait * 2, self.limits.longest_retry)
            else:
                self._reached = True
                return result

    async def _catch_up(self) -> None:
        """Know the places again. Who moved them, even we ourselves, may not have published."""
        found = await self._adopt(list(self.owned), self._check_kept)
        self.owned |= found

    async def _check_kept(self, found: Mapping[int, Place]) -> None:
        if gone := [p for p, at in self.owned.items() if found[p].step < at.step]:
            raise StateLost(f"the database forgot steps of partitions {gone}")

    async def _left_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._leaving.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _attempt(self, inputs: Sequence[Input]) -> None:
        started = time.perf_counter()
        now = self.clock.now()
        drafts = {p: Draft(self.domain.name, self.owned[p], now) for p in _distinct(inputs)}
        taken = [item for item in inputs if self._admitted(item, drafts[item.partition])]
        state = await self._read(taken, drafts)
        admitted = await self._taken_up(taken, state, drafts)
        changes: dict[tuple[type[Document], str], tuple[int, Change]] = {}
        for item in admitted:
            outcome = await self.decider.decide(item, state, drafts[item.partition], now)
            if outcome.undecided:
                self._set_aside(item.message)
            for change in outcome.changes:
                document = change if isinstance(change, Document) else change.document
                changes[type(document), document.key] = (item.partition, change)
        self._check_parked(drafts.values())
        moved = [draft.finish() for draft in drafts.values() if draft.moved]
        if moved:
            places, outgoing = zip(*moved, strict=True)
            decided = [event for draft in drafts.values() for event in draft.decided]
            await self._make(Commit(places, list(changes.values()), outgoing), decided)
        self._measure(admitted, now, started)

    def _check_parked(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            if draft.place.parked < draft.parked > self.limits.parked:
                raise TooManyParked(
                    f"more than {self.limits.parked} records of partition {draft.place.partition} "
                    f"stand aside (CONNECTE_PARKED_LIMIT)"
                )

    def _admitted(self, item: Input, draft: Draft) -> bool:
        skipped = admit(item, draft)
        if skipped in ("position", "sequence"):
            self.metrics.skipped.labels(skipped).inc()
        return skipped is None

    async def _make(self, commit: Commit, decided: Sequence[Message]) -> None:
        await self.store.commit(commit)
        self.owned |= {place.partition: place for place in commit.places}
        self.metrics.decided(decided)
        await self._publish(commit.outgoing)

    async def _publish(self, outgoing: Sequence[Outgoing]) -> None:
        records = [record for item in outgoing for record in item.records]
        with self.metrics.publishing(len(records)):
            await self._put_out(records, outgoing)

    async def _put_out(self, records: Sequence[Record], outgoing: Sequence[Outgoing]) -> None:
        wait = self.limits.first_retry
        while True:
            try:
                await self.log.publish(records)
                await self.store.published(outgoing)
                self._publishes = True
                break
            except Exception as error:
                if not self.is_transient(error):
                    raise
                self._publishes = False
                self._retries(error)
                logger.warning("publishing put off: %s", type(error).__name__)
                if await self._left_within(wait):
                    raise Abandoned from error
                wait = min(wait * 2, self.limits.longest_retry)

    def _retries(self, error: Exception) -> None:
        self.metrics.retries.labels(type(error).__name__).inc()

    # --- reading -----------------------------------------------------------------------------

    async def _read(self, inputs: Sequence[Input], drafts: Mapping[int, Draft]) -> State:
        state = State()
        await state.load(self.store.load, self._needs(inputs, drafts))
        return state

    def _needs(self, inputs: Sequence[Input], drafts: Mapping[int, Draft]) -> set[Need]:
        found: set[Need] = set()
        for item in inputs:
            if item.message is not None:
                found.update(needs(self.domain, item.message))
            aside = item.unreadable is not None or drafts[item.partition].parked
            if aside and item.received is not None and (queue := queue_of(item.received)):
                found.add(One(BlockedSubject, self.domain.name, queue))
        return found

    async def _taken_up(
        self, inputs: Sequence[Input], state: State, drafts: Mapping[int, Draft]
    ) -> Sequence[Input]:
        """The inputs, with the records that stand aside in place of a wish to retry them."""
        if not (inputs and isinstance(retry := inputs[0].message, RetryParked)):
            return inputs
        name = self.domain.name
        parked = [state.get(ParkedRecord, name, origin) for origin in retry.origins]
        found: list[Input] = []
        for record in sorted(filter(None, parked), key=lambda record: record.number):
            if record.record_partition == inputs[0].partition:
                again = read(self.domain, self.partitions, record.received())
                again.parked, again.accept_gap = record, retry.accept_gap
                if not record.whole:
                    again.unreadable = Fault("bad-data", "only its beginning was kept")
                found.append(again)
        await state.load(self.store.load, self._needs(found, drafts))
        return found

    def _measure(self, inputs: Sequence[Input], now: datetime, started: float) -> None:
        self.metrics.step_seconds.observe(time.perf_counter() - started)
        self.metrics.step_records.observe(len(inputs))
        for item in inputs:
            if item.attributes is not None and item.message is not None:
                seconds = (now - item.attributes.time).total_seconds() / self.clock.rate
                self.metrics.latency_of(type(item.message).__name__).observe(max(seconds, 0.0))
                self.metrics.last_event.set(item.attributes.time.timestamp())


def _distinct(inputs: Sequence[Input]) -> list[int]:
    return list(dict.fromkeys(item.partition for item in inputs))
