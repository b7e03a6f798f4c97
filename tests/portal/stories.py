"""What happened, as the portal's tests tell it: a cohort `c` with Lise, who coaches, and Paul."""

from datetime import timedelta
from typing import Any, TypeVar

from schemas.base import Message
from schemas.calendars import AbsenceDeclared
from schemas.cohorts import CohortClosed
from schemas.community import CommunityTold, DirectoryChanged, Meeting
from schemas.dates import Absence, Hours
from schemas.feedback import CohortMeasured, RolloutWithheld
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorVolunteered,
    PairFormed,
    PairKeptApart,
    PairProposed,
    ProposalAccepted,
    RoundCompleted,
)
from schemas.notify import LetterFailed, LetterQueued, LetterSent
from schemas.people import PersonContact
from schemas.rounds import PairsSimulated, RoundRequested, RoundSimulated
from schemas.scheduling import (
    PairStalled,
    PlanningPostponed,
    SessionDisputed,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
)
from schemas.sheets import SheetTakenBack, SheetText, SheetWritten
from schemas.taking_part import AnotherPartnerAsked
from schemas.values import (
    CohortPolicy,
    Criterion,
    FirstTool,
    ScoreReason,
    SimulatedPair,
    SimulatedPlace,
    Waiting,
    Window,
    Words,
)
from tests.scenario import NOW

S = TypeVar("S", bound=SessionEvent)
LISE, PAUL = "lise.oeuvrard@ministere.example", "paul.lenoir@ministere.example"
MONDAYS = (Window(day="mon", start="09:00", end="12:00"),)
PAIR: dict[str, Any] = {
    "cohort_id": "c",
    "pair_id": "m-1~g-1",
    "mentor_id": "m-1",
    "manager_id": "g-1",
}
OPENED = CohortOpened(cohort_id="c", name="Connecte ton manager", policy=CohortPolicy())
CLOSED = CohortClosed(cohort_id="c")
CLOSED_UNTIL = CohortClosed(
    cohort_id="c", closed_at=NOW + timedelta(days=90), kept_until=NOW + timedelta(days=455)
)
LISE_JOINS: tuple[Message, ...] = (
    PersonContact(cohort_id="c", person_id="m-1", name="Lise Œuvrard", email=LISE),
    MentorVolunteered(
        cohort_id="c",
        mentor_id="m-1",
        directorate="DGFiP",
        site="Paris Bercy",
        skills={"linkedin": 4},
        capacity=1,
        availability=MONDAYS,
    ),
)
PAUL_JOINS: tuple[Message, ...] = (
    PersonContact(cohort_id="c", person_id="g-1", name="Paul Lenoir", email=PAUL),
    ManagerEnrolled(
        cohort_id="c",
        manager_id="g-1",
        directorate="DAE",
        site="Noisy-le-Grand",
        job_family="public-procurement",
        needs={"linkedin": 3},
        availability=MONDAYS,
    ),
)
JOINED = (OPENED, *LISE_JOINS, *PAUL_JOINS)
PROPOSED = PairProposed(
    **PAIR,
    round_id="round-1",
    score=71.0,
    reasons=(),
    tools=("linkedin",),
    first_tools=(
        FirstTool(tool="linkedin", needed=3, mastered=4, words=Words(fr="utile", en="useful")),
    ),
    expires_at=NOW + timedelta(days=10),
)
WITH_REASONS = PROPOSED.model_copy(
    update={
        "reasons": (
            ScoreReason(
                criterion="bridge",
                value=1,
                weight=20,
                contribution=20,
                words=Words(fr="DGFiP et DAE", en="DGFiP and DAE"),
            ),
        )
    }
)
ACCEPTED = ProposalAccepted(**PAIR, by="mentor")
FORMED = PairFormed(
    **PAIR, tools=("linkedin",), mentor_availability=MONDAYS, manager_availability=MONDAYS
)


def of_session(kind: type[S], number: int = 1, days: int = 7, **more: Any) -> S:
    """What happens to a session that begins in so many days."""
    start = NOW + timedelta(days=days)
    fields = {
        **PAIR,
        "session_id": f"m-1~g-1~{number}",
        "number": number,
        "attempt": 1,
        "revision": 0,
        "starts_at": start,
        "ends_at": start + timedelta(hours=1),
    }
    return kind.model_validate({**fields, **more})


def planned(number: int = 1, days: int = 7, **more: Any) -> SessionPlanned:
    return of_session(SessionPlanned, number, days, **more)


GOING_ON = (*JOINED, PROPOSED, ACCEPTED, FORMED, planned())
LETTER_FAILED = LetterFailed(
    cohort_id="c",
    letter_id="matching.events.0.7:m-1",
    person_id="m-1",
    template="PairProposed",
    attempt=8,
    cause="smtp 550",
)
MANY_FAILED = tuple(
    LETTER_FAILED.model_copy(update={"letter_id": f"matching.events.0.{number}:m-1"})
    for number in range(100, 160)
)
"""More letters that came back than a page of what is to be handled shows."""
MISSED = of_session(SessionMissed, cause="reported", by="mentor")
DISPUTED = of_session(SessionDisputed, by="manager", held=True)
NO_DATE = PlanningPostponed(**PAIR, numbers=(2, 3), retry_at=NOW + timedelta(days=7))

STALLED = PairStalled(**PAIR, since=NOW)
WAITLISTED = ManagerWaitlisted(
    cohort_id="c",
    manager_id="g-1",
    waiting=Waiting(
        round_id="round-1",
        position=1,
        cause="no-skill",
        words=Words(fr="aucun mentor n’explique cet outil", en="no mentor explains this tool"),
    ),
    first=True,
)
MEASURED = CohortMeasured(
    cohort_id="c",
    measured_at=NOW,
    next_at=NOW + timedelta(days=7),
    mentors=1,
    managers=1,
    pairs_formed=1,
    pairs_graduated=0,
    pairs_dissolved=0,
    sessions_completed=0,
    sessions_missed=0,
    surveys_closed=None,
    surveys_answered=None,
    surveys=(),
)
WITHHELD = RolloutWithheld(
    cohort_id="c",
    criteria=(
        Criterion(name="pairs_graduated", threshold=20, value=0, met=False),
        Criterion(name="satisfaction", threshold=3.5, value=None, met=False),
    ),
)
LETTERS = tuple(
    LetterQueued(
        cohort_id="c",
        letter_id=f"{template}:{subject}:g-1",
        person_id="g-1",
        side="manager",
        template=template,
        facts={"closes_at": "2017-03-20T09:00:00Z"},
        send_at=NOW,
    )
    for template, subject in (("PairProposed", "m-1~g-1"), ("SurveyOpened", "m-1~g-1~s1~manager"))
)
SENT = tuple(
    LetterSent(
        cohort_id="c",
        letter_id=letter.letter_id,
        person_id="g-1",
        template=letter.template,
        channel="smtp",
        attempt=1,
    )
    for letter in LETTERS
)
LISTED = DirectoryChanged(cohort_id="c", mentor_id="m-1", listed=True)
TOLD = CommunityTold(
    cohort_id="c",
    room="https://tchap.example/#/room/connecte",
    meeting=Meeting(
        title="Retour des premières séances",
        starts_at=NOW + timedelta(days=9),
        where="Paris Bercy, salle 12",
    ),
)
SHEET = SheetWritten(
    cohort_id="c",
    sheet_id="f-1",
    tool="linkedin",
    jobs=("public-procurement",),
    fr=SheetText(
        title="LinkedIn : nos marchés", body="# À quoi cela sert\n\nSuivre **nos** fournisseurs."
    ),
    edition=1,
)
SHEET_BACK = SheetTakenBack(cohort_id="c", sheet_id="f-1", edition=2)
MANAGER_LEFT = ManagerWithdrew(cohort_id="c", manager_id="g-1")
AWAY = AbsenceDeclared(
    cohort_id="c",
    person_id="g-1",
    said_on="2017-03-06",
    absence=Absence(
        first_day="2017-04-04", last_day="2017-04-04", hours=Hours(start="09:00", end="12:00")
    ),
)
ASKED = AnotherPartnerAsked(**PAIR, by="manager", reason="D’autres horaires")

ASKED_FOR = {"cohort_id": "c", "round_id": "tour-1"}
SIMULATED = (
    RoundRequested(**ASKED_FOR, mode="simulate", requested_at=NOW),
    PairsSimulated(
        **ASKED_FOR,
        part=1,
        pairs=(SimulatedPair(mentor_id="m-1", manager_id="g-1", score=71.0, tools=("linkedin",)),),
        left=(SimulatedPlace(manager_id="g-1", waiting=WAITLISTED.waiting),),
    ),
    RoundSimulated(
        **ASKED_FOR, proposed=1, managers_waiting=1, places_free=0, score=71.0, optimal=True
    ),
)
PUBLISHED_SOON = RoundRequested(
    **ASKED_FOR, mode="publish", requested_at=NOW, begins_at=NOW + timedelta(minutes=15)
)
NO_PAIR = (
    SIMULATED[0],
    PairsSimulated(**ASKED_FOR, part=1, pairs=(), left=SIMULATED[1].left),
    RoundSimulated(
        **ASKED_FOR, proposed=0, managers_waiting=1, places_free=0, score=0.0, optimal=True
    ),
)
NOBODY_WAITS = (
    SIMULATED[0],
    RoundSimulated(
        **ASKED_FOR, proposed=0, managers_waiting=0, places_free=0, score=0.0, optimal=True
    ),
)
"""Rounds in which there is no pair: somebody waits for want of a mentor, or nobody waits."""
KEPT_APART = PairKeptApart(**PAIR, reason="même bureau")
ROUND_ENDED = RoundCompleted(
    cohort_id="c",
    round_id="round-1",
    proposed=1,
    managers_waiting=0,
    places_free=0,
    score=71.0,
    optimal=True,
)
