"""What happens around scheduling, in few words: pairs, their weeks, and what people ask."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from schemas.base import EARLIEST, pair_of, session_of
from schemas.calendars import (
    DeclareAbsence,
    NoteHoursElsewhere,
    OfferHours,
    TakenHours,
    WithdrawAbsence,
)
from schemas.dates import Hours
from schemas.matching import AvailabilityChanged, CohortOpened, PairDissolved, PairFormed
from schemas.saying import PARIS
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    CorrectAttendance,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
    SessionPlanned,
)
from schemas.values import Availability, CohortPolicy, Side, Weekday, Window
from services.chassis.domain import Decision, Refusal
from services.scheduling.handlers import DOMAIN
from services.scheduling.views import Calendar, Outcome, Pair, Session
from tests.scenario import Scenario

COHORT = "bercy-2017"
MENTOR, MANAGER = "m-1", "g-1"
PAIR = pair_of(MENTOR, MANAGER)
OTHER = "0" * 16
"""Somebody's calendar in another cohort."""
DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")


def week(*windows: tuple[Weekday, str, str]) -> Availability:
    return tuple(Window(day=day, start=start, end=end) for day, start, end in windows)


TUESDAY = week(("tue", "10:00", "12:00"))
WEDNESDAY = week(("wed", "10:00", "12:00"))
ANY_DAY = week(*((day, "09:00", "17:00") for day in DAYS))


def opened(policy: CohortPolicy | None = None) -> CohortOpened:
    return CohortOpened(cohort_id=COHORT, name="Pilot", policy=policy or CohortPolicy())


def formed(
    mentor: Availability = TUESDAY,
    manager: Availability = TUESDAY,
    mentor_id: str = MENTOR,
    manager_id: str = MANAGER,
) -> PairFormed:
    return PairFormed(
        cohort_id=COHORT,
        pair_id=pair_of(mentor_id, manager_id),
        mentor_id=mentor_id,
        manager_id=manager_id,
        tools=("linkedin",),
        mentor_availability=mentor,
        manager_availability=manager,
    )


def dissolved(
    mentor_id: str = MENTOR,
    manager_id: str = MANAGER,
    cause: Literal["request", "mentor_withdrew", "manager_withdrew"] = "request",
) -> PairDissolved:
    return PairDissolved(
        cohort_id=COHORT,
        pair_id=pair_of(mentor_id, manager_id),
        mentor_id=mentor_id,
        manager_id=manager_id,
        cause=cause,
    )


def new_week(person_id: str, availability: Availability) -> AvailabilityChanged:
    return AvailabilityChanged(cohort_id=COHORT, person_id=person_id, availability=availability)


def away(
    first_day: str, last_day: str | None = None, person_id: str = MENTOR, hours: str | None = None
) -> DeclareAbsence:
    """`hours`: `10:00-12:00`."""
    return DeclareAbsence(
        cohort_id=COHORT,
        person_id=person_id,
        first_day=first_day,
        last_day=last_day or first_day,
        hours=_hours(hours) if hours else None,
    )


def back(first_day: str, person_id: str = MENTOR, hours: str | None = None) -> WithdrawAbsence:
    return WithdrawAbsence(
        cohort_id=COHORT,
        person_id=person_id,
        first_day=first_day,
        hours=_hours(hours) if hours else None,
    )


def free_on(day: str, *hours: str, person_id: str = MENTOR) -> OfferHours:
    return OfferHours(
        cohort_id=COHORT, person_id=person_id, day=day, hours=tuple(map(_hours, hours))
    )


def elsewhere(
    *starts: datetime,
    given_at: datetime | None = EARLIEST,
    revision: int = 1,
    goes_first: bool = True,
    person_id: str = MENTOR,
    calendar: str = OTHER,
    gone: bool = False,
) -> NoteHoursElsewhere:
    """Another cohort's sessions of an hour each, by default with dates that stand longer."""
    length = timedelta(hours=1)
    hours = tuple(TakenHours(starts_at=s, ends_at=s + length, given_at=given_at) for s in starts)
    return NoteHoursElsewhere(
        cohort_id=COHORT,
        person_id=person_id,
        calendar=calendar,
        revision=revision,
        goes_first=goes_first,
        hours=hours,
        gone=gone,
    )


def _hours(said: str) -> Hours:
    start, _, end = said.partition("-")
    return Hours(start=start, end=end)


def standing(policy: CohortPolicy | None = None, **pair: Availability) -> Scenario:
    """A pair that has just been formed."""
    scenario = Scenario(DOMAIN)
    scenario.when(opened(policy))
    scenario.when(formed(**pair))
    return scenario


def confirm(number: int, by: Side = "mentor", pair: str = PAIR) -> ConfirmSession:
    return ConfirmSession(cohort_id=COHORT, session_id=session_of(pair, number), by=by)


def cancel(number: int, by: Side = "mentor", pair: str = PAIR) -> CancelSession:
    return CancelSession(cohort_id=COHORT, session_id=session_of(pair, number), by=by)


def reschedule(
    number: int, to: datetime | None = None, by: Side = "mentor", pair: str = PAIR
) -> RescheduleSession:
    return RescheduleSession(
        cohort_id=COHORT, session_id=session_of(pair, number), by=by, starts_at=to
    )


def accept(number: int, to: datetime, by: Side = "manager", pair: str = PAIR) -> AcceptMove:
    return AcceptMove(cohort_id=COHORT, session_id=session_of(pair, number), by=by, proposed_at=to)


def decline(number: int, to: datetime, by: Side = "manager", pair: str = PAIR) -> DeclineMove:
    return DeclineMove(cohort_id=COHORT, session_id=session_of(pair, number), by=by, proposed_at=to)


def report(
    number: int, held: bool = True, attempt: int = 1, by: Side = "mentor", pair: str = PAIR
) -> ReportAttendance:
    return ReportAttendance(
        cohort_id=COHORT, session_id=session_of(pair, number), attempt=attempt, by=by, held=held
    )


def settle(number: int, held: bool = True, attempt: int = 1, pair: str = PAIR) -> CorrectAttendance:
    """A coordinator says so."""
    return CorrectAttendance(
        cohort_id=COHORT, session_id=session_of(pair, number), attempt=attempt, held=held
    )


def the_session(scenario: Scenario, number: int, pair: str = PAIR) -> Session:
    found = scenario.state.get(Session, COHORT, session_of(pair, number))
    assert found is not None
    return found


def the_pair(scenario: Scenario, pair: str = PAIR) -> Pair:
    found = scenario.state.get(Pair, COHORT, pair)
    assert found is not None
    return found


def the_calendar(scenario: Scenario, person_id: str) -> Calendar:
    found = scenario.state.get(Calendar, COHORT, person_id)
    assert found is not None
    return found


def outcomes(scenario: Scenario) -> list[tuple[str, str, str]]:
    """(id without the pair, outcome, cause), by id."""
    found = scenario.state.whole(Outcome, COHORT)
    return [(o.id.split("~", 2)[2], o.outcome, o.cause) for o in found]


def paris(month: int, day: int, hour: int, minute: int = 0, year: int = 2017) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def planned(decision: Decision | list[SessionPlanned]) -> list[SessionPlanned]:
    assert not isinstance(decision, Refusal), decision
    return [event for event in decision if isinstance(event, SessionPlanned)]


def at(scenario: Scenario, moment: datetime) -> Scenario:
    """It is now that moment."""
    assert moment >= scenario.now
    scenario.now = moment
    return scenario


def after_start(scenario: Scenario, number: int, pair: str = PAIR) -> Scenario:
    """The session has run for a while."""
    return at(scenario, max(scenario.now, the_session(scenario, number, pair).ends_at))
