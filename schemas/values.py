"""Values that commands and events share: availability, policy, reasons, figures."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.base import PersonId, Value

Side = Annotated[
    Literal["mentor", "manager"],
    Field(description="Which of the two people of a pair.", examples=["mentor"]),
]
Language = Annotated[
    Literal["fr", "en"], Field(description="ISO 639-1 code of a language.", examples=["fr"])
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
_ORDER = {day: place for place, day in enumerate(WEEKDAYS)}

ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="Wall-clock time in Europe/Paris.", examples=["09:30"]),
]
Level = Annotated[int, Field(ge=1, le=5, description="1 (beginner, or of little use) to 5.")]
ToolName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$"),
    Field(description="A social network or digital tool.", examples=["linkedin"]),
]
Place = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Directorate = Annotated[
    Place, Field(description="Directorate, as the cohort spells it.", examples=["DGFiP"])
]
Site = Annotated[Place, Field(description="Where somebody works.", examples=["Paris Bercy"])]
JobFamily = Annotated[
    Place, Field(description="What a manager is in charge of.", examples=["tax-audit"])
]
LineManager = Annotated[
    PersonId | None, Field(description="Who the person reports to; null if that is not told.")
]
Excludes = Annotated[
    tuple[PersonId, ...], Field(description="People never to be paired with this one.")
]
Reason = Annotated[
    str,
    StringConstraints(max_length=200, strip_whitespace=True),
    Field(description="Why, in a few words that name nobody.", examples=["changed posts"]),
]
StatedReason = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, strip_whitespace=True),
    Field(description="Why, in a few words that name nobody.", examples=["asked for by both"]),
]
RoundMode = Annotated[
    Literal["publish", "simulate"],
    Field(description="Whether people are asked, or the pairs are only shown to coordinators."),
]
SurveyKind = Annotated[
    Literal["start", "session", "end"],
    Field(description="When it is asked: before the first session, after one, or at the end."),
]
QuestionId = Annotated[
    str, Field(description="Name of a question in the questionnaire.", examples=["usefulness"])
]


def minutes(time: str) -> int:
    """Minutes since midnight of a `ClockTime`."""
    return int(time[:2]) * 60 + int(time[3:])


class Window(Value):
    """A weekly window in which somebody can meet, in Europe/Paris."""

    day: Annotated[Weekday, Field(description="Day of the week; nobody meets at weekends.")]
    start: ClockTime
    end: ClockTime

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Window":
        if self.end <= self.start:  # both are HH:MM
            raise ValueError("a window ends after it starts")
        return self


def _in_order(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=_place)) if len(windows) > 1 else windows


def _place(window: Window) -> tuple[int, str, str]:
    return _ORDER[window.day], window.start, window.end


# The limit stands before the validator: behind one, JSON Schema would not know it for an array's.
Availability = Annotated[
    tuple[Window, ...],
    Field(max_length=20, description="Weekly windows, Europe/Paris."),
    AfterValidator(_in_order),
]
OfferedAvailability = Annotated[
    tuple[Window, ...],
    Field(min_length=1, max_length=20, description="Weekly windows, Europe/Paris; at least one."),
    AfterValidator(_in_order),
]
Tools = Annotated[
    dict[ToolName, Level],
    Field(max_length=40, description="Tool to level.", examples=[{"linkedin": 4}]),
]


class Weights(Value):
    """How much each criterion counts in a pair's score. Age and rank are not criteria."""

    coverage: Annotated[float, Field(ge=0, description="Needs covered by skills.")] = 45
    job: Annotated[
        float, Field(ge=0, description="The job family's recommended tools covered by skills.")
    ] = 10
    availability: Annotated[float, Field(ge=0, description="Shared hours in a week.")] = 15
    bridge: Annotated[float, Field(ge=0, description="Different directorates.")] = 20
    proximity: Annotated[float, Field(ge=0, description="Same site, or at a distance.")] = 10

    @model_validator(mode="after")
    def _something_counts(self) -> "Weights":
        if sum(weight for _, weight in self) <= 0:
            raise ValueError("at least one weight is above zero")
        return self


class QuietHours(Value):
    """No letter is sent from `start` to `end` (Europe/Paris), nor on a day off."""

    start: ClockTime = "20:00"
    end: ClockTime = "08:00"


class RolloutCriteria(Value):
    """When the programme counts as run in. All of them have to be met."""

    pairs_graduated: Annotated[int, Field(ge=0, description="Pairs with all sessions.")] = 20
    graduation_rate: Annotated[
        float, Field(ge=0, le=1, description="Graduated of all pairs that have ended.")
    ] = 0.7
    completion_rate: Annotated[
        float, Field(ge=0, le=1, description="Completed of all sessions completed or missed.")
    ] = 0.75
    response_rate: Annotated[
        float, Field(ge=0, le=1, description="Answered of all surveys closed.")
    ] = 0.5
    satisfaction: Annotated[
        float, Field(ge=1, le=5, description="Mean usefulness in the surveys after sessions.")
    ] = 3.5


class CohortPolicy(Value):
    """The rules of one cohort. Every one has a default."""

    sessions: Annotated[int, Field(ge=1, le=20, description="Sessions of a pair.")] = 5
    session_minutes: Annotated[int, Field(ge=15, le=240, description="Minutes.")] = 60
    cadence_days: Annotated[int, Field(ge=1, le=90, description="Days between sessions.")] = 14
    proposal_days: Annotated[int, Field(ge=1, le=90, description="Days to answer.")] = 10
    report_days: Annotated[
        int, Field(ge=1, le=90, description="Days to report; then the session counts as missed.")
    ] = 14
    stalled_days: Annotated[
        int, Field(ge=1, le=365, description="Days without a held session, then stalled.")
    ] = 45
    survey_days: Annotated[int, Field(ge=1, le=90, description="Days to answer a survey.")] = 14
    measure_days: Annotated[int, Field(ge=1, le=90, description="Days between figures.")] = 7
    reporting_line: Annotated[
        Literal["forbid", "both_consent", "allow"],
        Field(description="May a mentor coach somebody in their own line of managers?"),
    ] = "forbid"
    weights: Annotated[Weights, Field(description="What counts in a pair's score.")] = Weights()
    smallest_group: Annotated[
        int, Field(ge=3, le=50, description="Figures of fewer answers are not published.")
    ] = 5
    quiet_hours: Annotated[QuietHours, Field(description="When no letter is sent.")] = QuietHours()
    languages: Annotated[
        tuple[Language, ...],
        Field(description="Languages of the letters, the first for whoever has none of them."),
    ] = ("fr", "en")
    rollout: Annotated[RolloutCriteria, Field(description="When it counts as run in.")] = (
        RolloutCriteria()
    )


class Words(Value):
    """A sentence in both languages."""

    fr: Annotated[str, Field(description="In French.")]
    en: Annotated[str, Field(description="In English.")]


class ScoreReason(Value):
    """One criterion of a score: `contribution` = `value` × `weight` / sum of weights × 100."""

    criterion: Annotated[
        Literal["coverage", "job", "availability", "bridge", "proximity"],
        Field(description="Which of the weights."),
    ]
    value: Annotated[float, Field(ge=0, le=1, description="0 (not at all) to 1 (fully).")]
    weight: Annotated[float, Field(ge=0, description="The cohort's weight of the criterion.")]
    contribution: Annotated[float, Field(ge=0, le=100, description="Points of the score.")]
    words: Annotated[
        Words | None, Field(description="What the value comes from; null before it was told.")
    ] = None


class FirstTool(Value):
    """A tool to begin with, and why."""

    tool: ToolName
    needed: Annotated[Level, Field(description="The level that the manager needs.")]
    mastered: Annotated[Level, Field(description="The mentor's level.")]
    words: Annotated[Words, Field(description="Why this tool.")]


WaitingCause = Annotated[
    Literal["no-skill", "no-common-hour", "no-place", "competition"],
    Field(
        description="No mentor masters a needed tool at its level; none who does is free at the "
        "same time; none of those has a place left; or more managers can only be coached by the "
        "same mentors than these take."
    ),
]


class Waiting(Value):
    """A place on the waiting list: by enrolment, the first is 1."""

    round_id: Annotated[PersonId, Field(description="The round that told.")]
    position: Annotated[int, Field(ge=1, description="Place on the list, as of the round.")]
    cause: WaitingCause
    words: Annotated[Words, Field(description="The cause, as a sentence.")]


class SimulatedPair(Value):
    """A pair that a round would propose."""

    mentor_id: PersonId
    manager_id: PersonId
    score: Annotated[float, Field(ge=0, le=100, description="Points of 100.")]
    tools: Annotated[tuple[ToolName, ...], Field(description="To begin with, best first.")]


class SurveyFigure(Value):
    """What one group of surveys says. `mean` and `answers` are null below the smallest group."""

    kind: SurveyKind
    side: Side
    question: QuestionId
    answers: Annotated[int | None, Field(description="Answers counted.")]
    mean: Annotated[float | None, Field(description="Mean of 1 to 5, to two decimals.")]


class Criterion(Value):
    """One criterion of the roll-out: what it asks for, what was measured, whether it is met."""

    name: Annotated[
        Literal[
            "pairs_graduated", "graduation_rate", "completion_rate", "response_rate", "satisfaction"
        ],
        Field(description="Which of the policy's criteria."),
    ]
    threshold: Annotated[float, Field(description="What the cohort's policy asks for.")]
    value: Annotated[float | None, Field(description="Null when too few answered to tell.")]
    met: Annotated[bool, Field(description="Whether the value reaches the threshold.")]
