"""The documents that every service has: refusals, records that stand aside, counts, heartbeats.

And one of whoever has pages behind links: which of these links count no more.
"""

from collections.abc import Iterable
from typing import ClassVar

from schemas.journal import RefusalKind
from schemas.links import LinksRevoked
from services.chassis.domain import Change, Document, State, Timed
from services.chassis.log.contract import Received

PARKED_BYTES = 1024 * 1024
PARKED_HEADERS_BYTES = 1024 * 1024
PARKED_KEY_BYTES = 4096
PARKED_PER_HEADER = 32
"""What is kept of a record that stands aside: of its value, its headers (each with what it takes
beside its name and its value) and its key."""
CUT = "\N{HORIZONTAL ELLIPSIS}"
"""The last header of a record of which the key or the headers were not kept whole."""


class RefusedCommand(Document):
    """A command that was not carried out; `id` is the command's. The oldest have no `kind`."""

    collection: ClassVar[str] = "refusals"

    command: str
    rule: str
    detail: str
    kind: RefusalKind | None = None


class ParkedRecord(Document):
    """A record that stands aside; `id` is `topic/partition/offset`, `number` its turn."""

    collection: ClassVar[str] = "parked"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("reason",),
        ("partition", "topic", "reason"),  # every scrape counts them, and they can be large
    )

    topic: str
    offset: int
    record_key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    size: int
    sha256: str
    reason: str
    detail: str
    attempts: int
    number: int

    @property
    def record_partition(self) -> int:
        """The partition that it was on."""
        return int(self.id.split("/")[-2])

    @property
    def whole(self) -> bool:
        """Whether all of it was kept."""
        return len(self.value or b"") == self.size and all(name != CUT for name, _ in self.headers)

    def received(self) -> Received:
        """The record as it came."""
        return Received(
            self.topic,
            self.record_partition,
            self.offset,
            self.record_key,
            self.value,
            self.headers,
        )


class BlockedSubject(Document):
    """A subject with records aside: later ones queue behind them. `id` is `topic/partition/key`.

    `origins` are those that wait first, the first one first, and `last` those that came last.
    `pages` are those between them (`QueuePage`), each by the offset of its first record.
    """

    collection: ClassVar[str] = "blocked"

    origins: tuple[str, ...]
    pages: tuple[int, ...] = ()
    last: tuple[str, ...] = ()


class QueuePage(Document):
    """Some of a queue, between its first and its last; `id` is the queue's and `/offset`."""

    collection: ClassVar[str] = "blocked_pages"

    origins: tuple[str, ...]


class DroppedRecord(Document):
    """A record that stood aside and will never be handled; `id` is `topic/partition/offset`."""

    collection: ClassVar[str] = "dropped"

    because: str


Group = tuple[str, ...]
"""A measure's name, and the values of the fields that it counts by."""


class Counts(Document):
    """How many documents a cohort has, by measure and values; `id` is the cohort's.

    Sorted, and nothing at zero, so that equal counts are equal bytes.
    """

    collection: ClassVar[str] = "places"  # which each step writes anyway: it is one command
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("partition", "cohort_id", "id"),)

    counts: tuple[tuple[Group, int], ...] = ()


class Beat(Timed):
    """The heartbeat of a partition; `id` is its number, and it is due with the next one."""

    collection: ClassVar[str] = "heartbeats"


class RevokedLinks(Document):
    """Which links of a person count no more; `id` is the person's.

    `number` is that of the last revocation, `every` that of the last one of all their links;
    `single` has by name, sorted, the number of the last one of a single link after that.
    """

    collection: ClassVar[str] = "revoked_links"

    number: int = 0
    every: int = 0
    single: tuple[tuple[str, int], ...] = ()

    def counts(self, name: str, after: int) -> bool:
        """Whether the link of this name counts that was written after this revocation."""
        return after >= max(self.every, dict(self.single).get(name, 0))


def links_revoked(state: State, event: LinksRevoked) -> Iterable[Change]:
    """The fold: of what every service with links has to know."""
    known = state.get(RevokedLinks, event.cohort_id, event.person_id)
    before = known or RevokedLinks(id=event.person_id, cohort_id=event.cohort_id)
    if event.link is None:
        change = {"every": event.number, "single": ()}
    else:
        single = dict(before.single) | {event.link.name: event.number}
        change = {"single": tuple(sorted(single.items()))}
    yield before.model_copy(update={"number": event.number, **change})


CHASSIS_DOCUMENTS: tuple[type[Document], ...] = (
    Beat,
    Counts,
    RefusedCommand,
    ParkedRecord,
    BlockedSubject,
    QueuePage,
    DroppedRecord,
)
