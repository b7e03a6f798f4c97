"""The log as a service uses it: publish in order, read from a place.

Always holds: when `publish` returns, every record is durable; when it fails, what is in the log
is a prefix of what was to be published, per partition of a topic, and publishing all of it again
is harmless.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.envelope import Headers, Record

Spot = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A record as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


UNOPENED = "connecte-unopened"
"""The header of what stands for a batch that cannot be opened; it says why."""


def unopened(headers: Headers) -> str | None:
    """What is wrong with the batch that a record stands for; None of any other record."""
    found = dict(headers).get(UNOPENED)
    return None if found is None else found.decode(errors="replace")


class NotTaken(Exception):
    """The broker did not say in time that it has a record; it may have it, or take it yet."""


class RecordTooLarge(Exception):
    """The topic does not take a record of this size; it never will."""


class Log(Protocol):
    """What a service asks of the broker, beside being handed batches."""

    async def publish(self, records: Sequence[Record]) -> list[int]:
        """Make the records durable, in order; their offsets."""

    async def send(self, record: Record) -> int:
        """Make one record durable, in no order with others; its offset. Or raise `NotTaken`."""

    def read(self, topic: str, partition: int, start: int = 0) -> AsyncIterator[list[Received]]:
        """What is in a partition from `start` to its present end, in batches."""
