"""When a cohort is measured, and which figures may be told."""

from datetime import timedelta

from schemas.feedback import SurveyOpened
from schemas.matching import ManagerWithdrew, MentorWithdrew
from schemas.values import CohortPolicy
from services.chassis.domain import Due
from services.feedback.questionnaire import QUESTIONNAIRES
from services.feedback.views import ALL, Cohort, Turnout
from tests.feedback.given import (
    COHORT,
    DOMAIN,
    answer,
    begun,
    cohort,
    completed,
    corrected,
    dissolved,
    enrolled,
    formed,
    graduated,
    measures,
    missed,
    opened,
    survey,
    taken_back,
    usefulness,
    volunteered,
)
from tests.scenario import NOW, Scenario, kinds


def _answered(scenario: Scenario, pairs: range, session: int = 1, score: int = 4) -> Scenario:
    """The managers of these pairs had a session and answered."""
    for number in pairs:
        scenario.when(completed(number, session))
        scenario.when(answer(number, f"s{session}", score=score))
    return scenario


def test_a_new_cohort_is_measured_at_once_and_there_is_nothing_to_tell():
    scenario = Scenario(DOMAIN)
    scenario.when(opened())
    scenario.when_due()
    (measure,) = measures(scenario)
    assert measure.mentors == measure.pairs_formed == measure.sessions_completed == 0
    assert measure.surveys_closed is None
    assert measure.surveys_answered is None
    assert len(measure.surveys) == sum(len(questions) for questions in QUESTIONNAIRES.values())
    assert all(figure.answers is None and figure.mean is None for figure in measure.surveys)
    assert (measure.measured_at, measure.next_at) == (NOW, NOW + timedelta(days=7))


def test_people_count_while_they_are_in():
    scenario = begun()
    for message in (
        *(volunteered(number) for number in (1, 2, 3)),
        *(enrolled(number) for number in (1, 2)),
        MentorWithdrew(cohort_id=COHORT, mentor_id="m-2"),
        ManagerWithdrew(cohort_id=COHORT, manager_id="g-1"),
    ):
        assert kinds(scenario.when(message)) == []
    assert (cohort(scenario).mentors, cohort(scenario).managers) == (2, 1)


def test_somebody_who_leaves_without_having_been_counted_is_not_counted_below_zero():
    scenario = begun()
    scenario.when(MentorWithdrew(cohort_id=COHORT, mentor_id="m-1"))
    assert cohort(scenario).mentors == 0


def test_what_the_programme_has_done_is_told_with_the_next_measure():
    scenario = begun()
    for message in (
        formed(1),
        formed(2),
        completed(1),
        missed(2),
        completed(1, 2),
        graduated(1),
        dissolved(2),
    ):
        scenario.when(message)
    scenario.later(days=7).when_due()
    (measure,) = measures(scenario)
    assert (measure.pairs_formed, measure.pairs_graduated, measure.pairs_dissolved) == (2, 1, 1)
    assert (measure.sessions_completed, measure.sessions_missed) == (2, 1)


def test_what_is_corrected_counts_as_it_was():
    scenario = begun()
    presumed = completed(1).model_copy(update={"presumed": True})
    for message in (formed(1), formed(2), presumed, missed(2), graduated(1)):
        scenario.when(message)
    assert cohort(scenario).sessions_presumed == 1
    asked = scenario.when(corrected(2, held=True))
    assert kinds(asked) == ["SurveyOpened"] * 2  # about a session that took place after all
    assert kinds(scenario.when(corrected(1, held=False, presumed=True))) == []
    scenario.when(taken_back(1))
    scenario.later(days=7).when_due()
    (measure,) = measures(scenario)
    assert (measure.sessions_completed, measure.sessions_missed) == (1, 1)
    assert (measure.sessions_presumed, measure.pairs_graduated) == (0, 0)
    [rate] = [c for c in cohort(scenario).criteria if c.name == "completion_rate"]
    assert rate.presumed == 0


def test_a_session_that_was_asked_about_is_not_asked_about_again():
    scenario = begun()
    for message in (formed(1), completed(1), corrected(1, held=False)):
        scenario.when(message)
    assert kinds(scenario.when(corrected(1, held=True))) == []


def test_a_cohort_is_not_measured_before_its_days_have_passed():
    scenario = begun()
    scenario.when(volunteered(1))
    assert scenario.later(days=6, hours=23).when_due() == []
    assert kinds(scenario.later(hours=1).when_due()) == ["CohortMeasured"]


def test_a_cohort_is_asked_about_in_vain_before_its_moment():
    scenario = begun()
    scenario.when(volunteered(1))
    due = Due(cohort_id=COHORT, collection=Cohort.collection, id=COHORT)
    assert kinds(scenario.when(due)) == []


def test_a_quiet_cohort_is_not_measured_again():
    scenario = begun()
    assert cohort(scenario).due_at is None
    assert scenario.later(days=365).when_due() == []


def test_a_survey_that_is_opened_is_nothing_to_measure():
    scenario = begun()
    scenario.given(
        SurveyOpened(
            cohort_id=COHORT,
            survey_id=survey(1),
            pair_id="m-1~g-1",
            person_id="g-1",
            kind="session",
            side="manager",
            questions=("usefulness",),
            closes_at=NOW,
        )
    )
    assert cohort(scenario).due_at is None


def test_after_a_quiet_time_the_first_change_is_measured_at_once_and_the_next_a_week_later():
    scenario = begun().later(days=100)
    scenario.when(volunteered(1))
    assert kinds(scenario.when_due()) == ["CohortMeasured"]
    scenario.when(volunteered(2))
    assert scenario.when_due() == []
    assert cohort(scenario).due_at == scenario.now + timedelta(days=7)


def test_the_last_answers_of_a_programme_are_measured():
    scenario = begun()
    for number in range(1, 4):
        scenario.when(graduated(number))
    scenario.later(days=8).when_due()
    for number in range(1, 4):
        scenario.when(answer(number, "end"))
    scenario.later(days=30).when_due()
    assert [m.surveys_answered for m in measures(scenario)] == [None, 3]
    ends = [f for f in measures(scenario)[-1].surveys if (f.kind, f.side) == ("end", "manager")]
    assert {(figure.answers, figure.mean) for figure in ends} == {(3, 4.0)}
    assert cohort(scenario).due_at is None


def test_a_figure_is_told_once_the_smallest_group_has_answered():
    scenario = _answered(begun(), range(1, 3)).later(days=7)
    scenario.when_due()
    assert usefulness(cohort(scenario)).mean is None
    _answered(scenario, range(3, 4), score=5).later(days=7).when_due()
    figure = usefulness(cohort(scenario))
    assert (figure.answers, figure.mean) == (3, 4.33)


def test_a_figure_stands_until_as_many_new_answers_have_come():
    scenario = _answered(begun(), range(1, 4)).later(days=7)
    scenario.when_due()
    _answered(scenario, range(4, 6), score=1).later(days=7).when_due()
    assert (usefulness(cohort(scenario)).answers, usefulness(cohort(scenario)).mean) == (3, 4.0)
    _answered(scenario, range(6, 7), score=1).later(days=7).when_due()
    assert (usefulness(cohort(scenario)).answers, usefulness(cohort(scenario)).mean) == (6, 2.5)


def test_many_answers_of_the_same_few_people_are_not_enough_for_a_figure():
    scenario = begun()
    for session in range(1, 6):
        _answered(scenario, range(1, 3), session)
    scenario.later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers is None
    assert cohort(scenario).surveys_answered is None


def test_who_leaves_a_question_out_does_not_count_for_its_figure():
    scenario = _answered(begun(), range(1, 3))
    for number in (3, 4, 5):  # these answers would do; but one person could have given all of them
        scenario.when(completed(number))
        scenario.when(answer(number).model_copy(update={"scores": {"usefulness": 5}}))
    scenario.later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers is None
    assert cohort(scenario).surveys_answered == 5
    _answered(scenario, range(6, 7)).later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers == 6


def test_a_figure_moves_only_for_new_answers_of_enough_people():
    scenario = _answered(begun(), range(1, 4)).later(days=7)
    scenario.when_due()
    for session in (2, 3, 4):
        _answered(scenario, range(1, 3), session, score=1)
    scenario.later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers == 3
    _answered(scenario, range(3, 4), 2).later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers == 10


def test_one_side_does_not_speak_for_the_other():
    scenario = _answered(begun(), range(1, 4)).later(days=7)
    scenario.when_due()
    assert usefulness(cohort(scenario), "manager").answers == 3
    assert usefulness(cohort(scenario), "mentor").answers is None


def test_counts_of_surveys_are_told_from_the_smallest_group_on_and_move_in_its_steps():
    scenario = begun(CohortPolicy(smallest_group=3, survey_days=1, measure_days=2))
    told = []
    for numbers in (range(1, 2), range(2, 4), range(4, 5), range(5, 8)):
        _answered(scenario, numbers).later(days=2).when_due()
        told.append((cohort(scenario).surveys_closed, cohort(scenario).surveys_answered))
    # The mentors' surveys expire, so twice as many are closed as are answered.
    assert told == [(None, None), (6, 3), (6, 3), (14, 7)]


def test_never_more_surveys_are_told_to_be_answered_than_closed():
    policy = CohortPolicy(smallest_group=3, survey_days=1, measure_days=2)
    scenario = begun(policy)
    for number in range(1, 4):
        scenario.when(completed(number))
    scenario.later(days=2).when_due()
    assert (cohort(scenario).surveys_closed, cohort(scenario).surveys_answered) == (6, None)
    _answered(scenario, range(4, 6)).later(days=2).when_due()
    assert (cohort(scenario).surveys_closed, cohort(scenario).surveys_answered) == (10, None)


def test_counts_of_surveys_move_only_for_surveys_of_enough_people():
    policy = CohortPolicy(smallest_group=3, survey_days=1, measure_days=2)
    scenario = begun(policy)
    told = []
    # One pair is two people; six of their surveys are still two people's.
    for number, sessions in ((1, (1, 2, 3)), (2, (1,)), (1, (4, 5, 6)), (2, (2,))):
        for session in sessions:
            _answered(scenario, range(number, number + 1), session)
            scenario.when(answer(number, f"s{session}", "mentor"))
        scenario.later(days=2).when_due()
        told.append((cohort(scenario).surveys_closed, cohort(scenario).surveys_answered))
    assert told == [(None, None), (8, 8), (8, 8), (16, 16)]


def test_the_count_of_answers_moves_only_for_answers_of_enough_people():
    policy = CohortPolicy(smallest_group=3, survey_days=1, measure_days=2)
    scenario = _answered(begun(policy), range(1, 4)).later(days=2)
    scenario.when_due()
    for session in (2, 3, 4):
        _answered(scenario, range(1, 3), session)
    scenario.later(days=2).when_due()
    assert (cohort(scenario).surveys_closed, cohort(scenario).surveys_answered) == (18, 3)


def test_no_more_people_are_noted_than_the_smallest_group():
    scenario = _answered(begun(), range(1, 6))
    for name in (ALL, "session~manager"):
        turnout = scenario.state.get(Turnout, COHORT, name)
        assert turnout is not None
        assert turnout.answered == 5
        assert turnout.answered_by == ("g-1", "g-2", "g-3")


def _answered_retired(scenario: Scenario, numbers: range) -> None:
    """The managers of these pairs answer a question that is asked no more."""
    for number in numbers:
        scenario.given(
            SurveyOpened(
                cohort_id=COHORT,
                survey_id=survey(number),
                pair_id=f"m-{number}~g-{number}",
                person_id=f"g-{number}",
                kind="session",
                side="manager",
                questions=("retired",),
                closes_at=NOW + timedelta(days=14),
            )
        )
        command = answer(number).model_copy(update={"scores": {"retired": 2}})
        assert kinds(scenario.when(command)) == ["SurveyAnswered", "SurveyClosed"]


def test_a_question_of_an_earlier_questionnaire_keeps_its_figure_and_its_own_steps():
    scenario = begun()
    _answered_retired(scenario, range(1, 4))
    scenario.later(days=7).when_due()
    _answered_retired(scenario, range(4, 5))
    _answered(scenario, range(5, 8)).later(days=7).when_due()
    (figure,) = (f for f in cohort(scenario).surveys if f.question == "retired")
    assert (figure.answers, figure.mean) == (3, 2.0)
    assert usefulness(cohort(scenario)).answers == 3
