"""Who reports to whom, whether or not they take part: what is asked of matching, and what it keeps.

A pair in one line of managers is a matter of the cohort's policy; it can only be seen where every
chief is known, and most of them take no part.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import Command, Event, PersonId, described
from schemas.roles import COORDINATORS
from schemas.values import LineManager

LineRelation = Annotated[
    Literal["manager-above", "mentor-above", "same-manager"],
    described("How two people stand to each other in the reporting line.", "manager-above"),
]


class NameLineManager(Command):
    """Somebody reports to somebody: what a directory says of a person who need not take part.

    It counts from the next round on, before what the person said themselves. The newest one
    counts; pairs and proposals that stand are not touched.
    """

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    line_manager: Annotated[
        LineManager, Field(description="Who they report to; null: nobody stands above them.")
    ] = None

    @model_validator(mode="after")
    def _somebody_else(self) -> "NameLineManager":
        if self.line_manager == self.person_id:
            raise ValueError("line_manager: nobody reports to themselves")
        return self


class LineManagerNamed(Event):
    """A line of a directory: a person, and who they report to."""

    audience = "internal"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    line_manager: Annotated[
        LineManager, Field(description="Who they report to; null: nobody stands above them.")
    ] = None
