"""Every letter that there can be: each event in each of its branches, for each reader.

Made from the published language alone, so an event that is added is here by itself. Always holds:
the same code gives the same examples; nobody in them exists.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from schemas.appointments import GIVEN_ROLES, RoleGiven, RoleTaken
from schemas.attention import AttentionGathered, AttentionKind, Matter
from schemas.attention import Told as AttentionTold
from schemas.base import Event, recast
from schemas.feedback import SurveyOpened
from schemas.gate.samples import message_of
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWaitlisted,
    MentorVolunteered,
    PairFormed,
    PairProposed,
)
from schemas.notify import SessionDate
from schemas.people import PersonContact
from schemas.scheduling import (
    AttendanceRequested,
    PairGraduated,
    PairStalled,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
)
from schemas.values import BY_HAND, REMOTE, CohortPolicy, Side, Waiting, WaitingCause, Window
from services.matching.rounds import proposal
from services.matching.search.explaining import waiting_words
from services.matching.views import Manager, Mentor
from services.notify.letters import LETTERS, REMINDERS, TEMPLATES

COHORT = CohortOpened(
    cohort_id="bercy-2017", name="Connecte ton manager", policy=CohortPolicy(sessions=5)
)
WRITTEN_AT = datetime(2017, 3, 6, 9, tzinfo=UTC)

_WEEK = (Window(day="tue", start="09:00", end="11:00"),)
_MENTOR = recast(
    Mentor,
    message_of(MentorVolunteered),
    id="m-017",
    directorate="DGFiP",
    site="Noisy-le-Grand",
    skills={"linkedin": 4, "shared-documents": 5, "tchap": 4},
    availability=_WEEK,
)
_MANAGER = recast(
    Manager,
    message_of(ManagerEnrolled),
    id="g-004",
    directorate="DAE",
    site="Paris Bercy",
    job_family="public-procurement",
    needs={"linkedin": 3, "shared-documents": 3, "tchap": 2},
    availability=_WEEK,
)

COORDINATOR = PersonContact(
    cohort_id=COHORT.cohort_id,
    person_id="coordination",
    name="Dominique Petit",
    email="dominique.petit@example.org",
    role="coordinator",
)
"""Who is told what wants attention."""

Branch = tuple[str, Event]
"""What tells it from the others of its type, and the event."""
Told = tuple[str, str, Sequence[tuple[str, Event]]]
"""The template of a letter, what tells it from others, and its facts by their templates."""


def contact(side: Side) -> PersonContact:
    """Somebody on this side of the pair of the examples."""
    name, person_id = {
        "mentor": ("Camille Roux", _MENTOR.id),
        "manager": ("Alex Morel", _MANAGER.id),
    }[side]
    address = f"{name.lower().replace(' ', '.')}@example.org"
    return PersonContact(
        cohort_id=COHORT.cohort_id,
        person_id=person_id,
        name=name,
        email=address,
        post="Chargée de projet numérique" if side == "mentor" else None,
        presentation="J’aime expliquer LinkedIn sans jargon." if side == "mentor" else None,
    )


def told() -> Iterator[Told]:
    """Every letter: of each event in each branch by itself, of reminders, and of what is gathered.

    A fact that concerns one side of the pair is told to that side alone.
    """
    for branch, event in branches():
        yield type(event).__name__, branch, [(type(event).__name__, event)]
    for template in REMINDERS:
        for branch, event in branches():
            if type(event) is TEMPLATES[template] and branch not in ("by-hand", "oldest"):
                yield template, branch, [(template, event)]
    yield from _gathered()


def digests() -> Iterator[tuple[str, AttentionGathered]]:
    """What coordinators are told: one thing of each kind, and several of all."""
    people, kinds = (_MENTOR.id, _MANAGER.id), get_args(AttentionKind)
    whose = {"bounced": people[:1], "waiting": people[1:]}
    for count in (1, 9, 12):
        told = [
            AttentionTold(
                kind=kind,
                count=count,
                oldest=[
                    Matter(about="~".join(people), people=whose.get(kind, people), since=WRITTEN_AT)
                ]
                * min(count, 8),
            )
            for kind in kinds
        ]
        some = [(one.kind, [one]) for one in told] if count == 1 else [(f"all-{count}", told)]
        for branch, which in some:
            yield (
                branch,
                AttentionGathered(
                    cohort_id=COHORT.cohort_id,
                    gathered_at=WRITTEN_AT,
                    told=which,
                    coordinators=(COORDINATOR.person_id,),
                    next_at=WRITTEN_AT + timedelta(days=7) if count < 12 else None,
                ),
            )


def roles() -> Iterator[tuple[str, RoleGiven | RoleTaken]]:
    """Each role, given and taken."""
    whose = {"cohort_id": COHORT.cohort_id, "person_id": COORDINATOR.person_id}
    for role in GIVEN_ROLES:
        organisations = ("Natixis",) if role == "partner" else ()
        given = {"organisations": organisations, "holder": "s-1", "given_at": WRITTEN_AT}
        yield role, RoleGiven.model_validate({**whose, "role": role, **given})
        taken = {"because": "asked", "taken_at": WRITTEN_AT}
        yield role, RoleTaken.model_validate({**whose, "role": role, **taken})


def _gathered() -> Iterator[Told]:
    formed, begun = message_of(PairFormed), _survey("start")
    asked, past = message_of(AttendanceRequested), _survey("s2")
    done, ended = message_of(PairGraduated), _survey("end")
    missed, stalled = message_of(SessionMissed), message_of(PairStalled)
    for name, events in (
        ("all", (formed, *begun)),
        ("dates", (asked,)),
        ("all", (done, *ended)),
        ("day", (missed, stalled)),
    ):
        facts = [(type(event).__name__, event) for event in events]
        if name == "dates":
            facts += [("SurveyReminder", event) for event in past]
        yield type(events[0]).__name__, f"gathered-{name}", facts


def _survey(occasion: str) -> list[SurveyOpened]:
    """One of each side."""
    sample = message_of(SurveyOpened)
    kind = occasion if occasion in ("start", "end") else "session"
    return [
        sample.model_copy(
            update={
                "survey_id": f"{sample.pair_id}~{occasion}~{side}",
                "kind": kind,
                "side": side,
                "person_id": person_id,
            }
        )
        for side, person_id in (("mentor", _MENTOR.id), ("manager", _MANAGER.id))
    ]


def dates(told: Iterable[Event] = ()) -> tuple[SessionDate, ...]:
    """The five sessions of the pair, as a letter names them: those after the ones it tells of."""
    over = max(map(_session_number, told), default=0)
    pair_id = message_of(PairFormed).pair_id
    first = WRITTEN_AT + timedelta(days=8)
    starts = [first + n * timedelta(days=14) for n in range(5)]
    return tuple(
        SessionDate(pair_id=pair_id, number=n, starts_at=at, ends_at=at + timedelta(hours=1))
        for n, at in enumerate(starts, 1)
        if n > over
    )


def _session_number(event: Event) -> int:
    """Of the session that an event is about; 0 if it is about none."""
    match event:
        case SessionEvent():
            return event.number
        case SurveyOpened(kind="session"):
            return int(event.survey_id.split("~")[2].removeprefix("s"))
        case _:
            return 0


def branches() -> Iterator[Branch]:
    """Every event that is told by letter, in each of its branches, in the order of the letters."""
    for kind in LETTERS:
        match kind:
            case _ if kind is PairProposed:
                yield from _proposals()
            case _ if kind is ManagerWaitlisted:
                yield from _places()
            case _:
                yield from _branches(message_of(kind))


def _branches(sample: Event) -> Iterator[Branch]:
    kind = type(sample)
    options = {
        **{name: found for name in kind.model_fields if (found := _choices(kind, name))},
        **_NUMBERS.get(kind, {}),
    }
    if kind is SurveyOpened:  # whom it asks is in its id
        del options["side"]
    for values in product(*options.values()):
        change = dict(zip(options, values, strict=True))
        told = "-".join(f"{name}-{_spelt(value)}" for name, value in change.items())
        yield told.replace("_", "-").lower(), sample.model_copy(update=change)


def _spelt(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


_NUMBERS: Mapping[type[Event], Mapping[str, Sequence[Any]]] = {
    SessionPlanned: {"attempt": (1, 2)},
    AttendanceRequested: {"report_by": (WRITTEN_AT + timedelta(days=14), None)},
    PairGraduated: {"sessions": (1, 5)},
}
"""Numbers and moments on which the words of a letter depend."""


def _proposals() -> Iterator[Branch]:
    policy, remote = COHORT.policy, _MENTOR.model_copy(update=_FAR)
    yield "round", proposal(policy, _MENTOR, _MANAGER, "round-1", WRITTEN_AT)
    yield "round-remote", proposal(policy, remote, _MANAGER, "round-1", WRITTEN_AT)
    because = "vous l’avez demandé tous les deux"
    yield "by-hand", proposal(policy, _MENTOR, _MANAGER, BY_HAND, WRITTEN_AT, because)
    yield "oldest", message_of(PairProposed).model_copy(update=_OLDEST)


_FAR = {"directorate": "DAE", "site": REMOTE}
_OLDEST = {
    "reasons": (),
    "first_tools": (),
    "mentor_profile": None,
    "manager_profile": None,
    "chosen_because": None,
}
"""What a proposal had not when less was told of it."""


def _places() -> Iterator[Branch]:
    sample = message_of(ManagerWaitlisted)
    causes: Sequence[WaitingCause] = _few(WaitingCause)
    for cause, position in product(causes, (1, 3)):
        words = waiting_words(cause, _MANAGER.needs)
        waiting = Waiting(round_id="round-1", position=position, cause=cause, words=words)
        yield f"{cause}-{position}", sample.model_copy(update={"waiting": waiting})


def _choices(kind: type[Event], name: str) -> Sequence[Any]:
    """The values of a field of which there are but a few; none where there are many."""
    return _few(kind.model_fields[name].annotation)


def _few(annotation: Any) -> Sequence[Any]:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return inside
    if origin is Annotated:
        return _few(inside[0])
    if origin in (Union, UnionType) and NoneType in inside:
        found = [value for part in inside if part is not NoneType for value in _few(part)]
        return (*found, None) if found else ()
    return ()
