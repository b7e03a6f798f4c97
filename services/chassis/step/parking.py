"""Records that stand aside (G4): why, behind which, and how they come back.

Always holds: of one subject, records are handled in their order, whichever of them stood aside;
what stands aside is handled, or dropped by somebody who says why, and never forgotten.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from schemas.base import Message
from schemas.journal import DropParked, RecordDropped, RecordParked, RecordRetried, RetryParked
from schemas.topics import Service
from services.chassis.documents import (
    CUT,
    PARKED_BYTES,
    PARKED_HEADERS_BYTES,
    PARKED_KEY_BYTES,
    PARKED_PER_HEADER,
    BlockedSubject,
    DroppedRecord,
    ParkedRecord,
)
from services.chassis.domain import Change, Document, Domain, Gone, Need, One, State
from services.chassis.inputs import Fault, Input
from services.chassis.log.contract import Received
from services.chassis.step.admission import Skipped, read
from services.chassis.step.draft import Draft
from services.chassis.step.queues import joined, left, offset_of, waiting_in

Load = Callable[[Iterable[One]], Awaitable[list[Document]]]

READ_AT_ONCE = 16
PORTION_BYTES = 4 * 1024 * 1024
"""Of records that are tried again: so many are read, and so much of them is held, at a time."""


class TooManyParked(Exception):
    """So much stands aside that the fault is not in the records; nothing more is set aside."""

    def __init__(self, partition: int, most: int) -> None:
        super().__init__(
            f"more than {most} records of partition {partition} stand aside (CONNECTE_PARKED_LIMIT)"
        )
        self.partition = partition


# --- where a record lies, and where it waits ------------------------------------------------


def blocked_id(topic: str, partition: int, key: bytes) -> str:
    """The id of the queue in which records of this key wait, told by what is kept of a key."""
    return f"{topic}/{partition}/{key[:PARKED_KEY_BYTES].decode('latin-1')}"


def queue_of(received: Received) -> str | None:
    """The queue that a record belongs to; one without a key belongs to none."""
    if received.key is None:
        return None
    return blocked_id(received.topic, received.partition, received.key)


def origin_of(received: Received) -> str:
    """Where a record lies: `topic/partition/offset`."""
    return f"{received.topic}/{received.partition}/{received.offset}"


def queue_needs(item: Input, draft: Draft) -> Iterable[Need]:
    """The queue that a record may have to join, or to wait in."""
    aside = item.unreadable is not None or draft.parked
    if aside and item.received is not None and (queue := queue_of(item.received)):
        yield One(BlockedSubject, draft.service, queue)


# --- going aside ----------------------------------------------------------------------------


def is_behind(item: Input, state: State, draft: Draft) -> bool:
    """Whether an earlier record of the same subject stands aside."""
    # The newest record of a mirrored topic counts alone, so it never waits for an older one.
    if item.mirrored or (blocked := _blocked(item, state, draft)) is None:
        return False
    return item.parked is None or blocked.origins[0] != item.parked.id


def _blocked(item: Input, state: State, draft: Draft) -> BlockedSubject | None:
    if item.received is None or not draft.parked:
        return None
    queue = queue_of(item.received)
    return None if queue is None else state.get(BlockedSubject, draft.service, queue)


def aside(item: Input, draft: Draft, reason: str, detail: str) -> Sequence[Message]:
    """Set the record aside, or leave it there with one attempt more."""
    received = item.received
    assert received is not None
    key, headers, value = received.key, _fitting(received), received.value
    number, attempts, size = draft.next_parked, 1, len(value or b"")
    sha256 = hashlib.sha256(value or b"").hexdigest()
    if (before := item.parked) is not None:  # of which there may be only a part
        number, attempts = before.number, before.attempts + 1
        size, sha256 = before.size, before.sha256
    parked = RecordParked.model_construct(
        cohort_id=draft.service,
        origin=origin_of(received),
        topic=received.topic,
        offset=received.offset,
        key=None if key is None else key[:PARKED_KEY_BYTES],
        headers=headers,
        value=None if value is None else value[:PARKED_BYTES],
        size=size,
        sha256=sha256,
        reason=reason,
        detail=detail,
        attempts=attempts,
        number=number,
    )
    return [parked]


def _fitting(received: Received) -> tuple[tuple[str, bytes | None], ...]:
    """The headers as they came; if they are too large, those there is room for, with a mark."""
    headers, room = tuple((name, raw) for name, raw in received.headers), PARKED_HEADERS_BYTES
    kept: list[tuple[str, bytes | None]] = []
    for name, raw in headers:
        room -= len(name.encode()) + len(raw or b"") + PARKED_PER_HEADER
        if room < 0:
            break
        kept.append((name, raw))
    whole = len(kept) == len(headers) and len(received.key or b"") <= PARKED_KEY_BYTES
    return headers if whole else (*kept, (CUT, None))


def given_up(item: Input, fault: Fault) -> Input | None:
    """The same, to be set aside, for a step of it alone was stopped; None if it is no record."""
    if isinstance(item.message, RetryParked):
        return replace(item, failed=fault)
    return None if item.received is None else replace(item, message=None, unreadable=fault)


def check_parked(draft: Draft, most: int) -> None:
    """Raise `TooManyParked` if a step sets aside more of a partition than may stand aside."""
    if draft.place.parked < draft.parked > most:
        raise TooManyParked(draft.place.partition, most)


# --- coming back ----------------------------------------------------------------------------


async def asked_again(item: Input, service: Service, load: Load) -> Sequence[Input]:
    """The same in parts: of the records that are to be tried again, so many as are held at once.

    Only the last part is the command as it came, so whoever dies in between does the rest again.
    """
    if not isinstance(control := item.message, RetryParked):
        return [item]
    found: list[tuple[int, str, int]] = []
    for start in range(0, len(control.origins), READ_AT_ONCE):
        some = control.origins[start : start + READ_AT_ONCE]
        for document in await load([One(ParkedRecord, service, origin) for origin in some]):
            assert isinstance(document, ParkedRecord)
            found.append((document.number, document.id, len(document.value or b"")))
    parts: list[list[str]] = [[]]
    room = PORTION_BYTES
    for _, origin, size in sorted(found):
        if size > room and parts[-1]:
            parts, room = [*parts, []], PORTION_BYTES
        parts[-1].append(origin)
        room -= size
    return _parts(item, control, parts)


def _parts(item: Input, control: RetryParked, parts: Iterable[Sequence[str]]) -> list[Input]:
    asked = [control.model_copy(update={"origins": tuple(origins)}) for origins in parts]
    before = [replace(item, received=None, attributes=None, message=m) for m in asked[:-1]]
    return [*before, replace(item, message=asked[-1])]


def halves(inputs: Sequence[Input]) -> Sequence[Sequence[Input]]:
    """The inputs in two parts, in order; none if there is but one, and nothing to take apart."""
    if (middle := len(inputs) // 2) > 0:
        return inputs[:middle], inputs[middle:]
    [item] = inputs
    if isinstance(control := item.message, RetryParked) and len(control.origins) > 1:
        middle = len(control.origins) // 2
        parts = _parts(item, control, (control.origins[:middle], control.origins[middle:]))
        return [[part] for part in parts]
    return ()


def portions(inputs: Sequence[Input]) -> Iterable[Sequence[Input]]:
    """The batch, in order, cut so that each retry of parked records has a step of its own."""
    start = 0
    for number, item in enumerate(inputs):
        if isinstance(item.message, RetryParked):
            yield inputs[start:number]
            yield inputs[number : number + 1]
            start = number + 1
    yield inputs[start:]


def tried_again(retry: Input, domain: Domain, partitions: int, state: State) -> Sequence[Input]:
    """The records that somebody wishes to be handled again, read anew, in the order they came."""
    found: list[Input] = []
    control = retry.message
    assert isinstance(control, RetryParked)
    parked = [state.get(ParkedRecord, domain.name, origin) for origin in control.origins]
    for record in sorted(filter(None, parked), key=lambda record: record.number):
        if record.record_partition == retry.partition:
            again = read(domain, partitions, record.received())
            again.parked, again.accept_gap = record, control.accept_gap
            if not record.whole:
                again.unreadable = Fault("bad-data", "only a part of it was kept")
            elif retry.failed is not None:
                again.message, again.unreadable = None, retry.failed
            found.append(again)
    return found


def readmit(item: Input, draft: Draft) -> Skipped | None:
    """As `admit`, for a record that stood aside: whether what was missing before it has come."""
    parked, received = item.parked, item.received
    assert parked is not None
    assert received is not None
    sequence = item.attributes.sequence if item.attributes and item.counted else None
    if parked.reason != "sequence-gap" or sequence is None:
        return None  # it was counted when it came
    seen = draft.seen.get(received.topic, 0)
    if sequence <= seen:
        return "sequence"
    if sequence > seen + 1 and not item.accept_gap:
        item.unreadable = Fault("sequence-gap", f"sequence {sequence} came after {seen}")
    else:
        draft.saw(received.topic, sequence)
    return None


def retried(item: Input, draft: Draft) -> Iterable[Message]:
    """That a record stands aside no more, if it did."""
    if (parked := item.parked) is not None:
        yield RecordRetried(cohort_id=draft.service, origin=parked.id, attempts=parked.attempts + 1)


def superseded(item: Input, state: State, draft: Draft) -> Iterable[Message]:
    """The older records of a mirrored subject that stood aside: the newest counts alone."""
    if item.mirrored and (blocked := _blocked(item, state, draft)) is not None:
        assert item.received is not None
        for origin in waiting_in(blocked, state):
            if offset_of(origin) < item.received.offset:
                because = "a newer record of its subject was handled"
                yield RecordDropped(cohort_id=draft.service, origin=origin, because=because)


def needless(item: Input, draft: Draft) -> Sequence[Message]:
    """What stood aside had been handled by the time it was tried again."""
    assert item.parked is not None
    because = "it had been handled already"
    return [RecordDropped(cohort_id=draft.service, origin=item.parked.id, because=because)]


def dropped(message: DropParked, state: State, draft: Draft) -> Sequence[Message]:
    """The records, of those that an operator drops, that still stand aside in the partition."""
    name, partition = draft.service, draft.place.partition
    parked = [state.get(ParkedRecord, name, origin) for origin in message.origins]
    return [
        RecordDropped(cohort_id=name, origin=record.id, because=message.because)
        for record in parked
        if record is not None and record.record_partition == partition
    ]


# --- what the journal's events keep of it ---------------------------------------------------


def set_aside(state: State, event: RecordParked) -> Iterable[Change]:
    """The record as it stands aside, last in its queue."""
    yield ParkedRecord(
        id=event.origin,
        cohort_id=event.cohort_id,
        topic=event.topic,
        offset=event.offset,
        record_key=event.key,
        headers=event.headers,
        value=event.value,
        size=event.size,
        sha256=event.sha256,
        reason=event.reason,
        detail=event.detail,
        attempts=event.attempts,
        number=event.number,
    )
    queue = parked_queue(event)
    if queue is not None and event.attempts == 1:  # or it has its place already
        present = state.get(BlockedSubject, event.cohort_id, queue)
        yield from joined(present, queue, event.cohort_id, event.origin)


def taken_back(state: State, event: RecordRetried | RecordDropped) -> Iterable[Change]:
    """The record is gone from its queue; one that was dropped is remembered."""
    service, origin = event.cohort_id, event.origin
    if (parked := state.get(ParkedRecord, service, origin)) is not None:
        yield Gone(parked)
        queue = queue_of(parked.received())
        blocked = state.get(BlockedSubject, service, queue) if queue is not None else None
        if blocked is not None:
            yield from left(blocked, state, origin)
    if isinstance(event, RecordDropped):
        yield DroppedRecord(id=origin, cohort_id=service, because=event.because)


def parked_queue(event: RecordParked) -> str | None:
    """The queue of a record that was set aside."""
    if event.key is None:
        return None
    return blocked_id(event.topic, int(event.origin.split("/")[-2]), event.key)
