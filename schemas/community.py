"""What mentors and managers have beside their pair: a directory, a room, the next meeting."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.base import (
    Command,
    Event,
    MentorCommand,
    MentorEvent,
    Moment,
    Value,
    described,
)
from schemas.roles import COORDINATORS, PARTICIPANTS
from schemas.text import TIDY

RoomLink = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s<>\"]*)?$",
        max_length=300,
    ),
]
_Room = Annotated[
    RoomLink | None,
    described(
        "Where the programme's people talk to each other; null for nowhere.",
        "https://tchap.example/#/room/connecte",
    ),
]


class Meeting(Value):
    """When the programme's people meet next, and where."""

    title: Annotated[
        str,
        described("What it is about.", "Retour des premières séances", min_length=1, max_length=80),
        TIDY,
    ]
    starts_at: Moment
    minutes: Annotated[int, described("How long it is.", 60, ge=15, le=480)] = 60
    where: Annotated[
        str,
        described("A place, or a link.", "Paris Bercy, salle 12", min_length=1, max_length=200),
        TIDY,
    ]


class StandInDirectory(MentorCommand):
    """A mentor agrees to stand in the directory that the programme's people see, or not any more.

    Their name, address, post and tools are seen there.
    """

    asked_by = PARTICIPANTS
    listed: Annotated[bool, described("Whether they stand in it.", True)]


class TellCommunity(Command):
    """Coordinators tell where people talk and when they meet; it replaces what was told."""

    asked_by = COORDINATORS
    room: _Room = None
    meeting: Annotated[Meeting | None, Field(description="The next one; null for none.")] = None


class DirectoryChanged(MentorEvent):
    """A mentor stands in the directory, or not any more."""

    audience = "internal"
    listed: Annotated[bool, described("Whether they stand in it.", True)]


class CommunityTold(Event):
    """Where the programme's people talk, and when they meet next."""

    audience = "internal"
    room: _Room = None
    meeting: Annotated[Meeting | None, Field(description="The next one; null for none.")] = None
