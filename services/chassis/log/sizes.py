"""How large a record may be: what the broker would not take is known before anything is committed.

Always holds: what passes `check_size` is taken by a broker whose topics have the limits of the
table (`schemas.topics`), whatever it is compressed to.
"""

from functools import cache

from schemas.envelope import Record
from schemas.topics import TOPICS
from services.chassis.log.contract import RecordTooLarge

MAX_REQUEST = 8 * 1024 * 1024
"""What our producers send at once; no topic takes more in one record."""

SMALL = 128 * 1024
"""Bytes of an event's value up to which every topic takes it: all that it carries beside has bounds
of some kilobytes, where it is read."""

_BATCH = 61  # of a batch of one: its own header
_RECORD = 40  # attributes, and the lengths and differences in front of what it holds
_HEADER = 10  # two lengths


def size_of(record: Record) -> int:
    """Bytes of the record in a batch of its own, before compression; never less than it takes."""
    size = _BATCH + _RECORD + len(record.key or b"") + len(record.value or b"")
    for name, raw in record.headers:
        size += _HEADER + (len(name) if name.isascii() else len(name.encode()))
        if raw is not None:
            size += len(raw)
    return size


@cache
def most_of(topic: str) -> int:
    """Bytes that a record of a topic may have."""
    known = TOPICS.get(topic)
    return min(known.max_message_bytes, MAX_REQUEST) if known else MAX_REQUEST


def check_size(record: Record) -> None:
    """Raise `RecordTooLarge` if the topic does not take the record."""
    size, most = size_of(record), most_of(record.topic)
    if size > most:
        raise RecordTooLarge(f"{record.topic} takes records of {most} bytes, not of {size}")
