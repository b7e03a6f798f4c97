"""What is due: found in the database, done or asked for outside of a decision, then decided on.

Always holds: a deadline is found until a decision has moved it; one that cannot be decided on is
left alone for a while, and the others go on.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from schemas.base import Message
from services.chassis.documents import Beat
from services.chassis.domain import D, Document, Domain, Due
from services.chassis.inputs import Input
from services.chassis.step.ports import Ports
from services.chassis.step.retrying import Retry

DueWorker = Callable[[Sequence[Document], datetime], Awaitable[Sequence[Message]]]
"""What to do for documents that are due, outside of any decision; its outcomes are decided on."""

DUE_AT_ONCE = 200
FAILING_SECONDS = 30.0


class Deadlines:
    """The deadlines of one service. `kinds`: the documents that have any, heartbeats the last."""

    def __init__(
        self,
        domain: Domain,
        ports: Ports,
        retry: Retry,
        due_workers: Mapping[type[Document], DueWorker],
        *,
        beats: bool,
    ) -> None:
        kinds: Sequence[type[Document]] = (*domain.documents, *((Beat,) if beats else ()))
        self.kinds = [kind for kind in kinds if kind.timed]
        self._service = domain.name
        self._ports = ports
        self._retry = retry
        self._due_workers = due_workers
        self._failing: dict[tuple[str, str], float] = {}
        self._unheard: set[int] = set()

    def begin(self, partitions: Iterable[int]) -> None:
        """Ask for a heartbeat of each: a partition that never had one has none that is due."""
        self._unheard |= set(partitions)

    async def find(self, kind: type[Document], owned: Collection[int]) -> list[Input]:
        """What there is to decide on, of documents of this kind whose moment has come."""
        if not owned:
            return []
        now = self._ports.clock.now()
        found = await self._retry.until_done(
            lambda: self._ports.store.due(kind, list(owned), now, DUE_AT_ONCE)
        )
        inputs = await self._outcomes(kind, self._not_failing(found), now)
        if kind is Beat:
            unheard, self._unheard = sorted(self._unheard & set(owned)), set()
            inputs += [_due(p, Beat, self._service, str(p)) for p in unheard]
        return inputs

    async def _outcomes(
        self, kind: type[Document], found: Sequence[tuple[int, Document]], now: datetime
    ) -> list[Input]:
        worker = self._due_workers.get(kind)
        if worker is None or not found:
            return [_due(partition, kind, d.cohort_id, d.id) for partition, d in found]
        where = {document.cohort_id: partition for partition, document in found}
        documents = [document for _, document in found]
        outcomes = await self._retry.until_done(lambda: worker(documents, now))
        return [Input(where[outcome.cohort_id], message=outcome) for outcome in outcomes]

    def leave_alone(self, due: Due) -> None:
        """Do not find this one for a while: it cannot be decided on."""
        key = (due.collection, f"{due.cohort_id}/{due.id}")
        self._failing[key] = time.monotonic() + FAILING_SECONDS

    def _not_failing(self, found: Sequence[tuple[int, D]]) -> list[tuple[int, D]]:
        now = time.monotonic()
        self._failing = {key: until for key, until in self._failing.items() if until > now}
        return [row for row in found if (row[1].collection, row[1].key) not in self._failing]


def _due(partition: int, kind: type[Document], cohort_id: str, id: str) -> Input:
    due = Due(cohort_id=cohort_id, collection=kind.collection, id=id)
    return Input(partition, message=due)
