"""What is due: found in the database, done or asked for outside of a decision, then decided on.

Always holds: a deadline is found until a decision has moved it; one that cannot be decided on, or
of which what is to be done fails for good, is set aside for longer and longer, and stands in no
other's way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from schemas.base import Message
from services.chassis.documents import Beat
from services.chassis.domain import Document, Domain, Due
from services.chassis.faults import name_of
from services.chassis.inputs import Fault, Input
from services.chassis.step.horizon import Horizon
from services.chassis.step.ports import Ports
from services.chassis.step.retrying import Abandoned, Retry
from services.chassis.store.contract import DeadlineAside

logger = logging.getLogger(__name__)

DueWorker = Callable[[Sequence[Document], datetime, asyncio.Event], Awaitable[Sequence[Message]]]
"""What to do for documents that are due, outside of any decision; its outcomes are decided on.

Once the event is set the partitions are about to be taken away: it begins nothing more, and has
outcomes for what it has done.

An outcome's subject is the id of its document. Where it fails for good, it is asked again for the
half of the documents; one that knows of which it failed says so (`FailedFor`).
"""

DUE_AT_ONCE = 200
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 1800.0
FORGOTTEN = 86_400.0  # after which nobody found it again: another decision has seen to it


class FailedFor(Exception):
    """A due worker failed for some documents, by their keys; what it did for others it keeps."""

    def __init__(self, errors: Mapping[str, Exception]) -> None:
        super().__init__(f"{len(errors)} documents")
        self.errors = errors


Key = tuple[str, str]
"""Of a deadline: the collection and the key of its document."""


class Deadlines:
    """The deadlines of one service. `kinds`: the documents that have any, heartbeats the last."""

    def __init__(
        self,
        domain: Domain,
        ports: Ports,
        retry: Retry,
        horizon: Horizon,
        due_workers: Mapping[type[Document], DueWorker],
        *,
        beats: bool,
    ) -> None:
        kinds: Sequence[type[Document]] = (*domain.documents, *((Beat,) if beats else ()))
        self.kinds = [kind for kind in kinds if kind.timed]
        self._service = domain.name
        self._ports = ports
        self._retry = retry
        self._horizon = horizon
        self._due_workers = due_workers
        self._aside: dict[Key, tuple[float, DeadlineAside]] = {}
        self._news: dict[Key, DeadlineAside | None] = {}
        self._unheard: set[int] = set()
        self._leaving = asyncio.Event()

    def begin(self, partitions: Iterable[int]) -> None:
        """Ask for a heartbeat of each: a partition that never had one has none that is due."""
        self._unheard |= set(partitions)

    def give_up(self) -> None:
        """Begin nothing more; due workers come to their end."""
        self._leaving.set()

    def go_on(self) -> None:
        """Work again, from now on."""
        self._leaving.clear()

    def leave(self, partitions: Collection[int]) -> None:
        """Somebody else finds the deadlines of these from now on, and counts those set aside."""
        for key in [k for k, (_, row) in self._aside.items() if row.partition in partitions]:
            del self._aside[key]

    async def find(self, kind: type[Document], owned: Collection[int]) -> list[Input]:
        """What there is to decide on, of documents of this kind whose moment has come."""
        whole, besides = (kind.collection, ""), self._besides()
        if self._leaving.is_set() or not owned or whole in besides:
            return []
        now = self._ports.clock.now()
        unheard = sorted(self._unheard & set(owned)) if kind is Beat else []
        if not unheard and self._horizon.is_clear(kind, owned, now):
            return []
        keys = [key for collection, key in besides if collection == kind.collection]
        try:
            found = await self._retry.until_done(
                lambda: self._ports.store.due(kind, list(owned), now, DUE_AT_ONCE, keys)
            )
            if not found:
                await self._look_ahead(kind, owned)
            self._taken_back(whole)
            inputs = await self._outcomes(kind, found, now)
        except Abandoned:
            raise
        except Exception as error:  # noqa: BLE001  # the other kinds go on
            self._put_aside(whole, min(owned), Fault("fault", type(error).__name__), error)
            return []
        if kind is Beat:
            self._unheard.clear()
        return inputs + [_of(p, _due(Beat, self._service, str(p))) for p in unheard]

    async def _look_ahead(self, kind: type[Document], owned: Collection[int]) -> None:
        """Know when to look for this kind again."""
        known = self._horizon.ask(kind, owned)
        first = await self._retry.until_done(lambda: self._ports.store.next_due(kind, owned))
        self._horizon.answer(known, first)

    async def _outcomes(
        self, kind: type[Document], found: Sequence[tuple[int, Document]], now: datetime
    ) -> list[Input]:
        worker = self._due_workers.get(kind)
        if worker is None or not found:
            return [_of(partition, _due(kind, d.cohort_id, d.id)) for partition, d in found]
        outcomes = await self._worked(worker, found, now)
        inputs = []
        for outcome in outcomes:
            of_cohort = [(p, d) for p, d in found if d.cohort_id == outcome.cohort_id]
            meant = [(p, d) for p, d in of_cohort if d.id == outcome.subject] or of_cohort
            if not meant:
                logger.error("a %s is of no document that is due", type(outcome).__name__)
                continue
            dues = tuple(_due(kind, d.cohort_id, d.id) for _, d in meant)
            inputs.append(Input(meant[0][0], message=outcome, dues=dues))
        return inputs

    async def _worked(
        self, worker: DueWorker, found: Sequence[tuple[int, Document]], now: datetime
    ) -> Sequence[Message]:
        """What a worker has to say of these, without those for which it fails for good."""
        if not found:
            return ()
        documents = [document for _, document in found]

        async def work() -> Sequence[Message]:
            try:
                return await worker(documents, now, self._leaving)
            except FailedFor as failed:
                for error in failed.errors.values():
                    if self._ports.nature_of(error) != "permanent":
                        raise error from failed
                raise

        try:
            return await self._retry.until_done(work)
        except Abandoned:
            raise
        except FailedFor as failed:
            errors: Mapping[str, Exception] = failed.errors
        except Exception as error:  # noqa: BLE001  # whatever it is, it will be the same next time
            if (middle := len(found) // 2) > 0:
                first = await self._worked(worker, found[:middle], now)
                return [*first, *await self._worked(worker, found[middle:], now)]
            errors = {documents[0].key: error}
        for partition, document in found:
            if (failure := errors.get(document.key)) is not None:
                fault = Fault("fault", f"due worker: {type(failure).__name__}")
                self._put_aside((document.collection, document.key), partition, fault, failure)
        return await self._worked(worker, [row for row in found if row[1].key not in errors], now)

    # --- set aside ------------------------------------------------------------------------

    def set_aside(self, item: Input, fault: Fault) -> None:
        """Do not find these deadlines for a while: they cannot be decided on."""
        for due in item.dues:
            self._put_aside(_key(due), item.partition, fault)

    def decided(self, inputs: Sequence[Input]) -> None:
        """What was set aside and has been decided on is so no more."""
        now = asyncio.get_running_loop().time()
        for key in {_key(due) for item in inputs for due in item.dues} & self._aside.keys():
            if self._aside[key][0] <= now:
                self._taken_back(key)

    async def note(self) -> None:
        """Let operators see what is set aside. That they do not for a moment stops nobody."""
        self._ports.metrics.deadlines_aside.set(len(self._aside))
        if not self._news:
            return
        news, self._news = self._news, {}
        try:
            await self._ports.store.note_aside(news)
        except Exception as error:  # noqa: BLE001
            logger.warning("deadlines set aside are not noted: %s", name_of(error))
            self._news = news | self._news

    def _taken_back(self, key: Key) -> None:
        if self._aside.pop(key, None) is not None:
            self._news[key] = None

    def _besides(self) -> set[Key]:
        """What is not to be found now."""
        now = asyncio.get_running_loop().time()
        for key in [key for key, (until, _) in self._aside.items() if until + FORGOTTEN < now]:
            del self._aside[key]
        return {key for key, (until, _) in self._aside.items() if until > now}

    def _put_aside(
        self, key: Key, partition: int, fault: Fault, error: Exception | None = None
    ) -> None:
        logger.error("a deadline is set aside (%s): %s", key[0], fault.detail, exc_info=error)
        attempts = self._aside[key][1].attempts + 1 if key in self._aside else 1
        pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
        until = datetime.now(UTC) + timedelta(seconds=pause)  # of those who run the service
        row = DeadlineAside(*key, partition, fault.reason, fault.detail, attempts, until)
        self._aside[key] = asyncio.get_running_loop().time() + pause, row
        self._news[key] = row
        self._ports.metrics.deadline_faults.labels(key[0], fault.reason).inc()


def _due(kind: type[Document], cohort_id: str, id: str) -> Due:
    return Due(cohort_id=cohort_id, collection=kind.collection, id=id)


def _of(partition: int, due: Due) -> Input:
    return Input(partition, message=due, dues=(due,))


def _key(due: Due) -> Key:
    return due.collection, f"{due.cohort_id}/{due.id}"
