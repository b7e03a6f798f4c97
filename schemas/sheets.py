"""Sheets that coordinators write for their cohort to read, by tool and job family.

They stand beside those that the portal brings.
"""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import Command, Count, Event, Value, described
from schemas.roles import COORDINATORS
from schemas.text import TIDY, TIDY_LINES
from schemas.values import JobFamily, ToolName

SheetId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$"),
    described("The sheet, unique in the cohort.", "f-3c9a12"),
]


class SheetText(Value):
    """What a sheet says, in one language."""

    title: Annotated[
        str,
        described(
            "What it is about.", "Wiki : retrouver une procédure", min_length=3, max_length=80
        ),
        TIDY,
    ]
    body: Annotated[
        str,
        described(
            "Its text, in Markdown; no HTML and no picture of it is shown.",
            "## À essayer ensemble\n\nCherchez une procédure que vous connaissez.",
            min_length=1,
            max_length=8000,
        ),
        TIDY_LINES,
    ]


_Jobs = Annotated[
    tuple[JobFamily, ...],
    described(
        "The job families for which it is written; none: for everybody.",
        ["public-procurement"],
        max_length=20,
    ),
]
_French = Annotated[SheetText, Field(description="In French.")]
_English = Annotated[SheetText | None, Field(description="In English; null: it is read in French.")]
_Follows = Annotated[
    Count | None,
    described(
        "The edition that whoever asks has seen, 0 for none: if it is another by now, nothing is "
        "changed. Null: whatever stands.",
        1,
        ge=0,
    ),
]


class SheetEvent(Event):
    """What concerns a sheet."""

    subject_field: ClassVar[str] = "sheet_id"
    sheet_id: SheetId
    edition: Annotated[Count, described("How often it has changed, from 1.", 1, ge=1)]


class WriteSheet(Command):
    """Coordinators write a sheet, write it anew, or show again what was taken back."""

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "sheet_id"
    sheet_id: SheetId
    tool: ToolName
    jobs: _Jobs = ()
    fr: _French
    en: _English = None
    follows: _Follows = None


class TakeSheetBack(Command):
    """Coordinators take a sheet back: nobody reads it any more, and it can be shown again."""

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "sheet_id"
    sheet_id: SheetId
    follows: _Follows = None


class SheetWritten(SheetEvent):
    """A sheet stands as it is told here, and is read."""

    audience = "internal"
    tool: ToolName
    jobs: _Jobs = ()
    fr: _French
    en: _English = None


class SheetTakenBack(SheetEvent):
    """A sheet is read no more."""

    audience = "internal"
