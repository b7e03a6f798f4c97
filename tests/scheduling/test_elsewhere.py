"""Sessions of one person in several cohorts: which one gives way, and that it does not stay so."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Message
from schemas.calendars import NoteHoursElsewhere, TakenHours
from schemas.scheduling import SessionPostponed, SessionShifted
from schemas.values import Availability, CohortPolicy
from services.chassis.domain import Refusal
from services.scheduling.elsewhere import MOST
from services.scheduling.handlers import DOMAIN
from services.scheduling.views import Pair, Session
from tests.scenario import NOW, Scenario, kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    MANAGER,
    MENTOR,
    OTHER,
    PAIR,
    TUESDAY,
    WEDNESDAY,
    after_start,
    elsewhere,
    formed,
    new_week,
    opened,
    paris,
    planned,
    reschedule,
    standing,
    the_calendar,
    the_pair,
    the_session,
    week,
)

THIRD = "1" * 16
LATER = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)


SECOND = paris(3, 28, 10)
"""When the second session of a pair is planned that has just been formed."""


def test_a_session_whose_date_is_newer_moves_and_is_told_once_with_its_cause() -> None:
    scenario = standing()
    assert kinds(scenario.when(elsewhere(SECOND))) == ["HoursElsewhereNoted", "SessionShifted"]
    shifted = scenario.events[-1]
    assert isinstance(shifted, SessionShifted)
    assert (shifted.number, shifted.cause, shifted.elsewhere) == (2, "absence", True)
    assert (shifted.starts_at, shifted.given_at) == (paris(3, 21, 10), NOW)


def test_a_session_whose_date_stands_longer_stays() -> None:
    scenario = standing()
    assert kinds(scenario.when(elsewhere(SECOND, given_at=LATER))) == ["HoursElsewhereNoted"]
    assert the_session(scenario, 2).starts_at == SECOND


@pytest.mark.parametrize("theirs_stays", [True, False])
def test_of_two_dates_of_one_moment_both_cohorts_let_the_same_one_stay(theirs_stays: bool) -> None:
    scenario = standing()
    decision = scenario.when(elsewhere(SECOND, given_at=NOW, goes_first=theirs_stays))
    assert ("SessionShifted" in kinds(decision)) == theirs_stays


def test_a_date_of_which_nobody_knows_since_when_it_stands_stands_longest() -> None:
    assert "SessionShifted" in kinds(standing().when(elsewhere(SECOND, given_at=None)))


def test_of_so_many_other_calendars_is_noted_and_of_no_more() -> None:
    scenario = standing()
    calendars = [f"{number:08x}" for number in range(MOST + 1)]
    for calendar in calendars[:-1]:
        assert kinds(scenario.when(elsewhere(calendar=calendar))) == ["HoursElsewhereNoted"]
    assert refusal(scenario.when(elsewhere(calendar=calendars[-1]))) == "too-many-calendars"
    again = elsewhere(SECOND, calendar=calendars[0], revision=2)
    assert kinds(scenario.when(again)) == ["HoursElsewhereNoted", "SessionShifted"]
    scenario.when(elsewhere(calendar=calendars[0], revision=3, gone=True))
    assert kinds(scenario.when(elsewhere(calendar=calendars[-1]))) == ["HoursElsewhereNoted"]


def test_the_manager_s_hours_elsewhere_count_as_the_mentor_s_do() -> None:
    decision = standing().when(elsewhere(SECOND, person_id=MANAGER))
    assert kinds(decision) == ["HoursElsewhereNoted", "SessionShifted"]


def test_what_is_known_before_a_pair_is_formed_is_planned_around() -> None:
    scenario = Scenario(DOMAIN)
    scenario.when(opened())
    scenario.when(elsewhere(paris(3, 14, 10)))
    assert planned(scenario.when(formed()))[0].starts_at == paris(3, 14, 11)


def test_what_finds_no_other_date_waits_and_is_planned_when_the_hours_are_free_again() -> None:
    week_of_one = week(("tue", "10:00", "11:00"))
    scenario = standing(CohortPolicy(sessions=1), mentor=week_of_one)
    taken = [paris(3, 14, 10) + timedelta(weeks=n) for n in range(2)]
    taken += [paris(3, 28, 10) + timedelta(weeks=n) for n in range(28)]
    decision = scenario.when(elsewhere(*taken))
    assert kinds(decision) == ["HoursElsewhereNoted", "SessionPostponed", "PlanningPostponed"]
    postponed = scenario.events[-2]
    assert isinstance(postponed, SessionPostponed)
    assert postponed.elsewhere
    assert kinds(scenario.when(elsewhere(revision=2)))[-1] == "SessionPlanned"


def test_nobody_moves_a_session_to_an_hour_that_is_taken_elsewhere() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    wanted = the_session(scenario, 2).starts_at + 3 * HOUR
    scenario.when(elsewhere(wanted, given_at=LATER))
    assert refusal(scenario.when(reschedule(2, wanted))) == "slot-taken"


def test_a_date_that_another_session_of_the_pair_takes_over_stands_as_long_as_it_did() -> None:
    scenario = standing(CohortPolicy(sessions=3), mentor=TUESDAY, manager=TUESDAY)
    given_at = the_pair(scenario).line(2).given_at
    assert given_at == NOW
    stood = the_session(scenario, 2).starts_at
    blocked = week(("tue", "10:00", "12:00"))
    scenario.when(new_week(MENTOR, blocked))
    scenario.later(days=1)
    first = the_session(scenario, 1).starts_at
    between = [first + timedelta(weeks=n) + h * HOUR for n in range(2) for h in range(2)]
    scenario.when(elsewhere(*(at for at in between if at != stood)))
    assert the_session(scenario, 1).starts_at == stood
    assert the_pair(scenario).line(1).given_at == given_at


def test_what_has_begun_does_not_move() -> None:
    scenario = standing()
    scenario.now = paris(3, 14, 10) + HOUR / 2
    assert kinds(scenario.when(elsewhere(paris(3, 14, 10)))) == ["HoursElsewhereNoted"]


def test_told_twice_it_changes_nothing_and_an_older_list_is_refused() -> None:
    scenario = standing()
    scenario.when(elsewhere(SECOND, revision=3))
    assert scenario.when(elsewhere(SECOND, revision=3)) == []
    assert scenario.when(elsewhere(SECOND, revision=4)) == []
    assert refusal(scenario.when(elsewhere(revision=2))) == "outdated-hours"


def test_lists_of_several_calendars_stand_beside_each_other_and_each_is_taken_back_alone() -> None:
    scenario = standing()
    scenario.when(elsewhere(paris(5, 2, 15)))
    scenario.when(elsewhere(paris(5, 3, 15), calendar=THIRD))
    assert len(the_calendar(scenario, MENTOR).taken_elsewhere) == 2
    scenario.when(elsewhere(calendar=THIRD, gone=True, revision=2))
    assert [one.calendar for one in the_calendar(scenario, MENTOR).elsewhere] == [OTHER]
    again = elsewhere(calendar=THIRD, gone=True, revision=2)
    assert refusal(scenario.when(again)) == "unknown-hours"


def test_an_empty_list_of_a_calendar_that_was_not_known_is_noted_once() -> None:
    scenario = standing()
    assert kinds(scenario.when(elsewhere())) == ["HoursElsewhereNoted"]
    assert scenario.when(elsewhere()) == []


def test_hours_of_a_cohort_that_is_not_open_are_refused() -> None:
    assert refusal(Scenario(DOMAIN).when(elsewhere())) == "unknown-cohort"


def test_of_a_calendar_that_is_gone_no_hours_are_told() -> None:
    with pytest.raises(ValidationError, match="what is gone takes none"):
        elsewhere(SECOND, gone=True)


# --- two cohorts that tell each other ---------------------------------------------------------

moves = st.tuples(st.integers(0, 1), st.integers(1, 3), st.integers(0, 4 * 24 * 40))
weeks = st.sampled_from([TUESDAY, WEDNESDAY, ANY_DAY, (*TUESDAY, *WEDNESDAY)])


class Twice:
    """The same mentor in two cohorts; what each tells the other, and how much of it has come."""

    def __init__(self, chosen: tuple[Availability, Availability]) -> None:
        self.cohorts = [Scenario(DOMAIN), Scenario(DOMAIN)]
        self.told: list[list[NoteHoursElsewhere]] = [[], []]
        self.revisions = [0, 0]
        for scenario in self.cohorts:
            scenario.when(opened(CohortPolicy(sessions=3, cadence_days=3)))
        for side, availability in enumerate(chosen):
            self.do(side, formed(availability, availability))

    def do(self, side: int, message: Message) -> bool:
        """Whether sessions of this cohort gave way, or something else happened to its dates."""
        before = self._hours(side)
        self.cohorts[side].when(message)
        if changed := self._hours(side) != before:
            self.revisions[side] += 1
            self.told[1 - side].append(self._list(side))
        return changed

    def _sessions(self, side: int) -> list[Session]:
        found = self.cohorts[side].state.whole(Session, COHORT)
        return [one for one in found if one.is_open]

    def _hours(self, side: int) -> tuple[TakenHours, ...]:
        pair = self.cohorts[side].state.get(Pair, COHORT, PAIR)
        given_at = {line.number: line.given_at for line in pair.plan} if pair else {}
        return tuple(
            TakenHours(starts_at=s.starts_at, ends_at=s.ends_at, given_at=given_at[s.number])
            for s in self._sessions(side)
        )

    def _list(self, side: int) -> NoteHoursElsewhere:
        return NoteHoursElsewhere(
            cohort_id=COHORT,
            person_id=MENTOR,
            calendar=OTHER,
            revision=self.revisions[side],
            goes_first=side == 0,
            hours=self._hours(side),
        )

    def deliver(self, side: int, which: int) -> bool:
        """One of the lists that are under way comes, any one, and perhaps it comes again later."""
        lists = self.told[side]
        told = lists[which % len(lists)]
        if which % 3:
            lists.remove(told)
        return self.do(side, told)

    def overlapping(self) -> list[tuple[Session, Session]]:
        return [
            (one, other)
            for one in self._sessions(0)
            for other in self._sessions(1)
            if one.starts_at < other.ends_at and other.starts_at < one.ends_at
        ]

    def settle(self) -> int:
        """Everything comes, the newest of each side at last; how often dates changed."""
        changes = rounds = 0
        while any(self.told):
            rounds += 1
            assert rounds < 50, "they never come to rest"
            for side in (0, 1):
                lists, self.told[side] = self.told[side], []
                changes += sum(self.do(side, told) for told in lists)
        return changes


@given(
    st.tuples(weeks, weeks),
    st.lists(moves, max_size=6),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_whatever_order_they_hear_in_no_two_sessions_of_one_person_overlap_once_all_is_told(
    chosen: tuple[Availability, Availability],
    asked: list[tuple[int, int, int]],
    heard: list[tuple[int, int]],
) -> None:
    twice = Twice(chosen)
    midnight = NOW.replace(hour=0)
    deliveries = iter(heard)
    for side, number, quarter in asked:
        for scenario in twice.cohorts:
            scenario.later(minutes=7)
        twice.do(side, reschedule(number, midnight + timedelta(minutes=15 * quarter)))
        to, which = next(deliveries, (0, 0))
        if twice.told[to]:
            twice.deliver(to, which)
    for to, which in deliveries:
        if twice.told[to]:
            twice.deliver(to, which)
    twice.settle()
    assert twice.overlapping() == []
    for side in (0, 1):
        assert not twice.do(1 - side, twice._list(side)), "nobody gives way any more"


@given(st.tuples(weeks, weeks), st.booleans())
@settings(max_examples=20, deadline=None)
def test_of_two_dates_that_collide_exactly_one_gives_way_whoever_hears_first(
    chosen: tuple[Availability, Availability], first: bool
) -> None:
    twice = Twice(chosen)
    colliding = twice.overlapping()
    before = [{s.id: s.starts_at for s in twice._sessions(side)} for side in (0, 1)]
    for side in (int(first), 1 - int(first)):
        told = twice.told[side].pop(0)
        twice.do(side, told)
    after = [{s.id: s.starts_at for s in twice._sessions(side)} for side in (0, 1)]
    for one, other in colliding:
        assert after[0][one.id] == before[0][one.id], "the cohort that goes first"
        assert after[1].get(other.id) != before[1][other.id]


def test_a_session_that_was_moved_for_another_cohort_is_held_like_any_other() -> None:
    scenario = standing(CohortPolicy(sessions=1))
    assert not isinstance(scenario.when(elsewhere(paris(3, 14, 10))), Refusal)
    assert [type(e).__name__ for e in after_start(scenario, 1).when_due()] == [
        "AttendanceRequested"
    ]
