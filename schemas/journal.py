"""What every service notes for itself, whatever it is about.

With these and its own events a service's whole database can be folded again from the log,
its place in every topic included.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Base64Bytes, Field

from schemas.base import CohortId, Command, Count, Event, Moment, described
from schemas.text import TIDY

OwnName = Annotated[
    CohortId,
    described("The service's own name in a cohort's stead.", "matching"),
]
Origin = Annotated[
    str,
    described("Topic, partition and offset.", "mentoring.matching.events/3/1042", max_length=300),
]

RefusalKind = Literal["unknown", "conflict", "invalid"]
"""What is named is not known, the present state does not allow it, or it is wrong in any state."""


class CommandRefused(Event):
    """A command was not carried out, and why. Its sender can look it up by `command_id`."""

    audience = "internal"
    subject_field: ClassVar[str] = "command_id"
    command_id: Annotated[
        str,
        described("`ce_id` of the command.", "5f3c2a1e-7c1d-4c6a-9c57-2f1e8a6b4d10"),
    ]
    command: Annotated[str, described("Its type.", "AcceptProposal")]
    rule: Annotated[str, described("Which rule said no.", "proposal-expired")]
    detail: Annotated[str, described("The same as a sentence.", "the proposal has expired")]
    kind: Annotated[
        RefusalKind | None,
        described(
            "unknown: what it names is not known; conflict: the present state does not allow it; "
            "invalid: it is wrong in any state. Null in the oldest records, which did not say.",
            "conflict",
        ),
    ] = None


class StepCompleted(Event):
    """The last record of every step of a partition: how far the service has got.

    `positions` (topic to next offset) and `seen` (source to last sequence) name only what
    moved. `cohort_id` is the service's own name here: a step belongs to a partition.
    """

    audience = "internal"
    subject_field: ClassVar[str] = "source"
    cohort_id: OwnName
    source: Annotated[str, described("Service and partition.", "matching.3")]
    step: Annotated[Count, described("Counts the steps of the partition.", 12, ge=1)]
    positions: Annotated[
        dict[str, Count],
        described("Topic to next offset.", {"mentoring.matching.commands": 1043}),
    ]
    seen: Annotated[
        dict[str, Count],
        described("Source to last sequence.", {"mentoring.scheduling.events": 17}),
    ]


class Heartbeat(Event):
    """A service is alive, and writes to this partition. It says so once a day.

    `cohort_id` is the service's own name here: a heartbeat belongs to a partition, and is on it
    wherever the name's hash would put it. Nobody has to handle it; whoever watches the topic
    knows by `next_at` when silence means that something is wrong.
    """

    audience = "public"
    subject_field: ClassVar[str] = "source"
    cohort_id: OwnName
    source: Annotated[str, Field(description="Service and partition.", examples=["matching.3"])]
    next_at: Annotated[Moment, Field(description="When the next one is due.")]


class RecordParked(Event):
    """A record was set aside, as it came. Whoever mends the cause can have it handled again.

    `value` holds at most 1 MiB, which is what a record of our topics may have; `size` and
    `sha256` say what the whole is.
    """

    audience = "internal"
    subject_field: ClassVar[str] = "origin"
    cohort_id: OwnName
    origin: Origin
    topic: Annotated[str, described("The topic it was on.", "mentoring.matching.events")]
    offset: Annotated[Count, described("Its offset there.", 1042)]
    key: Annotated[
        Base64Bytes | None,
        described("Its key, as it came.", "YmVyY3ktMjAxNy9tLTAxNw=="),
    ]
    headers: Annotated[
        tuple[tuple[str, Base64Bytes | None], ...],
        described("Its headers, as they came.", [["ce_specversion", "MS4w"]]),
    ]
    value: Annotated[Base64Bytes | None, described("Its value, cut after 1 MiB.", "e30=")]
    size: Annotated[Count, described("Bytes of the whole value.", 2)]
    sha256: Annotated[
        str,
        described(
            "Digest of the whole value.",
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ),
    ]
    reason: Annotated[str, described("Why, from a closed list.", "bad-data")]
    detail: Annotated[
        str,
        described(
            "The header, field or rule that is meant.", "SessionPlanned.number: Field required"
        ),
    ]
    attempts: Annotated[Count, described("How often it has been tried.", 1, ge=1)]
    number: Annotated[
        Count,
        described(
            "Counts what was set aside in the partition: its turn; 0 in the oldest "
            "records, which did not count.",
            1,
            ge=0,
        ),
    ] = 0


class RecordRetried(Event):
    """A record that was set aside has been handled; what came of it follows."""

    audience = "internal"
    subject_field: ClassVar[str] = "origin"
    cohort_id: OwnName
    origin: Origin
    attempts: Annotated[Count, described("How often it had been tried in the end.", 2, ge=2)]


class RecordDropped(Event):
    """A record that was set aside will never be handled."""

    audience = "internal"
    subject_field: ClassVar[str] = "origin"
    cohort_id: OwnName
    origin: Origin
    because: Annotated[
        str,
        described("Why, in the words of whoever dropped it.", "sent by a test"),
    ]


def _each_once(origins: tuple[str, ...]) -> tuple[str, ...]:
    """A record that is named twice is meant once: it stands aside once."""
    return tuple(dict.fromkeys(origins))


class _Control(Command):
    """What is asked of one partition of a service. `cohort_id` is the service's own name."""

    subject_field: ClassVar[str] = "partition"
    cohort_id: OwnName
    partition: Annotated[Count, described("Whose records are meant.", 3, ge=0)]
    origins: Annotated[
        tuple[Origin, ...],
        Field(min_length=1, max_length=1000, description="Which records."),
        AfterValidator(_each_once),
    ]


class RetryParked(_Control):
    """Handle these records that were set aside, in the order in which they were.

    One that fails again stays, and so does what waits behind it.
    """

    accept_gap: Annotated[
        bool,
        described("Go on after what is missing in a source, instead of waiting for it.", True),
    ] = False


class DropParked(_Control):
    """Never handle these records that were set aside."""

    because: Annotated[str, described("Why.", "sent by a test", min_length=3, max_length=300), TIDY]


CONTROL: tuple[type[Command], ...] = (RetryParked, DropParked)
"""What operators ask of any service, on its command topic and on the partition that is meant."""

PARKING: tuple[type[Event], ...] = (RecordParked, RecordRetried, RecordDropped)
"""What happens to a record that is set aside."""
