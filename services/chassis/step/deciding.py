"""What one input comes to: the events of the service's journal, folded into the state of the step.

Always holds: whatever a record or a decision does, it comes to events (it is handled, refused,
set aside, or left where it stands), and the state holds what these events say and nothing else.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.base import Message
from schemas.journal import CommandRefused, DropParked, Heartbeat, RecordParked
from schemas.topics import is_command
from services.chassis.documents import Beat
from services.chassis.domain import (
    Change,
    Domain,
    Due,
    NotLoaded,
    Refusal,
    State,
)
from services.chassis.inputs import Fault, Input, fault_of, loggable, named
from services.chassis.step.draft import Draft
from services.chassis.step.journal import fold
from services.chassis.step.parking import (
    aside,
    dropped,
    is_behind,
    needless,
    readmit,
    retried,
    superseded,
)
from services.chassis.step.ports import Ports

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """What an input came to. `undecided`: why nothing came of one that is no record; `forgotten`:
    the owners of what is kept beside the documents, and is not any more."""

    changes: Sequence[Change] = ()
    undecided: Fault | None = None
    forgotten: Sequence[str] = ()


def _parks(journal: Sequence[Message]) -> bool:
    return any(isinstance(event, RecordParked) for event in journal)


class Decider:
    """Decides on inputs one after the other. `beat`: from a heartbeat to when the next is due."""

    def __init__(self, domain: Domain, ports: Ports, beat: timedelta) -> None:
        self.domain = domain
        self.ports = ports
        self.beat = beat

    async def decide(self, item: Input, state: State, draft: Draft, now: datetime) -> Decided:
        """Decide on one input: its changes; its events are added to the draft."""
        if item.parked is not None:
            if is_behind(item, state, draft):
                return Decided()
            if readmit(item, draft) is not None:
                item.message, item.unreadable = None, None
        trace, actor = self.ports.tracing.handled(item), item.actor
        while True:
            try:
                forgotten = self._forgotten(item, state) if item.mirrored else ()
                journal = self._journal(item, state, draft, now)
                changes = state.keep()
            except NotLoaded as missing:
                state.undo()
                self.ports.metrics.late_loads.inc()
                await state.load(self.ports.store, [missing.need])
            else:
                break
        if isinstance(journal, Fault):
            return Decided(undecided=journal)
        event_id = item.attributes.id if item.attributes else None
        for event in journal:
            draft.add(event, event_id, trace, actor)
            if isinstance(event, RecordParked):
                who = loggable(actor.id if actor else None)
                where = {"event_id": loggable(event_id), "origin": event.origin, "actor": who}
                logger.warning("parked: %s", event.reason, extra=where)
        self.ports.tracing.changed(changes, trace)
        if forgotten and _parks(journal):
            return Decided(changes)
        return Decided(changes, forgotten=forgotten)

    def _forgotten(self, item: Input, state: State) -> Sequence[str]:
        return () if item.message is None else list(self.domain.forgets(state, item.message))

    def _journal(
        self, item: Input, state: State, draft: Draft, now: datetime
    ) -> Sequence[Message] | Fault:
        """The events of one input, folded into the state; or why a deadline stays undecided."""
        journal = self._events(item, state, draft, now)
        if isinstance(journal, Fault):
            return journal
        try:
            for event in journal:
                state.apply(fold(self.domain, state, event))
            if item.mirrored and item.message is not None and not _parks(journal):
                state.apply(fold(self.domain, state, item.message))
        except NotLoaded:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours must not stop the rest
            state.undo()
            journal = self._faulty(item, draft, error)
            for event in () if isinstance(journal, Fault) else journal:
                state.apply(fold(self.domain, state, event))
        return journal

    def _events(
        self, item: Input, state: State, draft: Draft, now: datetime
    ) -> Sequence[Message] | Fault:
        message = item.message
        if item.unreadable is not None:
            return aside(item, draft, item.unreadable.reason, item.unreadable.detail)
        if isinstance(message, DropParked):
            return dropped(message, state, draft)
        if is_behind(item, state, draft):
            return aside(item, draft, "behind", "an earlier record is parked")
        if message is None:
            return needless(item, draft)
        if isinstance(message, Due) and message.collection == Beat.collection:
            return self._beaten(message, state, now)
        try:
            decision = self.domain.decide(state, message, now)
        except NotLoaded:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            return self._faulty(item, draft, error)
        if not isinstance(decision, Refusal):
            if type(message) in self.domain.signs:
                decision = self.domain.signed(decision, item.actor)
            learned = [message] if type(message) in self.domain.learns else []
            if item.parked is None and not item.mirrored:
                return [*learned, *decision]  # what mostly happens
            older = superseded(item, state, draft)
            return [*retried(item, draft), *learned, *decision, *older]
        if item.received is None:
            logger.error("a deadline was refused: %s", decision.rule)
            return Fault("rule", f"{decision.rule}: {decision.detail}")
        if not is_command(type(message)):
            return aside(item, draft, "rule", f"{decision.rule}: {decision.detail}")
        return [*retried(item, draft), self._refused(item, message, decision)]

    def _beaten(self, due: Due, state: State, now: datetime) -> Sequence[Message]:
        """A heartbeat; none if it has been there since it was found to be due."""
        name = self.domain.name
        last = state.get(Beat, name, due.id)
        if last is not None and last.due_at is not None and last.due_at > now:
            return []
        source = f"{name}.{due.id}"
        return [Heartbeat(cohort_id=name, source=source, next_at=now + self.beat)]

    def _faulty(self, item: Input, draft: Draft, error: Exception) -> Sequence[Message] | Fault:
        """A fault of ours, on this very message: set aside, so that the rest flows on."""
        where = {"event_id": loggable(item.attributes.id if item.attributes else None)}
        logger.error("no decision on a %s", named(item), exc_info=error, extra=where)
        fault = fault_of(item, error)
        return fault if item.received is None else aside(item, draft, fault.reason, fault.detail)

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
