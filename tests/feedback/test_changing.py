"""Answers can be changed until they are counted: they are one answer still, and nobody's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Event
from schemas.feedback import (
    AnswersCounted,
    AnswerSurvey,
    Counted,
    PairAtRisk,
    SurveyAnswered,
    SurveyClosed,
)
from schemas.values import CohortPolicy
from services.chassis.http.links import LinkVerifier
from services.feedback.handlers import domain_by
from services.feedback.sealing import Seal
from services.feedback.surveys import COUNTED, NOT_TAKEN
from services.feedback.views import Group, Turnout
from tests.feedback.given import (
    COHORT,
    PUBLIC_KEY,
    SEAL,
    answer,
    begun,
    completed,
    proof_of,
    survey,
)
from tests.scenario import Scenario, kinds

GROUP = "session~manager"
QUESTIONS = ("usefulness", "ease_together", "practice")


def some(number: int, **scores: int) -> AnswerSurvey:
    return answer(number).model_copy(update={"scores": scores})


def asked(*numbers: int, policy: CohortPolicy | None = None) -> Scenario:
    scenario = begun(policy) if policy else begun()
    for number in numbers:
        scenario.when(completed(number))
    return scenario


def said(scenario: Scenario) -> list[dict[str, int] | None]:
    """What waits, as nobody but feedback can read it."""
    return [SEAL.open(sealed) for sealed in group(scenario).waiting]


def group(scenario: Scenario) -> Group:
    found = scenario.state.get(Group, COHORT, GROUP)
    assert found is not None
    return found


def turnout(scenario: Scenario, name: str = GROUP) -> Turnout:
    found = scenario.state.get(Turnout, COHORT, name)
    assert found is not None
    return found


def every(score: int) -> dict[str, int]:
    return dict.fromkeys(QUESTIONS, score)


def test_an_answer_that_waits_is_replaced_and_told_as_one_that_replaces_it() -> None:
    scenario = asked(1, 2)
    scenario.when(answer(1, score=5))
    scenario.when(answer(2, score=3))
    before = group(scenario).waiting
    [changed] = scenario.when(answer(1, score=4))
    assert changed == SurveyAnswered(
        cohort_id=COHORT,
        kind="session",
        side="manager",
        scores={},
        sealed=changed.sealed,
        replaces=before[0],
    )
    assert group(scenario).waiting == (changed.sealed, before[1])
    assert said(scenario) == [every(4), every(3)]


def test_of_a_changed_answer_the_last_is_counted_and_counted_once() -> None:
    scenario = asked(1, 2, 3)
    for number in (1, 2, 3):
        scenario.when(answer(number, score=5))
    scenario.when(answer(1, score=4))
    scenario.when(answer(1, score=3))
    counted, *_ = scenario.later(days=7).when_due()
    assert isinstance(counted, AnswersCounted)
    assert counted.sums == dict.fromkeys(sorted(QUESTIONS), Counted(answers=3, total=13))


@pytest.mark.parametrize("name", [GROUP, "all"])
def test_whoever_changes_an_answer_has_answered_once(name: str) -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    before = turnout(scenario, name)
    scenario.when(answer(1, score=4))
    assert turnout(scenario, name) == before
    assert [e.outcome for e in scenario.events if isinstance(e, SurveyClosed)] == ["answered"]


def test_a_form_that_is_sent_twice_changes_nothing() -> None:
    scenario = asked(1)
    scenario.when(answer(1))
    before = group(scenario)
    assert scenario.when(answer(1)) == []
    assert scenario.later(days=3).when(answer(1)) == []
    assert group(scenario) == before


def test_what_is_left_out_of_a_change_stays_as_it_was_answered() -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    scenario.when(some(1, practice=3))
    assert said(scenario) == [{"usefulness": 5, "ease_together": 5, "practice": 3}]


def test_a_question_that_was_left_out_can_be_answered_later() -> None:
    scenario = asked(1)
    scenario.when(some(1, practice=3))
    behind = turnout(scenario)
    scenario.when(some(1, usefulness=4))
    assert said(scenario) == [{"usefulness": 4, "practice": 3}]
    scenario.when(answer(1, score=3))
    assert turnout(scenario) == behind, "whoever had left one out is counted behind no figure"


def test_so_many_people_as_a_count_speaks_of_have_answered_each_question_whatever_they_change() -> (
    None
):
    scenario = asked(1, 2, 3)
    for number in (1, 2, 3):
        scenario.when(answer(number, score=5))
    for number in (1, 2, 3):
        scenario.when(some(number, usefulness=3))
    counted, *_ = scenario.later(days=7).when_due()
    assert isinstance(counted, AnswersCounted)
    assert {question: one.answers for question, one in counted.sums.items()} == every(3)


def test_what_was_counted_cannot_be_changed_and_it_is_said_why() -> None:
    scenario = asked(1, 2, 3)
    for number in (1, 2, 3):
        scenario.when(answer(number, score=5))
    scenario.later(days=7).when_due()
    before = group(scenario)
    assert scenario.when(answer(1, score=3)) == COUNTED
    assert COUNTED != NOT_TAKEN
    assert group(scenario) == before


def test_after_the_date_of_the_survey_nothing_is_changed() -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    scenario.later(days=14)
    assert scenario.when(answer(1, score=4)) == NOT_TAKEN
    assert said(scenario) == [every(5)]


def test_just_before_the_date_of_the_survey_it_can_be_changed() -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    scenario.later(days=14).later(milliseconds=-1)
    assert kinds(scenario.when(answer(1, score=4))) == ["SurveyAnswered"]


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": {"weather": 1}},
        {"proof": None},
        {"proof": proof_of(survey(2))},
        {"scores": {}, "sealed": Seal("another key").seal("x", {"usefulness": 1})},
    ],
    ids=["not asked", "without a proof", "by another link", "sealed by somebody else"],
)
def test_what_would_not_be_an_answer_changes_none(changes: dict[str, Any]) -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    assert scenario.when(answer(1).model_copy(update=changes)) == NOT_TAKEN
    assert said(scenario) == [every(5)]


def test_a_pair_whose_session_turns_out_of_little_use_is_told_at_once_and_that_stays() -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    assert kinds(scenario.when(some(1, usefulness=2))) == ["SurveyAnswered", "PairAtRisk"]
    assert kinds(scenario.when(some(1, usefulness=5))) == ["SurveyAnswered"]
    assert kinds(scenario.when(some(1, usefulness=1))) == ["SurveyAnswered"]
    assert len([event for event in scenario.events if isinstance(event, PairAtRisk)]) == 1


def test_the_same_answers_as_at_first_are_another_seal() -> None:
    scenario = asked(1)
    for score in (5, 4, 5, 4):
        scenario.when(answer(1, score=score))
    seals = [e.sealed for e in scenario.events if isinstance(e, SurveyAnswered)]
    assert len(set(seals)) == 4
    assert len({len(sealed or "") for sealed in seals}) == 1
    assert said(scenario) == [every(4)]


def test_after_a_change_of_keys_an_answer_is_found_while_the_old_key_is_known() -> None:
    old, new = Seal("an old key"), Seal("a new key", "an old key")
    lived = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), old), asked(1, 2).state)
    for number in (1, 2):
        lived.when(answer(number, score=5))
    goes_on = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), new), lived.state, lived.now)
    assert kinds(goes_on.when(answer(1, score=4))) == ["SurveyAnswered"]
    assert [new.open(sealed) for sealed in group(goes_on).waiting] == [every(4), every(5)]
    assert kinds(goes_on.when(answer(1, score=3))) == ["SurveyAnswered"]
    assert len(group(goes_on).waiting) == 2
    lost = Scenario(
        domain_by(LinkVerifier(PUBLIC_KEY), Seal("a third key")), goes_on.state, lived.now
    )
    assert lost.when(answer(2, score=3)) == COUNTED
    assert len(group(lost).waiting) == 2


def test_what_was_put_aside_can_be_changed_once_its_key_is_known_again() -> None:
    lost = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), Seal("another key")), asked(1, 2, 3).state)
    for number in (1, 2, 3):
        lost.when(answer(number, score=5))
    Scenario(domain_by(LinkVerifier(PUBLIC_KEY), SEAL), lost.state, lost.now).later(
        days=7
    ).when_due()
    both = Seal("the one of today", "another key")
    again = Scenario(domain_by(LinkVerifier(PUBLIC_KEY), both), lost.state, lost.now)
    assert len(group(again).unopened) == 3
    again.later(days=8).when(answer(1, score=4))
    assert [both.open(sealed) for sealed in group(again).unopened] == [every(4), *[every(5)] * 2]
    assert group(again).waiting == ()


def test_a_change_of_what_waits_no_more_counts_for_nothing() -> None:
    """It cannot come about; a journal that tells it does not count anybody twice."""
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    late = SurveyAnswered(
        cohort_id=COHORT, kind="session", side="manager", scores={}, sealed="x", replaces="y"
    )
    before = group(scenario)
    scenario.given(late)
    assert group(scenario) == before


# --- what a reader of the topics learns ---------------------------------------------------------

THOUGHT_AGAIN = st.tuples(st.integers(3, 5), st.integers(3, 5)).filter(lambda two: len({*two}) > 1)


def told(events: list[Event]) -> list[dict[str, Any]]:
    """What somebody reads who has the topics and no key: each seal by when it was first seen."""
    seen: dict[str | None, int | None] = {None: None}
    return [
        {
            **event.model_dump(),
            **{
                name: seen.setdefault(getattr(event, name), len(seen))
                for name in ("sealed", "replaces")
                if isinstance(event, SurveyAnswered)
            },
        }
        for event in events
    ]


@given(st.lists(THOUGHT_AGAIN, min_size=3, max_size=6), st.randoms(), st.booleans())
def test_whoever_of_many_said_what_first_and_last_the_topics_are_the_same(
    scores: list[tuple[int, int]], chance: Any, back: bool
) -> None:
    others = [*scores]
    chance.shuffle(others)
    journals = []
    for those in (scores, others):
        scenario = asked(*range(len(those)))
        for number, (first, last) in enumerate(those):
            for score in (first, last, first) if back else (first, last):
                scenario.when(answer(number, score=score))
        scenario.later(days=7).when_due()
        journals.append(told(scenario.events))
    assert journals[0] == journals[1]


def test_a_changed_answer_names_nobody_and_is_led_to_by_nothing() -> None:
    scenario = asked(1)
    scenario.when(answer(1, score=5))
    [changed] = scenario.later(days=1).when(answer(1, score=4))
    assert changed.anonymous
    assert changed.subject == COHORT
    text = changed.model_dump_json()
    assert "m-1" not in text and "g-1" not in text and "~s1" not in text


def test_a_change_while_many_wait_counts_nobody_early() -> None:
    policy = CohortPolicy(smallest_group=3, measure_days=30, survey_days=60)
    scenario = asked(*range(60), policy=policy)
    for number in range(50):
        scenario.when(answer(number, score=5))
    assert kinds(scenario.later(milliseconds=1).when(answer(7, score=4))) == ["SurveyAnswered"]
    assert said(scenario)[7] == every(4)
