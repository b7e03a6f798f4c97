"""What is asked of scheduling about where a pair meets, and what calendar programs answer."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schemas.base import (
    Count,
    Moment,
    PairCommand,
    PairEvent,
    SessionCommand,
    described,
)
from schemas.dates import ProposedAt
from schemas.places import MeetingPlace, as_chosen
from schemas.roles import PARTICIPANTS
from schemas.scheduling import SessionEvent
from schemas.values import Side

_PLACE = {"at": "text", "text": "Salle 214, Bercy"}


class SetMeetingPlace(PairCommand):
    """One side says where the pair's sessions take place from now on."""

    asked_by = PARTICIPANTS
    by: Side
    place: Annotated[
        MeetingPlace,
        described("Where.", _PLACE),
        AfterValidator(as_chosen),
    ]


class AnswerInvitation(SessionCommand):
    """One side's calendar program answers the invitation to a session.

    `accepted` confirms, `declined` cancels, `countered` moves to `proposed_at` as a move on the
    page would. A time that cannot be changes nothing, and that side is told why. An answer to an
    invitation that a newer date has replaced is refused.
    """

    asked_by = PARTICIPANTS
    by: Side
    answer: Annotated[
        Literal["accepted", "declined", "countered"],
        described("What it says (iTIP REPLY, COUNTER).", "accepted"),
    ]
    sequence: Annotated[
        Count, described("The revision of the invitation (iTIP SEQUENCE).", 0, ge=0)
    ] = 0
    proposed_at: Annotated[
        Moment | None,
        described("The other time, of `countered` alone. UTC.", "2017-03-21T09:00:00Z"),
    ] = None

    @model_validator(mode="after")
    def _a_time_with_a_counter(self) -> "AnswerInvitation":
        if self.answer == "countered" and self.proposed_at is None:
            raise ValueError("proposed_at: needed with `countered`")
        return self


class MeetingPlaceSet(PairEvent):
    """Where a pair's sessions take place, from the cohort's policy or as one side chose.

    Internal: whoever has a meeting link can join.
    """

    audience = "internal"
    place: Annotated[MeetingPlace, described("Where.", _PLACE)]
    by: Annotated[Side | None, Field(description="Which side chose it; null for the policy.")] = (
        None
    )


NoTime = Literal[
    "not-in-future",
    "too-far-ahead",
    "off-the-quarter",
    "not-a-working-day",
    "outside-working-hours",
    "slot-taken",
    "out-of-order",
    "too-late-to-propose",
]
"""The rules by which a session cannot be at a time that somebody has chosen."""


class SessionMoveRefused(SessionEvent):
    """A time that one side's calendar program proposed cannot be: the date stands.

    The program shows its user a proposal that was sent; that nobody was asked only a letter says.
    """

    audience = "internal"
    by: Annotated[Side, Field(description="Which side proposed it.")]
    proposed_at: ProposedAt
    cause: Annotated[NoTime, described("The rule that it breaks.", "not-a-working-day")]


class SessionRelocated(SessionEvent):
    """The pair's next session takes place elsewhere, at the time that stands."""

    audience = "internal"
    by: Annotated[Side, Field(description="Which side chose the place.")]
    confirmed_by: Annotated[
        tuple[Side, ...], described("Who has confirmed the date that stands.", ["mentor"])
    ] = ()
