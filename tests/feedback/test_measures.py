"""What Prometheus is told of a cohort: only what is published of it."""

from typing import Any

from prometheus_client import generate_latest

from schemas.feedback import SurveyAnswered, SurveyClosed
from schemas.values import CohortPolicy, Criterion, SurveyFigure
from services.chassis.watch.metrics import Metrics, Reading, Samples
from services.feedback.views import MEASURES, Cohort
from tests.feedback.given import DOMAIN, survey


def read(name: str, **fields: Any) -> Samples:
    """A measure of a cohort, as it lies in the database."""
    cohort = Cohort(cohort_id="c", id="c", name="Cohort", policy=CohortPolicy(), **fields)
    (measure,) = [measure for measure in MEASURES if measure.name == name]
    assert isinstance(measure, Reading)
    row = cohort.model_dump()
    return measure.read({field: row[field] for field in measure.fields})


def test_a_mean_is_told_by_question_and_none_where_a_group_is_too_small_to_have_one() -> None:
    def at_ease(kind: Any, answers: int | None, mean: float | None) -> SurveyFigure:
        return SurveyFigure(
            kind=kind, side="manager", question="at_ease", answers=answers, mean=mean
        )

    said = (at_ease("start", 12, 2.5), at_ease("end", None, None))
    assert read("mentoring_survey_mean", surveys=said) == {
        ("c", "start", "manager", "at_ease"): 2.5
    }


def test_a_criterion_is_told_beside_its_threshold_and_has_no_value_while_too_few_answered() -> None:
    criteria = (
        Criterion(name="pairs_graduated", threshold=20, value=3, met=False),
        Criterion(name="satisfaction", threshold=3.5, value=None, met=False),
    )
    assert read("mentoring_rollout_criterion", criteria=criteria) == {("c", "pairs_graduated"): 3}
    assert read("mentoring_rollout_threshold", criteria=criteria) == {
        ("c", "pairs_graduated"): 20,
        ("c", "satisfaction"): 3.5,
    }


def test_a_cohort_is_ready_when_its_roll_out_is_recommended_and_not_before() -> None:
    told = [
        read("mentoring_rollout_ready", verdict=verdict)[("c",)]
        for verdict in (None, "withheld", "recommended")
    ]
    assert told == [0, 0, 1]


def test_turnout_is_told_as_it_was_published_and_not_before() -> None:
    assert read("mentoring_surveys") == {}
    assert read("mentoring_surveys", surveys_closed=12) == {("c", "closed"): 12}
    assert read("mentoring_surveys", surveys_closed=12, surveys_answered=7) == {
        ("c", "closed"): 12,
        ("c", "answered"): 7,
    }


def test_no_measure_looks_at_what_is_counted_live() -> None:
    assert {measure.kind for measure in MEASURES} == {Cohort}
    metrics = Metrics("feedback", DOMAIN.untold)
    before = generate_latest(metrics.registry)
    answered = SurveyAnswered(cohort_id="c", kind="start", side="mentor", scores={"ready": 1})
    closed = SurveyClosed(
        cohort_id="c", survey_id=survey(1), kind="start", side="mentor", outcome="answered"
    )
    metrics.decided([answered, closed])
    metrics.was_late("AnswerSurvey", 0.1)
    assert generate_latest(metrics.registry) == before
    assert b"SurveyAnswered" not in before
