"""Which records are for us, which were handled before, and which cannot be read.

Always holds: whatever bytes a record has, reading it gives an `Input`; a record is passed over
only when it was handled already or does not concern the service.
"""

from typing import Literal

from schemas.base import Message
from schemas.envelope import (
    Attributes,
    Unreadable,
    attributes,
    decode,
    key_of,
    kind_of,
    tombstone,
)
from schemas.journal import CONTROL
from schemas.topics import TOPICS, partition_of
from services.chassis.domain import Domain
from services.chassis.inputs import Fault, Input
from services.chassis.log.contract import Received, unopened
from services.chassis.step.draft import Draft

Skipped = Literal["position", "sequence", "unconcerned"]


def source_of(topic: str, partition: int) -> str:
    """`ce_source` of what is published on a partition: `/mentoring/matching/events/3`."""
    return f"/{topic.replace('.', '/')}/{partition}"


def read(domain: Domain, partitions: int, received: Received) -> Input:
    """Read a record, as far as it concerns the service."""
    item = Input(received.partition, received)
    try:
        if received.topic in domain.tables:
            item.mirrored = True
            if received.value is None:
                erased = tombstone(received.key)
                _check_partition(erased.cohort_id, partitions, received)
                item.message = erased
                return item
        item.attributes = attributes(received.headers)
        topic = TOPICS[received.topic]
        sequenced = topic.audience == "public" or topic.name.endswith(".private")
        if sequenced:
            _check_source(item.attributes, received)
            item.counted = True
            if item.attributes.copy_of is not None:  # the event itself follows
                return item
        kind = kind_of(item.attributes)
        if kind not in topic.types:
            if sequenced:  # a copy that a service keeps of what it learned
                return item
            raise Unreadable("unknown-type", f"{kind.__name__} is not for {received.topic}")
        if kind in CONTROL:
            control = decode(item.attributes, received.value)
            _check_addressed(control, domain, received)
            item.message = control
            return item
        if not sequenced or kind in domain.handlers:
            _check_partition(item.attributes.partition_key, partitions, received)
        if kind in domain.handlers:
            message = decode(item.attributes, received.value)
            if item.mirrored and received.key != key_of(message).encode():
                raise Unreadable("bad-headers", "the key is not that of its subject")
            item.message = message
    except Unreadable as error:
        closed = unopened(received.headers)
        item.unreadable = Fault(error.reason, error.detail)
        if closed is not None:
            item.unreadable = Fault("bad-data", f"the batch cannot be opened: {closed}"[:300])
    except Exception as error:  # noqa: BLE001  # what cannot be read is set aside, whatever it is
        item.unreadable = Fault("bad-data", f"it cannot be read: {type(error).__name__}")
    return item


def _check_partition(cohort_id: str, partitions: int, received: Received) -> None:
    if partition_of(cohort_id, partitions) != received.partition:
        raise Unreadable("wrong-partition", "its cohort belongs to another partition")


def _check_addressed(message: Message, domain: Domain, received: Received) -> None:
    if (message.cohort_id, message.subject) != (domain.name, str(received.partition)):
        raise Unreadable("wrong-partition", "it is meant for another service or partition")


def _check_source(found: Attributes, received: Received) -> None:
    if found.source != source_of(received.topic, received.partition):
        raise Unreadable("bad-headers", "header ce_source is not the publisher of this topic")
    if found.sequence is None:
        raise Unreadable("bad-headers", "header ce_sequence is missing")


def admit(item: Input, draft: Draft) -> Skipped | None:
    """Move the partition's place past the record; why it is passed over, or None if it is not."""
    received = item.received
    if received is None:
        return None
    if received.offset < draft.positions.get(received.topic, 0):
        return "position"
    draft.moved_to(received.topic, received.offset + 1)
    sequence = item.attributes.sequence if item.attributes and item.counted else None
    if sequence is not None:
        seen = draft.seen.get(received.topic, 0)
        if sequence <= seen:
            return "sequence"
        if sequence > seen + 1:
            detail = f"sequence {sequence} came after {seen}"
            item.unreadable = Fault("sequence-gap", detail)
            return None
        draft.saw(received.topic, sequence)
    if item.unreadable is None and item.message is None:
        return "unconcerned"
    return None
