"""Letters to coordinators: what wants attention, in one letter a day, by name, with its link."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from schemas.attention import (
    AttentionGathered,
    AttentionSettled,
    AttentionWanted,
    DigestQueued,
)
from schemas.base import Event, Message
from schemas.feedback import PairAtRisk
from schemas.gate.samples import message_of
from schemas.matching import (
    ManagerWithdrew,
    PairDissolved,
    PairFormed,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.notify import LetterFailed, LetterQueued, ReportBounce, RetryLetter
from schemas.people import PersonContact
from schemas.scheduling import (
    AttendanceCorrected,
    PairGraduated,
    PlanningPostponed,
    SessionCompleted,
    SessionDisputed,
    SessionPlanned,
)
from schemas.taking_part import ManagerPaused
from services.chassis.domain import Due, Refusal
from services.notify.attention import MOST_NAMED, MOST_TIMES_AGAIN
from services.notify.handlers import DOMAIN
from services.notify.rendering import render
from services.notify.views import Concern, Digest, Letter, Tray
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    COHORT,
    HEAD,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    PORTAL_LINKS,
    PROPOSED,
    WAITLISTED,
    cohort,
    person,
    session,
)
from tests.notify.test_rendering import part
from tests.scenario import NOW, Scenario

CHIEF = PersonContact(
    cohort_id=COHORT,
    person_id="coordination",
    name="Dominique Petit",
    email="coordination@example.org",
    role="coordinator",
)
SECOND = CHIEF.model_copy(update={"person_id": "relay", "email": "relay@example.org"})
TUESDAY = datetime(2017, 3, 7, 7, 0, tzinfo=UTC)  # 8:00 in Paris
_PAIR: dict[str, Any] = {
    "cohort_id": COHORT,
    "pair_id": PAIR,
    "mentor_id": MENTOR,
    "manager_id": MANAGER,
}
AT_RISK = PairAtRisk(**_PAIR, cause="low_scores")
NO_HOUR = PlanningPostponed(**_PAIR, numbers=(2, 3), retry_at=NOW + timedelta(days=7), first=False)
DISPUTED = message_of(SessionDisputed).model_copy(
    update={**_PAIR, "session_id": f"{PAIR}~3", "number": 3, "attempt": 1}
)


def programme(*contacts: PersonContact) -> Scenario:
    return Scenario(DOMAIN).given(OPENED, CAMILLE, ALEX, *contacts)


def decided(scenario: Scenario, message: Message) -> list[Event]:
    found = scenario.when(message)
    assert not isinstance(found, Refusal)
    return list(found)


def letters_leave(scenario: Scenario) -> list[Event]:
    """Every tray and every digest whose moment has come is emptied."""
    found: list[Event] = []
    for kind in (Tray, Digest):
        for one in scenario.state.whole(kind, COHORT):
            if one.due_at is not None and one.due_at <= scenario.now:
                due = Due(cohort_id=COHORT, collection=kind.collection, id=one.id)
                found += decided(scenario, due)
    return found


def open_concerns(scenario: Scenario) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in scenario.state.whole(Concern, COHORT)]


def digests(events: list[Event]) -> list[DigestQueued]:
    return [event for event in events if isinstance(event, DigestQueued)]


WANTING: list[tuple[Event, str, str]] = [
    (AT_RISK, "at-risk", PAIR),
    (NO_HOUR, "no-hour", PAIR),
    (DISPUTED, "disputed", f"{PAIR}~3~1"),
    (WAITLISTED, "waiting", MANAGER),
]


@pytest.mark.parametrize(("event", "kind", "about"), WANTING)
def test_what_wants_attention_is_noticed_once_and_told_the_next_morning(
    event: Event, kind: str, about: str
) -> None:
    scenario = programme(CHIEF)
    [wanted] = [one for one in decided(scenario, event) if isinstance(one, AttentionWanted)]
    assert (wanted.kind, wanted.about, wanted.tell_at) == (kind, about, TUESDAY)
    again = decided(scenario.later(hours=1), event)
    assert not [one for one in again if isinstance(one, AttentionWanted)]
    assert open_concerns(scenario) == [(kind, about)]


SETTLED: list[tuple[Event, Event]] = [
    (AT_RISK, session(SessionCompleted, by="mentor", completed=3)),
    (AT_RISK, PairGraduated(**_PAIR, sessions=5)),
    (NO_HOUR, session(SessionPlanned)),
    (NO_HOUR, PairDissolved(**_PAIR, cause="request")),
    (DISPUTED, session(AttendanceCorrected, held=True, was_held=True, completed=3)),
    (WAITLISTED, PROPOSED),
    (WAITLISTED, ManagerWithdrew(cohort_id=COHORT, manager_id=MANAGER)),
    (WAITLISTED, ManagerPaused(cohort_id=COHORT, manager_id=MANAGER)),
]


@pytest.mark.parametrize(("wanting", "settling"), SETTLED)
def test_what_is_settled_wants_no_attention_and_leaves_no_letter(
    wanting: Event, settling: Event
) -> None:
    scenario = programme(CHIEF)
    scenario.when(wanting)
    assert [one for one in decided(scenario, settling) if isinstance(one, AttentionSettled)], (
        "it is settled"
    )
    assert open_concerns(scenario) == []
    assert not digests(letters_leave(scenario.later(days=30)))


def test_a_letter_that_did_not_arrive_wants_attention_until_it_is_asked_for_again() -> None:
    scenario = programme(CHIEF)
    letter = {"letter_id": "PairFormed:m~g:m-017", "person_id": MENTOR, "cohort_id": COHORT}
    scenario.given(
        LetterQueued(
            **letter, template="PairFormed", side="mentor", facts=dict(_PAIR), send_at=NOW
        ),
        message_of(LetterFailed).model_copy(update={**letter, "cause": "smtp 550"}),
    )
    sent = scenario.state.get(Letter, COHORT, letter["letter_id"])
    assert sent is not None
    scenario.state.apply([sent.model_copy(update={"state": "sent"})])
    scenario.when(ReportBounce(cohort_id=COHORT, letter_id=letter["letter_id"], status="5.1.1"))
    assert open_concerns(scenario) == [("bounced", letter["letter_id"])]
    scenario.when(RetryLetter(cohort_id=COHORT, letter_id=letter["letter_id"]))
    assert open_concerns(scenario) == []


@pytest.mark.parametrize(
    "answer",
    [
        message_of(PairFormed).model_copy(update=_PAIR),
        ProposalDeclined(**_PAIR, by="mentor"),
        ProposalExpired(**_PAIR, cause="deadline"),
    ],
)
def test_a_proposal_that_had_to_be_brought_to_mind_wants_attention_until_it_ends(
    answer: Event,
) -> None:
    scenario = programme(CHIEF)
    scenario.when(PROPOSED)
    letters_leave(scenario.later(days=7))
    assert open_concerns(scenario) == [("no-answer", PAIR)]
    scenario.when(answer)
    assert open_concerns(scenario) == []


def test_every_coordinator_has_one_letter_a_day_and_nobody_else_has() -> None:
    scenario = programme(CHIEF, SECOND)
    for event in (AT_RISK, NO_HOUR, DISPUTED):
        scenario.when(event)
    events = letters_leave(scenario.later(hours=22))
    assert [one.person_id for one in digests(events)] == ["coordination", "relay"]
    assert not digests(letters_leave(scenario.later(hours=23)))


def test_where_nobody_is_named_nothing_is_written() -> None:
    scenario = programme()
    scenario.when(AT_RISK)
    assert not digests(letters_leave(scenario.later(days=30)))


def test_what_stays_open_is_told_again_after_a_week_and_at_last_no_more() -> None:
    scenario = programme(CHIEF)
    scenario.when(AT_RISK)
    told = []
    for _ in range(100):
        told += digests(letters_leave(scenario.later(days=1)))
    days = [one.send_at.date() for one in told]
    assert len(days) == 1 + MOST_TIMES_AGAIN
    assert all(after - before == timedelta(days=7) for before, after in pairwise(days))
    scenario.when(NO_HOUR)
    assert len(digests(letters_leave(scenario.later(days=4)))) == 1, "news begins anew"


def test_of_what_there_is_much_of_the_oldest_are_named_and_all_are_counted() -> None:
    scenario = programme(CHIEF)
    for number in range(MOST_NAMED + 4):
        waiting = WAITLISTED.model_copy(update={"manager_id": f"g-{number:03}"})
        scenario.later(minutes=1).when(waiting)
    [digest] = digests(letters_leave(scenario.later(days=1)))
    [told] = AttentionGathered.model_validate(digest.facts).told
    assert told.count == MOST_NAMED + 4
    assert [matter.about for matter in told.oldest] == [f"g-{n:03}" for n in range(MOST_NAMED)]


def test_a_digest_names_people_links_to_their_pages_and_says_nothing_of_any_answer() -> None:
    told: dict[str, str] = {}
    for cause in ("low_scores", "stalled", "missed_sessions"):
        scenario = programme(CHIEF)
        scenario.when(PairAtRisk.model_validate({**_PAIR, "cause": cause}))
        letters_leave(scenario.later(days=1))
        [letter] = [one for one in scenario.state.whole(Letter, COHORT) if one.side is None]
        others = {known.id: known for known in (person(CAMILLE), person(ALEX))}
        message = render(
            letter, person(CHIEF), others, PORTAL_LINKS, cohort(), HEAD, NOW
        ).as_message()
        told[cause] = part(message, "text/plain") + part(message, "text/html")
        assert "Camille Roux et Alex O'Neil <b>" in part(message, "text/plain")
        assert f"https://portal.example.org/coordonner/{COHORT}" in told[cause]
        assert f"/coordonner/{COHORT}/participants/{MANAGER}" in told[cause]
        assert "<b>" not in part(message, "text/html"), "a name is no markup"
    assert len(set(told.values())) == 1, "whatever the reason, the letter is the same"


def test_a_digest_needs_no_portal_and_then_has_no_link() -> None:
    scenario = programme(CHIEF)
    scenario.when(AT_RISK)
    letters_leave(scenario.later(days=1))
    [letter] = [one for one in scenario.state.whole(Letter, COHORT) if one.side is None]
    bare = type(PORTAL_LINKS)(
        PORTAL_LINKS.signer, {k: v for k, v in PORTAL_LINKS.base_urls.items() if k != "portal"}
    )
    message = render(letter, person(CHIEF), {}, bare, cohort(), HEAD, NOW).as_message()
    assert "http" not in part(message, "text/plain")


def test_a_coordinator_who_is_one_no_more_is_told_nothing() -> None:
    scenario = programme(CHIEF)
    scenario.when(AT_RISK)
    scenario.given(CHIEF.model_copy(update={"role": None}))
    assert not digests(letters_leave(scenario.later(days=1)))
    digest = scenario.state.get(Digest, COHORT, COHORT)
    assert digest is not None
