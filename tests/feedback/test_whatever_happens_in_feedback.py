"""What holds whatever happens, in whatever order: programmes drawn at random."""

from collections import Counter
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Event, Message
from schemas.feedback import (
    AnswersCounted,
    AnswerSurvey,
    CohortMeasured,
    PairAtRisk,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.values import CohortPolicy
from services.chassis.domain import Document, NotLoaded, One
from services.feedback.handlers import needs
from services.feedback.views import person_of
from tests.feedback.given import (
    DOMAIN,
    SEAL,
    answer,
    completed,
    dissolved,
    enrolled,
    formed,
    graduated,
    missed,
    opened,
    stalled,
    volunteered,
)
from tests.scenario import Everything, Scenario

K = 3
POLICY = CohortPolicy(smallest_group=K, survey_days=6, measure_days=2)

PAIRS = st.integers(1, 6)
SESSIONS = st.integers(1, 2)
SIDES = st.sampled_from(["mentor", "manager"])


def _some_of(command: AnswerSurvey, left_out: int) -> AnswerSurvey:
    """The answers but for the last ones; one is always given."""
    kept = list(command.scores.items())[: max(1, len(command.scores) - left_out)]
    return command.model_copy(update={"scores": dict(kept)})


ANSWERS = st.builds(
    _some_of,
    st.builds(
        answer, PAIRS, st.sampled_from(["start", "s1", "s2", "end"]), SIDES, st.integers(1, 5)
    ),
    st.sampled_from([0, 0, 1, 2]),
)
MESSAGES = st.one_of(
    st.builds(formed, PAIRS),
    st.builds(completed, PAIRS, SESSIONS),
    st.builds(completed, PAIRS, SESSIONS),
    st.builds(missed, PAIRS, SESSIONS),
    st.builds(stalled, PAIRS),
    st.builds(graduated, PAIRS),
    st.builds(dissolved, PAIRS),
    st.builds(volunteered, PAIRS),
    st.builds(enrolled, PAIRS),
    ANSWERS,
    ANSWERS,
    ANSWERS,
)
ROUNDS = st.lists(st.tuples(st.lists(MESSAGES, max_size=25), st.integers(0, 4)), max_size=6)


class OnlyNeeds(Everything):
    """A state that shows what `needs` named, and nothing else."""

    named: frozenset[tuple[type[Document], str]] = frozenset()

    def get(self, kind, cohort_id, id):
        if (kind, f"{cohort_id}/{id}") not in self.named:
            raise NotLoaded(One(kind, cohort_id, id))
        return super().get(kind, cohort_id, id)


class Recorded(Scenario):
    """A scenario that keeps the service's journal: what it learned, and what it decided."""

    def __init__(self) -> None:
        super().__init__(DOMAIN, OnlyNeeds())
        self.journal: list[Message] = []

    def when(self, message):
        self.state.named = frozenset(
            (need.kind, f"{need.cohort_id}/{need.id}") for need in needs(message)
        )
        return super().when(message)

    def given(self, *history):
        self.journal.extend(history)
        return super().given(*history)


def _programme(rounds: list[tuple[list[Message], int]]) -> Recorded:
    scenario = Recorded()
    scenario.when(opened(POLICY))
    # The busy first week gives every run enough answers for something to be published.
    busy = [message for n in (1, 2, 3, 4) for message in (completed(n), answer(n, score=n))]
    for messages, days in [(busy, 2), *rounds, ([], 30)]:
        for message in messages:
            scenario.when(message)
        scenario.later(days=days).when_due()
    return scenario


programmes = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _figures(events: list[Event]) -> list[dict[object, tuple[int | None, float | None]]]:
    """Of every measure: every published count of people's surveys, and the mean that it has."""
    return [
        {
            "closed": (event.surveys_closed, None),
            "answered": (event.surveys_answered, None),
            **{(f.kind, f.side, f.question): (f.answers, f.mean) for f in event.surveys},
        }
        for event in events
        if isinstance(event, CohortMeasured)
    ]


def opened_of(event: SurveyAnswered) -> dict[str, int]:
    """What was answered, as nobody but feedback can read it."""
    found = SEAL.open(event.sealed or "")
    assert found
    return found


@programmes
@given(ROUNDS)
def test_no_figure_speaks_of_fewer_answers_than_the_smallest_group(rounds):
    measures = _figures(_programme(rounds).events)
    for figures in measures:
        for answers, mean in figures.values():
            assert answers is None or answers >= K
            assert mean is None or answers is not None
    assert any(answers for answers, _ in measures[-1].values())


@programmes
@given(ROUNDS)
def test_two_successive_figures_never_differ_by_fewer_answers_than_the_smallest_group(rounds):
    measures = _figures(_programme(rounds).events)
    for before, after in pairwise(measures):
        assert set(before) <= set(after)
        for group, (old, old_mean) in before.items():
            new, mean = after[group]
            if new == old:
                assert mean == old_mean
            else:
                assert new is not None
                assert new - (old or 0) >= K


@programmes
@given(ROUNDS)
def test_every_step_of_a_figure_speaks_of_as_many_people_as_the_smallest_group(rounds):
    answered: dict[object, set[str]] = {}
    published: dict[object, int | None] = {}
    scores: dict[str, int] = {}
    for event in _programme(rounds).events:
        if isinstance(event, SurveyAnswered):
            scores = opened_of(event)
        if isinstance(event, SurveyClosed) and event.outcome == "answered":
            for question in scores:
                people = answered.setdefault((event.kind, event.side, question), set())
                people.add(person_of(event.survey_id))
        if isinstance(event, CohortMeasured):
            for figure in event.surveys:
                question = (figure.kind, figure.side, figure.question)
                if figure.answers != published.get(question):
                    assert len(answered[question]) >= K
                    answered[question].clear()
                published[question] = figure.answers


@programmes
@given(ROUNDS)
def test_every_count_speaks_of_as_many_people_as_the_smallest_group(rounds):
    behind: dict[object, set[str]] = {}
    for event in _programme(rounds).events:
        if isinstance(event, SurveyClosed) and event.outcome == "answered" and event.complete:
            behind.setdefault((event.kind, event.side), set()).add(person_of(event.survey_id))
        if isinstance(event, AnswersCounted):
            people = behind.pop((event.kind, event.side))
            assert len(people) >= K
            assert all(said.answers >= len(people) for said in event.sums.values())


@programmes
@given(ROUNDS)
def test_what_is_told_is_true_of_the_answers_that_it_speaks_of(rounds):
    said: dict[object, list[int]] = {}
    waiting: dict[object, dict[str | None, dict[str, int]]] = {}
    for event in _programme(rounds).events:
        if isinstance(event, SurveyAnswered):
            those = waiting.setdefault((event.kind, event.side), {})
            if event.replaces is not None:
                del those[event.replaces]
            those[event.sealed] = opened_of(event)
        if isinstance(event, AnswersCounted):
            for scores in waiting.pop((event.kind, event.side)).values():
                for question, score in scores.items():
                    said.setdefault((event.kind, event.side, question), []).append(score)
        if isinstance(event, CohortMeasured):
            for figure in event.surveys:
                if figure.answers is not None:
                    scores = said[figure.kind, figure.side, figure.question][: figure.answers]
                    assert figure.mean == round(sum(scores) / len(scores), 2)


@programmes
@given(ROUNDS)
def test_every_survey_is_opened_once_and_closed_once(rounds):
    events = _programme(rounds).events
    opened_ = Counter(e.survey_id for e in events if isinstance(e, SurveyOpened))
    closed = Counter(e.survey_id for e in events if isinstance(e, SurveyClosed))
    assert closed == opened_
    assert set(closed.values()) <= {1}


@programmes
@given(ROUNDS)
def test_an_answer_never_names_anybody(rounds):
    for event in _programme(rounds).events:
        if isinstance(event, SurveyAnswered):
            shown = {"cohort_id", "kind", "side", "scores", "sealed", "replaces"}
            assert set(event.model_dump()) == shown
            assert event.scores == {}
            assert event.subject == event.cohort_id
            told = event.model_dump_json()
            assert not any(f'"{side}-{n}' in told for side in "mg" for n in range(7))
            assert "~" not in told


@programmes
@given(ROUNDS)
def test_a_pair_is_at_risk_once_for_each_cause_whatever_happens(rounds):
    events = _programme(rounds).events
    risks = Counter((e.pair_id, e.cause) for e in events if isinstance(e, PairAtRisk))
    assert set(risks.values()) <= {1}


@programmes
@given(ROUNDS)
def test_the_documents_are_a_fold_of_the_journal(rounds):
    lived = _programme(rounds)
    folded = OnlyNeeds()
    for event in lived.journal:
        folded.named = frozenset((n.kind, f"{n.cohort_id}/{n.id}") for n in needs(event))
        folded.apply(DOMAIN.evolve(folded, event))
    assert folded.documents == lived.state.documents


@programmes
@given(ROUNDS)
def test_a_document_comes_back_from_the_database_as_it_was(rounds):
    for document in _programme(rounds).state.documents.values():
        assert document is not None
        assert type(document).model_validate(document.model_dump()) == document


@programmes
@given(ROUNDS)
def test_a_programme_comes_to_rest(rounds):
    scenario = _programme(rounds)
    scenario.later(days=60).when_due()
    assert scenario.later(days=365).when_due() == []
    assert all(
        getattr(document, "due_at", None) is None for document in scenario.state.documents.values()
    )
