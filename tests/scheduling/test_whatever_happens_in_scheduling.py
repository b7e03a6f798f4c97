"""What holds whatever people ask, in whatever order, and however late deadlines are decided on."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Event, Message, pair_of, people_of, session_of
from schemas.calendars import DeclareAbsence, NoteHoursElsewhere, OfferHours, WithdrawAbsence
from schemas.dates import minutes
from schemas.matching import AvailabilityChanged
from schemas.saying import PARIS
from schemas.scheduling import (
    AcceptMove,
    AttendanceCorrected,
    AttendanceReminded,
    AttendanceRequested,
    DeclineMove,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    SessionCancelled,
    SessionCompleted,
    SessionDisputed,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.values import Availability, CohortPolicy, Side, Window
from services.chassis.domain import Decision, NotLoaded, Refusal, State
from services.scheduling.handlers import DOMAIN, needs
from services.scheduling.slots import is_working_day
from services.scheduling.views import Calendar, Pair, Session
from tests.scenario import NOW, Scenario
from tests.scheduling.given import (
    COHORT,
    DAYS,
    away,
    back,
    cancel,
    confirm,
    dissolved,
    elsewhere,
    formed,
    free_on,
    new_week,
    opened,
    report,
    reschedule,
    settle,
    the_calendar,
    the_pair,
)

POLICY = CohortPolicy(cadence_days=3, report_days=4, stalled_days=12)
JOINED = (("m-1", "g-1"), ("m-1", "g-2"), ("m-2", "g-3"), ("m-1", "m-2"))
ABOUT_SOMEBODY = (
    AvailabilityChanged,
    DeclareAbsence,
    WithdrawAbsence,
    OfferHours,
    NoteHoursElsewhere,
)
PAIRS = [pair_of(*people) for people in JOINED]


@dataclass
class Recorded(Scenario):
    """A scenario that keeps its journal, and reads what `needs` names and what is asked for late.

    Late is what only somebody's calendar tells: their pairs.
    """

    journal: list[Message] = field(default_factory=list)

    def when(self, message: Message) -> Decision:
        frugal = self._decided_on_what_is_needed(message)
        decision = super().when(message)
        assert frugal == decision
        if not isinstance(decision, Refusal):
            if type(message) in self.domain.learns:
                self.journal.append(message)
            self.journal.extend(decision)
        return decision

    def _decided_on_what_is_needed(self, message: Message) -> Decision:
        wanted, late = list(needs(message)), isinstance(message, ABOUT_SOMEBODY)
        while True:
            state = State()
            for need in wanted:
                key = (need.kind, f"{need.cohort_id}/{need.id}")  # type: ignore[union-attr]
                state.documents[key] = self.state.documents.get(key)
            try:
                return self._decided(state, message)
            except NotLoaded as missing:
                assert late, missing
                wanted.append(missing.need)

    def _decided(self, state: State, message: Message) -> Decision:
        decision = self.domain.decide(state, message, self.now)
        if not isinstance(decision, Refusal):
            learned = type(message) in self.domain.learns
            for event in [message, *decision] if learned else decision:
                state.apply(self.domain.evolve(state, event))
        return decision


windows = st.sampled_from(
    [
        Window(day=d, start=s, end=e)
        for d in DAYS
        for s, e in (("09:00", "11:00"), ("10:00", "16:00"))
    ]
)
weeks = st.lists(windows, min_size=1, max_size=5).map(tuple)
pairs = st.sampled_from(PAIRS)
numbers = st.integers(1, 5)
sides = st.sampled_from(["mentor", "manager"])
attempts = st.integers(1, 3)
quarters = st.integers(1, 4 * 24 * 30)

people = st.sampled_from(["m-1", "m-2", "g-1"])
days = st.integers(0, 60).map(lambda later: _later("2017-03-06", later))


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _taken_elsewhere(quarter: int, person_id: str) -> NoteHoursElsewhere:
    """Six hours of a day or two, one after the other, some for longer than what is planned here."""
    begins = NOW.replace(hour=6) + timedelta(minutes=15 * quarter)
    starts = [begins + timedelta(hours=n) for n in range(6)]
    given_at = None if quarter % 2 else NOW + timedelta(days=9)
    return elsewhere(*starts, given_at=given_at, revision=quarter % 7, person_id=person_id)


commands = st.one_of(
    st.builds(confirm, numbers, sides, pairs),
    st.builds(cancel, numbers, sides, pairs),
    st.builds(report, numbers, st.booleans(), attempts, sides, pairs),
    st.builds(settle, numbers, st.booleans(), attempts, pairs),
    st.builds(lambda n, s, p: reschedule(n, None, s, p), numbers, sides, pairs),
)
steps = st.lists(
    st.one_of(
        commands,
        commands,
        st.tuples(st.just("move"), numbers, pairs, quarters),
        st.tuples(st.just("answer"), numbers, pairs, st.booleans(), sides),
        st.tuples(st.just("sit"), pairs, st.booleans()),
        st.tuples(st.just("sit"), pairs, st.booleans()),
        st.tuples(st.just("sit"), pairs, st.booleans()),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 1, 3, 10, 60])),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 1, 3, 10, 60])),
        st.builds(new_week, people, weeks),
        st.builds(away, days, st.none(), people, st.sampled_from([None, "10:00-14:00"])),
        st.builds(lambda d, p: away(d, _later(d, 9), p), days, people),
        st.builds(back, days, people),
        st.builds(lambda d, p: free_on(d, "12:00-16:00", person_id=p), days, people),
        st.builds(_taken_elsewhere, quarters, people),
        st.builds(lambda i: dissolved(*JOINED[i]), st.integers(0, 3)),
    ),
    max_size=40,
)


def _open(scenario: Scenario, pair: str) -> list[Session]:
    found = [s for s in scenario.state.whole(Session, COHORT) if s.pair_id == pair and s.is_open]
    return sorted(found, key=lambda session: session.starts_at)


def _sit(scenario: Scenario, pair: str, held: bool) -> None:
    """The pair's next session comes, and is reported."""
    if following := _open(scenario, pair):
        it = following[0]
        scenario.now = max(scenario.now, it.starts_at)
        scenario.when(report(it.number, held, it.attempt, "mentor", pair))


def _answer(scenario: Scenario, session_id: str, agrees: bool, side: Side) -> None:
    """Somebody answers the proposal that is open, or objects to a move."""
    session = scenario.state.get(Session, COHORT, session_id)
    if session is None:
        return
    at = session.proposal.proposed_at if session.proposal else session.starts_at
    about = {"cohort_id": COHORT, "session_id": session_id, "by": side, "proposed_at": at}
    kind = AcceptMove if agrees else DeclineMove
    scenario.when(kind.model_validate(about))


def _run(chosen: list[Availability], script: list[object]) -> Recorded:
    scenario = Recorded(DOMAIN)
    scenario.when(opened(POLICY))
    for index, people in enumerate(JOINED):
        scenario.when(formed(chosen[2 * index], chosen[2 * index + 1], *people))
    midnight = scenario.now.replace(hour=0)
    for step in script:
        match step:
            case ("move", int(number), str(pair), int(quarter)):
                to = midnight + timedelta(minutes=15 * quarter)
                scenario.when(reschedule(number, to, "mentor", pair))
            case ("answer", int(number), str(pair), bool(agrees), side):
                _answer(scenario, session_of(pair, number), agrees, side)  # type: ignore[arg-type]
            case ("sit", str(pair), bool(held)):
                _sit(scenario, pair, held)
            case ("pass", days):
                scenario.later(days=days).when_due()  # type: ignore[arg-type]
            case Message():
                scenario.when(step)
    return scenario


programmes = given(st.lists(weeks, min_size=8, max_size=8), steps)


@programmes
@settings(max_examples=60, deadline=None)
def test_nobody_is_ever_in_two_sessions_at_once(
    chosen: list[Availability], script: list[object]
) -> None:
    standing: dict[str, SessionEvent] = {}
    for event in _run(chosen, script).journal:
        match event:
            case SessionPlanned() | SessionRescheduled() | SessionShifted():
                standing[event.session_id] = event
                for other in standing.values():
                    shared = set(people_of(event.pair_id)) & set(people_of(other.pair_id))
                    if other is not event and shared:
                        apart = event.ends_at <= other.starts_at or other.ends_at <= event.starts_at
                        assert apart, (event, other)
            case SessionCancelled() | SessionMissed() | SessionPostponed() | SessionWithdrawn():
                del standing[event.session_id]


@programmes
@settings(max_examples=40, deadline=None)
def test_documents_are_a_fold_of_the_journal_and_survive_the_database(
    chosen: list[Availability], script: list[object]
) -> None:
    scenario = _run(chosen, script)
    again = Scenario(DOMAIN).given(*scenario.journal)
    assert again.state.documents == scenario.state.documents
    for (kind, _), document in again.state.documents.items():
        assert document is not None
        assert kind.model_validate(document.model_dump()) == document


@programmes
@settings(max_examples=40, deadline=None)
def test_every_session_is_open_held_closed_or_tried_again(
    chosen: list[Availability], script: list[object]
) -> None:
    scenario = _run(chosen, script)
    scenario.when_due()
    for pair in scenario.state.whole(Pair, COHORT):
        states = Counter(line.state for line in pair.plan)
        assert states.total() == 5
        assert states["completed"] == pair.completed
        assert len(_open(scenario, pair.id)) == states["planned"]
        assert all(s.due_at and s.due_at > scenario.now for s in _open(scenario, pair.id))
        match pair.state:
            case "active":
                assert pair.completed < 5
                assert not states["cancelled"]
                assert (states["pending"] > 0) == (pair.retry_at is not None)
            case "graduated":
                assert pair.completed == 5
            case "dissolved":
                assert states["planned"] == 0
        assert pair.state == "active" or pair.due_at is None


@programmes
@settings(max_examples=40, deadline=None)
def test_what_is_told_of_a_session_adds_up(
    chosen: list[Availability], script: list[object]
) -> None:
    told = _run(chosen, script).journal
    for pair in PAIRS:
        _counts([e for e in told if getattr(e, "pair_id", None) == pair])
        for number in range(1, 6):
            _adds_up([e for e in told if e.subject == session_of(pair, number)])  # type: ignore[misc]


@programmes
@settings(max_examples=40, deadline=None)
def test_of_the_sessions_to_come_the_one_with_the_lower_number_is_first_and_the_last_ones_wait(
    chosen: list[Availability], script: list[object]
) -> None:
    scenario = _run(chosen, script)
    for pair in scenario.state.whole(Pair, COHORT):
        to_come = [
            line
            for line in pair.plan
            if line.state == "pending"
            or (line.state == "planned" and line.starts_at and line.starts_at > scenario.now)
        ]
        dates = [line.starts_at for line in to_come if line.state == "planned"]
        assert dates == sorted(dates)  # type: ignore[type-var]
        if pair.state == "active":
            waits = [line.state == "pending" for line in to_come]
            assert waits == sorted(waits)


@programmes
@settings(max_examples=40, deadline=None)
def test_no_session_to_come_lies_in_an_absence_unless_somebody_has_moved_it_there(
    chosen: list[Availability], script: list[object]
) -> None:
    scenario = _run(chosen, script)
    by_hand = {e.starts_at for e in scenario.journal if isinstance(e, SessionRescheduled)}
    for session in scenario.state.whole(Session, COHORT):
        if not session.is_open or session.starts_at <= scenario.now:
            continue
        if session.starts_at not in by_hand:
            for person in people_of(session.pair_id):
                _is_not_away(the_calendar(scenario, person), session)


def _is_not_away(calendar: Calendar, session: Session) -> None:
    start, end = (at.astimezone(PARIS) for at in (session.starts_at, session.ends_at))
    for absence in calendar.absences:
        if absence.first_day <= start.date().isoformat() <= absence.last_day:
            assert absence.hours is not None
            apart = f"{end:%H:%M}" <= absence.hours.start or absence.hours.end <= f"{start:%H:%M}"
            assert apart, (absence, session)


def _counts(told: list[Message]) -> None:
    """Sessions held are counted up and, corrected, down; all of them are a graduation."""
    held = times = 0
    graduated = False
    for event in told:
        match event:
            case SessionCompleted():
                held += 1
                assert event.completed == held
            case AttendanceCorrected():
                held += event.held - event.was_held
                assert event.completed == held
            case PairGraduated():
                assert (held, event.again, graduated) == (5, times, False)
                graduated = True
            case GraduationWithdrawn():
                times += 1
                assert (held, event.again, graduated) == (4, times, True)
                graduated = False
    assert graduated == (held == 5)


def _adds_up(told: list[SessionEvent]) -> None:
    changes = [e for e in told if not isinstance(e, AttendanceRequested | AttendanceReminded)]
    assert [e.revision for e in changes] == list(range(len(changes)))
    planned = [e.attempt for e in changes if isinstance(e, SessionPlanned)]
    assert planned == list(range(1, len(planned) + 1))
    anew = AttendanceCorrected | SessionDisputed
    for before, after in pairwise([e for e in told if not isinstance(e, anew)]):
        closed = isinstance(
            before,
            SessionCancelled
            | SessionMissed
            | SessionCompleted
            | SessionPostponed
            | SessionWithdrawn,
        )
        assert isinstance(after, SessionPlanned) == closed, (before, after)
        assert isinstance(after, SessionPlanned) or after.attempt == before.attempt


def _inside(week: Availability, event: SessionEvent) -> bool:
    start, end = (moment.astimezone(PARIS) for moment in (event.starts_at, event.ends_at))
    return any(
        DAYS.index(w.day) == start.weekday()
        and minutes(w.start) <= start.hour * 60 + start.minute
        and end.hour * 60 + end.minute <= minutes(w.end)
        for w in _joined(week)
    )


def _joined(week: Availability) -> Availability:
    """Here a day's two possible windows overlap: together they are 09:00 to 16:00."""
    days = {w.day: [x for x in week if x.day == w.day] for w in week}
    return tuple(
        Window(day=day, start=min(x.start for x in xs), end=max(x.end for x in xs))
        for day, xs in days.items()
    )


@given(st.lists(weeks, min_size=8, max_size=8), st.lists(st.tuples(pairs, numbers), max_size=12))
@settings(max_examples=30, deadline=None)
def test_planned_sessions_lie_in_both_weeks_on_working_days_half_the_cadence_apart(
    chosen: list[Availability], cancels: list[tuple[str, int]]
) -> None:
    scenario = Recorded(DOMAIN)
    scenario.when(opened(POLICY))
    own: dict[str, Availability] = {}
    found: list[tuple[SessionEvent, Availability, Availability]] = []
    stood: set[tuple[str, datetime]] = set()

    def keep(decision: Decision) -> None:
        assert not isinstance(decision, Refusal)
        for event in decision:
            if not isinstance(event, SessionPlanned | SessionShifted):
                continue
            if (event.pair_id, event.starts_at) not in stood:  # a date that stands may move up
                stood.add((event.pair_id, event.starts_at))
                found.append((event, own[event.mentor_id], own[event.manager_id]))
                assert event.starts_at >= scenario.now + timedelta(days=2, hours=23)

    for index, people in enumerate(JOINED):
        own |= dict(zip(people, chosen[2 * index : 2 * index + 2], strict=True))
        keep(scenario.when(formed(own[people[0]], own[people[1]], *people)))
    for pair, number in cancels:
        decision = scenario.later(hours=5).when(cancel(number, "mentor", pair))
        if not isinstance(decision, Refusal):
            keep(decision)
    for event, mentor, manager in found:
        assert _inside(mentor, event)
        assert _inside(manager, event)
        assert is_working_day(event.starts_at.astimezone(PARIS).date())
    half = timedelta(days=POLICY.cadence_days // 2)
    for pair in PAIRS:
        days = [s.starts_at.astimezone(PARIS).date() for s in _open(scenario, pair)]
        assert all(after - before >= half for before, after in pairwise(days))


@given(
    st.lists(weeks, min_size=8, max_size=8),
    steps.map(lambda script: [s for s in script if getattr(s, "cause", None) is None]),
)
@settings(max_examples=40, deadline=None)
def test_a_pair_whose_sessions_are_all_held_in_the_end_graduates(
    chosen: list[Availability], script: list[object]
) -> None:
    scenario = _run(chosen, script)
    for person in {person for people in JOINED for person in people}:
        scenario.when(
            new_week(person, tuple(Window(day=d, start="09:00", end="16:00") for d in DAYS))
        )
    scenario.later(days=8).when_due()
    for _ in range(5 * len(PAIRS)):
        for pair in PAIRS:
            _sit(scenario, pair, True)
    for pair in PAIRS:
        assert the_pair(scenario, pair).state == "graduated"
        about = [e for e in scenario.journal if getattr(e, "pair_id", None) == pair]
        assert isinstance(about[-1], PairGraduated)
    assert scenario.later(days=400).when_due() == []


@programmes
@settings(max_examples=30, deadline=None)
def test_a_pair_stalls_at_most_once_between_two_sessions_held(
    chosen: list[Availability], script: list[object]
) -> None:
    silent: set[str] = set()
    told: list[Event] = _run(chosen, script).events
    for event in told:
        match event:
            case PairStalled():
                assert event.pair_id not in silent
                silent.add(event.pair_id)
            case SessionCompleted() | AttendanceCorrected() | GraduationWithdrawn():
                silent.discard(event.pair_id)
