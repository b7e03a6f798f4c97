"""What becomes of a letter, and what the chassis needs to know of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Event
from schemas.letter_rules import LetterRules
from schemas.notify import LetterDeferred, LetterFailed, LetterSent, ReportBounce, RetryLetter
from schemas.people import PersonContact, PersonErased
from schemas.topics import TYPES
from schemas.values import CohortPolicy, QuietHours
from services.chassis.domain import Due, One
from services.notify.handlers import DOMAIN, needs
from services.notify.letters import to_hand_over
from services.notify.messages import HoursGathered, LetterAttempted, Outcome, TombstonesWritten
from services.notify.views import LateReminder, Letter, Person, Tray
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    COHORT,
    FACTS,
    FORMED,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    VOLUNTEERED,
    folded,
    letters_for,
)
from tests.scenario import NOW, Everything, Scenario, kinds, refusal

PAIR_FIELDS = {"cohort_id": COHORT, "pair_id": PAIR, "mentor_id": MENTOR, "manager_id": MANAGER}
WELCOME = f"MentorVolunteered:{MENTOR}:{MENTOR}"


AT_ONCE = LetterRules(gather_minutes=0)


def opened(*history: Event) -> Scenario:
    """A cohort in which no letter waits for another."""
    policy = CohortPolicy(letters=AT_ONCE)
    return Scenario(DOMAIN).given(OPENED.model_copy(update={"policy": policy}), *history)


def tried(outcome: Outcome, cause: str = "", letter_id: str = WELCOME) -> LetterAttempted:
    return LetterAttempted(cohort_id=COHORT, letter_id=letter_id, outcome=outcome, cause=cause)


def welcomed() -> Scenario:
    scenario = opened()
    assert kinds(scenario.when(VOLUNTEERED)) == ["LetterQueued"]
    return scenario


def the_letter(scenario: Scenario, letter_id: str = WELCOME) -> Letter:
    letter = scenario.state.get(Letter, COHORT, letter_id)
    assert letter is not None
    return letter


# --- when it is sent --------------------------------------------------------------------------


def test_a_letter_is_due_at_once() -> None:
    assert the_letter(welcomed()).due_at == NOW


def held_until(scenario: Scenario) -> datetime | None:
    """When what waits for the mentor is told."""
    tray = scenario.state.get(Tray, COHORT, MENTOR)
    return tray.due_at if tray else None


def test_a_letter_waits_for_the_end_of_the_quiet_hours() -> None:
    scenario = opened()
    scenario.now = datetime(2017, 3, 10, 20, 0, tzinfo=UTC)  # Friday night
    scenario.when(VOLUNTEERED)
    assert held_until(scenario) == datetime(2017, 3, 13, 7, 0, tzinfo=UTC)


def test_a_cohort_has_its_own_quiet_hours() -> None:
    policy = CohortPolicy(quiet_hours=QuietHours(start="09:00", end="11:00"), letters=AT_ONCE)
    scenario = Scenario(DOMAIN).given(OPENED.model_copy(update={"policy": policy}))
    scenario.when(VOLUNTEERED)
    assert held_until(scenario) == NOW + timedelta(hours=1)


def test_a_fact_that_overtakes_its_cohort_waits_as_by_default() -> None:
    scenario = Scenario(DOMAIN)
    scenario.now = datetime(2017, 3, 6, 20, 0, tzinfo=UTC)
    scenario.when(VOLUNTEERED)
    assert held_until(scenario) == datetime(2017, 3, 7, 7, 0, tzinfo=UTC)


# --- handing over -----------------------------------------------------------------------------


def test_a_letter_that_was_taken_is_sent() -> None:
    scenario = welcomed()
    (sent,) = scenario.when(tried("sent"))  # type: ignore[misc]
    assert isinstance(sent, LetterSent)
    assert (sent.attempt, sent.channel, sent.template) == (1, "smtp", "MentorVolunteered")
    letter = the_letter(scenario)
    assert (letter.state, letter.attempts, letter.due_at) == ("sent", 1, None)


def test_a_letter_that_may_be_taken_later_is_tried_eight_times_less_and_less_often() -> None:
    policy = CohortPolicy(quiet_hours=QuietHours(start="00:00", end="00:00"), letters=AT_ONCE)
    scenario = Scenario(DOMAIN).given(OPENED.model_copy(update={"policy": policy}))
    scenario.when(VOLUNTEERED)
    waits = []
    while (letter := the_letter(scenario)).state == "queued":
        assert letter.due_at is not None
        scenario.now = letter.due_at
        event, *_ = scenario.when(tried("transient", "smtp 451"))  # type: ignore[misc]
        if isinstance(event, LetterDeferred):
            assert event.cause == "smtp 451"
            waits.append((event.retry_at - scenario.now) // timedelta(minutes=1))
    assert waits == [5, 10, 20, 40, 80, 160, 320]
    assert isinstance(event, LetterFailed)
    assert (event.attempt, event.cause) == (8, "smtp 451")
    assert the_letter(scenario).due_at is None


def test_a_letter_that_will_never_be_taken_fails_at_once() -> None:
    scenario = welcomed()
    failed, _ = scenario.when(tried("permanent", "smtp 550"))  # type: ignore[misc]
    assert isinstance(failed, LetterFailed)
    assert (failed.attempt, failed.cause, the_letter(scenario).state) == (1, "smtp 550", "failed")


def test_a_retry_does_not_fall_into_quiet_hours() -> None:
    scenario = welcomed()
    scenario.now = datetime(2017, 3, 6, 18, 58, tzinfo=UTC)  # 19:58 in Paris
    scenario.when(tried("transient", "timeout"))
    assert the_letter(scenario).due_at == datetime(2017, 3, 7, 7, 0, tzinfo=UTC)


def test_a_letter_waits_three_days_for_a_contact_and_no_longer() -> None:
    scenario = welcomed()
    tries = 0
    while (letter := the_letter(scenario)).state == "queued":
        assert letter.due_at is not None
        scenario.now, tries = letter.due_at, tries + 1
        event, *_ = scenario.when(tried("no-contact"))  # type: ignore[misc]
    assert isinstance(event, LetterFailed)
    assert (event.cause, event.attempt) == ("no contact", 0)
    # Monday 10:00 and 16:00, then 8:00 and 14:00; Thursday 14:00 is the first after three days.
    assert scenario.now == datetime(2017, 3, 9, 13, 0, tzinfo=UTC)
    assert tries == 8


def test_a_contact_that_comes_in_time_lets_the_letter_go() -> None:
    scenario = welcomed()
    scenario.when(tried("no-contact"))
    assert scenario.later(hours=1).when(CAMILLE) == []
    assert the_letter(scenario).due_at == NOW + timedelta(hours=6)
    assert kinds(scenario.later(hours=5).when(tried("sent"))) == ["LetterSent"]


def test_a_letter_found_in_quiet_hours_waits_and_loses_no_try() -> None:
    scenario = welcomed()
    scenario.now = datetime(2017, 3, 6, 22, 0, tzinfo=UTC)
    (event,) = scenario.when(tried("quiet-hours"))  # type: ignore[misc]
    assert isinstance(event, LetterDeferred)
    assert (event.attempt, event.retry_at) == (0, datetime(2017, 3, 7, 7, 0, tzinfo=UTC))


OUTCOMES: tuple[Outcome, ...] = ("sent", "transient", "permanent", "no-contact", "quiet-hours")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_stale_outcome_changes_nothing(outcome: Outcome) -> None:
    unknown = opened()
    assert unknown.when(tried(outcome)) == []
    sent = welcomed()
    sent.when(tried("sent"))
    assert sent.when(tried(outcome)) == []
    failed = welcomed()
    failed.when(tried("permanent", "smtp 550"))
    assert failed.when(tried(outcome)) == []
    deferred = welcomed()
    deferred.when(tried("transient", "smtp 451"))
    assert deferred.when(tried(outcome)) == []


def test_a_due_letter_is_left_to_the_sender() -> None:
    scenario = welcomed()
    assert scenario.when(Due(cohort_id=COHORT, collection="letters", id=WELCOME)) == []


# --- asked again ------------------------------------------------------------------------------


def test_a_failed_letter_can_be_asked_for_again_with_all_its_tries() -> None:
    scenario = welcomed()
    scenario.when(tried("permanent", "smtp 550"))
    again = scenario.later(days=30).when(RetryLetter(cohort_id=COHORT, letter_id=WELCOME))
    assert kinds(again) == ["LetterDeferred", "AttentionSettled"]
    letter = the_letter(scenario)
    assert (letter.state, letter.attempts, letter.due_at) == ("queued", 0, scenario.now)
    # It waits for a contact as long as a new one.
    assert kinds(scenario.when(tried("no-contact"))) == ["LetterDeferred"]


def test_a_letter_that_came_back_has_failed_and_can_be_asked_for_again() -> None:
    scenario = welcomed()
    back = ReportBounce(cohort_id=COHORT, letter_id=WELCOME, status="5.1.1")
    assert refusal(scenario.when(back)) == "letter-not-sent"
    scenario.when(tried("sent"))
    assert kinds(scenario.when(back)) == ["LetterFailed", "AttentionWanted"]
    letter = the_letter(scenario)
    assert (letter.state, letter.cause) == ("failed", "bounced 5.1.1")
    assert scenario.when(back) == []
    retry = RetryLetter(cohort_id=COHORT, letter_id=WELCOME)
    assert kinds(scenario.when(retry)) == ["LetterDeferred", "AttentionSettled"]


def test_of_a_letter_that_nobody_wrote_nothing_comes_back() -> None:
    back = ReportBounce(cohort_id=COHORT, letter_id="none", status="5.1.1")
    assert refusal(welcomed().when(back)) == "unknown-letter"


def test_only_a_failed_letter_can_be_asked_for_again() -> None:
    scenario, command = welcomed(), RetryLetter(cohort_id=COHORT, letter_id=WELCOME)
    assert refusal(scenario.when(command)) == "letter-not-failed"
    scenario.when(tried("sent"))
    assert refusal(scenario.when(command)) == "letter-not-failed"
    assert refusal(opened().when(command)) == "unknown-letter"


# --- people -----------------------------------------------------------------------------------


def test_the_newest_contact_counts_until_the_person_is_erased() -> None:
    scenario = opened()
    assert scenario.when(CAMILLE) == []
    scenario.given(CAMILLE, CAMILLE.model_copy(update={"email": "c.roux@example.org"}))
    found = scenario.state.get(Person, COHORT, MENTOR)
    assert found is not None
    assert (found.name, found.email, found.language) == ("Camille Roux", "c.roux@example.org", "fr")
    erased = PersonErased(cohort_id=COHORT, person_id=MENTOR)
    assert scenario.when(erased) == []
    scenario.given(erased, erased)
    assert scenario.state.get(Person, COHORT, MENTOR) is None


def test_a_person_is_known_within_a_cohort_only() -> None:
    elsewhere = CAMILLE.model_copy(update={"cohort_id": "other"})
    assert folded(elsewhere).get(Person, COHORT, MENTOR) is None


def test_the_sender_is_told_which_documents_a_letter_needs() -> None:
    keys = [f"{need.kind.__name__} {need.id}" for need in to_hand_over(letters_for(FORMED)[1])]
    mine = [f"RevokedLinks {MANAGER}", f"Person {MANAGER}"]
    assert keys == [f"Cohort {COHORT}", *mine, f"Person {MENTOR}", f"Pair {PAIR}"]
    keys = [f"{need.kind.__name__} {need.id}" for need in to_hand_over(letters_for(VOLUNTEERED)[0])]
    assert keys == [f"Cohort {COHORT}", f"RevokedLinks {MENTOR}", f"Person {MENTOR}"]


# --- as the chassis needs it ------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", [*FACTS, OPENED, CAMILLE, ALEX, tried("sent")], ids=lambda m: type(m).__name__
)
def test_needs_names_every_document_that_a_decision_reads(message: Event) -> None:
    class Watching(Everything):
        def get(self, kind, cohort_id, id):  # type: ignore[no-untyped-def]
            assert One(kind, cohort_id, id) in set(needs(message))
            return super().get(kind, cohort_id, id)

    decision = DOMAIN.decide(Watching(), message, NOW)
    assert isinstance(decision, list)
    kept = [message] if type(message) in DOMAIN.evolution else []
    for event in [*kept, *decision]:
        for change in DOMAIN.evolve(Watching(), event):
            if isinstance(change, Letter | LateReminder):
                continue  # made anew, and not read before
            assert One(type(change), change.cohort_id, change.id) in set(needs(message))  # type: ignore[union-attr,arg-type]


def test_every_type_that_is_handled_exists_in_the_published_language_or_is_internal() -> None:
    internal = {LetterAttempted, TombstonesWritten, HoursGathered, Due, PersonErased}
    assert {kind for kind in DOMAIN.handles if kind.__name__ not in TYPES} <= internal


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*FACTS, CAMILLE, ALEX, *OUTCOMES, "retry"]),
        st.timedeltas(timedelta(0), timedelta(days=2)),
    ),
    max_size=40,
)


@given(STEPS)
def test_letters_folded_again_from_the_events_are_equal_and_keep_the_rules(
    steps: list[tuple[Event | PersonContact | str, timedelta]],
) -> None:
    scenario = opened()
    for step, wait in steps:
        scenario.now += wait
        if isinstance(step, str):
            for letter in scenario.state.whole(Letter, COHORT):
                message = (
                    RetryLetter(cohort_id=COHORT, letter_id=letter.id)
                    if step == "retry"
                    else tried(step, "x", letter.id)  # type: ignore[arg-type]
                )
                scenario.when(message)
        else:
            scenario.when(step)
    letters = scenario.state.whole(Letter, COHORT)
    assert folded(*scenario.events).whole(Letter, COHORT) == letters
    for letter in letters:
        assert (letter.due_at is None) == (letter.state != "queued")
    ids = [(e.letter_id) for e in scenario.events if isinstance(e, LetterSent)]
    assert len(ids) == len(set(ids)), "a letter is sent once"


@pytest.mark.parametrize("kind", [LetterSent, LetterDeferred, LetterFailed])
def test_what_becomes_of_a_letter_names_it_so_that_a_rebuild_reads_a_batch_at_once(
    kind: type[Event],
) -> None:
    event = kind.model_construct(cohort_id="c", letter_id="PairFormed:m~g:m")
    assert One(Letter, "c", "PairFormed:m~g:m") in list(needs(event))
