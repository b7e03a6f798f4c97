"""What becomes of a round that was asked for, and how one is called off; it is matching's."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.base import Command, Count, Moment, RoundId, described
from schemas.matching import RoundEvent
from schemas.roles import COORDINATORS
from schemas.values import LeftOut, RoundMode, SimulatedPair, SimulatedPlace


class CallOffRound(Command):
    """Do not publish a round after all. It can be done until the round begins: afterwards people
    are being asked."""

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId


class RoundRequested(RoundEvent):
    """A round is to be run; it is searched beside everything else that goes on."""

    audience = "internal"
    mode: RoundMode
    requested_at: Annotated[
        Moment, described("When it was asked for. UTC, to the millisecond.", "2017-03-06T09:00:00Z")
    ]
    begins_at: Annotated[
        Moment | None,
        described("Until when it can be called off; null: it begins now.", "2017-03-06T09:15:00Z"),
    ] = None
    besides: LeftOut = ()


class RoundCalledOff(RoundEvent):
    """A round that was to be published was called off before it began."""

    audience = "internal"


class PairsSimulated(RoundEvent):
    """Some of the pairs that a round would propose."""

    audience = "internal"
    part: Annotated[Count, described("1, and so on; a part replaces its like.", 1, ge=1)]
    pairs: Annotated[tuple[SimulatedPair, ...], Field(description="Best first.")]
    left: Annotated[
        tuple[SimulatedPlace, ...],
        Field(description="In the order of the waiting list; none in the oldest records."),
    ] = ()


class RoundSimulated(RoundEvent):
    """What a round would do."""

    audience = "internal"
    proposed: Annotated[Count, described("Pairs it would propose.", 40, ge=0)]
    managers_waiting: Annotated[Count, described("Managers it would leave.", 2, ge=0)]
    places_free: Annotated[Count, described("Capacity it would leave over.", 20, ge=0)]
    score: Annotated[float, described("Points, summed over these pairs.", 2800.5, ge=0)]
    optimal: Annotated[bool, described("Whether nothing better is proven to exist.", True)]
