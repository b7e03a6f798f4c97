"""What the head of a record says of who did it.

Always holds: of a record its headers are read, and of a refusal its rule; what people say and what
they are called is not. What nobody is behind is nobody's act, answers to surveys among it.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from schemas.envelope import Unreadable, attributes, decode
from schemas.journal import CommandRefused
from schemas.topics import PEOPLE, PRIVATE_EVENTS, PUBLIC_EVENTS, Service
from services.chassis.log.contract import Received

_TYPE = re.compile(r"fr\.gouv\.mentoring\.([A-Za-z]+)\.v[0-9]+")
_OF_AN_EVENT = re.compile(r"[a-z]+\.(events|private|parked)\.[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that came of what somebody asked. `about`: its subject within the cohort.

    `refused`: the rule that said no. `follows`: it came of another event, and of the wish behind
    that.
    """

    time: datetime
    actor: str
    type: str
    role: str
    via: str
    what: str
    about: str
    refused: str | None = None
    follows: bool = False


def act_of(row: Received, cohort_id: str) -> Act | None:
    """What a record of a cohort says of who did it; None where it says nothing, or as a copy."""
    try:
        found = attributes(row.headers)
    except Unreadable:
        return None
    named = _TYPE.fullmatch(found.type)
    if found.actor is None or found.partition_key != cohort_id or named is None:
        return None
    what, refused = named[1], None
    about = found.subject.removeprefix(f"{cohort_id}/")
    if found.copy_of is not None or not _is_own(row.topic, what):
        return None
    if what == CommandRefused.__name__:
        try:
            message = decode(found, row.value, "taken-in")
        except Unreadable:
            return None
        assert isinstance(message, CommandRefused)
        what, refused = message.command, message.rule
    follows = _OF_AN_EVENT.fullmatch(found.cause or "") is not None
    who = found.actor
    return Act(found.time, who.id, who.type, who.role, who.via, what, about, refused, follows)


def _is_own(topic: str, what: str) -> bool:
    """Whether a service says it of itself: on private topics are copies of what others said."""
    if topic == PEOPLE:
        return True
    service: Service = topic.split(".")[1]  # type: ignore[assignment]
    own = {kind.__name__ for kind in (*PUBLIC_EVENTS[service], *PRIVATE_EVENTS[service])}
    return what in own or what == CommandRefused.__name__
