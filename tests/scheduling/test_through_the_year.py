"""Random weeks, absences, public holidays, capacities, and both changes of clock.

Whatever is planned is told here a second time, from the rules in docs/scheduling.md, and not by the
code of the service: who is free when, what is a day off, how far ahead and how far apart.
"""

from datetime import date, datetime, timedelta
from itertools import pairwise

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import people_of, session_of
from schemas.dates import minutes
from schemas.matching import PairFormed
from schemas.saying import PARIS
from schemas.scheduling import SessionEvent, SessionPlanned, SessionShifted
from schemas.values import Availability, CohortPolicy, SiteRegion, Window
from services.chassis.domain import Decision, Refusal
from services.scheduling.handlers import DOMAIN
from services.scheduling.views import Calendar, Pair
from tests.scenario import Scenario
from tests.scheduling.given import (
    COHORT,
    DAYS,
    away,
    cancel,
    formed,
    free_on,
    new_week,
    opened,
    paris,
    the_calendar,
    the_pair,
)

# Mondays: before the clocks go on, before they go back, before a month full of days off, at a turn
# of the year.
BEGINS = (paris(3, 13, 9), paris(10, 16, 9), paris(4, 18, 9), paris(12, 11, 9))
ALSACE, PARISIAN = "Strasbourg", "Paris"
POLICY = CohortPolicy(sessions=3, cadence_days=4, regions=(SiteRegion(site=ALSACE, region="57"),))
# A mentor of three, one of whom coaches somebody else.
JOINED = (("m-1", "g-1"), ("m-1", "g-2"), ("m-1", "m-2"), ("m-2", "g-3"))
EVERYBODY = sorted({person for people in JOINED for person in people})

weeks = st.lists(
    st.builds(
        lambda day, hours: Window(day=day, start=hours[0], end=hours[1]),
        st.sampled_from(DAYS),
        st.sampled_from([("09:00", "12:00"), ("10:30", "11:45"), ("14:15", "18:00")]),
    ),
    min_size=2,
    max_size=8,
).map(tuple)
people = st.sampled_from(EVERYBODY)
later = st.integers(0, 45)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("away"), people, later, st.integers(0, 9)),
        st.tuples(st.just("away"), people, st.integers(3, 9), st.integers(4, 20)),
        st.tuples(st.just("hours"), people, later, st.sampled_from(["09:00-10:30", "14:00-18:00"])),
        st.tuples(st.just("offer"), people, later, st.sampled_from(["12:00-14:00", "18:00-20:00"])),
        st.tuples(st.just("week"), people, weeks, st.none()),
        st.tuples(st.just("cancel"), st.sampled_from(JOINED), st.integers(1, 3), st.none()),
        st.tuples(st.just("wait"), st.none(), st.integers(1, 9), st.none()),
    ),
    min_size=3,
    max_size=12,
)


def _day(now: datetime, days: int) -> str:
    return (now.astimezone(PARIS).date() + timedelta(days=days)).isoformat()


class Watched(Scenario):
    """Everything that is planned is looked at when it is planned."""

    def when(self, message: object) -> Decision:
        before = {
            pair.id: {line.starts_at for line in pair.plan if line.state == "planned"}
            for pair in self.state.whole(Pair, COHORT)
        }
        decision = super().when(message)  # type: ignore[arg-type]
        for event in () if isinstance(decision, Refusal) else decision:
            if isinstance(event, SessionPlanned | SessionShifted):
                stood = event.starts_at in before.get(event.pair_id, ())
                self._looked_at(event, stood=stood)
        return decision

    def _looked_at(self, event: SessionEvent, *, stood: bool) -> None:
        for person in people_of(event.pair_id):
            assert stood or _is_free(the_calendar(self, person), event), (person, event)
        if not stood:  # notice, on the clock of the wall
            notice = event.starts_at.astimezone(PARIS).date() - self.now.astimezone(PARIS).date()
            assert notice >= timedelta(days=3), event


def _is_free(calendar: Calendar, event: SessionEvent) -> bool:
    """Whether a person has these hours free, told without the service's own code."""
    start, end = event.starts_at.astimezone(PARIS), event.ends_at.astimezone(PARIS)
    day = start.date()
    if start.weekday() > 4 or day in _days_off(day.year, calendar.site):
        return False
    wanted = range(start.hour * 60 + start.minute, end.hour * 60 + end.minute)
    free: set[int] = set()
    for window in calendar.availability:
        if DAYS[day.weekday()] == window.day:
            free |= set(range(minutes(window.start), minutes(window.end)))
    for offer in calendar.offered:
        if offer.day == day.isoformat():
            for hours in offer.hours:
                free |= set(range(minutes(hours.start), minutes(hours.end)))
    for absence in calendar.absences:
        if absence.first_day <= day.isoformat() <= absence.last_day:
            hours = absence.hours
            free -= set(range(minutes(hours.start), minutes(hours.end))) if hours else free
    return free >= set(wanted)


def _days_off(year: int, site: str | None) -> set[date]:
    subdivision = "57" if site == ALSACE else None
    return set(holidays.country_holidays("FR", subdiv=subdivision, years=year))


def _run(
    begin: datetime, chosen: list[Availability], sites: list[str], script: list[object]
) -> Watched:
    scenario = Watched(DOMAIN, now=begin)
    scenario.when(opened(POLICY))
    own = dict(zip(EVERYBODY, zip(chosen, sites, strict=True), strict=True))
    for mentor, manager in JOINED:
        pair: PairFormed = formed(own[mentor][0], own[manager][0], mentor, manager)
        at = {"mentor_site": own[mentor][1], "manager_site": own[manager][1]}
        scenario.when(pair.model_copy(update=at))
    for act in script:
        match act:
            case ("away", str(person), int(days), int(length)):
                first, last = _day(scenario.now, days), _day(scenario.now, days + length)
                scenario.when(away(first, last, person))
            case ("hours", str(person), int(days), str(hours)):
                scenario.when(away(_day(scenario.now, days), None, person, hours))
            case ("offer", str(person), int(days), str(hours)):
                scenario.when(free_on(_day(scenario.now, days), hours, person_id=person))
            case ("week", str(person), tuple(week), None):
                scenario.when(new_week(person, week))
            case ("cancel", (str(mentor), str(manager)), int(number), None):
                scenario.when(cancel(number, pair=f"{mentor}~{manager}"))
            case ("wait", None, int(days), None):
                scenario.later(days=days).when_due()
    return scenario


years = given(
    st.sampled_from(BEGINS),
    st.lists(weeks, min_size=len(EVERYBODY), max_size=len(EVERYBODY)),
    st.lists(st.sampled_from([ALSACE, PARISIAN]), min_size=len(EVERYBODY), max_size=len(EVERYBODY)),
    acts,
)


@years
@settings(max_examples=60, deadline=None)
def test_whatever_is_planned_lies_in_what_is_free_with_its_notice_and_nobody_is_in_two_places(
    begin: datetime, chosen: list[Availability], sites: list[str], script: list[object]
) -> None:
    scenario = _run(begin, chosen, sites, script)
    for person in EVERYBODY:
        taken = sorted((b.starts_at, b.ends_at) for b in the_calendar(scenario, person).busy)
        for (_, ends), (starts, _) in pairwise(taken):
            assert ends <= starts


@years
@settings(max_examples=40, deadline=None)
def test_numbers_stay_in_the_order_of_time_and_new_dates_half_the_cadence_apart(
    begin: datetime, chosen: list[Availability], sites: list[str], script: list[object]
) -> None:
    scenario = _run(begin, chosen, sites, script)
    for pair in scenario.state.whole(Pair, COHORT):
        to_come = [
            line.starts_at.astimezone(PARIS).date()
            for line in pair.plan
            if line.state == "planned" and line.starts_at and line.starts_at > scenario.now
        ]  # what is over, and waits to be told of, can be followed by a make-up of an earlier one
        assert to_come == sorted(to_come)
        gaps = [after - before for before, after in pairwise(to_come)]
        assert all(gap >= timedelta(days=POLICY.cadence_days // 2) for gap in gaps)


@given(
    st.sampled_from(BEGINS),
    st.lists(weeks, min_size=2, max_size=2),
    st.integers(0, 20),
    st.sampled_from(["mentor", "manager"]),
)
@settings(max_examples=60, deadline=None)
def test_the_first_session_that_is_cancelled_stays_the_first(
    begin: datetime, chosen: list[Availability], days: int, by: str
) -> None:
    scenario = Watched(DOMAIN, now=begin)
    scenario.when(opened(CohortPolicy(cadence_days=4)))
    scenario.when(formed(*chosen))
    pair = the_pair(scenario)
    first = pair.line(1)
    if first.starts_at is None or scenario.now + timedelta(days=days) >= first.starts_at:
        return
    scenario.later(days=days)
    command = cancel(1).model_copy(update={"by": by})
    assert command.session_id == session_of(pair.id, 1)
    scenario.when(command)
    dates = [line.starts_at for line in the_pair(scenario).plan if line.state == "planned"]
    assert dates == sorted(dates)  # type: ignore[type-var]
    # Whatever has no date any more is the last, never the first.
    states = [line.state for line in the_pair(scenario).plan]
    assert states == sorted(states, key=["planned", "pending"].index)
    assert states[0] == "planned" or set(states) == {"pending"}
