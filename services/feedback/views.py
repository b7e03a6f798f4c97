"""What feedback keeps of a cohort, and which of it may be shown.

Always holds: no document says who answered what. `Cohort` and `Pair` are for coordinators, and a
`Survey` for the person it asks; `Group` and `Turnout` are counted live, so they are shown to
nobody: what may be told of them is in `Cohort`, put there by a `CohortMeasured`.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field

from schemas.base import Moment, PairId, PersonId, Value, people_of
from schemas.values import CohortPolicy, Criterion, Side, SurveyFigure
from services.chassis.domain import Document, Timed
from services.chassis.watch.metrics import Reading, Row, Samples
from services.feedback.questionnaire import KINDS, SIDES, Kind

SurveyState = Literal["open", "answered", "expired"]
PairState = Literal["standing", "graduated", "dissolved"]
Cause = Literal["low_scores", "stalled", "missed_sessions"]
Verdict = Literal["recommended", "withheld"]

ALL = "all"
"""The id of the turnout over every kind of survey and both sides."""


def group_id(kind: Kind, side: Side) -> str:
    """`kind~side`: the id of a group, and of its turnout."""
    return f"{kind}~{side}"


GROUPS: tuple[str, ...] = tuple(group_id(kind, side) for kind in KINDS for side in SIDES)
"""The ids of a cohort's groups."""


class Cohort(Timed):
    """A cohort as it stands, with its figures as last published; `id` is the cohort's.

    `due_at` is set while something has moved since the last measure, and only then: a quiet
    cohort is not measured again. The counts of surveys and `surveys` are the published ones.
    """

    collection: ClassVar[str] = "cohorts"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("verdict",),
        ("partition", "cohort_id", "id"),  # as every scrape reads them
    )

    name: str
    policy: CohortPolicy
    mentors: int = 0
    managers: int = 0
    pairs_formed: int = 0
    pairs_graduated: int = 0
    pairs_dissolved: int = 0
    sessions_completed: int = 0
    sessions_missed: int = 0
    sessions_presumed: int = 0
    measured_at: Moment | None = None
    next_at: Moment | None = None
    surveys_closed: int | None = None
    surveys_answered: int | None = None
    surveys: tuple[SurveyFigure, ...] = ()
    verdict: Verdict | None = None
    criteria: tuple[Criterion, ...] = ()


class Scores(Value):
    """The answers to one question: how many, and their sum. Single answers are not kept."""

    answers: int = 0
    total: int = 0


class Group(Document):
    """What one side said in one kind of survey, question by question; `id` is `kind~side`.

    `waiting`: answers that are not counted yet, each sealed, one of each survey; `unopened`: those
    that could not be.
    """

    collection: ClassVar[str] = "groups"

    scores: dict[str, Scores] = Field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    unopened: tuple[str, ...] = ()


class Turnout(Document):
    """How many surveys of a group (`kind~side`, or `all`) were opened, closed and answered.

    `closed_for` and `answered_by` are the people concerned since the published figure last
    moved, no more of them than the smallest group: one person can answer five surveys, so it is
    people that have to be enough. `closed_for` is kept for `all` only. Whoever left a question
    out is among those of `all`, and of no group: a group's people have answered all its questions.
    `waiting_for`: the same of a group, since its answers were last counted.
    """

    collection: ClassVar[str] = "turnouts"

    opened: int = 0
    closed: int = 0
    answered: int = 0
    closed_for: tuple[PersonId, ...] = ()
    answered_by: tuple[PersonId, ...] = ()
    waiting_for: tuple[PersonId, ...] = ()


class Survey(Timed):
    """One side of one pair is asked, once; `id` is `mentor~manager~occasion~side`.

    `due_at` is `closes_at` while the survey is open. What was answered is not here.
    """

    collection: ClassVar[str] = "surveys"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "person_id", "state"),)

    pair_id: PairId
    person_id: PersonId
    kind: Kind
    side: Side
    questions: tuple[str, ...]
    closes_at: Moment
    state: SurveyState = "open"


class Pair(Document):
    """A pair as a coordinator follows it; `id` is the pair's. `causes` are those raised so far."""

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "at_risk", "state"),)

    mentor_id: PersonId
    manager_id: PersonId
    state: PairState = "standing"
    missed: int = 0
    at_risk: bool = False
    causes: tuple[Cause, ...] = ()


def kind_of(survey_id: str) -> Kind:
    """The kind of a survey, from its id."""
    occasion = survey_id.split("~")[2]
    match occasion:
        case "start" | "end":
            return occasion
        case _:
            return "session"


def side_of(survey_id: str) -> Side:
    """The side that a survey asks, from its id."""
    return "mentor" if survey_id.endswith("~mentor") else "manager"


def person_of(survey_id: str) -> str:
    """The person that a survey asks, from its id."""
    mentor_id, manager_id = people_of(survey_id)
    return mentor_id if side_of(survey_id) == "mentor" else manager_id


def survey_ids(pair_id: str, occasion: str) -> tuple[str, ...]:
    """The surveys of one occasion (start, s1, s2, …, end): one for each side."""
    return tuple(f"{pair_id}~{occasion}~{side}" for side in SIDES)


LISTED: dict[type[Document], tuple[str, ...]] = {
    Cohort: ("verdict",),
    Pair: ("state", "at_risk", "mentor_id", "manager_id"),
}
"""What a coordinator can list, and by what. Who answered which survey is not among it."""

COUNTED: tuple[type[Document], ...] = (Survey,)
"""What a coordinator can see the number of: how many were asked, not how many have answered."""


def _ready(cohort: Row) -> Samples:
    return {(cohort["cohort_id"],): float(cohort["verdict"] == "recommended")}


def _means(cohort: Row) -> Samples:
    """As published: below the smallest group there is none."""
    return {
        (cohort["cohort_id"], said["kind"], said["side"], said["question"]): said["mean"]
        for said in cohort["surveys"]
        if said["mean"] is not None
    }


def _turnout(cohort: Row) -> Samples:
    """As published. Counted live it would tell of each answer when it comes."""
    figures = {"closed": cohort["surveys_closed"], "answered": cohort["surveys_answered"]}
    return {
        (cohort["cohort_id"], outcome): float(count)
        for outcome, count in figures.items()
        if count is not None
    }


def _criteria(figure: Literal["value", "threshold"]) -> Callable[[Row], Samples]:
    def read(cohort: Row) -> Samples:
        return {
            (cohort["cohort_id"], criterion["name"]): criterion[figure]
            for criterion in cohort["criteria"]
            if criterion[figure] is not None
        }

    return read


_OF_A_CRITERION = ("cohort", "criterion")

MEASURES = (
    Reading(
        "mentoring_surveys",
        "Surveys that were closed, and those of them that were answered, as published",
        Cohort,
        ("cohort", "outcome"),
        ("cohort_id", "surveys_closed", "surveys_answered"),
        _turnout,
    ),
    Reading(
        "mentoring_survey_mean",
        "Mean answer, 1 to 5, as published for groups that are large enough",
        Cohort,
        ("cohort", "kind", "side", "question"),
        ("cohort_id", "surveys"),
        _means,
    ),
    Reading(
        "mentoring_rollout_criterion",
        "What was measured for a criterion of the roll-out",
        Cohort,
        _OF_A_CRITERION,
        ("cohort_id", "criteria"),
        _criteria("value"),
    ),
    Reading(
        "mentoring_rollout_threshold",
        "What the cohort's policy asks of a criterion",
        Cohort,
        _OF_A_CRITERION,
        ("cohort_id", "criteria"),
        _criteria("threshold"),
    ),
    Reading(
        "mentoring_rollout_ready",
        "1 where every criterion of the roll-out is met",
        Cohort,
        ("cohort",),
        ("cohort_id", "verdict"),
        _ready,
    ),
)
