"""What is asked of matching about somebody's part once they have joined, and what comes of it.

To change what one said, a manager's pause, to come back, and to ask for another partner.
"""

from typing import Annotated

from pydantic import Field

from schemas.base import (
    Count,
    ManagerCommand,
    ManagerEvent,
    MentorCommand,
    MentorEvent,
    Moment,
    PairCommand,
    PairEvent,
    described,
)
from schemas.organisations import NewOrganisation, Organisation
from schemas.roles import PARTICIPANTS, TAKING_PART
from schemas.text import TIDY
from schemas.values import (
    AskedExcludes,
    Directorate,
    Excludes,
    JobFamily,
    LineManager,
    Reason,
    Side,
    Site,
    Tools,
)

_NewDirectorate = Annotated[
    Directorate | None, TIDY, described("Another directorate; null: as it was.", "DGFiP")
]
_NewSite = Annotated[
    Site | None, TIDY, described("Where they work now; null: as it was.", "Paris Bercy")
]
_NewLine = Annotated[LineManager, described("Who they report to now; null: as it was.", "g-001")]
_NewExcludes = Annotated[
    AskedExcludes | None,
    described("All whom they are never to be paired with; null: as before.", ["m-002"]),
]


class ChangeMentor(MentorCommand):
    """A mentor says something else than before. What is left out stays.

    Pairs and proposals that stand do so whatever changes; the next round goes by what is new.
    """

    asked_by = TAKING_PART
    directorate: _NewDirectorate = None
    site: _NewSite = None
    skills: Annotated[
        Tools | None,
        described("All that they explain now; null: as before.", {"linkedin": 4}, min_length=1),
    ] = None
    capacity: Annotated[
        int | None, described("Managers at a time; null: as before.", 2, ge=1, le=5)
    ] = None
    line_manager: _NewLine = None
    excludes: _NewExcludes = None
    organisation: NewOrganisation = None


class ChangeManager(ManagerCommand):
    """A manager says something else than before. What is left out stays.

    Pairs and proposals that stand do so whatever changes; the next round goes by what is new.
    """

    asked_by = TAKING_PART
    directorate: _NewDirectorate = None
    site: _NewSite = None
    job_family: Annotated[
        JobFamily | None, TIDY, described("Another job; null: as before.", "tax-audit")
    ] = None
    needs: Annotated[
        Tools | None,
        described(
            "All that they need now; without any, what the job asks for; null: as before.",
            {"mind-mapping": 2},
        ),
    ] = None
    line_manager: _NewLine = None
    excludes: _NewExcludes = None
    organisation: NewOrganisation = None


class PauseManager(ManagerCommand):
    """No new proposals for this manager; a standing pair goes on."""

    asked_by = TAKING_PART


class ResumeManager(ManagerCommand):
    """A paused manager waits again, in the place that they had."""

    asked_by = TAKING_PART


class ReturnMentor(MentorCommand):
    """A mentor who has left comes back, with what they said before; pairs that ended stay ended."""

    asked_by = TAKING_PART


class ReturnManager(ManagerCommand):
    """A manager who has left comes back, with what they said before, last on the waiting list."""

    asked_by = TAKING_PART


class AskForAnotherPartner(PairCommand):
    """One side of a standing pair would rather have another partner.

    It is told to the coordinators alone, and changes nothing by itself.
    """

    asked_by = PARTICIPANTS
    by: Side
    reason: Annotated[Reason, TIDY] = ""


class KeepPartner(PairCommand):
    """The side that had asked for another partner goes on with the one that it has."""

    asked_by = PARTICIPANTS
    by: Side


class MentorChanged(MentorEvent):
    """A mentor said something else than before: all that they say now, but for their week."""

    audience = "public"
    directorate: Directorate
    site: Site
    skills: Tools
    capacity: Annotated[Count, described("Managers at a time.", 1, ge=1)]
    line_manager: LineManager = None
    excludes: Excludes = ()
    organisation: Organisation = None


class ManagerChanged(ManagerEvent):
    """A manager said something else than before: all that they say now, but for their week."""

    audience = "public"
    directorate: Directorate
    site: Site
    job_family: JobFamily
    needs: Tools
    line_manager: LineManager = None
    excludes: Excludes = ()
    organisation: Organisation = None


class ManagerPaused(ManagerEvent):
    """No new proposals for this manager; a standing pair goes on."""

    audience = "public"


class ManagerResumed(ManagerEvent):
    """A paused manager waits again."""

    audience = "public"


_Again = Annotated[Count, described("How often they have come back, this time included.", 1, ge=1)]


class MentorReturned(MentorEvent):
    """A mentor who had left is there again, with what they said before."""

    audience = "public"
    again: _Again


class ManagerReturned(ManagerEvent):
    """A manager who had left waits again, with what they said before."""

    audience = "public"
    again: _Again
    enrolled_at: Annotated[
        Moment, described("Orders the waiting list from now on.", "2017-05-02T09:00:00Z")
    ]


class AnotherPartnerAsked(PairEvent):
    """One side of a standing pair would rather have another partner; the other is not told."""

    audience = "internal"
    by: Annotated[Side, Field(description="Which side asked.")]
    reason: Reason = ""


class PartnerKept(PairEvent):
    """The side that had asked for another partner goes on with the one that it has."""

    audience = "internal"
    by: Annotated[Side, Field(description="Which side had asked.")]
