"""In whose name something is asked: the person whose own thing it is.

Always holds: of whatever a participant may ask for it is known; of all else it is nobody.
"""

from schemas.base import Command, people_of
from schemas.roles import CONCERNED, KEEPERS_OF_THE_DIARY, PARTICIPANTS, TAKING_PART

_PEOPLE = ("person_id", "mentor_id", "manager_id")
_PAIRS = ("pair_id", "session_id")


def is_own(kind: type[Command]) -> bool:
    """Whether a person may ask for it in their own name."""
    theirs = (CONCERNED, KEEPERS_OF_THE_DIARY, PARTICIPANTS, TAKING_PART)
    return vars(kind).get("asked_by") in theirs


def whose(command: Command) -> str | None:
    """The person whose own it is; of what concerns a pair, whoever is on the side that asks."""
    told = vars(command)
    if not is_own(type(command)):
        return None
    for name in _PEOPLE:
        if name in told:
            return str(told[name])
    for name in _PAIRS:
        if name in told and told.get("by") in ("mentor", "manager"):
            mentor_id, manager_id = people_of(told[name])
            return mentor_id if told["by"] == "mentor" else manager_id
    return None
