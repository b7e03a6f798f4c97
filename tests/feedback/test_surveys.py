"""Who is asked what and when, and which answers are taken."""

from datetime import timedelta

import pytest

from schemas.feedback import PairAtRisk, SurveyAnswered, SurveyClosed, SurveyOpened
from schemas.links import LinksRevoked, OneLink
from schemas.values import CohortPolicy
from services.chassis.domain import Due
from services.chassis.http.links import Link, LinkSigner, generate_keys
from services.feedback.handlers import DOMAIN as WITHOUT_A_KEY
from services.feedback.questionnaire import (
    KINDS,
    QUESTIONNAIRES,
    SIDES,
    USEFULNESS,
    misfit,
    question_ids,
)
from services.feedback.surveys import NOT_TAKEN
from services.feedback.views import Survey, person_of
from tests.feedback.given import (
    COHORT,
    DOMAIN,
    SEAL,
    SIGNER,
    answer,
    begun,
    completed,
    dissolved,
    formed,
    graduated,
    pair,
    proof_of,
    survey,
)
from tests.scenario import NOW, Scenario, kinds, refusal


def _survey(scenario: Scenario, survey_id: str) -> Survey:
    found = scenario.state.get(Survey, COHORT, survey_id)
    assert found is not None
    return found


def _due(survey_id: str) -> Due:
    return Due(cohort_id=COHORT, collection=Survey.collection, id=survey_id)


@pytest.mark.parametrize(
    ("message", "occasion", "kind"),
    [
        (formed(1), "start", "start"),
        (completed(1, session=3), "s3", "session"),
        (graduated(1), "end", "end"),
    ],
)
def test_both_sides_are_asked_when_a_pair_starts_has_a_session_or_ends(message, occasion, kind):
    opened = begun().when(message)
    assert [type(event) for event in opened] == [SurveyOpened, SurveyOpened]
    assert [(e.survey_id, e.person_id, e.pair_id, e.kind, e.side) for e in opened] == [
        (f"m-1~g-1~{occasion}~mentor", "m-1", pair(1), kind, "mentor"),
        (f"m-1~g-1~{occasion}~manager", "g-1", pair(1), kind, "manager"),
    ]


def test_a_survey_closes_after_the_days_that_the_policy_gives():
    opened = begun(CohortPolicy(survey_days=10)).when(completed(1))
    assert {event.closes_at for event in opened} == {NOW + timedelta(days=10)}


def test_nobody_is_asked_twice_on_the_same_occasion():
    scenario = begun()
    scenario.when(formed(1))
    scenario.when(dissolved(1))
    assert kinds(scenario.when(formed(1))) == []


def test_a_pair_of_an_unknown_cohort_is_not_asked():
    assert refusal(Scenario(DOMAIN).when(formed(1))) == "unknown-cohort"


def test_answers_are_taken_without_the_one_who_gave_them():
    scenario = begun()
    scenario.when(completed(1))
    answered, closed = scenario.when(answer(1, score=5))
    assert answered == SurveyAnswered(
        cohort_id=COHORT, kind="session", side="manager", scores={}, sealed=answered.sealed
    )
    assert SEAL.open(answered.sealed) == {"usefulness": 5, "ease_together": 5, "practice": 5}
    assert closed == SurveyClosed(
        cohort_id=COHORT,
        survey_id=survey(1),
        kind="session",
        side="manager",
        outcome="answered",
    )


def test_the_order_in_which_somebody_answers_is_forgotten():
    scenario = begun()
    scenario.when(completed(1))
    command = answer(1)
    turned = command.model_copy(update={"scores": dict(reversed(command.scores.items()))})
    answered, _ = scenario.when(turned)
    assert list(SEAL.open(answered.sealed)) == list(command.scores)


def test_a_survey_does_not_keep_what_was_answered():
    scenario = begun()
    scenario.when(completed(1))
    before = _survey(scenario, survey(1))
    scenario.when(answer(1))
    after = _survey(scenario, survey(1))
    assert after == before.model_copy(update={"state": "answered", "due_at": None})


def test_a_survey_that_was_never_opened_cannot_be_answered():
    assert begun().when(answer(1)) == NOT_TAKEN


def test_a_survey_that_was_answered_is_not_answered_after_its_date():
    scenario = begun()
    scenario.when(completed(1))
    scenario.when(answer(1))
    assert scenario.later(days=30).when(answer(1)) == NOT_TAKEN


def test_an_expired_survey_cannot_be_answered():
    scenario = begun()
    scenario.when(completed(1))
    scenario.later(days=15).when_due()
    assert scenario.when(answer(1)) == NOT_TAKEN


def test_an_answer_after_the_deadline_is_late_even_if_the_survey_was_not_closed_yet():
    scenario = begun()
    scenario.when(completed(1))
    assert scenario.later(days=14).when(answer(1)) == NOT_TAKEN
    assert _survey(scenario, survey(1)).state == "open"


def test_an_answer_just_before_the_deadline_counts():
    scenario = begun()
    scenario.when(completed(1))
    scenario.later(days=14).later(milliseconds=-1)
    assert kinds(scenario.when(answer(1))) == ["SurveyAnswered", "SurveyClosed"]


WRONG = {"usefulness": 4, "ease_together": 4, "weather": 1}


def test_a_question_can_be_left_out_and_that_is_all_that_is_kept_of_it():
    scenario = begun()
    scenario.when(completed(1))
    some = answer(1).model_copy(update={"scores": {"practice": 4}})
    answered, closed = scenario.when(some)
    assert (SEAL.open(answered.sealed), closed.outcome, closed.complete) == (
        {"practice": 4},
        "answered",
        False,
    )


def test_answers_that_are_not_to_what_is_asked_are_not_taken():
    scenario = begun()
    scenario.when(completed(1))
    before = _survey(scenario, survey(1))
    assert scenario.when(answer(1).model_copy(update={"scores": WRONG})) == NOT_TAKEN
    assert _survey(scenario, survey(1)) == before


def test_what_was_not_asked_is_named():
    asked = question_ids("session", "manager")
    assert misfit(asked, WRONG) == "weather not asked"
    assert misfit(asked, ["y" * 1000, *asked]) == f"{'y' * 40} not asked"
    assert misfit(asked, asked) == ""


# --- the proof ----------------------------------------------------------------------------------

STRANGER = LinkSigner(generate_keys()[0])
MANAGERS = survey(1)
UNPROVEN = {
    "none": None,
    "empty": "",
    "no token": "eyJhbGciOiJFZDI1NTE5In0.e30.AAAA",
    "signed by somebody else": proof_of(MANAGERS, STRANGER),
    "with a letter changed": proof_of(MANAGERS)[:-9] + "AAAAAAAAA",
    "of the other side": proof_of(survey(1, side="mentor")),
    "of another survey of the same person": proof_of(survey(1, "s2")),
    "of another pair": proof_of(survey(2)),
    "of another cohort": proof_of(MANAGERS, cohort_id="another"),
    "of a link for something else": proof_of(MANAGERS, purpose="attendance"),
}


@pytest.mark.parametrize("proof", UNPROVEN.values(), ids=UNPROVEN)
def test_without_the_token_of_its_very_link_a_survey_cannot_be_answered(proof):
    scenario = begun()
    for number in (1, 2):
        scenario.when(completed(number))
        scenario.when(completed(number, session=2))
    forged = answer(1).model_copy(update={"proof": proof})
    assert scenario.when(forged) == NOT_TAKEN
    assert _survey(scenario, MANAGERS).state == "open"
    assert kinds(scenario.when(answer(1))) == ["SurveyAnswered", "SurveyClosed"]


def test_a_proof_does_not_outlive_its_link():
    scenario = begun(CohortPolicy(survey_days=60))
    scenario.when(completed(1))
    link = Link(purpose="survey", cohort_id=COHORT, person_id="g-1", side="manager", id=MANAGERS)
    late = answer(1).model_copy(update={"proof": SIGNER.sign(link, NOW + timedelta(days=1))})
    assert scenario.later(days=2).when(late) == NOT_TAKEN


def test_a_link_that_was_revoked_proves_nothing_and_one_of_a_later_letter_does():
    scenario = begun()
    scenario.when(completed(1))
    who = person_of(MANAGERS)
    scenario.when(LinksRevoked(cohort_id=COHORT, person_id=who, number=1))
    assert scenario.when(answer(1)) == NOT_TAKEN
    again = answer(1).model_copy(update={"proof": proof_of(MANAGERS, after=1)})
    assert kinds(scenario.when(again)) == ["SurveyAnswered", "SurveyClosed"]


def test_of_a_survey_whose_link_was_revoked_the_person_s_others_can_be_answered():
    scenario = begun()
    scenario.when(completed(1))
    other = OneLink(purpose="survey", id=survey(1, "s2"))
    for link in (other, OneLink(purpose="session", id=MANAGERS)):
        number = 1 if link is other else 2
        told = {"cohort_id": COHORT, "person_id": person_of(MANAGERS), "number": number}
        scenario.when(LinksRevoked(**told, link=link))
    assert kinds(scenario.when(answer(1))) == ["SurveyAnswered", "SurveyClosed"]


def test_a_service_without_a_key_takes_no_answers():
    scenario = Scenario(WITHOUT_A_KEY, begun().state)
    scenario.when(completed(1))
    assert scenario.when(answer(1)) == NOT_TAKEN


def _states():
    """A survey that was never opened, is open, was answered, was answered badly, has expired."""
    held = completed(1)
    for happened in ((), (held,), (held, answer(1)), (held, answer(1, score=1))):
        scenario = begun()
        for message in happened:
            scenario.when(message)
        yield scenario
    scenario = begun()
    scenario.when(held)
    scenario.later(days=60).when_due()
    yield scenario


@pytest.mark.parametrize(
    "changes",
    [{"scores": {"zz": 1}}, {"scores": WRONG}, {"proof": None}, {"proof": proof_of(survey(2))}],
)
def test_what_is_not_taken_is_refused_alike_whatever_has_become_of_the_survey(changes):
    probe = answer(1).model_copy(update=changes)
    assert {scenario.when(probe) for scenario in _states()} == {NOT_TAKEN}


def test_a_survey_that_nobody_answers_expires_when_it_closes():
    scenario = begun()
    scenario.when(completed(1))
    assert kinds(scenario.later(days=13).when(_due(survey(1)))) == []
    scenario.later(days=1).when_due()
    closed = [event for event in scenario.events if isinstance(event, SurveyClosed)]
    assert [(e.survey_id, e.outcome) for e in closed] == [
        (survey(1), "expired"),
        (survey(1, side="mentor"), "expired"),
    ]
    assert _survey(scenario, survey(1)).due_at is None


def test_a_survey_that_was_answered_does_not_expire():
    scenario = begun()
    scenario.when(completed(1))
    scenario.when(answer(1))
    assert kinds(scenario.later(days=20).when(_due(survey(1)))) == []


def test_a_dissolved_pair_can_still_answer():
    scenario = begun()
    scenario.when(formed(1))
    scenario.when(dissolved(1))
    assert kinds(scenario.when(answer(1, "start"))) == ["SurveyAnswered", "SurveyClosed"]


def test_little_use_at_the_start_or_the_end_is_no_reason_to_worry():
    scenario = begun()
    scenario.when(formed(1))
    decision = scenario.when(answer(1, "start", score=1))
    assert not any(isinstance(event, PairAtRisk) for event in decision)


def test_every_kind_and_side_is_asked_two_to_four_questions_in_two_languages():
    assert set(QUESTIONNAIRES) == {(kind, side) for kind in KINDS for side in SIDES}
    for questions in QUESTIONNAIRES.values():
        assert 2 <= len(questions) <= 4
        assert len({question.id for question in questions}) == len(questions)
        assert all(question.fr and question.en for question in questions)


def test_every_survey_after_a_session_asks_how_useful_it_was():
    for side in SIDES:
        assert USEFULNESS in {question.id for question in QUESTIONNAIRES["session", side]}


def test_a_question_of_the_same_id_reads_the_same_everywhere():
    every = {q for questions in QUESTIONNAIRES.values() for q in questions}
    assert len({question.id for question in every}) == len(every)
