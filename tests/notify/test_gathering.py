"""What waits is told in one letter a day; what has become untrue meanwhile is told to nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Event
from schemas.feedback import SurveyClosed
from schemas.letter_rules import LetterRules
from schemas.matching import (
    ManagerWithdrew,
    MentorWithdrew,
    PairDissolved,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.meeting import SessionMoveRefused, SessionRelocated
from schemas.notify import LetterQueued, NewsDropped
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    PlanningPostponed,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionMissed,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.taking_part import ManagerPaused, MentorReturned
from schemas.values import CohortPolicy, Side
from services.chassis.domain import Due
from services.notify.handlers import DOMAIN
from services.notify.views import Concern, LateReminder, Letter, Tray
from tests.notify.facts import (
    ATTENDANCE,
    COHORT,
    ENROLLED,
    FACTS,
    FORMED,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    PLANNED,
    PROPOSED,
    STARTS,
    VOLUNTEERED,
    WAITLISTED,
    folded,
    session,
    survey,
)
from tests.scenario import NOW, Scenario, kinds

PAIR_FIELDS = {"cohort_id": COHORT, "pair_id": PAIR, "mentor_id": MENTOR, "manager_id": MANAGER}
DISSOLVED = PairDissolved(**PAIR_FIELDS, cause="request")


def opened(**rules: object) -> Scenario:
    policy = CohortPolicy(letters=LetterRules.model_validate(rules))
    return Scenario(DOMAIN).given(OPENED.model_copy(update={"policy": policy}))


def number(n: int, kind: type[Event] = SessionPlanned, **more: object) -> Event:
    """A fact about session `n`, two weeks after the one before."""
    starts = STARTS + timedelta(weeks=2 * (n - 1))
    about = {"session_id": f"{PAIR}~{n}", "number": n, "starts_at": starts}
    event: Event = session(kind, **{**about, "ends_at": starts + timedelta(hours=1), **more})
    return event


def post(scenario: Scenario) -> None:
    """Every tray whose moment has come is emptied; what is queued is left to the sender."""
    while due := [
        tray
        for tray in scenario.state.whole(Tray, COHORT)
        if tray.due_at is not None and tray.due_at <= scenario.now
    ]:
        for tray in due:
            scenario.when(Due(cohort_id=COHORT, collection=Tray.collection, id=tray.id))
            after = scenario.state.get(Tray, COHORT, tray.id)
            assert after is not None and len(after.waiting) < len(tray.waiting)


def letters(scenario: Scenario, person: str = MENTOR) -> list[LetterQueued]:
    found = [e for e in scenario.events if isinstance(e, LetterQueued) and e.person_id == person]
    scenario.events.clear()
    return found


def told(letter: LetterQueued) -> list[str]:
    return [letter.template, *(news.template for news in letter.also)]


def dropped(scenario: Scenario) -> list[tuple[str, str]]:
    found = [e for e in scenario.events if isinstance(e, NewsDropped)]
    return [(e.template, e.cause) for e in found if e.person_id == MENTOR]


# --- gathering --------------------------------------------------------------------------------


def test_a_new_pair_has_one_letter_and_its_invitations_with_it() -> None:
    scenario = opened()
    scenario.when(FORMED)
    for n in range(1, 6):
        scenario.when(number(n))
    scenario.when(survey("start", "mentor"))
    assert letters(scenario) == []
    post(scenario.later(hours=1))
    kick_off, *invitations = letters(scenario)
    assert told(kick_off) == ["PairFormed", "SurveyOpened"]
    assert [date.number for date in kick_off.dates] == [1, 2, 3, 4, 5]
    assert [told(letter) for letter in invitations] == [["SessionPlanned"]] * 5


def test_what_can_wait_is_told_once_a_day() -> None:
    scenario = opened()
    scenario.when(ATTENDANCE)
    post(scenario.later(hours=1))
    assert [told(letter) for letter in letters(scenario)] == [["AttendanceRequested"]]
    scenario.when(PairStalled(**PAIR_FIELDS, since=NOW))
    scenario.when(DISSOLVED.model_copy(update={"pair_id": f"{MENTOR}~g-9", "manager_id": "g-9"}))
    post(scenario.later(hours=8))
    assert letters(scenario) == []
    post(scenario.later(hours=14))  # eight in the morning
    assert [told(letter) for letter in letters(scenario)] == [["PairDissolved", "PairStalled"]]


def test_where_nothing_is_gathered_every_fact_has_its_letter_at_once() -> None:
    scenario = opened(gather_minutes=0)
    assert kinds(scenario.when(FORMED)) == ["LetterQueued", "LetterQueued"]
    assert kinds(scenario.when(ATTENDANCE)) == ["LetterQueued", "LetterQueued"]


def test_the_letter_after_a_session_names_the_next_date_and_has_its_questions() -> None:
    scenario = opened()
    scenario.when(PROPOSED)
    for n in (3, 4, 5):
        scenario.when(number(n))
    post(scenario.later(minutes=1))
    scenario.events.clear()
    scenario.now = STARTS + timedelta(weeks=4, hours=1)
    scenario.when(number(3, type(ATTENDANCE), report_by=STARTS + timedelta(days=14)))
    post(scenario.later(hours=1))
    [letter] = letters(scenario)
    assert [date.number for date in letter.dates] == [4, 5]
    scenario.when(survey("session", "mentor"))
    post(scenario.later(days=1))
    assert letters(scenario) == []


def test_a_session_of_which_nobody_was_asked_has_its_questions_by_themselves() -> None:
    scenario = opened()
    scenario.when(ATTENDANCE)
    scenario.when(session(SessionCompleted, by="mentor", completed=3, revision=2))
    scenario.when(survey("session", "mentor"))
    post(scenario.later(hours=1))
    assert [told(letter) for letter in letters(scenario)] == [["SurveyOpened"]]


# --- what is not true any more ----------------------------------------------------------------

STALLED = PairStalled(**PAIR_FIELDS, since=NOW)
WAITING_FOR_AN_HOUR = PlanningPostponed(
    **PAIR_FIELDS, numbers=(3,), attempts=(1,), retry_at=NOW + timedelta(weeks=1), first=True
)
NIGHT = datetime(2017, 3, 6, 21, 0, tzinfo=UTC)  # 22:00 in Paris


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (PLANNED, session(SessionCancelled, cause="request", revision=1)),
        (PLANNED, session(SessionRescheduled, by="manager", revision=1, previously_at=STARTS)),
        (PLANNED, session(SessionShifted, cause="absence", revision=1, previously_at=STARTS)),
        (PROPOSED, FORMED),
        (FORMED, DISSOLVED),
        (ATTENDANCE, session(SessionCompleted, by="manager", completed=3, revision=2)),
        (ATTENDANCE, session(SessionMissed, cause="reported", by="manager", revision=2)),
        (
            session(SessionMissed, cause="reported", by="manager", revision=2),
            session(SessionPlanned, attempt=2, revision=3),
        ),
        (STALLED, PairGraduated(**PAIR_FIELDS, sessions=5)),
        (STALLED, session(SessionCompleted, by="manager", completed=3, revision=2)),
        (STALLED, session(AttendanceCorrected, held=True, was_held=False, completed=3)),
        (WAITING_FOR_AN_HOUR, PairGraduated(**PAIR_FIELDS, sessions=5)),
        (
            WAITING_FOR_AN_HOUR,
            session(AttendanceCorrected, held=True, was_held=False, completed=3),
        ),
        (session(SessionMissed, cause="reported", by="manager", revision=2), DISSOLVED),
        (GraduationWithdrawn(**PAIR_FIELDS, again=1, completed=4), DISSOLVED),
        (survey("start", "mentor"), DISSOLVED),
        (
            survey("session", "mentor"),
            session(AttendanceCorrected, held=False, was_held=True, completed=2),
        ),
        (session(SessionWithdrawn, revision=3), session(SessionPlanned, attempt=2, revision=5)),
        (
            session(SessionRelocated, by="manager", revision=1),
            session(SessionRelocated, by="mentor", revision=2),
        ),
        (
            session(SessionRelocated, by="manager", revision=1),
            session(SessionRescheduled, by="manager", revision=2, previously_at=STARTS),
        ),
        (PROPOSED, ProposalAccepted(**PAIR_FIELDS, by="mentor")),
        (VOLUNTEERED, MentorWithdrew(cohort_id=COHORT, mentor_id=MENTOR)),
        (
            MentorReturned(cohort_id=COHORT, mentor_id=MENTOR, again=1),
            MentorWithdrew(cohort_id=COHORT, mentor_id=MENTOR),
        ),
        (
            ProposalDeclined(**PAIR_FIELDS, by="manager"),
            MentorWithdrew(cohort_id=COHORT, mentor_id=MENTOR),
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_another_fact_of_the_same_night_makes_untrue_is_told_to_nobody(
    first: Event, then: Event
) -> None:
    scenario = opened()
    scenario.now = NIGHT
    scenario.when(first)
    scenario.when(then)
    assert (type(first).__name__, "outdated") in dropped(scenario)
    post(scenario.later(hours=12))
    names = [name for letter in letters(scenario) for name in told(letter)]
    assert names.count(type(first).__name__) == (type(first) is type(then))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (WAITLISTED, ManagerWithdrew(cohort_id=COHORT, manager_id=MANAGER)),
        (WAITLISTED, ManagerPaused(cohort_id=COHORT, manager_id=MANAGER)),
        (ENROLLED, ManagerWithdrew(cohort_id=COHORT, manager_id=MANAGER)),
        (
            ProposalExpired(**PAIR_FIELDS, cause="deadline"),
            ManagerWithdrew(cohort_id=COHORT, manager_id=MANAGER),
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_whoever_has_left_or_is_away_by_morning_is_not_told_that_somebody_is_sought_for_them(
    first: Event, then: Event
) -> None:
    scenario = opened()
    scenario.now = NIGHT
    scenario.when(first)
    scenario.when(then)
    post(scenario.later(hours=12))
    assert letters(scenario, MANAGER) == []


def test_what_one_side_has_said_makes_untrue_nothing_that_the_other_is_told() -> None:
    scenario = opened()
    scenario.now = NIGHT
    scenario.when(PROPOSED)
    scenario.when(ProposalAccepted(**PAIR_FIELDS, by="mentor"))
    post(scenario.later(hours=12))
    assert [told(letter) for letter in letters(scenario, MANAGER)] == [["PairProposed"]]


MOVED = {"previously_at": STARTS, "revision": 4}


@pytest.mark.parametrize(
    ("newer", "late"),
    [
        (
            session(SessionRescheduled, by="manager", **MOVED),
            session(SessionRelocated, by="manager", revision=3),
        ),
        (
            session(SessionCancelled, cause="request", revision=4),
            session(SessionRelocated, by="manager", revision=3),
        ),
        (
            session(SessionShifted, cause="absence", **MOVED),
            session(
                SessionMoveRefused,
                by="mentor",
                proposed_at=STARTS,
                cause="slot-taken",
                revision=3,
            ),
        ),
        (session(SessionCompleted, by="manager", completed=3, revision=2), ATTENDANCE),
        (session(SessionMissed, cause="reported", by="manager", revision=2), ATTENDANCE),
        (session(SessionPlanned, attempt=2, revision=4), WAITING_FOR_AN_HOUR),
        (DISSOLVED, WAITING_FOR_AN_HOUR),
        (DISSOLVED, STALLED),
        (DISSOLVED, GraduationWithdrawn(**PAIR_FIELDS, again=1, completed=4)),
        (DISSOLVED, session(SessionMissed, cause="reported", by="manager", revision=2)),
        (DISSOLVED, survey("start", "mentor")),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_read_after_the_fact_that_makes_it_untrue_is_told_to_nobody(
    newer: Event, late: Event
) -> None:
    scenario = opened()
    scenario.when(number(3))
    scenario.when(newer)
    post(scenario.later(hours=30))
    scenario.events.clear()
    scenario.when(late)
    assert (type(late).__name__, "outdated") in dropped(scenario)
    post(scenario.later(hours=30))
    names = [name for letter in letters(scenario) for name in told(letter)]
    assert type(late).__name__ not in names


def test_what_is_read_late_and_holds_is_told() -> None:
    scenario = opened()
    scenario.when(number(3))
    scenario.when(session(SessionRescheduled, by="manager", **MOVED))
    for fact in (
        session(SessionRelocated, by="manager", revision=5),
        session(SessionRelocated, by="manager", session_id=f"{PAIR}~4", number=4, revision=1),
        WAITING_FOR_AN_HOUR,
        survey("session", "mentor"),
    ):
        scenario.when(fact)
    post(scenario.later(hours=30))
    names = [name for letter in letters(scenario) for name in told(letter)]
    assert names.count("SessionRelocated") == 2
    assert {"PlanningPostponed", "SurveyOpened"} <= set(names)


def test_an_hour_that_was_found_by_the_time_that_it_is_read_of_wants_no_attention() -> None:
    scenario = opened()
    scenario.when(session(SessionPlanned, attempt=2, revision=4))
    scenario.when(WAITING_FOR_AN_HOUR)
    assert scenario.state.whole(Concern, COHORT) == []


def test_whoever_waits_is_not_told_so_when_they_have_a_proposal_by_morning() -> None:
    scenario = opened()
    scenario.now = NIGHT
    scenario.when(WAITLISTED)
    scenario.when(PROPOSED)
    post(scenario.later(hours=12))
    assert [told(letter) for letter in letters(scenario, MANAGER)] == [["PairProposed"]]


# --- what cannot wait -------------------------------------------------------------------------

SOON = datetime(2017, 3, 7, 6, 30, tzinfo=UTC)  # 7:30 in Paris, before letters are sent


@pytest.mark.parametrize(
    ("starts", "rules", "at_once"),
    [
        (SOON, {}, True),
        (SOON + timedelta(hours=8), {}, False),
        (SOON + timedelta(hours=8), {"urgent_at_night": True}, True),
        (SOON + timedelta(days=7), {"urgent_at_night": True}, False),
    ],
)
def test_a_change_of_the_next_48_hours_leaves_at_night_if_morning_is_too_late_or_by_policy(
    starts: datetime, rules: dict[str, bool], at_once: bool
) -> None:
    scenario = opened(**rules)
    scenario.when(PROPOSED)
    scenario.events.clear()
    scenario.now = NIGHT
    change = {"starts_at": starts, "ends_at": starts + timedelta(hours=1), "revision": 1}
    scenario.when(session(SessionCancelled, cause="request", **change))
    assert [letter.urgent for letter in letters(scenario)] == [True] * at_once
    post(scenario.later(hours=12))
    assert len(letters(scenario)) == (not at_once)


def test_a_change_of_today_leaves_at_once_by_day() -> None:
    scenario = opened()
    scenario.when(PROPOSED)
    by_tomorrow = {"starts_at": NOW + timedelta(hours=30), "ends_at": NOW + timedelta(hours=31)}
    decision = scenario.when(
        session(SessionMoveDeclined, by="manager", proposed_at=STARTS, **by_tomorrow)
    )
    assert kinds(decision) == ["LetterQueued", "LetterQueued"]


def test_that_a_time_near_cannot_be_leaves_at_night_and_a_new_date_makes_it_untrue() -> None:
    refused = {"by": "manager", "cause": "too-late-to-propose", "proposed_at": SOON, "revision": 1}
    for starts, at_once in ((SOON, True), (SOON + timedelta(days=7), False)):
        scenario = opened()
        scenario.when(PROPOSED)
        scenario.events.clear()
        scenario.now = NIGHT
        dates = {"starts_at": starts, "ends_at": starts + timedelta(hours=1)}
        scenario.when(session(SessionMoveRefused, **refused, **dates))
        post(scenario.later(minutes=1))
        queued = [e.person_id for e in scenario.events if isinstance(e, LetterQueued)]
        assert queued == [MANAGER] * at_once
        scenario.when(session(SessionCancelled, cause="request", **dates | {"revision": 2}))
        dropped = [e.template for e in scenario.events if isinstance(e, NewsDropped)]
        assert dropped == ["SessionMoveRefused"] * (not at_once)


# --- reminders --------------------------------------------------------------------------------


def reminders(scenario: Scenario, person: str = MENTOR) -> list[str]:
    names = [name for letter in letters(scenario, person) for name in told(letter)]
    return [name for name in names if name.endswith("Reminder")]


def until(scenario: Scenario, moment: datetime) -> Scenario:
    """Hour by hour, so that each deadline is found in its time."""
    while scenario.now < moment:
        scenario.now = min(moment, scenario.now + timedelta(hours=1))
        post(scenario)
    return scenario


def test_a_proposal_is_brought_to_mind_at_half_of_its_time_to_who_has_not_answered() -> None:
    scenario = opened()
    scenario.when(PROPOSED)
    scenario.when(ProposalAccepted(**PAIR_FIELDS, by="manager"))
    until(scenario, PROPOSED.expires_at)
    assert reminders(scenario.given(), MENTOR) == ["ProposalReminder"]
    scenario = opened()
    scenario.when(PROPOSED)
    scenario.when(ProposalAccepted(**PAIR_FIELDS, by="mentor"))
    until(scenario, PROPOSED.expires_at)
    assert reminders(scenario, MENTOR) == []


ASKED = {"number": 3, "by": "manager", "proposed_at": STARTS + timedelta(days=2)}
ANSWER_BY = STARTS - timedelta(days=1)


def asked_to_move(revision: int = 1, by: str = "manager") -> Event:
    about = {**ASKED, "by": by, "answer_by": ANSWER_BY, "revision": revision}
    event: Event = session(SessionMoveProposed, **about)
    return event


def test_another_date_is_brought_to_mind_at_half_of_its_time_to_who_is_asked() -> None:
    scenario = opened()
    scenario.when(asked_to_move())
    tray = scenario.state.get(Tray, COHORT, MENTOR)
    assert tray is not None
    [entry] = [e for e in tray.waiting if e.template == "SessionMoveReminder"]
    half = NOW + (ANSWER_BY - NOW) / 2
    assert half <= entry.tell_at < half + timedelta(days=3)  # or as soon as letters are sent
    until(scenario, ANSWER_BY)
    sent = scenario.events.copy()
    assert reminders(scenario, MENTOR) == ["SessionMoveReminder"]
    scenario.events.extend(sent)
    assert reminders(scenario, MANAGER) == []


@pytest.mark.parametrize(
    "answer",
    [
        session(SessionMoveDeclined, by="mentor", proposed_at=ASKED["proposed_at"], revision=2),
        session(
            SessionRescheduled,
            by="manager",
            revision=3,
            previously_at=STARTS,
            starts_at=STARTS + timedelta(days=2),
            ends_at=STARTS + timedelta(days=2, hours=1),
            confirmed_by=("mentor", "manager"),
        ),
        session(SessionCancelled, cause="request", by="mentor", revision=2),
        DISSOLVED,
        asked_to_move(2, by="mentor"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_another_date_that_has_its_answer_is_not_brought_to_mind(answer: Event) -> None:
    scenario = opened()
    scenario.when(PROPOSED)
    scenario.when(asked_to_move())
    scenario.events.clear()
    scenario.when(answer)
    assert ("SessionMoveReminder", "outdated") in dropped(scenario)
    until(scenario, ANSWER_BY)
    assert "SessionMoveReminder" not in reminders(scenario, MENTOR)


def test_the_first_date_is_brought_to_mind_the_working_day_before() -> None:
    scenario = opened()
    scenario.when(number(1))
    tray = scenario.state.get(Tray, COHORT, MENTOR)
    assert tray is not None
    [entry] = [e for e in tray.waiting if e.template == "SessionReminder"]
    assert entry.tell_at == STARTS - timedelta(days=1)
    until(scenario, STARTS)
    assert reminders(scenario) == ["SessionReminder"]


@pytest.mark.parametrize(
    "end",
    [
        session(SessionConfirmed, by="mentor", session_id=f"{PAIR}~1", number=1, revision=1),
        number(1, SessionCancelled, cause="request", revision=1),
        number(
            1,
            SessionRescheduled,
            by="mentor",
            revision=1,
            previously_at=STARTS,
            starts_at=STARTS + timedelta(days=20),
            ends_at=STARTS + timedelta(days=20, hours=1),
        ),
        DISSOLVED,
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_date_that_is_confirmed_moved_or_off_is_not_brought_to_mind(end: Event) -> None:
    scenario = opened()
    scenario.when(number(1))
    scenario.when(end)
    until(scenario, STARTS + timedelta(hours=1))
    assert reminders(scenario) == []


def test_a_survey_is_brought_to_mind_with_the_next_letter_and_not_twice() -> None:
    scenario = opened()
    opened_at = survey("start", "mentor").model_copy(update={"closes_at": NOW + timedelta(days=14)})
    scenario.when(opened_at)
    until(scenario, NOW + timedelta(days=8))
    assert reminders(scenario) == []
    scenario.when(ATTENDANCE)
    until(scenario, NOW + timedelta(days=14))
    [letter] = letters(scenario)
    assert told(letter) == ["AttendanceRequested", "SurveyReminder"]


def test_the_questions_after_a_session_are_brought_to_mind_with_another_letter_or_not_at_all() -> (
    None
):
    scenario = opened()
    scenario.when(survey("session", "mentor"))
    until(scenario, STARTS + timedelta(days=14))
    assert [told(letter) for letter in letters(scenario)] == [["SurveyOpened"]]


def test_who_has_enrolled_and_has_a_proposal_within_the_hour_reads_the_proposal_alone() -> None:
    scenario = opened()
    for event in (VOLUNTEERED, ENROLLED, PROPOSED):
        scenario.when(event)
    post(scenario.later(hours=1))
    assert [e.template for e in scenario.events if isinstance(e, LetterQueued)] == (
        ["PairProposed"] * 2
    )


def test_a_survey_that_was_answered_is_not_brought_to_mind() -> None:
    scenario = opened()
    asked = survey("start", "mentor")
    scenario.when(asked)
    closed = {"kind": "start", "side": "mentor", "outcome": "answered"}
    scenario.when(SurveyClosed(cohort_id=COHORT, survey_id=asked.survey_id, **closed))
    until(scenario, asked.closes_at)
    assert reminders(scenario) == []


def test_a_reminder_that_comes_too_late_is_dropped_and_counted() -> None:
    scenario = opened()
    scenario.when(number(1))
    scenario.now = STARTS - timedelta(minutes=30)  # nobody was at work before
    post(scenario)
    assert ("SessionReminder", "too-late") in dropped(scenario)
    assert reminders(scenario) == []
    late = scenario.state.whole(LateReminder, COHORT)
    assert {one.template for one in late} == {"SessionReminder"}


SIDES: tuple[Side, ...] = ("mentor", "manager")
MORE = [number(n, revision=r) for n in (1, 2) for r in (0, 4)]
STEPS = st.lists(
    st.tuples(st.sampled_from([*FACTS, *MORE]), st.timedeltas(timedelta(0), timedelta(days=3))),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_whatever_happens_each_fact_leaves_the_tray_once_and_a_rebuild_is_equal(
    steps: list[tuple[Event, timedelta]],
) -> None:
    scenario = opened()
    for event, wait in steps:
        scenario.now += wait
        scenario.when(event)
        post(scenario)
    post(scenario.later(days=60))
    queued = [e for e in scenario.events if isinstance(e, LetterQueued)]
    told_ids = [e.letter_id for e in queued] + [n.news_id for e in queued for n in e.also]
    gone = [e.letter_id for e in scenario.events if isinstance(e, NewsDropped)]
    reminded = [news_id for news_id in told_ids if "Reminder" in news_id]
    assert len(reminded) == len(set(reminded)), "no reminder twice"
    for tray in scenario.state.whole(Tray, COHORT):
        assert tray.waiting == ()
    held = {e.letter_id for e in scenario.events if type(e).__name__ == "NewsHeld"}
    assert held <= {*told_ids, *gone}
    policy = CohortPolicy(letters=LetterRules())
    again = folded(OPENED.model_copy(update={"policy": policy}), *scenario.events)
    for kind in (Tray, Letter, LateReminder):
        assert again.whole(kind, COHORT) == scenario.state.whole(kind, COHORT)
