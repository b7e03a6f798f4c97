"""Decisions about what people have beside their pair: the directory, the room, the next meeting."""

from schemas.base import recast
from schemas.community import (
    CommunityTold,
    DirectoryChanged,
    StandInDirectory,
    TellCommunity,
)
from services.chassis.domain import Decision
from services.matching.people import unknown_cohort, unknown_person, withdrawn
from services.matching.views import Cohort, Mentor


def stand_in_directory(mentor: Mentor | None, command: StandInDirectory) -> Decision:
    """A mentor agrees to be found by name, or not any more."""
    if mentor is None:
        return unknown_person(command.mentor_id)
    if mentor.state == "withdrawn":
        return withdrawn(mentor.id)
    return [] if mentor.listed == command.listed else [recast(DirectoryChanged, command)]


def tell(cohort: Cohort | None, command: TellCommunity) -> Decision:
    """Where people talk, and when they meet next; the same again changes nothing."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if (cohort.room, cohort.meeting) == (command.room, command.meeting):
        return []
    return [recast(CommunityTold, command)]
