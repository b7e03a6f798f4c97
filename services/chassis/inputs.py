"""Something to decide on: a record as it was read, or a message without one."""

import re
from dataclasses import dataclass

from schemas.actors import Actor
from schemas.base import Message
from schemas.envelope import (
    Attributes,
    ParkReason,
)
from services.chassis.documents import ParkedRecord
from services.chassis.domain import Due, OtherVersion
from services.chassis.log.contract import Received, RecordTooLarge


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be handled, or a deadline not be decided on."""

    reason: ParkReason
    detail: str


@dataclass(slots=True)
class Input:
    """Something to decide on: a record as it was read, or a message without one (a deadline).

    Neither `message` nor `unreadable`: the record does not concern the service. `mirrored`: it is
    of a compacted topic. `counted`: its sequence is its publisher's. `parked`: it stood aside, and
    is tried again, with `accept_gap` even if records before it are missing. `dues`: the deadlines
    that it is about, if it is no record. `failed`: what a step came to that tried again what the
    message names.
    """

    partition: int
    received: Received | None = None
    attributes: Attributes | None = None
    message: Message | None = None
    unreadable: Fault | None = None
    mirrored: bool = False
    counted: bool = False
    parked: ParkedRecord | None = None
    accept_gap: bool = False
    dues: tuple[Due, ...] = ()
    failed: Fault | None = None

    @property
    def actor(self) -> Actor | None:
        """Who is behind it; of what is anonymous, or cannot be read, nobody is to know."""
        if self.attributes is None or self.message is None or self.message.anonymous:
            return None
        return self.attributes.actor


def named(item: Input) -> str:
    """What it is, for a log: the type of its message."""
    return "record" if item.message is None else type(item.message).__name__


def fault_of(item: Input, error: Exception) -> Fault:
    """What went wrong with it. The text of an error can hold anybody's data: only ours is told."""
    told = f": {error}" if isinstance(error, RecordTooLarge | OtherVersion) else ""
    return Fault("fault", f"{named(item)}: {type(error).__name__}{told}")


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")


def loggable(told: str | None) -> str | None:
    """An id as a log may have it; None of what a stranger calls one, be it an address or words."""
    return told if told is not None and _ID.fullmatch(told) else None
