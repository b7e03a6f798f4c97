"""What is told does not depend on which of two topics is read first, nor on who is faster.

Drawn: what was before, and the facts of one moment, each topic in its order; what lies in the trays
then is due at that moment, too. The moment is read in two orders, trays emptied anywhere between.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.matching import PairDissolved, PairFormed, ProposalAccepted
from schemas.meeting import SessionMoveRefused, SessionRelocated
from schemas.notify import LetterQueued
from schemas.scheduling import (
    AttendanceCorrected,
    AttendanceRequested,
    GraduationWithdrawn,
    PairGraduated,
    PlanningPostponed,
    SessionCompleted,
    SessionConfirmed,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
    SessionRescheduled,
)
from schemas.topics import TOPICS
from schemas.values import CohortPolicy
from services.chassis.domain import Due
from services.notify.handlers import DOMAIN
from services.notify.letters import fact_id
from services.notify.views import Tray
from tests.notify.facts import (
    ATTENDANCE,
    COHORT,
    FACTS,
    FORMED,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    PLANNED,
    PROPOSED,
    STARTS,
    session,
    survey,
)
from tests.scenario import NOW, Scenario

PAIR_FIELDS: dict[str, Any] = {
    "cohort_id": COHORT,
    "pair_id": PAIR,
    "mentor_id": MENTOR,
    "manager_id": MANAGER,
}
POSTPONED = PlanningPostponed(
    **PAIR_FIELDS, numbers=(3,), attempts=(1,), retry_at=NOW + timedelta(weeks=1), first=True
)
HELD = session(SessionCompleted, by="manager", completed=3, revision=2)
NOT_HELD = session(AttendanceCorrected, held=False, was_held=True, completed=2, revision=3)
HELD_AFTER_ALL = session(AttendanceCorrected, held=True, was_held=False, completed=3, revision=3)
DISSOLVED = PairDissolved(**PAIR_FIELDS, cause="request")
MISSED = session(SessionMissed, cause="reported", by="manager", revision=2)
MOVED = session(SessionRescheduled, by="manager", revision=4, previously_at=STARTS)
REFUSED = {"by": "mentor", "proposed_at": STARTS, "cause": "slot-taken"}

Letters = Counter[tuple[str, datetime, bool, tuple[str, ...]]]
TOPIC_OF = {kind: topic for topic in DOMAIN.reads for kind in TOPICS[topic].types}


def of_this_pair(event: Event) -> bool:
    named = getattr(event, "pair_id", PAIR), getattr(event, "session_id", f"{PAIR}~3")
    return type(event) in TOPIC_OF and named == (PAIR, f"{PAIR}~3")


ANY = [
    *filter(of_this_pair, FACTS),
    *(HELD, NOT_HELD, HELD_AFTER_ALL, POSTPONED),
    ProposalAccepted(**PAIR_FIELDS, by="mentor"),
    session(SessionConfirmed, by="mentor"),
]


def emptied(scenario: Scenario, person_id: str) -> None:
    while (
        (tray := scenario.state.get(Tray, COHORT, person_id)) is not None
        and tray.due_at is not None
        and tray.due_at <= scenario.now
    ):
        scenario.when(Due(cohort_id=COHORT, collection=Tray.collection, id=person_id))


def post(scenario: Scenario) -> None:
    for tray in scenario.state.whole(Tray, COHORT):
        emptied(scenario, tray.id)


def told(
    history: Iterable[tuple[timedelta, Event]], moment: Sequence[Event | str]
) -> tuple[Letters, list[Tray]]:
    """Which letters there are, what they tell and when; and the trays after the moment.

    `moment`: facts, and people whose trays are looked at, three hours after all that was before.
    """
    scenario = Scenario(DOMAIN).given(OPENED.model_copy(update={"policy": CohortPolicy()}))
    for wait, event in history:
        scenario.now += wait
        post(scenario)
        scenario.when(event)
    scenario.later(hours=3)
    for one in moment:
        emptied(scenario, one) if isinstance(one, str) else scenario.when(one)
    post(scenario)
    trays = [_in_order(tray) for tray in scenario.state.whole(Tray, COHORT)]
    while due := [t.due_at for t in scenario.state.whole(Tray, COHORT) if t.due_at is not None]:
        scenario.now = max(scenario.now, min(due))
        post(scenario)
    queued = [event for event in scenario.events if isinstance(event, LetterQueued)]
    letters = Counter(
        (e.person_id, e.send_at, e.urgent, (e.letter_id, *(n.news_id for n in e.also)))
        for e in queued
    )
    return letters, trays


def _in_order(tray: Tray) -> Tray:
    """A tray whose entries lie as they do whoever came first."""
    update = {
        "waiting": tuple(sorted(tray.waiting, key=lambda entry: entry.news_id)),
        "dates": tuple(sorted(tray.dates, key=lambda date: (date.pair_id, date.number))),
        "last": tuple(sorted(tray.last)),
    }
    return tray.model_copy(update=update)


def merged(draw: st.DrawFn, facts: Iterable[Event]) -> list[Event | str]:
    """The facts, each topic in its order, and both trays looked at somewhere."""
    waiting: dict[str, list[Event | str]] = {MENTOR: [MENTOR], MANAGER: [MANAGER]}
    for fact in facts:
        waiting.setdefault(TOPIC_OF[type(fact)], []).append(fact)
    found: list[Event | str] = []
    while waiting:
        source = draw(st.sampled_from(sorted(waiting)))
        found.append(waiting[source].pop(0))
        waiting = {name: left for name, left in waiting.items() if left}
    return found


@st.composite
def moments(
    draw: st.DrawFn,
) -> tuple[list[tuple[timedelta, Event]], list[Event | str], list[Event | str]]:
    """What was before; and what happens in one moment, read in two orders."""
    drawn = draw(st.lists(st.sampled_from(ANY), max_size=8, unique_by=id))
    facts, known, revision = [], {fact_id(PROPOSED)}, 0
    attempt = 0
    for fact in drawn:
        if isinstance(fact, SessionEvent):  # each change of a session is one more
            revision += not isinstance(fact, AttendanceRequested)
            attempt += isinstance(fact, SessionPlanned)
            now_is = {"revision": revision, "attempt": max(attempt, 1)}
            fact = fact.model_copy(update=now_is)  # noqa: PLW2901
        outcomes = ("SessionCompleted", "SessionMissed")
        if isinstance(fact, AttendanceCorrected) and not any(map(known.__contains__, outcomes)):
            continue
        if fact_id(fact) not in known:
            known |= {fact_id(fact), type(fact).__name__}
            facts.append(fact)
    first = draw(st.integers(0, len(facts)))
    before, now = facts[:first], facts[first:]
    if any(isinstance(fact, PairFormed) for fact in now):  # with it a pair begins
        now = [f for f in now if isinstance(f, PairFormed | SessionPlanned | PlanningPostponed)]
        before = [fact for fact in before if not hasattr(fact, "pair_id")]
    if any(isinstance(fact, PairGraduated) for fact in now):
        # What it waited for was held, and says so itself; nothing is taken back in that moment.
        now = [f for f in now if not isinstance(f, PlanningPostponed | GraduationWithdrawn)]
    waits = st.sampled_from([timedelta(minutes=minutes) for minutes in (0, 30, 70, 600)])
    history = [(draw(waits), fact) for fact in (PROPOSED, *before)]
    return history, merged(draw, now), merged(draw, now)


@settings(deadline=None, max_examples=150)
@given(moments())
def test_what_is_told_of_one_moment_is_the_same_in_whichever_order_it_is_read(
    drawn: tuple[list[tuple[timedelta, Event]], list[Event | str], list[Event | str]],
) -> None:
    history, one, other = drawn
    assert told(history, one) == told(history, other)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (ATTENDANCE, HELD),
        (ATTENDANCE, MISSED),
        (survey("session", "mentor"), NOT_HELD),
        (survey("start", "mentor"), DISSOLVED),
        (POSTPONED, session(SessionPlanned, attempt=2, revision=4)),
        (POSTPONED, HELD_AFTER_ALL),
        (POSTPONED, DISSOLVED),
        (MISSED, DISSOLVED),
        (GraduationWithdrawn(**PAIR_FIELDS, again=1, completed=4), DISSOLVED),
        (session(SessionRelocated, by="mentor", revision=3), MOVED),
        (session(SessionMoveRefused, **REFUSED, revision=3), MOVED),
    ],
    ids=lambda event: type(event).__name__,
)
def test_of_two_topics_the_newer_fact_makes_the_older_untrue_whichever_is_read_first(
    first: Event, then: Event
) -> None:
    assert TOPIC_OF[type(first)] != TOPIC_OF[type(then)]
    history = [(timedelta(0), PROPOSED), (timedelta(0), PLANNED)]
    letters, _ = told(history, [first, then])
    assert told(history, [then, first])[0] == letters
    assert not any(fact_id(first) in news_id for *_, ids in letters for news_id in ids)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (MOVED, session(SessionRelocated, by="mentor", revision=5)),
        (MOVED, session(AttendanceRequested, revision=4, report_by=STARTS)),
        (
            session(SessionPlanned, attempt=2, revision=4),
            POSTPONED.model_copy(update={"attempts": (2,)}),
        ),
        (NOT_HELD, session(AttendanceRequested, attempt=2, revision=6, report_by=STARTS)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_newer_is_told_whichever_is_read_first(first: Event, then: Event) -> None:
    history = [(timedelta(0), PROPOSED), (timedelta(0), PLANNED)]
    letters, _ = told(history, [first, then])
    assert told(history, [then, first])[0] == letters
    assert any(fact_id(then) in news_id for *_, ids in letters for news_id in ids)


def test_invitations_wait_for_the_letter_of_the_pair_also_when_they_are_read_of_before() -> None:
    planned = [session(SessionPlanned, session_id=f"{PAIR}~{n}", number=n) for n in (1, 2)]
    begins = [FORMED, *planned], [*planned, FORMED], [planned[0], FORMED, planned[1]]
    one, *others = (told([(timedelta(0), PROPOSED)], facts)[0] for facts in begins)
    assert others == [one, one]
    its_names = ("PairFormed", "SessionPlanned")
    assert len({send_at for _, send_at, _, ids in one if ids[0].startswith(its_names)}) == 1


def test_what_is_due_has_left_and_what_comes_in_that_moment_waits_for_the_next_letter() -> None:
    history = [(timedelta(0), DISSOLVED.model_copy(update={"pair_id": f"{MENTOR}~g-9"}))]
    survey_opened: SurveyOpened = survey("session", "mentor")
    seal_last, seal_first = [survey_opened, MENTOR], [MENTOR, survey_opened]
    letters, _ = told(history, seal_last)
    assert told(history, seal_first)[0] == letters
    days = sorted(send_at.date() for person, send_at, *_ in letters if person == MENTOR)
    assert len(days) == len(set(days)) == 2  # and no second one on that day
