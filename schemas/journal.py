"""What every service notes for itself, whatever it is about.

With these and its own events a service's whole database can be folded again from the log,
its place in every topic included.
"""

from typing import Annotated, ClassVar

from pydantic import Base64Bytes, Field

from schemas.base import Event


class CommandRefused(Event):
    """A command was not carried out, and why. Its sender can look it up by `command_id`."""

    subject_field: ClassVar[str] = "command_id"
    command_id: str
    command: Annotated[str, Field(examples=["AcceptProposal"])]
    rule: Annotated[str, Field(examples=["proposal-expired"])]
    detail: str


class StepCompleted(Event):
    """The last record of every step of a partition: how far the service has got.

    `positions` (topic to next offset) and `seen` (source to last sequence) name only what
    moved. `cohort_id` is the service's own name here: a step belongs to a partition.
    """

    subject_field: ClassVar[str] = "source"
    source: str
    step: Annotated[int, Field(ge=1)]
    positions: dict[str, int]
    seen: dict[str, int]


class RecordParked(Event):
    """A record was set aside, as it came. Whoever mends the cause can have it handled again.

    `value` holds at most 64 KiB; the rest of a larger one is at its origin, and `size` and
    `sha256` say what the whole is.
    """

    subject_field: ClassVar[str] = "origin"
    origin: Annotated[str, Field(examples=["mentoring.matching.events/3/1042"])]
    topic: str
    offset: int
    key: Base64Bytes | None
    headers: tuple[tuple[str, Base64Bytes | None], ...]
    value: Base64Bytes | None
    size: int
    sha256: str
    reason: str
    detail: str
    attempts: Annotated[int, Field(ge=1)]
