"""Values that commands and events share: availability, policy, reasons, figures."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas import saying
from schemas.base import (
    Count,
    ManagerId,
    MentorId,
    PairId,
    PersonId,
    RoundId,
    Value,
    at_most,
    described,
)
from schemas.charter import Charter
from schemas.dates import ClockTime, Region
from schemas.letter_rules import LetterRules
from schemas.organisations import Organisations, each_once, organisations_in
from schemas.places import MeetingPlace, as_policy
from schemas.text import TIDY

Side = Annotated[
    Literal["mentor", "manager"],
    described("Which of the two people of a pair.", "mentor"),
]
Language = Annotated[saying.Language, described("ISO 639-1 code of a language.", "fr")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")

Level = Annotated[int, described("1 (beginner, or of little use) to 5.", 4, ge=1, le=5)]
ToolName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$"),
    described("A social network or digital tool.", "linkedin"),
]
Place = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Directorate = Annotated[Place, described("Directorate, as the cohort spells it.", "DGFiP")]
Site = Annotated[Place, described("Where somebody works.", "Paris Bercy")]
JobFamily = Annotated[Place, described("What a manager is in charge of.", "tax-audit")]
LineManager = Annotated[
    PersonId | None,
    described("Who the person reports to; null if that is not told.", "g-001"),
]
Excludes = Annotated[
    tuple[PersonId, ...],
    described("People never to be paired with this one.", ["m-002", "m-003"]),
]
AskedName = Annotated[
    str,
    described(
        "The run's name, for people.", "Connecte ton manager 2017", min_length=1, max_length=120
    ),
    TIDY,
]
AskedExcludes = Annotated[Excludes, at_most(200)]
Reason = Annotated[
    str,
    StringConstraints(max_length=200, strip_whitespace=True),
    described("Why, in a few words that name nobody.", "changed posts"),
]
StatedReason = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, strip_whitespace=True),
    described("Why, in a few words that name nobody.", "asked for by both"),
]
BY_HAND = "by-hand"
"""The round of what a coordinator proposes."""
REMOTE = "remote"
"""The site of whoever meets at a distance: anybody's."""

LeftOut = Annotated[
    tuple[PairId, ...],
    described("Pairs that this round does not form, whatever their score.", ["m-017~g-004"]),
]
RoundMode = Annotated[
    Literal["publish", "simulate"],
    described("Whether people are asked, or the pairs are only shown to coordinators.", "publish"),
]
SurveyKind = Annotated[
    Literal["start", "session", "end"],
    described("When it is asked: before the first session, after one, or at the end.", "session"),
]
QuestionId = Annotated[str, described("Name of a question in the questionnaire.", "usefulness")]


class Window(Value):
    """A weekly window in which somebody can meet, in Europe/Paris."""

    day: Annotated[Weekday, described("Day of the week; nobody meets at weekends.", "mon")]
    start: ClockTime
    end: Annotated[ClockTime, Field(examples=["12:00"])]

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Window":
        if self.end <= self.start:  # both are HH:MM
            raise ValueError("a window ends after it starts")
        return self


class SiteRegion(Value):
    """A site whose public holidays are not only those of the whole country."""

    site: Site
    region: Region


def _in_order(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    placed = sorted(windows, key=lambda one: (WEEKDAYS.index(one.day), one.start, one.end))
    return tuple(placed) if len(windows) > 1 else windows


# The limit stands before the validator: behind one, JSON Schema would not know it for an array's.
Availability = Annotated[
    tuple[Window, ...],
    described(
        "Weekly windows, Europe/Paris.",
        [{"day": "mon", "start": "09:30", "end": "12:00"}],
        max_length=20,
    ),
    AfterValidator(_in_order),
]
OfferedAvailability = Annotated[
    tuple[Window, ...],
    described(
        "Weekly windows, Europe/Paris; at least one.",
        [{"day": "mon", "start": "09:30", "end": "12:00"}],
        min_length=1,
        max_length=20,
    ),
    AfterValidator(_in_order),
]
Tools = Annotated[
    dict[ToolName, Level],
    described("Tool to level.", {"linkedin": 4}, max_length=40),
]


class Weights(Value):
    """How much each criterion counts in a pair's score. Age and rank are not criteria."""

    coverage: Annotated[float, described("Needs covered by skills.", 45, ge=0)] = 45
    job: Annotated[
        float,
        described("The job family's recommended tools covered by skills.", 10, ge=0),
    ] = 10
    availability: Annotated[float, described("Shared hours in a week.", 15, ge=0)] = 15
    bridge: Annotated[float, described("Different directorates.", 20, ge=0)] = 20
    proximity: Annotated[float, described("Same site, or at a distance.", 10, ge=0)] = 10

    @model_validator(mode="after")
    def _something_counts(self) -> "Weights":
        if sum(weight for _, weight in self) <= 0:
            raise ValueError("at least one weight is above zero")
        return self


class QuietHours(Value):
    """No letter is sent from `start` to `end` (Europe/Paris), nor on a day off."""

    start: Annotated[ClockTime, Field(examples=["20:00"])] = "20:00"
    end: Annotated[ClockTime, Field(examples=["08:00"])] = "08:00"


class RolloutCriteria(Value):
    """When the programme counts as run in. All of them have to be met."""

    pairs_graduated: Annotated[Count, described("Pairs with all sessions.", 20, ge=0)] = 20
    graduation_rate: Annotated[
        float,
        described("Graduated of all pairs that have ended.", 0.7, ge=0, le=1),
    ] = 0.7
    completion_rate: Annotated[
        float,
        described("Completed of all sessions completed or missed.", 0.75, ge=0, le=1),
    ] = 0.75
    response_rate: Annotated[
        float, described("Answered of all surveys closed.", 0.5, ge=0, le=1)
    ] = 0.5
    satisfaction: Annotated[
        float,
        described("Mean usefulness in the surveys after sessions.", 3.5, ge=1, le=5),
    ] = 3.5


class CohortPolicy(Value):
    """The rules of one cohort. Every one has a default."""

    sessions: Annotated[int, described("Sessions of a pair, a count.", 5, ge=1, le=20)] = 5
    session_minutes: Annotated[int, described("Minutes of a session.", 60, ge=15, le=240)] = 60
    cadence_days: Annotated[int, described("Days between sessions.", 14, ge=1, le=90)] = 14
    proposal_days: Annotated[int, described("Days to answer.", 10, ge=1, le=90)] = 10
    report_days: Annotated[
        int,
        described("Days to report; then the session counts as missed.", 14, ge=1, le=90),
    ] = 14
    stalled_days: Annotated[
        int,
        described("Days without a held session, then stalled.", 45, ge=1, le=365),
    ] = 45
    survey_days: Annotated[int, described("Days to answer a survey.", 14, ge=1, le=90)] = 14
    measure_days: Annotated[int, described("Days between figures.", 7, ge=1, le=90)] = 7
    reporting_line: Annotated[
        Literal["forbid", "both_consent", "allow"],
        described("May a mentor coach somebody in their own line of managers?", "forbid"),
    ] = "forbid"
    weights: Annotated[Weights, Field(description="What counts in a pair's score.")] = Weights()
    smallest_group: Annotated[
        int,
        described("Figures of fewer answers are not published.", 5, ge=3, le=50),
    ] = 5
    quiet_hours: Annotated[QuietHours, Field(description="When no letter is sent.")] = QuietHours()
    languages: Annotated[
        tuple[Language, ...],
        described(
            "Languages of the letters, the first for whoever has none of them.", ["fr", "en"]
        ),
    ] = ("fr", "en")
    rollout: Annotated[RolloutCriteria, Field(description="When it counts as run in.")] = (
        RolloutCriteria()
    )
    regions: Annotated[
        tuple[SiteRegion, ...] | None,
        described(
            "Sites with public holidays of their own; null for none.",
            [{"site": "Strasbourg", "region": "67"}],
            max_length=200,
        ),
    ] = None
    letters: Annotated[
        LetterRules | None,
        Field(description="How letters are gathered and what they bring to mind; null as usual."),
    ] = None
    charter: Annotated[
        Charter | None, Field(description="What pairs agree to; null for the programme's own text.")
    ] = None
    where: Annotated[
        MeetingPlace | None,
        described(
            "Where sessions take place; `{room}` in a link stands for a room of each pair. Null "
            "where the two agree on it between themselves.",
            {"at": "link", "link": "https://visio.example/{room}"},
        ),
    ] = None
    organisations: Organisations = None


_MOST: dict[tuple[str, str], int] = {
    **{("weights", name): 1_000_000 for name in Weights.model_fields},
    ("rollout", "pairs_graduated"): 1_000_000,
}


def _asked_for(policy: CohortPolicy) -> CohortPolicy:
    """The rules as somebody may ask for them: within reason, where a policy has no bounds.

    A policy itself has none there: one that was published with others stays what it is.
    """
    beyond: list[InitErrorDetails] = []
    for (part, name), most in _MOST.items():
        value = getattr(getattr(policy, part), name)
        if value > most:
            where, limit = (part, name), {"le": most}
            beyond.append({"type": "less_than_equal", "loc": where, "input": value, "ctx": limit})
    for field in ("languages", "organisations"):
        if not each_once(told := getattr(policy, field) or ()):
            once = PydanticCustomError("repeated", f"each of the {field} is named once")
            beyond.append({"type": once, "loc": (field,), "input": told})
    if (fault := as_policy(policy.where)) is not None:
        wrong = PydanticCustomError("no_room", fault)
        beyond.append({"type": wrong, "loc": ("where", "link"), "input": policy.where})
    if beyond:
        raise ValidationError.from_exception_data("CohortPolicy", beyond)
    named = organisations_in(policy.organisations)
    return policy if named is None else policy.model_copy(update={"organisations": named})


AskedPolicy = Annotated[
    CohortPolicy,
    Field(
        description="The rules of the run. No weight and no count is above 1,000,000; a field "
        "that is none of these is refused."
    ),
    AfterValidator(_asked_for),
]


class Words(Value):
    """A sentence in both languages."""

    fr: Annotated[str, described("In French.", "Paris Bercy tous les deux")]
    en: Annotated[str, described("In English.", "both at Paris Bercy")]


class Profile(Value):
    """What is told of somebody who is proposed, beside their name and their own words."""

    directorate: Directorate
    site: Site
    job_family: Annotated[JobFamily | None, described("Null for mentors.", "tax-audit")] = None


class ScoreReason(Value):
    """One criterion of a score: `contribution` = `value` × `weight` / sum of weights × 100."""

    criterion: Annotated[
        Literal["coverage", "job", "availability", "bridge", "proximity"],
        described("Which of the weights.", "proximity"),
    ]
    value: Annotated[float, described("0 (not at all) to 1 (fully).", 1, ge=0, le=1)]
    weight: Annotated[float, described("The cohort's weight of the criterion.", 10, ge=0)]
    contribution: Annotated[float, described("Points of the score.", 10, ge=0, le=100)]
    words: Annotated[
        Words | None, Field(description="What the value comes from; null before it was told.")
    ] = None


class FirstTool(Value):
    """A tool to begin with, and why."""

    tool: ToolName
    needed: Annotated[Level, described("The level that the manager needs.", 3)]
    mastered: Annotated[Level, described("The mentor's level.", 4)]
    words: Annotated[Words, Field(description="Why this tool.")]


WaitingCause = Annotated[
    Literal["no-skill", "no-common-hour", "no-place", "competition"],
    described(
        "No mentor masters a needed tool at its level; none who does is free at the "
        "same time; none of those has a place left; or more managers can only be coached by the "
        "same mentors than these take.",
        "no-place",
    ),
]


class Waiting(Value):
    """A place on the waiting list: by enrolment, the first is 1."""

    round_id: Annotated[RoundId, Field(description="The round that told.")]
    position: Annotated[Count, described("Place on the list, as of the round.", 3, ge=1)]
    cause: WaitingCause
    words: Annotated[Words, Field(description="The cause, as a sentence.")]


class SimulatedPair(Value):
    """A pair that a round would propose."""

    mentor_id: MentorId
    manager_id: ManagerId
    score: Annotated[float, described("Points of 100.", 71.25, ge=0, le=100)]
    tools: Annotated[
        tuple[ToolName, ...],
        described("To begin with, best first.", ["linkedin"]),
    ]


class SimulatedPlace(Value):
    """A manager whom a round would leave waiting."""

    manager_id: ManagerId
    waiting: Annotated[Waiting, Field(description="The place on the waiting list, and why.")]


class SurveyFigure(Value):
    """What one group of surveys says. `mean` and `answers` are null below the smallest group."""

    kind: SurveyKind
    side: Side
    question: QuestionId
    answers: Annotated[Count | None, described("Answers counted.", 12)]
    mean: Annotated[float | None, described("Mean of 1 to 5, to two decimals.", 4.25)]


class Criterion(Value):
    """One criterion of the roll-out: what it asks for, what was measured, whether it is met."""

    name: Annotated[
        Literal[
            "pairs_graduated", "graduation_rate", "completion_rate", "response_rate", "satisfaction"
        ],
        described("Which of the policy's criteria.", "satisfaction"),
    ]
    threshold: Annotated[float, described("What the cohort's policy asks for.", 3.5)]
    value: Annotated[float | None, described("Null when too few answered to tell.", 4.25)]
    met: Annotated[bool, described("Whether the value reaches the threshold.", True)]
    presumed: Annotated[
        Count | None,
        described("How many sessions of the completion rate are only presumed as held.", 3),
    ] = None
