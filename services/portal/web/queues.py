"""What waits for a coordinator, kind by kind, some at a time; and what was put away of it.

Always holds: what is put away takes the place of nothing that is not; it is put away for a week, or
until there is news of it; of what has been settled no mark remains.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from schemas.values import Waiting, WaitingCause
from services.chassis.domain import Document
from services.chassis.store.contract import Where
from services.portal.owners import digest
from services.portal.views import Cohort, Dispute, FailedLetter, Pair, Participant
from services.portal.web.visit import Visit
from services.portal.web.wall import names

EACH = 50
"""Tasks of a kind that are shown at a time."""
SOON = timedelta(days=3)
HANDLED, MOST_MARKS = "handled", 1000
AWAY_FOR = timedelta(days=7)
_CAUSES = get_args(get_args(WaitingCause)[0])
_EVER = datetime.min.replace(tzinfo=UTC)

_TICK = timedelta(milliseconds=1)
"""The least that two moments differ by, as they are kept."""

Who = Callable[[str], Participant | None]
Wheres = Callable[[Cohort, datetime], Sequence[Where]]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a coordinator. `key`: what it is, with all that is news of it.

    `people` are those whom it concerns; `since` and `until` are moments, where they are known.
    """

    kind: str
    key: str
    people: tuple[Participant | None, ...]
    since: datetime | None = None
    until: datetime | None = None
    letter: FailedLetter | None = None
    pair: Pair | None = None
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """All tasks of a kind. `wheres`: which documents they are made of, each by one of these alone.

    `by`: the field by which they come one after the other.
    """

    kind: str
    document: type[Document]
    wheres: Wheres
    by: str = "id"


@dataclass(frozen=True, slots=True)
class Some:
    """Some tasks of a kind, how many there are, and how many come behind the place `after`."""

    kind: str
    tasks: Sequence[Task]
    total: int
    more: int = 0
    after: str = ""


@dataclass(frozen=True, slots=True)
class Away:
    """What is put away: the ids of documents by kind of task; `gone`: marks of what is settled."""

    ids: dict[str, frozenset[str]]
    gone: frozenset[str]

    @property
    def count(self) -> int:
        return sum(map(len, self.ids.values()))


def _those(*equal: dict[str, Any]) -> Wheres:
    def wheres(cohort: Cohort, _: datetime) -> Sequence[Where]:
        return [Where(cohort.id, one) for one in equal]

    return wheres


def _expiring(cohort: Cohort, now: datetime) -> Sequence[Where]:
    return _proposed(cohort, _EVER, now + SOON)


def _unanswered(cohort: Cohort, now: datetime) -> Sequence[Where]:
    half = timedelta(days=cohort.policy.proposal_days) / 2
    return _proposed(cohort, now + SOON, now + max(SOON, half))


def _proposed(cohort: Cohort, later: datetime, until: datetime) -> Sequence[Where]:
    """Proposals that expire after the one moment, and not after the other."""
    span = later + _TICK, until + _TICK
    return [Where(cohort.id, {"state": "proposed"}, between={"expires_at": span})]


STUCK: Sequence[Queue] = (
    Queue("letter", FailedLetter, _those({})),
    Queue("disputed", Dispute, _those({})),
    Queue("wants-another", Pair, _those({"wants_another": True})),
    Queue("no-date", Pair, _those({"without_date": True})),
    Queue(
        "at-risk",
        Pair,
        _those(
            {"stalled": True},
            {"often_missed": True, "stalled": False},
            {"at_risk": True, "stalled": False, "often_missed": False},
        ),
    ),
)
"""What is a coordinator's to untie, the most urgent first."""

WATCHED: Sequence[Queue] = (
    Queue("expiring", Pair, _expiring, "order"),
    Queue("no-answer", Pair, _unanswered, "order"),
    Queue(
        "waiting",
        Participant,
        _those(*({"manager_state": "waiting", "waiting_for": cause} for cause in _CAUSES)),
        "order",
    ),
)
"""Proposals that soon expire or that nobody answers, and who waits with no mentor in sight."""

QUEUES = {queue.kind: queue for queue in (*STUCK, *WATCHED)}


async def how_many_stuck(visit: Visit, cohort: Cohort) -> int:
    """How much there is to handle: what is stuck, and not put away."""
    away = await put_aside(visit, cohort)
    wheres = [(q.document, one) for q in STUCK for one in _wheres(visit, cohort, q, away)]
    return sum(await visit.site.store.counts(wheres))


async def how_many_new(visit: Visit, cohort: Cohort) -> int:
    """How many wait for their first round."""
    waiting = Where(cohort.id, {"manager_state": "waiting", "waiting_for": None})
    return await visit.site.store.count(Participant, waiting)


async def some_of(
    visit: Visit, cohort: Cohort, queue: Queue, away: Away, after: str = ""
) -> Some | None:
    """Tasks of a kind from the place `after`; None: there are none at all."""
    store, wheres = visit.site.store, _wheres(visit, cohort, queue, away)
    pages = [await store.page(queue.document, one, EACH + 1, after, queue.by) for one in wheres]
    found = sorted((d for page in pages for d in page), key=lambda d: str(getattr(d, queue.by)))
    if not found:  # the last of them were settled: what came before is left
        return await some_of(visit, cohort, queue, away) if after else None
    shown, total, more = found[:EACH], len(found), 0
    last = str(getattr(shown[-1], queue.by))
    if len(found) > EACH:
        more = await _count(visit, cohort, queue, away, last)
    if after or more:
        total = await _count(visit, cohort, queue, away)
    people = await visit.site.people(cohort.id, [one for d in shown for one in _people_of(d)])
    tasks = [_task(queue, cohort, document, people.get) for document in shown]
    return Some(queue.kind, tasks, total, more, last)


async def _count(visit: Visit, cohort: Cohort, queue: Queue, away: Away, after: str = "") -> int:
    wheres = _wheres(visit, cohort, queue, away)
    store = visit.site.store
    return sum([await store.count(queue.document, one, after, queue.by) for one in wheres])


def _wheres(visit: Visit, cohort: Cohort, queue: Queue, away: Away) -> Iterable[Where]:
    without = away.ids.get(queue.kind)
    found = queue.wheres(cohort, visit.now)
    return [replace(one, without={"id": without}) for one in found] if without else found


def _people_of(document: Document) -> list[str]:
    match document:
        case Pair() | Dispute():
            return [document.mentor_id, document.manager_id]
        case FailedLetter():
            return [document.person_id]
        case _:
            return []


def _task(queue: Queue, cohort: Cohort, document: Document, who: Who) -> Task:
    kind, key = queue.kind, f"{queue.kind}/{document.id}"
    match document:
        case FailedLetter() as one:
            people = (who(one.person_id),)
            return Task(kind, f"{key}/{one.failed_at}", people, one.failed_at, letter=one)
        case Dispute() as one:
            both = who(one.mentor_id), who(one.manager_id)
            return Task(kind, f"{key}/{one.by}", both, one.starts_at, dispute=one)
        case Pair(state="proposed", expires_at=datetime() as until) as pair:
            sides = {"mentor": pair.mentor_id, "manager": pair.manager_id}
            silent = tuple(who(one) for side, one in sides.items() if side not in pair.accepted)
            made = until - timedelta(days=cohort.policy.proposal_days)
            return Task(kind, f"{key}/{len(pair.accepted)}", silent, made, until, pair=pair)
        case Pair() as pair:
            both = who(pair.mentor_id), who(pair.manager_id)
            since = pair.stalled_since if kind == "at-risk" and pair.stalled else None
            return Task(kind, f"{key}/{_news(kind, pair)}", both, since, pair=pair)
        case Participant(waiting=Waiting() as waiting) as one:
            return Task(kind, f"{key}/{waiting.round_id}", (one,), one.enrolled_at)
    raise TypeError(f"{type(document).__name__} makes no task")


def _news(kind: str, pair: Pair) -> object:
    """What of a pair is news to whoever has put away that it is stuck in this way."""
    match kind:
        case "wants-another":
            return len(pair.asked_another)
        case "no-date":
            return pair.undated
        case _:
            return f"{pair.completed}/{pair.missed}/{pair.stalled}"


# --- what is put away -----------------------------------------------------------------------


async def put_aside(visit: Visit, cohort: Cohort) -> Away:
    """What is put away of what is still there, of those whom the visitor sees."""
    marks = await marks_of(visit, cohort)
    ids: dict[str, frozenset[str]] = {}
    there: set[str] = set()
    for queue in QUEUES.values() if marks else ():
        named = {mark.split("/")[1] for mark in marks if mark.startswith(f"{queue.kind}/")}
        found = await visit.site.store.several(queue.document, cohort.id, named) if named else []
        wheres = queue.wheres(cohort, visit.now)
        still = [one for one in found if any(_is(one, where) for where in wheres)]
        keys = {one.id: _task(queue, cohort, one, lambda _: None).key for one in still}
        ids[queue.kind] = frozenset(id_ for id_, key in keys.items() if key in marks)
        there.update(keys[id_] for id_ in ids[queue.kind])
    return Away(ids, marks - there)


def _is(document: Document, where: Where) -> bool:
    """Whether a document is one of those, as the database tells it."""
    moments = ((getattr(document, name), span) for name, span in where.between.items())
    return all(getattr(document, name) == value for name, value in where.equal.items()) and all(
        moment is not None and first <= moment < last for moment, (first, last) in moments
    )


async def marks_of(visit: Visit, cohort: Cohort) -> frozenset[str]:
    """The tasks of those whom the visitor sees that were put away, until they show again."""
    now = visit.site.sessions.now()
    found = await visit.site.kept.owned(HANDLED, cohort.id, now, MOST_MARKS)
    hidden = await visit.hidden(cohort.id)
    return frozenset(str(one["task"]) for one in found if not names(str(one["task"]), hidden))


async def put_away(visit: Visit, cohort: Cohort, task: str) -> None:
    """Put this away for a week. A mark stands alone: two who set one each lose none."""
    until = visit.site.sessions.now() + AWAY_FOR
    await visit.site.kept.put(HANDLED, _mark(cohort, task), {"task": task}, until, cohort.id)


async def bring_back(visit: Visit, cohort: Cohort, tasks: Iterable[str]) -> None:
    """These are put away no more."""
    for task in tasks:
        await visit.site.kept.forget(HANDLED, _mark(cohort, task))


def _mark(cohort: Cohort, task: str) -> str:
    return f"{cohort.id}/{digest(task)}"
