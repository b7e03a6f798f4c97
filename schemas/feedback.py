"""What is asked of feedback, and what happens there: surveys, figures, the verdict."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.base import (
    Command,
    Count,
    Event,
    Moment,
    PairEvent,
    PairId,
    PersonId,
    SurveyId,
    Value,
    at_most,
    described,
)
from schemas.values import (
    Criterion,
    Level,
    QuestionId,
    Side,
    SurveyFigure,
    SurveyKind,
)

Sealed = Annotated[
    str | None,
    described(
        "The answers as nobody but feedback can read them, until many are counted together; null "
        "where they stand in `scores` and count by themselves.",
        "q83vASNFZ4kA",
        max_length=8192,
    ),
]


class Counted(Value):
    """What many people have answered to one question: how many, and the sum of their answers."""

    answers: Annotated[Count, described("How many have answered it.", 12, ge=0)]
    total: Annotated[Count, described("The sum of their answers, 1 to 5 each.", 51, ge=0)]


class AnswerSurvey(Command):
    """The answers to one survey: question to 1 (not at all) … 5 (fully).

    Nobody but the person who is asked can send it: the token of their link is its proof.
    """

    anonymous: ClassVar[bool] = True
    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    scores: Annotated[
        dict[Annotated[QuestionId, at_most(64)], Level],
        described("Question to answer.", {"usefulness": 4}, max_length=10),
    ] = Field(default_factory=dict)
    sealed: Sealed = None
    proof: Annotated[
        str | None,
        described(
            "The token of the link to this survey, signed by notify. Without one nothing is taken; "
            "null only where the command is from before it was asked for.",
            "eyJhbGciOiJFZDI1NTE5In0.eyJwdXJwb3NlIjoic3VydmV5In0.c2lnbmF0dXJl",
            max_length=4096,
        ),
    ] = None

    @model_validator(mode="after")
    def _answered(self) -> Self:
        if not self.scores and not self.sealed:
            raise ValueError("scores or sealed: one of them, with an answer")
        return self


class CohortMeasured(Event):
    """The figures of a cohort. No figure speaks of fewer people than the smallest group."""

    audience = "public"
    measured_at: Annotated[
        Moment,
        described("When it was counted. UTC, to the millisecond.", "2017-03-20T09:00:00Z"),
    ]
    next_at: Annotated[
        Moment,
        described("Not measured again before this.", "2017-03-27T09:00:00Z"),
    ]
    mentors: Annotated[Count, described("Mentors, those who left not counted.", 60, ge=0)]
    managers: Annotated[Count, described("Managers, those who left not counted.", 40, ge=0)]
    pairs_formed: Annotated[Count, described("Pairs formed so far.", 40, ge=0)]
    pairs_graduated: Annotated[Count, described("Pairs with all their sessions.", 0, ge=0)]
    pairs_dissolved: Annotated[Count, described("Pairs that ended early.", 1, ge=0)]
    sessions_completed: Annotated[Count, described("Sessions held.", 80, ge=0)]
    sessions_missed: Annotated[Count, described("Sessions that were not held.", 4, ge=0)]
    surveys_closed: Annotated[Count | None, described("Null below the smallest group.", 150)]
    surveys_answered: Annotated[Count | None, described("Null below the smallest group.", 120)]
    surveys: Annotated[
        tuple[SurveyFigure, ...], Field(description="One figure per question and side.")
    ]
    sessions_presumed: Annotated[
        Count | None,
        described("Of those held: nobody told; both had confirmed. Null in old records.", 3),
    ] = None


class RolloutRecommended(Event):
    """Every criterion is met: the programme is run in and can open further."""

    audience = "public"
    criteria: Annotated[tuple[Criterion, ...], Field(description="Every criterion of the policy.")]


class RolloutWithheld(Event):
    """At least one criterion is not met yet."""

    audience = "public"
    criteria: Annotated[tuple[Criterion, ...], Field(description="Every criterion of the policy.")]


class SurveyOpened(Event):
    """Somebody is asked; the survey closes at `closes_at`."""

    audience = "internal"
    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    pair_id: PairId
    person_id: PersonId
    kind: SurveyKind
    side: Side
    questions: Annotated[
        tuple[QuestionId, ...],
        described("What is asked, in order.", ["usefulness"]),
    ]
    closes_at: Annotated[
        Moment,
        described("Afterwards no answer counts. UTC, to the millisecond.", "2017-04-03T10:00:00Z"),
    ]


class SurveyClosed(Event):
    """A survey was answered or ran out. What was answered is not here."""

    audience = "internal"
    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    kind: SurveyKind
    side: Side
    outcome: Annotated[Literal["answered", "expired"], described("How it ended.", "answered")]
    complete: Annotated[
        bool,
        described("False where a question was left out: then nobody is counted behind it.", True),
    ] = True


class SurveyAnswered(Event):
    """Answers, without the person, the pair or the survey that they came from.

    Whoever changes an answer that still waits makes another one, which `replaces` it.
    """

    audience = "internal"
    anonymous: ClassVar[bool] = True

    kind: SurveyKind
    side: Side
    scores: Annotated[
        dict[QuestionId, Level],
        described("Question to answer.", {"usefulness": 4}),
    ]
    sealed: Sealed = None
    replaces: Annotated[
        str | None,
        described(
            "The sealed answers of the same person that these take the place of, as they waited to "
            "be counted: they are one answer. Null for the first.",
            "q83vASNFZ4kB",
            max_length=8192,
        ),
    ] = None


class AnswersCounted(Event):
    """What enough people have answered since the last count of their group, as sums of all.

    No sums: some could not be opened and were put aside, the others wait for as many people again.
    """

    audience = "internal"
    anonymous: ClassVar[bool] = True

    kind: SurveyKind
    side: Side
    sums: Annotated[
        dict[QuestionId, Counted],
        described("Question to what was answered.", {"usefulness": {"answers": 12, "total": 51}}),
    ]
    unopened: Annotated[
        tuple[str, ...],
        described("All that was sealed by a key that is not known now, kept.", []),
    ] = ()


class PairAtRisk(PairEvent):
    """A pair that a coordinator should speak with."""

    audience = "internal"
    cause: Annotated[
        Literal["low_scores", "stalled", "missed_sessions"],
        described("What points to it.", "low_scores"),
    ]
