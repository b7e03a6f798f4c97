"""Something to decide on: a record as it was read, or a message without one."""

from dataclasses import dataclass

from schemas.base import Message
from schemas.envelope import (
    Attributes,
    ParkReason,
)
from services.chassis.documents import ParkedRecord
from services.chassis.log.contract import Received


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be handled."""

    reason: ParkReason
    detail: str


@dataclass(slots=True)
class Input:
    """Something to decide on: a record as it was read, or a message without one (a deadline).

    Neither `message` nor `unreadable`: the record does not concern the service. `mirrored`: it is
    of a compacted topic. `counted`: its sequence is its publisher's. `parked`: it stood aside, and
    is tried again, with `accept_gap` even if records before it are missing.
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
