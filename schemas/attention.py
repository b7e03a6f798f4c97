"""What wants a coordinator's attention, as notify learns of it, and the letters that tell them.

Always holds: of a pair at risk no event here says why; of people there are pseudonymous ids alone.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import Count, Event, Moment, PersonId, Value, described
from schemas.notify import LetterEvent

AttentionKind = Literal["disputed", "at-risk", "no-hour", "bounced", "no-answer", "waiting"]
"""Two tell contrary things of a session; a pair may need a word; two have no common hour; a letter
did not arrive; a proposal has no answer though it was brought to mind; a manager has no mentor."""

_Kind = Annotated[AttentionKind, described("What it is.", "no-hour")]
_About = Annotated[
    str,
    described(
        "The pair, the attempt at a session, the letter or the manager that it is about.",
        "m-017~g-004",
        min_length=1,
        max_length=240,
    ),
]
_People = Annotated[
    tuple[PersonId, ...], described("Whom it concerns, a mentor first.", ["m-017", "g-004"])
]


class AttentionEvent(Event):
    """One matter for coordinators."""

    subject_field: ClassVar[str] = "about"
    kind: _Kind
    about: _About


class AttentionWanted(AttentionEvent):
    """Something wants a coordinator's attention, until it is settled."""

    audience = "internal"
    people: _People
    since: Annotated[Moment, described("When it became known.", "2017-03-06T10:00:00Z")]
    tell_at: Annotated[
        Moment, described("When coordinators are told at the latest.", "2017-03-07T07:00:00Z")
    ]


class AttentionSettled(AttentionEvent):
    """It wants no attention any more."""

    audience = "internal"


class Matter(Value):
    """One matter that a digest names."""

    about: _About
    people: _People
    since: Annotated[Moment, described("When it became known.", "2017-03-06T10:00:00Z")]


class Told(Value):
    """What a digest tells of one kind: how many there are, and the oldest of them."""

    kind: _Kind
    count: Annotated[Count, described("How many there are of it.", 3, ge=1)]
    oldest: Annotated[tuple[Matter, ...], Field(description="The oldest of them, in order.")]


class AttentionGathered(Event):
    """What wanted attention in a cohort at that moment was told to its coordinators.

    Without any coordinator it is told to nobody, and nothing where nothing is left.
    """

    audience = "internal"
    subject_field: ClassVar[str] = "cohort_id"
    gathered_at: Annotated[Moment, described("When.", "2017-03-07T07:00:00Z")]
    told: Annotated[tuple[Told, ...], Field(description="By kind, the most urgent first.")] = ()
    coordinators: Annotated[tuple[PersonId, ...], described("Who is told.", ["coordination"])] = ()
    next_at: Annotated[
        Moment | None,
        described(
            "When it is told again though nothing is new; null: once something is.",
            "2017-03-14T07:00:00Z",
        ),
    ] = None


class DigestQueued(LetterEvent):
    """A digest is owed to a coordinator. `facts` is the `AttentionGathered` that it tells."""

    audience = "internal"
    facts: Annotated[
        dict[str, Any],
        described("The `AttentionGathered` that it tells.", {"cohort_id": "bercy-2017"}),
    ]
    send_at: Annotated[Moment, described("Not before this.", "2017-03-07T07:00:00Z")]
