"""What every service notes for itself, whatever it is about.

With these and its own events a service's whole database can be folded again from the log,
its place in every topic included.
"""

from typing import Annotated, ClassVar

from pydantic import Base64Bytes, Field

from schemas.base import Command, Event

Origin = Annotated[
    str,
    Field(
        max_length=300,
        description="Topic, partition and offset.",
        examples=["mentoring.matching.events/3/1042"],
    ),
]


class CommandRefused(Event):
    """A command was not carried out, and why. Its sender can look it up by `command_id`."""

    subject_field: ClassVar[str] = "command_id"
    command_id: Annotated[str, Field(description="`ce_id` of the command.")]
    command: Annotated[str, Field(description="Its type.", examples=["AcceptProposal"])]
    rule: Annotated[str, Field(description="Which rule said no.", examples=["proposal-expired"])]
    detail: Annotated[str, Field(description="The same as a sentence.")]


class StepCompleted(Event):
    """The last record of every step of a partition: how far the service has got.

    `positions` (topic to next offset) and `seen` (source to last sequence) name only what
    moved. `cohort_id` is the service's own name here: a step belongs to a partition.
    """

    subject_field: ClassVar[str] = "source"
    source: Annotated[str, Field(description="Service and partition.", examples=["matching.3"])]
    step: Annotated[int, Field(ge=1, description="Counts the steps of the partition.")]
    positions: Annotated[dict[str, int], Field(description="Topic to next offset.")]
    seen: Annotated[dict[str, int], Field(description="Source to last sequence.")]


class RecordParked(Event):
    """A record was set aside, as it came. Whoever mends the cause can have it handled again.

    `value` holds at most 1 MiB, which is what a record of our topics may have; `size` and
    `sha256` say what the whole is.
    """

    subject_field: ClassVar[str] = "origin"
    origin: Origin
    topic: Annotated[str, Field(description="The topic it was on.")]
    offset: Annotated[int, Field(description="Its offset there.")]
    key: Annotated[Base64Bytes | None, Field(description="Its key, as it came.")]
    headers: Annotated[
        tuple[tuple[str, Base64Bytes | None], ...], Field(description="Its headers, as they came.")
    ]
    value: Annotated[Base64Bytes | None, Field(description="Its value, cut after 1 MiB.")]
    size: Annotated[int, Field(description="Bytes of the whole value.")]
    sha256: Annotated[str, Field(description="Digest of the whole value.")]
    reason: Annotated[str, Field(description="Why, from a closed list.", examples=["bad-data"])]
    detail: Annotated[str, Field(description="The header, field or rule that is meant.")]
    attempts: Annotated[int, Field(ge=1, description="How often it has been tried.")]
    number: Annotated[
        int, Field(ge=1, description="Counts what was set aside in the partition: its turn.")
    ]


class RecordRetried(Event):
    """A record that was set aside has been handled; what came of it follows."""

    subject_field: ClassVar[str] = "origin"
    origin: Origin
    attempts: Annotated[int, Field(ge=2, description="How often it had been tried in the end.")]


class RecordDropped(Event):
    """A record that was set aside will never be handled."""

    subject_field: ClassVar[str] = "origin"
    origin: Origin
    because: Annotated[str, Field(description="Why, in the words of whoever dropped it.")]


class _Control(Command):
    """What is asked of one partition of a service. `cohort_id` is the service's own name."""

    subject_field: ClassVar[str] = "partition"
    partition: Annotated[int, Field(ge=0, description="Whose records are meant.")]
    origins: Annotated[
        tuple[Origin, ...], Field(min_length=1, max_length=1000, description="Which records.")
    ]


class RetryParked(_Control):
    """Handle these records that were set aside, in the order in which they were.

    One that fails again stays, and so does what waits behind it.
    """

    accept_gap: Annotated[
        bool,
        Field(description="Go on after what is missing in a source, instead of waiting for it."),
    ] = False


class DropParked(_Control):
    """Never handle these records that were set aside."""

    because: Annotated[str, Field(min_length=3, max_length=300, description="Why.")]


CONTROL: tuple[type[Command], ...] = (RetryParked, DropParked)
"""What operators ask of any service, on its command topic and on the partition that is meant."""

PARKING: tuple[type[Event], ...] = (RecordParked, RecordRetried, RecordDropped)
"""What happens to a record that is set aside."""
