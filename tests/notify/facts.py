"""One example of every fact that is told by letter, and the people whom they concern."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.gate.samples import message_of
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWaitlisted,
    MentorVolunteered,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.notify import LetterQueued, NewsHeld
from schemas.people import PersonContact
from schemas.scheduling import (
    AttendanceRequested,
    PairGraduated,
    PairStalled,
    SessionCancelled,
    SessionMissed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
)
from schemas.values import CohortPolicy, FirstTool, Profile, ScoreReason, Waiting, Window, Words
from services.chassis.domain import Refusal
from services.chassis.http.links import LinkSigner, LinkVerifier, generate_keys
from services.notify.actions import Links
from services.notify.handlers import DOMAIN
from services.notify.letters import LETTERS
from services.notify.rendering import Letterhead
from services.notify.views import Cohort, Letter, Person
from tests.scenario import NOW, Everything

COHORT, MENTOR, MANAGER = "bercy-2017", "m-017", "g-004"
PAIR = f"{MENTOR}~{MANAGER}"
STARTS = datetime(2017, 3, 14, 9, 0, tzinfo=UTC)  # 10:00 in Paris

CAMILLE = PersonContact(
    cohort_id=COHORT, person_id=MENTOR, name="Camille Roux", email="camille.roux@example.org"
)
ALEX = PersonContact(
    cohort_id=COHORT,
    person_id=MANAGER,
    name="Alex O'Neil <b>",
    email="alex@example.org",
    language="en",
)
OPENED = CohortOpened(cohort_id=COHORT, name="Connecte ton manager", policy=CohortPolicy())

_WEEK = (Window(day="tue", start="10:00", end="12:00"),)
_PAIR: dict[str, Any] = {
    "cohort_id": COHORT,
    "pair_id": PAIR,
    "mentor_id": MENTOR,
    "manager_id": MANAGER,
}


def session(kind: type[Event], **more: Any) -> Any:
    """A fact about the pair's third session."""
    told = _PAIR | {
        "session_id": f"{PAIR}~3",
        "number": 3,
        "attempt": 1,
        "revision": 0,
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(hours=1),
    }
    return kind(**told | more)


def survey(kind: str, side: str = "manager") -> SurveyOpened:
    return SurveyOpened(
        cohort_id=COHORT,
        survey_id=f"{PAIR}~{'s3' if kind == 'session' else kind}~{side}",
        pair_id=PAIR,
        person_id=MENTOR if side == "mentor" else MANAGER,
        kind=kind,
        side=side,
        questions=("usefulness", "confidence"),
        closes_at=STARTS + timedelta(days=14),
    )


VOLUNTEERED = MentorVolunteered(
    cohort_id=COHORT,
    mentor_id=MENTOR,
    directorate="DGFiP",
    site="Bercy",
    skills={"linkedin": 5},
    capacity=1,
    availability=_WEEK,
)
ENROLLED = ManagerEnrolled(
    cohort_id=COHORT,
    manager_id=MANAGER,
    directorate="DAE",
    site="Bercy",
    job_family="procurement",
    needs={"linkedin": 4},
    availability=_WEEK,
)
PROPOSED = PairProposed(
    **_PAIR,
    round_id="r-1",
    score=76.5,
    reasons=(
        ScoreReason(
            criterion="coverage",
            value=0.73,
            weight=50,
            contribution=36.5,
            words=Words(fr="linkedin : niveau 5 pour 4", en="linkedin: level 5 for 4"),
        ),
        ScoreReason(
            criterion="availability",
            value=0.5,
            weight=20,
            contribution=10,
            words=Words(
                fr="2 h libres en commun par semaine", en="2 free hours in common in a week"
            ),
        ),
        ScoreReason(
            criterion="bridge",
            value=1,
            weight=20,
            contribution=20,
            words=Words(fr="DGFiP et DAE", en="DGFiP and DAE"),
        ),
        ScoreReason(criterion="proximity", value=1, weight=10, contribution=10),
    ),
    tools=("linkedin", "shared-documents"),
    first_tools=(
        FirstTool(
            tool="linkedin",
            needed=4,
            mastered=5,
            words=Words(
                fr="pour connaître les fournisseurs d’un marché", en="to know a market’s suppliers"
            ),
        ),
    ),
    mentor_profile=Profile(directorate="DGFiP", site="Bercy"),
    manager_profile=Profile(directorate="DAE", site="Bercy", job_family="public-procurement"),
    expires_at=NOW + timedelta(days=10),
)
WAITLISTED = ManagerWaitlisted(
    cohort_id=COHORT,
    manager_id=MANAGER,
    waiting=Waiting(
        round_id="r-1",
        position=3,
        cause="no-place",
        words=Words(fr="plus personne n’est libre", en="nobody is free any more"),
    ),
    first=True,
)
FORMED = PairFormed(
    **_PAIR, tools=("linkedin",), mentor_availability=_WEEK, manager_availability=_WEEK
)
PLANNED = session(SessionPlanned)
RESCHEDULED = session(
    SessionRescheduled, by="mentor", revision=1, previously_at=STARTS - timedelta(days=1)
)
CANCELLED = session(SessionCancelled, cause="request", by="manager", revision=2)
ATTENDANCE = session(AttendanceRequested, revision=1, report_by=STARTS + timedelta(days=14))

_ELSEWHERE = {"cause": "absence", "elsewhere": True}
GAVE_WAY = session(SessionShifted, revision=5, previously_at=STARTS, **_ELSEWHERE)
WAITS_FOR_ELSEWHERE = session(SessionPostponed, revision=7, **_ELSEWHERE)

FACTS: list[Event] = [
    VOLUNTEERED,
    ENROLLED,
    WAITLISTED,
    PROPOSED,
    ProposalDeclined(**_PAIR, by="mentor"),
    ProposalDeclined(**_PAIR, by="manager"),
    ProposalExpired(**_PAIR, cause="deadline"),
    ProposalExpired(**_PAIR, cause="withdrawal"),
    FORMED,
    PairDissolved(**_PAIR, cause="request", reason="we never found the time"),
    PairDissolved(**_PAIR, cause="mentor_withdrew"),
    PairDissolved(**_PAIR, cause="manager_withdrew"),
    PLANNED,
    session(SessionPlanned, attempt=2, revision=3),
    RESCHEDULED,
    CANCELLED,
    session(SessionCancelled, cause="request", revision=2),
    session(SessionCancelled, cause="pair_dissolved", revision=3),
    session(SessionShifted, cause="absence", revision=4, previously_at=STARTS),
    GAVE_WAY,
    session(SessionPostponed, cause="absence", revision=6),
    WAITS_FOR_ELSEWHERE,
    ATTENDANCE,
    session(SessionMissed, cause="reported", by="mentor", revision=1),
    session(SessionMissed, cause="unreported", revision=2),
    PairStalled(**_PAIR, since=NOW - timedelta(days=45)),
    PairGraduated(**_PAIR, sessions=5),
    PairGraduated(**_PAIR, sessions=1),
    survey("start"),
    survey("session", "mentor"),
    survey("end"),
]
FACTS += [message_of(kind) for kind in LETTERS if kind not in {type(event) for event in FACTS}]
"""Every fact that is told, several where it can be told in several ways; of others, the sample."""

PRIVATE_KEY, PUBLIC_KEY = generate_keys()
VERIFIER = LinkVerifier(PUBLIC_KEY)
LINKS = Links(
    LinkSigner(PRIVATE_KEY),
    {
        "matching": "https://pairs.example.org",
        "scheduling": "https://sessions.example.org",
        "feedback": "https://surveys.example.org",
    },
)
PORTAL_LINKS = Links(LINKS.signer, {**LINKS.base_urls, "portal": "https://portal.example.org"})
"""Where there is a portal, too."""
HEAD = Letterhead("programme@example.org", "letters.example.org", "help@example.org")


def folded(*history: Any) -> Everything:
    """The documents after these events."""
    state = Everything()
    for event in history:
        state.apply(DOMAIN.evolve(state, event))
    return state


def letters_for(event: Event, now: datetime = NOW) -> list[Letter]:
    """The letters that are owed for a fact alone, as documents."""
    decision = DOMAIN.decide(folded(OPENED), event, now)
    assert not isinstance(decision, Refusal)
    known = ("letter_id", "person_id", "template", "side", "facts", "cohort_id")
    return [
        folded(LetterQueued(**{name: getattr(told, name) for name in known}, send_at=now)).whole(
            Letter, COHORT
        )[0]
        for told in decision
        if isinstance(told, LetterQueued | NewsHeld) and told.template == type(event).__name__
    ]


def others_of(letter: Letter, *known: Person) -> dict[str, Person]:
    """These people as the other sides of a letter's pairs."""
    return {other.id: other for other in known if other.id != letter.person_id}


def person(contact: PersonContact, **change: Any) -> Person:
    """The document of a contact."""
    found = folded(contact).get(Person, COHORT, contact.person_id)
    assert found is not None
    return found.model_copy(update=change)


def cohort(*history: Event) -> Cohort:
    """The document of a cohort."""
    found = folded(*(history or (OPENED,))).get(Cohort, COHORT, COHORT)
    assert found is not None
    return found
