"""Which dates sessions get: as good as whatever an exhaustive search finds."""

from datetime import date, datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dates import Absence, Hours
from schemas.saying import PARIS
from schemas.values import Availability, CohortPolicy, SiteRegion, Window
from services.scheduling.agenda import Agenda
from services.scheduling.arranging import Arranged, arrange
from services.scheduling.slots import days_later, is_working_day
from services.scheduling.views import SIDES, Busy, Calendar, Pair, PlanLine
from tests.scheduling.given import COHORT, DAYS, MANAGER, MENTOR, PAIR, paris

# A week before the clocks of each change, and one with public holidays ahead.
STARTS = (paris(3, 20, 9), paris(10, 23, 9), paris(4, 24, 9))
WEEKS_AHEAD = 5
HOURS = ("09:00", "10:00", "14:00")
POLICIES = st.sampled_from(
    [
        CohortPolicy(sessions=4, cadence_days=days, regions=(SiteRegion(site="Metz", region="57"),))
        for days in (2, 7, 10)
    ]
)


def _window(day: int, start: str) -> Window:
    return Window.model_validate(
        {"day": DAYS[day], "start": start, "end": f"{int(start[:2]) + 1}:00"}
    )


weeks = st.lists(st.builds(_window, st.integers(0, 4), st.sampled_from(HOURS)), max_size=3).map(
    lambda windows: tuple(dict.fromkeys(windows))
)


def _day(now: datetime, later: int) -> str:
    return (now.astimezone(PARIS).date() + timedelta(days=later)).isoformat()


@st.composite
def agendas(draw: st.DrawFn) -> tuple[Agenda, datetime, tuple[int, ...]]:
    """A pair with a plan in which everything may have happened; who is busy and away."""
    now, policy = draw(st.sampled_from(STARTS)), draw(POLICIES)
    calendars = []
    week: Availability = draw(weeks)
    for person, other in ((MENTOR, week), (MANAGER, draw(weeks))):
        absences = [Absence(first_day=_day(now, 7 * WEEKS_AHEAD), last_day=_day(now, 400))]
        if draw(st.booleans()):
            first = draw(st.integers(0, 20))
            hours = draw(st.sampled_from([None, Hours(start="09:30", end="12:00")]))
            last = first if hours else first + draw(st.integers(0, 9))
            absences.append(
                Absence(first_day=_day(now, first), last_day=_day(now, last), hours=hours)
            )
        elsewhere = [
            Busy(starts_at=at, ends_at=at + timedelta(hours=1), session_id=f"{person}~x~1")
            for at in draw(st.lists(_moments(now, 0, 30), max_size=2))
        ]
        calendars.append(
            Calendar(
                id=person,
                cohort_id=COHORT,
                availability=tuple({*week, *other}),
                absences=tuple(absences),
                site=draw(st.sampled_from(["Metz", "Paris"])),
                busy=tuple(elsewhere),
            )
        )
    plan = draw(_plans(now))
    pair = Pair(id=PAIR, cohort_id=COHORT, mentor_id=MENTOR, manager_id=MANAGER, plan=plan)
    planned = [line.number for line in plan if line.state == "planned"]
    given_up = draw(st.lists(st.sampled_from(planned), max_size=1)) if planned else []
    for number in given_up:  # for somebody is away then
        lost = plan[number - 1].starts_at
        day = lost.astimezone(PARIS).date().isoformat() if lost else ""
        absences = (*calendars[0].absences, Absence(first_day=day, last_day=day))
        calendars[0] = calendars[0].model_copy(update={"absences": absences})
    return Agenda(pair, calendars[0], calendars[1], policy), now, tuple(given_up)


def _moments(now: datetime, first: int, last: int) -> st.SearchStrategy[datetime]:
    def at(day: int, hour: int) -> datetime:
        local = now.astimezone(PARIS).replace(hour=hour)
        return days_later(local, day)

    return st.builds(at, st.integers(first, last), st.sampled_from([9, 10, 14, 15]))


@st.composite
def _plans(draw: st.DrawFn, now: datetime) -> tuple[PlanLine, ...]:
    past = draw(st.integers(0, 2))
    gone = sorted(draw(st.lists(_moments(now, -30, -1), min_size=past, max_size=past, unique=True)))
    ahead = sorted(draw(st.lists(_moments(now, 1, 30), max_size=4 - past, unique=True)))
    standing = draw(st.permutations([True] * len(ahead) + [False] * (4 - past - len(ahead))))
    lines = [
        PlanLine(number=n, state="completed", attempt=1, starts_at=at)
        for n, at in enumerate(gone, start=1)
    ]
    times, never = iter(ahead), draw(st.booleans())
    for number, stands in enumerate(standing, start=past + 1):
        if stands:
            by = draw(st.sampled_from([(), SIDES[:1], SIDES]))
            line = PlanLine(
                number=number, state="planned", attempt=1, starts_at=next(times), confirmed_by=by
            )
        elif never and not any(standing[number - past :]):
            line = PlanLine(number=number)
        else:
            line = PlanLine(number=number, attempt=1, starts_at=draw(_moments(now, -3, 12)))
        lines.append(line)
    return tuple(lines)


# --- by looking at everything ---------------------------------------------------------------------


def _is_free(agenda: Agenda, start: datetime, region_of: dict[str | None, str]) -> bool:
    """Whether an hour from `start` on is free for both, told in another way than by the service."""
    local = start.astimezone(PARIS)
    for calendar in (agenda.mentor, agenda.manager):
        region = region_of.get(calendar.site)
        clock, name = f"{local:%H:%M}", local.date().isoformat()
        until = f"{local + timedelta(hours=1):%H:%M}"
        in_week = any(
            window.day == DAYS[local.weekday()] and window.start <= clock and until <= window.end
            for window in _joined(calendar.availability)
            if local.weekday() < 5
        )
        away = any(
            a.first_day <= name <= a.last_day
            and (a.hours is None or (a.hours.start < until and clock < a.hours.end))
            for a in calendar.absences
        )
        busy = any(
            b.starts_at < start + timedelta(hours=1) and start < b.ends_at for b in calendar.busy
        )
        if not in_week or away or busy or not is_working_day(local.date(), region):  # type: ignore[arg-type]
            return False
    return True


def _joined(week: Availability) -> list[Window]:
    """Two windows that touch are one: here, that of nine and that of ten."""
    both = (d for d in DAYS if {"09:00", "10:00"} <= {w.start for w in week if w.day == d})
    return [*week, *(Window(day=day, start="09:00", end="11:00") for day in both)]


def _every_plan(agenda: Agenda, now: datetime, given_up: tuple[int, ...]) -> list[Arranged]:
    lines = [
        line
        for line in agenda.pair.plan
        if line.state == "pending" or (line.state == "planned" and line.starts_at > now)  # type: ignore[operator]
    ]
    keeping = {
        line.starts_at for line in lines if line.state == "planned" and line.number not in given_up
    }
    midnight = now.astimezone(PARIS).replace(hour=0)
    quarters = [
        days_later(midnight + timedelta(minutes=15 * quarter), day)
        for day in range(7 * WEEKS_AHEAD)
        for quarter in range(4 * 8, 4 * 16)
    ]
    regions: dict[str | None, str] = {"Metz": "57"}
    free = {start for start in quarters if _is_free(agenda, start, regions)}
    dates = sorted(free | keeping)  # type: ignore[arg-type]
    held = [line.starts_at for line in agenda.pair.plan if line.state == "completed"]
    last = max(held, default=None)  # type: ignore[type-var]
    for count in range(len(lines), -1, -1):
        found: list[Arranged] = [
            list(zip(lines, (*chosen, *[None] * (len(lines) - count)), strict=True))
            for chosen in combinations(dates, count)
            if _is_right(agenda, now, lines, chosen, keeping, last)  # type: ignore[arg-type]
        ]
        if found:
            return found  # as many as can have one
    raise AssertionError("a plan in which all wait is always one")


def _is_right(
    agenda: Agenda,
    now: datetime,
    lines: list[PlanLine],
    chosen: tuple[datetime, ...],
    keeping: set[datetime],
    last: datetime | None,
) -> bool:
    half = max(1, agenda.policy.cadence_days // 2)
    before, before_is_new = last, False
    for line, at in zip(lines, chosen, strict=False):
        if line.state == "pending" and line.starts_at is not None:
            lost_on: date = line.starts_at.astimezone(PARIS).date()
            if at.astimezone(PARIS).date() <= lost_on:
                return False
        new = at not in keeping
        gap = half if line.attempt else agenda.policy.cadence_days
        if new and at < days_later(now, 3):
            return False
        if new and before is not None and at < days_later(before, gap):
            return False
        if not new and before_is_new and at < days_later(before, half):  # type: ignore[arg-type]
            return False
        before, before_is_new = at, new
    return True


def _cost(plan: Arranged, keeping: dict[datetime, int]) -> tuple[object, ...]:
    dates = [at for _, at in plan]
    lost = [n for at, n in keeping.items() if at not in dates]
    changed = sum(line.state == "planned" and line.starts_at != at for line, at in plan)
    return dates.count(None), sum(lost), len(lost), changed, [at for at in dates if at is not None]


@given(agendas())
@settings(max_examples=150, deadline=None)
def test_no_plan_that_an_exhaustive_search_finds_is_better(
    drawn: tuple[Agenda, datetime, tuple[int, ...]],
) -> None:
    agenda, now, given_up = drawn
    keeping = {
        line.starts_at: len(line.confirmed_by)
        for line in agenda.pair.plan
        if line.state == "planned" and line.starts_at is not None and line.number not in given_up
    }
    best = min(_cost(plan, keeping) for plan in _every_plan(agenda, now, given_up))
    assert _cost(arrange(agenda, now, given_up), keeping) == best


@given(agendas())
@settings(max_examples=50, deadline=None)
def test_the_same_agenda_is_always_arranged_in_the_same_way(
    drawn: tuple[Agenda, datetime, tuple[int, ...]],
) -> None:
    assert arrange(*drawn) == arrange(*drawn)
