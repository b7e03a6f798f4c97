"""How the sessions of a pair get their times."""

from datetime import timedelta

from schemas.scheduling import PlanningBegan, PlanningPostponed, SessionPlanned
from schemas.values import CohortPolicy
from services.scheduling.handlers import DOMAIN
from services.scheduling.views import SIDES
from tests.scenario import NOW, Scenario, kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    MENTOR,
    PAIR,
    TUESDAY,
    WEDNESDAY,
    at,
    cancel,
    confirm,
    dissolved,
    formed,
    new_week,
    opened,
    outcomes,
    paris,
    planned,
    report,
    standing,
    the_calendar,
    the_pair,
    the_session,
    week,
)


def test_a_new_pair_has_all_its_sessions_planned_at_the_cadence() -> None:
    scenario = Scenario(DOMAIN).given(opened())
    decision = scenario.when(formed())
    assert kinds(decision) == ["PlanningBegan", *["SessionPlanned"] * 5]
    assert [event.starts_at for event in planned(decision)] == [
        paris(3, 14, 10),
        paris(3, 28, 10),  # the clocks have changed: still ten o'clock
        paris(4, 11, 10),
        paris(4, 25, 10),
        paris(5, 9, 10),
    ]
    first = planned(decision)[0]
    assert (first.number, first.attempt, first.revision) == (1, 1, 0)
    assert first.ends_at == first.starts_at + timedelta(minutes=60)


def test_the_first_session_is_at_least_three_days_ahead() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    assert the_session(scenario, 1).starts_at == paris(3, 9, 10)


def test_a_cohort_sets_number_length_and_cadence() -> None:
    policy = CohortPolicy(sessions=2, session_minutes=90, cadence_days=7)
    scenario = standing(policy)
    sessions = planned(scenario.events)  # type: ignore[arg-type]
    assert [s.starts_at for s in sessions] == [paris(3, 14, 10), paris(3, 21, 10)]
    assert sessions[0].ends_at - sessions[0].starts_at == timedelta(minutes=90)


def test_a_mentor_of_two_is_never_in_two_sessions_at_once() -> None:
    scenario = standing()
    decision = scenario.when(formed(manager_id="g-2"))
    assert [e.starts_at for e in planned(decision)][:2] == [paris(3, 14, 11), paris(3, 28, 11)]
    third = planned(scenario.when(formed(manager_id="g-3")))
    assert [e.starts_at for e in third][:2] == [paris(3, 21, 10), paris(4, 4, 10)]


def test_a_pair_that_is_formed_again_is_not_planned_again() -> None:
    scenario = standing()
    before = dict(scenario.state.documents)
    assert scenario.when(formed(mentor=WEDNESDAY)) == []
    assert scenario.state.documents == before
    scenario.when(dissolved())
    assert scenario.when(formed()) == []
    assert the_pair(scenario).state == "dissolved"


def test_a_pair_of_an_unknown_cohort_is_refused() -> None:
    scenario = Scenario(DOMAIN)
    assert refusal(scenario.when(formed())) == "unknown-cohort"
    assert scenario.state.documents == {}


def test_a_new_week_counts_from_the_next_planning_on() -> None:
    scenario = standing(manager=ANY_DAY)
    assert scenario.when(new_week(MENTOR, WEDNESDAY)) == []
    assert the_session(scenario, 1).starts_at == paris(3, 14, 10)
    again = planned(scenario.when(cancel(1)))
    assert [e.starts_at for e in again] == [paris(3, 15, 10)]


def test_a_week_learned_before_the_pair_is_replaced_by_the_one_it_was_formed_with() -> None:
    scenario = Scenario(DOMAIN)
    for event in (opened(), new_week(MENTOR, WEDNESDAY), formed()):
        scenario.when(event)
    assert the_calendar(scenario, MENTOR).availability == TUESDAY


def test_without_a_common_slot_the_sessions_stay_pending() -> None:
    scenario = Scenario(DOMAIN).given(opened())
    decision = scenario.when(formed(mentor=TUESDAY, manager=WEDNESDAY))
    assert kinds(decision) == ["PlanningBegan", "PlanningPostponed"]
    postponed = scenario.events[-1]
    assert isinstance(postponed, PlanningPostponed)
    assert postponed.numbers == (1, 2, 3, 4, 5)
    assert postponed.retry_at == NOW + timedelta(weeks=1)
    assert {line.state for line in the_pair(scenario).plan} == {"pending"}


def test_a_common_slot_is_sought_again_every_week() -> None:
    scenario = standing(manager=WEDNESDAY)
    assert kinds(scenario.later(days=6).when_due()) == []
    assert kinds(scenario.later(days=1).when_due()) == ["PlanningPostponed"]
    scenario.when(new_week(MENTOR, TUESDAY))
    assert kinds(scenario.later(days=7).when_due()) == ["PlanningPostponed"]
    assert the_pair(scenario).retry_at == scenario.now + timedelta(days=7)


def test_a_common_slot_is_sought_again_as_soon_as_either_week_changes() -> None:
    scenario = standing(manager=WEDNESDAY)
    assert scenario.when(new_week(MENTOR, TUESDAY)) == []
    decision = scenario.when(new_week(MENTOR, WEDNESDAY))
    assert kinds(decision) == ["SessionPlanned"] * 5
    assert the_session(scenario, 1).starts_at == paris(3, 15, 10)
    assert the_pair(scenario).retry_at is None
    assert the_calendar(scenario, MENTOR).waiting == ()


def test_no_common_hour_is_told_once_and_listed_until_there_is_one() -> None:
    scenario = standing(manager=WEDNESDAY)
    told = [e.first for e in scenario.events if isinstance(e, PlanningPostponed)]
    assert told == [True]
    assert the_pair(scenario).waits
    found = scenario.later(days=7).when_due()
    assert [e.first for e in found if isinstance(e, PlanningPostponed)] == [False]
    scenario.when(new_week(MENTOR, WEDNESDAY))
    assert not the_pair(scenario).waits


def test_where_no_date_is_left_the_later_sessions_move_up_and_the_last_one_waits() -> None:
    scenario = standing(CohortPolicy(sessions=3))
    scenario.when(confirm(2))
    scenario.when(new_week(MENTOR, WEDNESDAY))
    decision = scenario.when(cancel(1))
    assert kinds(decision) == [
        "SessionCancelled",
        "SessionPostponed",
        "SessionShifted",
        "SessionPlanned",
        "PlanningPostponed",
    ]
    assert the_session(scenario, 1).starts_at == paris(3, 28, 10)
    assert the_session(scenario, 1).confirmed_by == ("mentor",)  # who had confirmed this date
    assert the_session(scenario, 2).starts_at == paris(4, 11, 10)
    postponed = scenario.events[-1]
    assert isinstance(postponed, PlanningPostponed)
    assert (postponed.numbers, postponed.first) == ((3,), True)
    causes = [(outcome, cause) for _, outcome, cause in outcomes(scenario)]
    assert causes == [("cancelled", "request"), ("cancelled", "postponed")]
    (found,) = planned(scenario.when(new_week(MENTOR, TUESDAY)))
    assert (found.number, found.attempt, found.starts_at) == (3, 2, paris(4, 18, 10))


def test_the_first_of_five_that_is_cancelled_stays_the_first() -> None:
    scenario = at(standing(), paris(3, 13, 9))
    decision = scenario.when(cancel(1))
    assert kinds(decision) == ["SessionCancelled", "SessionPlanned"]
    starts = [the_session(scenario, number).starts_at for number in range(1, 6)]
    assert starts == sorted(starts)
    assert starts[0] == paris(3, 21, 10)


def test_where_the_next_one_leaves_no_room_a_confirmed_date_is_kept_by_the_one_before() -> None:
    scenario = at(standing(), paris(3, 14, 9))
    for side in SIDES:
        scenario.when(confirm(2, side))
    at(scenario, paris(3, 14, 11)).when_due()
    at(scenario, paris(3, 20, 9))
    decision = scenario.when(report(1, held=False))
    assert kinds(decision) == ["SessionMissed", "SessionShifted", "SessionPlanned"]
    first, second = the_session(scenario, 1), the_session(scenario, 2)
    assert (first.starts_at, first.state) == (paris(3, 28, 10), "confirmed")
    assert (second.starts_at, second.state) == (paris(4, 4, 10), "planned")
    assert the_session(scenario, 3).starts_at == paris(4, 11, 10)


def test_a_slot_that_is_just_taken_is_no_slot() -> None:
    narrow = week(("tue", "10:00", "11:00"))
    policy = CohortPolicy(sessions=20, cadence_days=7)
    scenario = standing(policy, mentor=narrow, manager=narrow)
    second = scenario.when(formed(mentor=narrow, manager=narrow, manager_id="g-2"))
    taken = {e.starts_at for e in scenario.events if isinstance(e, SessionPlanned)}
    assert len(taken) == 20 + len(planned(second))


def test_planning_is_told_with_its_pair_and_time() -> None:
    began = standing().events[0]
    assert isinstance(began, PlanningBegan)
    assert (began.pair_id, began.at) == (PAIR, NOW)
