"""Answers are counted many at a time: nothing on the topics tells whose was which."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Event
from schemas.feedback import AnswersCounted, AnswerSurvey, Counted, SurveyAnswered
from schemas.values import CohortPolicy
from services.chassis.http.links import LinkVerifier
from services.feedback.counting import MOST_WAITING
from services.feedback.handlers import domain_by
from services.feedback.sealing import Seal
from services.feedback.surveys import NOT_TAKEN
from services.feedback.views import Group, Turnout
from tests.feedback.given import (
    COHORT,
    PUBLIC_KEY,
    SEAL,
    answer,
    begun,
    cohort,
    completed,
    survey,
    usefulness,
)
from tests.scenario import Scenario, kinds

GROUP = "session~manager"


def answered(scenario: Scenario, scores: list[int]) -> Scenario:
    """The managers of as many pairs had a session and answered, each the same to everything."""
    for number, _ in enumerate(scores, 1):
        scenario.when(completed(number))
    for number, score in enumerate(scores, 1):
        scenario.when(answer(number, score=score))
    return scenario


def group(scenario: Scenario) -> Group:
    found = scenario.state.get(Group, COHORT, GROUP)
    assert found is not None
    return found


def told(events: list[Event]) -> list[dict[str, Any]]:
    """What somebody reads who has the topics and no key."""
    return [
        {**event.model_dump(), "sealed": len(sealed) if (sealed := _sealed(event)) else 0}
        for event in events
    ]


def _sealed(event: Event) -> str | None:
    return event.sealed if isinstance(event, SurveyAnswered) else None


@given(st.lists(st.integers(3, 5), min_size=3, max_size=8), st.randoms())
def test_whoever_of_many_said_what_the_topics_are_the_same(scores: list[int], chance: Any) -> None:
    others = [*scores]
    chance.shuffle(others)
    journals = []
    for said in (scores, others):
        scenario = answered(begun(), said).later(days=7)
        scenario.when_due()
        journals.append(told(scenario.events))
    assert journals[0] == journals[1]


def test_answers_wait_for_the_measure_and_are_counted_as_sums() -> None:
    scenario = answered(begun(), [5, 4, 2])
    assert len(group(scenario).waiting) == 3
    assert group(scenario).scores == {}
    counted, _ = scenario.later(days=7).when_due()[:2]
    assert counted == AnswersCounted(
        cohort_id=COHORT,
        kind="session",
        side="manager",
        sums=dict.fromkeys(
            ("ease_together", "practice", "usefulness"), Counted(answers=3, total=11)
        ),
    )
    assert group(scenario).waiting == ()
    assert usefulness(cohort(scenario)).mean == 3.67


def test_while_too_few_have_answered_nothing_is_counted() -> None:
    scenario = answered(begun(), [5, 4]).later(days=7)
    assert "AnswersCounted" not in kinds(scenario.when_due())
    assert len(group(scenario).waiting) == 2


def test_many_answers_of_the_same_few_people_are_not_counted() -> None:
    scenario = begun()
    for session in range(1, 6):
        for number in (1, 2):
            scenario.when(completed(number, session))
            scenario.when(answer(number, f"s{session}"))
    assert "AnswersCounted" not in kinds(scenario.later(days=7).when_due())
    assert len(group(scenario).waiting) == 10


def test_no_more_wait_than_a_document_can_hold() -> None:
    scenario = answered(begun(), [4] * (2 * MOST_WAITING + 5))
    assert len(group(scenario).waiting) == 5
    counts = [event for event in scenario.events if isinstance(event, AnswersCounted)]
    assert [count.sums["usefulness"].answers for count in counts] == [MOST_WAITING] * 2
    scenario.later(days=7).when_due()
    assert usefulness(cohort(scenario)).answers == 2 * MOST_WAITING + 5


def test_what_a_lost_key_has_sealed_waits_until_the_key_is_known_again() -> None:
    lost = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), Seal("another key")), begun().state)
    answered(lost, [5, 5, 5])
    found = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), SEAL), lost.state, lost.now)
    found.later(days=7).when_due()
    assert group(found).scores == {}
    assert len(group(found).unopened) == 3
    for number in (4, 5, 6):
        found.when(completed(number))
        found.when(answer(number, score=3))
    found.later(days=7).when_due()
    assert usefulness(cohort(found)).answers == 3
    assert len(group(found).unopened) == 3
    again = Scenario(
        domain_by(LinkVerifier(PUBLIC_KEY), Seal("another key", "x")), found.state, found.now
    )
    for number in (7, 8, 9):
        again.when(completed(number))
        again.when(answer(number, score=3))
    again.later(days=7).when_due()
    assert usefulness(cohort(again)).answers == 9
    assert group(again).unopened == ()


def test_of_those_that_can_be_opened_it_is_not_known_whose_they_are_and_they_wait_too() -> None:
    lost = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), Seal("another key")), begun().state)
    answered(lost, [5, 5])
    found = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), SEAL), lost.state, lost.now)
    for session in (1, 2, 3):  # all of one person
        found.when(completed(3, session))
        found.when(answer(3, f"s{session}", score=1))
    found.later(days=7).when_due()
    assert group(found).scores == {}
    for number in (4, 5):
        found.when(completed(number))
        found.when(answer(number))
    found.later(days=7).when_due()
    assert group(found).scores == {}
    found.when(completed(6))
    found.when(answer(6))
    found.later(days=7).when_due()
    assert group(found).scores["usefulness"].answers == 6


def test_records_of_before_count_by_themselves() -> None:
    scenario = begun()
    plain = SurveyAnswered(
        cohort_id=COHORT, kind="session", side="manager", scores={"usefulness": 4}
    )
    scenario.given(plain)
    assert group(scenario).scores["usefulness"].answers == 1
    assert group(scenario).waiting == ()


def test_answers_are_taken_sealed_as_pages_send_them_and_by_no_other_key() -> None:
    scenario = begun(CohortPolicy())
    scenario.when(completed(1))
    plain = answer(1)
    sealed = {"scores": {}, "sealed": SEAL.seal("x", plain.scores)}
    of_others = {"scores": {}, "sealed": Seal("another key").seal("x", plain.scores)}
    assert scenario.when(plain.model_copy(update=of_others)) == NOT_TAKEN
    [event, _] = scenario.when(plain.model_copy(update=sealed))
    assert SEAL.open(event.sealed) == plain.scores


@pytest.mark.parametrize("said", [{}, {"scores": {}}, {"scores": {}, "sealed": ""}])
def test_answers_are_open_or_sealed_and_there_is_one(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one of them"):
        AnswerSurvey.model_validate({"cohort_id": COHORT, "survey_id": survey(1), **said})


def test_whoever_is_behind_a_count_begins_anew() -> None:
    scenario = answered(begun(), [5, 4, 2])
    before = scenario.state.get(Turnout, COHORT, GROUP)
    assert before is not None and before.waiting_for == ("g-1", "g-2", "g-3")
    scenario.later(days=7).when_due()
    after = scenario.state.get(Turnout, COHORT, GROUP)
    assert after is not None and after.waiting_for == ()
