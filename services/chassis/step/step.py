"""One step per batch: decide in memory, commit once, then publish.

A step (1) skips what was handled before and passes over what is for others, (2) reads the
documents that the batch needs, by one query, (3) decides record by record, (4) commits
documents, places and what is to be published in one transaction, guarded on each place; then
publishes, then forgets the outbox. The caller commits offsets last. Where nothing is left after
(1), memory moves on, and the next commit writes how far (`passing`). Always holds: whatever instant
the process dies at, the next owner of the partition finds either no trace of the step or all of it
(G1, G2), and a step of a partition that somebody else has written to since changes nothing (G3).
"""

import time
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from datetime import datetime

from schemas.journal import RetryParked
from schemas.topics import partition_of
from services.chassis.documents import Counts
from services.chassis.domain import Change, Document, Domain, Gone, Need, State
from services.chassis.inputs import Fault, Input
from services.chassis.step.admission import admit
from services.chassis.step.counting import Counting
from services.chassis.step.deciding import Decider
from services.chassis.step.draft import Draft
from services.chassis.step.horizon import Horizon
from services.chassis.step.journal import needs
from services.chassis.step.ownership import Ownership
from services.chassis.step.parking import check_parked, queue_needs, tried_again
from services.chassis.step.ports import Ports
from services.chassis.store.contract import Commit, Place

Drafts = Mapping[int, Draft]


class Steps:
    """Makes the steps of one service. `most_parked`: what may stand aside of a partition."""

    def __init__(
        self,
        domain: Domain,
        ports: Ports,
        partitions: int,
        decider: Decider,
        ownership: Ownership,
        horizon: Horizon,
        counting: Counting,
        most_parked: int,
    ) -> None:
        self.domain = domain
        self.ports = ports
        self.partitions = partitions
        self.decider = decider
        self.publish = ownership.publish
        self.passing = ownership.passing
        self.horizon = horizon
        self.counting = counting
        self.most_parked = most_parked

    async def make(
        self,
        inputs: Sequence[Input],
        owned: MutableMapping[int, Place],
        behind: Collection[int] = (),
    ) -> list[tuple[Input, Fault]]:
        """One attempt at the step of these inputs; `owned`, their places, move on with it.

        `behind`: partitions of which what was passed over is written, too.

        What is no record and could not be decided on, and why not. Raises `Outpaced`,
        `TooManyParked`, and whatever goes wrong outside or cannot be written.
        """
        started, now = time.perf_counter(), self.ports.clock.now()
        touched = dict.fromkeys([*(item.partition for item in inputs), *behind])
        name, passing = self.domain.name, self.passing
        drafts = {p: Draft(name, owned[p], now, passing.of(p)) for p in touched}
        admitted: Sequence[Input] = [i for i in inputs if self._admitted(i, drafts[i.partition])]
        state = State()
        await state.load(self.ports.store, self._needs(admitted, drafts))
        if admitted and isinstance(admitted[0].message, RetryParked):
            admitted = tried_again(admitted[0], self.domain, self.partitions, state)
            await state.load(self.ports.store, self._needs(admitted, drafts))

        changes: dict[tuple[type[Document], str], tuple[int, Change]] = {}
        undecided: list[tuple[Input, Fault]] = []
        forgotten: list[str] = []
        for item in admitted:
            decided = await self.decider.decide(item, state, drafts[item.partition], now)
            undecided += [(item, decided.undecided)] if decided.undecided else []
            forgotten += decided.forgotten
            for change in decided.changes:
                document = change if isinstance(change, Document) else change.document
                changes[type(document), document.key] = (item.partition, change)

        counts = await self.counting.of(state, self.ports.store)
        for change in counts:
            document = change.document if isinstance(change, Gone) else change
            partition = partition_of(document.cohort_id, self.partitions)
            changes[Counts, document.key] = (partition, change)
        for draft in drafts.values():
            check_parked(draft, self.most_parked)
        concerned = {*(item.partition for item in admitted), *behind}
        if moved := [d.finish() for p, d in drafts.items() if p in concerned and d.moved]:
            places, outgoing = zip(*moved, strict=True)
            commit = Commit(places, list(changes.values()), outgoing, forgotten)
            await self._commit(commit, owned)
            self.counting.committed(counts)
            self.horizon.note((change for _, change in changes.values()), now)
            self.ports.metrics.decided([event for d in drafts.values() for event in d.decided])
            await self.publish(outgoing)
        for partition in drafts.keys() - concerned:
            owned[partition], passed = drafts[partition].pass_over()
            passing.over(partition, passed)
        self._measure(admitted, now, started)
        return undecided

    async def _commit(self, commit: Commit, owned: MutableMapping[int, Place]) -> None:
        await self.ports.store.commit(commit)
        owned.update({place.partition: place for place in commit.places})
        self.passing.forget(place.partition for place in commit.places)

    def _admitted(self, item: Input, draft: Draft) -> bool:
        skipped = admit(item, draft)
        if skipped in ("position", "sequence"):
            self.ports.metrics.skipped.labels(skipped).inc()
        return skipped is None

    def _needs(self, inputs: Sequence[Input], drafts: Drafts) -> set[Need]:
        found: set[Need] = set()
        for item in inputs:
            if item.message is not None:
                found.update(needs(self.domain, item.message))
            found.update(queue_needs(item, drafts[item.partition]))
        return found

    def _measure(self, inputs: Sequence[Input], now: datetime, started: float) -> None:
        metrics = self.ports.metrics
        metrics.step_seconds.observe(time.perf_counter() - started)
        metrics.step_records.observe(len(inputs))
        last: datetime | None = None
        for item in inputs:
            if item.attributes is None or item.message is None:
                continue
            if item.parked is None:  # what stood aside is late by an operator's leave
                seconds = (now - item.attributes.time).total_seconds() / self.ports.clock.rate
                metrics.was_late(type(item.message).__name__, max(seconds, 0.0))
            last = item.attributes.time
        if last is not None:
            metrics.last_event.set(last.timestamp())
