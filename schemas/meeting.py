"""What is asked of scheduling about where a pair meets, and what is noted of it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.base import PairCommand, PairEvent, closed, described
from schemas.places import MeetingPlace, as_chosen
from schemas.scheduling import SessionEvent
from schemas.values import Side

_PLACE = {"at": "text", "text": "Salle 214, Bercy"}


class SetMeetingPlace(PairCommand):
    """One side says where the pair's sessions take place from now on."""

    by: Side
    place: Annotated[
        MeetingPlace,
        described("Where.", _PLACE),
        closed(MeetingPlace),
        AfterValidator(as_chosen),
    ]


class MeetingPlaceSet(PairEvent):
    """Where a pair's sessions take place, from the cohort's policy or as one side chose.

    Internal: whoever has a meeting link can join.
    """

    audience = "internal"
    place: Annotated[MeetingPlace, described("Where.", _PLACE)]
    by: Annotated[Side | None, Field(description="Which side chose it; null for the policy.")] = (
        None
    )


class SessionRelocated(SessionEvent):
    """The pair's next session takes place elsewhere, at the time that stands."""

    audience = "internal"
    by: Annotated[Side, Field(description="Which side chose the place.")]
