"""What one input comes to: the events of the service's journal, folded into the state of the step.

Always holds: whatever a record or a decision does, it comes to events (it is handled, refused,
set aside, or left where it stands), and the state holds what these events say and nothing else.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.base import Message
from schemas.journal import (
    CommandRefused,
    DropParked,
    Heartbeat,
    RecordDropped,
    RecordParked,
    RecordRetried,
)
from schemas.topics import is_command
from services.chassis.documents import Beat, BlockedSubject, ParkedRecord
from services.chassis.domain import (
    Change,
    Document,
    Domain,
    Due,
    Need,
    NotLoaded,
    Refusal,
    State,
)
from services.chassis.inputs import Input
from services.chassis.step.admission import readmit
from services.chassis.step.draft import Draft
from services.chassis.step.journal import fold, park, queue_of
from services.chassis.tracing import OFF, Tracing

logger = logging.getLogger(__name__)

Load = Callable[[Iterable[Need]], Awaitable[list[Document]]]


@dataclass(frozen=True, slots=True)
class Decided:
    """What an input came to. `undecided`: a deadline that could not be decided on."""

    changes: Sequence[Change] = ()
    undecided: bool = False


class Decider:
    """Decides on inputs one after the other. `late` is called for each document read alone.

    `beat`: how long after a heartbeat the next one is due.
    """

    def __init__(
        self,
        domain: Domain,
        load: Load,
        late: Callable[[], None],
        beat: timedelta,
        tracing: Tracing = OFF,
    ) -> None:
        self.domain = domain
        self.load = load
        self.late = late
        self.beat = beat
        self.tracing = tracing

    async def decide(self, item: Input, state: State, draft: Draft, now: datetime) -> Decided:
        """Decide on one input: its changes; its events are added to the draft."""
        if item.parked is not None:
            if self._is_behind(item, state, draft):
                return Decided()
            if readmit(item, draft) is not None:
                item.message, item.unreadable = None, None
        trace = self.tracing.handled(item)
        while True:
            try:
                journal = self._journal(item, state, draft, now)
                changes = state.keep()
            except NotLoaded as missing:
                state.undo()
                self.late()
                await state.load(self.load, [missing.need])
            else:
                break
        event_id = item.attributes.id if item.attributes else None
        for event in journal or ():
            draft.add(event, event_id, trace)
            if isinstance(event, RecordParked):
                told = {"event_id": event_id, "origin": event.origin}
                logger.warning("parked: %s", event.reason, extra=told)
        self.tracing.changed(changes, trace)
        return Decided(changes, undecided=journal is None)

    def _journal(
        self, item: Input, state: State, draft: Draft, now: datetime
    ) -> Sequence[Message] | None:
        """The events of one input, folded into the state; None: a deadline stays undecided."""
        journal = self._events(item, state, draft, now)
        try:
            for event in journal or ():
                state.apply(fold(self.domain, state, event))
            parked = any(isinstance(event, RecordParked) for event in journal or ())
            if item.mirrored and item.message is not None and not parked:
                state.apply(self.domain.evolve(state, item.message))
        except NotLoaded:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours must not stop the rest
            state.undo()
            journal = self._faulty(item, draft, error)
            for event in journal or ():
                state.apply(fold(self.domain, state, event))
        return journal

    def _events(
        self, item: Input, state: State, draft: Draft, now: datetime
    ) -> Sequence[Message] | None:
        message = item.message
        if item.unreadable is not None:
            return self._aside(item, draft, item.unreadable.reason, item.unreadable.detail)
        if isinstance(message, DropParked):
            return self._dropped(message, state)
        if self._is_behind(item, state, draft):
            return self._aside(item, draft, "behind", "an earlier record is parked")
        if message is None:
            return self._drop(item, "it had been handled already")
        if isinstance(message, Due) and message.collection == Beat.collection:
            return self._beaten(message, state, now)
        try:
            decision = self.domain.decide(state, message, now)
        except NotLoaded:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            return self._faulty(item, draft, error)
        if not isinstance(decision, Refusal):
            learned = [message] if type(message) in self.domain.learns else []
            superseded = self._superseded(item, state, draft)
            return [*self._retried(item), *learned, *decision, *superseded]
        if item.received is None:
            logger.error("a deadline was refused: %s", decision.rule)
            return None
        if not is_command(type(message)):
            return self._aside(item, draft, "rule", f"{decision.rule}: {decision.detail}")
        return [*self._retried(item), self._refused(item, message, decision)]

    def _beaten(self, due: Due, state: State, now: datetime) -> Sequence[Message]:
        """A heartbeat; none if it has been there since it was found to be due."""
        name = self.domain.name
        last = state.get(Beat, name, due.id)
        if last is not None and last.due_at is not None and last.due_at > now:
            return []
        source = f"{name}.{due.id}"
        return [Heartbeat(cohort_id=name, source=source, next_at=now + self.beat)]

    # --- records that stand aside ---------------------------------------------------------

    def _is_behind(self, item: Input, state: State, draft: Draft) -> bool:
        """Whether an earlier record of the same subject stands aside."""
        # The newest record of a mirrored topic counts alone, so it never waits for an older one.
        if item.mirrored or (blocked := self._blocked(item, state, draft)) is None:
            return False
        return item.parked is None or blocked.origins[0] != item.parked.id

    def _blocked(self, item: Input, state: State, draft: Draft) -> BlockedSubject | None:
        if item.received is None or not draft.parked:
            return None
        queue = queue_of(item.received)
        return None if queue is None else state.get(BlockedSubject, self.domain.name, queue)

    def _superseded(self, item: Input, state: State, draft: Draft) -> Iterable[Message]:
        """The older records of a mirrored subject that stood aside: the newest counts alone."""
        if item.mirrored and (blocked := self._blocked(item, state, draft)) is not None:
            assert item.received is not None
            for origin in blocked.origins:
                if int(origin.rpartition("/")[2]) < item.received.offset:
                    because = "a newer record of its subject was handled"
                    yield RecordDropped(cohort_id=self.domain.name, origin=origin, because=because)

    def _retried(self, item: Input) -> Iterable[Message]:
        if (parked := item.parked) is not None:
            yield RecordRetried(
                cohort_id=self.domain.name, origin=parked.id, attempts=parked.attempts + 1
            )

    def _drop(self, item: Input, because: str) -> Sequence[Message]:
        assert item.parked is not None
        name = self.domain.name
        return [RecordDropped(cohort_id=name, origin=item.parked.id, because=because)]

    def _dropped(self, message: DropParked, state: State) -> Sequence[Message]:
        name = self.domain.name
        return [
            RecordDropped(cohort_id=name, origin=origin, because=message.because)
            for origin in message.origins
            if state.get(ParkedRecord, name, origin) is not None
        ]

    def _aside(self, item: Input, draft: Draft, reason: str, detail: str) -> Sequence[Message]:
        """Set the record aside, or leave it there with one attempt more."""
        assert item.received is not None
        number, attempts = draft.next_parked, 1
        if item.parked is not None:
            number, attempts = item.parked.number, item.parked.attempts + 1
        name = self.domain.name
        return [park(item.received, name, reason, detail, number=number, attempts=attempts)]

    # --- what goes wrong ------------------------------------------------------------------

    def _faulty(self, item: Input, draft: Draft, error: Exception) -> Sequence[Message] | None:
        """A fault of ours, on this very message: set aside, so that the rest flows on."""
        kind = type(item.message).__name__
        told = {"event_id": item.attributes.id if item.attributes else None}
        logger.error("no decision on a %s", kind, exc_info=error, extra=told)
        if item.received is None:
            return None
        return self._aside(item, draft, "fault", f"{kind}: {type(error).__name__}")

    def _refused(self, item: Input, message: Message, refusal: Refusal) -> CommandRefused:
        assert item.attributes is not None
        return CommandRefused(
            cohort_id=message.cohort_id,
            command_id=item.attributes.id,
            command=type(message).__name__,
            rule=refusal.rule,
            detail=refusal.detail,
            kind=refusal.kind,
        )
