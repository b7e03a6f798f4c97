"""What a cohort decides on its letters: how they are gathered, and what is brought to mind."""

from typing import Annotated

from pydantic import Field

from schemas.base import Value, described


class LetterRules(Value):
    """How letters are gathered, and what is brought to mind."""

    gather_minutes: Annotated[
        int,
        described("How long what can wait is gathered into one letter.", 60, ge=0, le=1440),
    ] = 60
    urgent_at_night: Annotated[
        bool,
        described("Whether a change within 48 hours is told in quiet hours, too.", False),
    ] = False
    proposal_reminders: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        described(
            "After which parts of its time who has not answered is reminded.", [0.5], max_length=5
        ),
    ] = (0.5,)
    session_reminders: Annotated[
        tuple[Annotated[int, Field(ge=1, le=20)], ...],
        described(
            "How many working days before a session it is brought to mind.", [1], max_length=5
        ),
    ] = (1,)
    survey_reminders: Annotated[
        tuple[Annotated[int, Field(ge=1, le=20)], ...],
        described(
            "How many working days before a survey closes it is brought to mind.",
            [1],
            max_length=5,
        ),
    ] = (1,)
