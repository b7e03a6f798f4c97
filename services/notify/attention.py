"""What wants a coordinator's attention, and the digest that tells them. Pure.

Always holds: something wants attention once, until it is settled; a digest leaves in the morning,
never twice on a day, and none where there is nothing to tell; of a pair at risk nobody learns why;
of whoever reports to a coordinator that coordinator is told nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from schemas.attention import (
    AttentionGathered,
    AttentionKind,
    AttentionSettled,
    AttentionWanted,
    DigestQueued,
    Told,
)
from schemas.base import Event, Message, people_of
from schemas.feedback import PairAtRisk
from schemas.matching import (
    ManagerWaitlisted,
    ManagerWithdrew,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.notify import LetterDeferred, LetterFailed, LetterQueued
from schemas.saying import PARIS
from schemas.scheduling import (
    AttendanceCorrected,
    PairGraduated,
    PlanningPostponed,
    SessionCompleted,
    SessionDisputed,
    SessionPlanned,
)
from schemas.taking_part import ManagerPaused
from schemas.values import QuietHours
from services.chassis.domain import Decision
from services.notify.calendar import next_sending_time
from services.notify.views import Cohort, Concern, Digest
from services.notify.wall import Hidden, Open, seen

MORNING = time(8)
AGAIN_AFTER = timedelta(days=6, hours=12)
"""What nobody has settled is told again a week later, in the morning."""
MOST_TIMES_AGAIN = 3
"""And so often, where nothing else has happened."""
MOST_NAMED = 8
"""Of a kind that are named; the rest is counted."""
KINDS: tuple[AttentionKind, ...] = (
    "bounced",
    "disputed",
    "at-risk",
    "no-hour",
    "no-answer",
    "waiting",
)
"""The most urgent first."""

_RAISES: dict[type[Event], AttentionKind] = {
    PairAtRisk: "at-risk",
    PlanningPostponed: "no-hour",
    SessionDisputed: "disputed",
    ManagerWaitlisted: "waiting",
    LetterFailed: "bounced",
}
_SETTLES: dict[type[Event], tuple[AttentionKind, ...]] = {
    SessionPlanned: ("no-hour",),
    SessionCompleted: ("at-risk",),
    PairDissolved: ("at-risk", "no-hour"),
    PairGraduated: ("at-risk", "no-hour"),
    PairFormed: ("no-answer",),
    ProposalDeclined: ("no-answer",),
    ProposalExpired: ("no-answer",),
    AttendanceCorrected: ("disputed",),
    PairProposed: ("waiting",),
    ManagerWithdrew: ("waiting",),
    ManagerPaused: ("waiting",),
    LetterDeferred: ("bounced",),
}
CONCERNING: tuple[type[Event], ...] = tuple(
    kind for kind in (*_RAISES, *_SETTLES) if kind not in (LetterFailed, LetterDeferred)
)
"""The facts of others after which something wants attention, or does not any more."""


def concerns_of(message: Message) -> list[tuple[AttentionKind, str]]:
    """What a fact may have to do with, (kind, about) each."""
    kind = type(message)
    raised = _RAISES.get(kind)  # type: ignore[arg-type]
    kinds = (raised,) if raised else _SETTLES.get(kind, ())  # type: ignore[arg-type]
    return [(kind, _about(kind, message)) for kind in kinds]


def raises(message: Message) -> bool:
    """Whether something may want attention after it."""
    return type(message) in _RAISES


def concern_id(kind: AttentionKind, about: str) -> str:
    """The id of what wants attention in its cohort."""
    return f"{kind}:{about}"


def _about(kind: AttentionKind, event: Any) -> str:
    match kind:
        case "disputed":
            return f"{event.session_id}~{event.attempt}"
        case "bounced":
            return str(event.letter_id)
        case "waiting":
            return str(event.manager_id)
        case _:
            return str(event.pair_id)


def notice(
    cohort: Cohort | None, known: Mapping[str, Concern | None], event: Event, now: datetime
) -> list[Event]:
    """What wants attention after a fact, and what does not any more.

    `known`: of what the fact may have to do with, what wants attention already, by its id.
    """
    found: list[Event] = []
    for kind, about in concerns_of(event):
        there = known.get(concern_id(kind, about))
        if raises(event) and there is None:
            found.append(wanted(cohort, event.cohort_id, kind, about, _people(event), now))
        elif not raises(event) and there is not None:
            found.append(AttentionSettled(cohort_id=event.cohort_id, kind=kind, about=about))
    return found


def unanswered(
    cohort: Cohort | None, letters: Iterable[Event], now: datetime
) -> list[AttentionWanted]:
    """Proposals that have to be brought to mind have no answer: that is for a coordinator, too.

    Each reminder says so anew: what it is about is not read again for that.
    """
    reminded = {
        facts["pair_id"]: facts["cohort_id"]
        for letter in letters
        if isinstance(letter, LetterQueued)
        for template, facts in (
            (letter.template, letter.facts),
            *((news.template, news.facts) for news in letter.also),
        )
        if template == "ProposalReminder"
    }
    return [
        wanted(cohort, cohort_id, "no-answer", pair_id, people_of(pair_id), now)
        for pair_id, cohort_id in reminded.items()
    ]


def wanted(
    cohort: Cohort | None,
    cohort_id: str,
    kind: AttentionKind,
    about: str,
    people: Iterable[str],
    now: datetime,
) -> AttentionWanted:
    """Something wants attention from now on, and is told tomorrow morning at the latest."""
    return AttentionWanted(
        cohort_id=cohort_id,
        kind=kind,
        about=about,
        people=tuple(people),
        since=now,
        tell_at=morning_after(now, _quiet_hours(cohort)),
    )


def settled(matter: AttentionWanted) -> AttentionSettled:
    """It wants no attention any more."""
    return AttentionSettled(cohort_id=matter.cohort_id, kind=matter.kind, about=matter.about)


def _people(event: Any) -> tuple[str, ...]:
    match event:
        case LetterFailed():
            return (event.person_id,)
        case ManagerWaitlisted():
            return (event.manager_id,)
        case _:
            return event.mentor_id, event.manager_id


def _quiet_hours(cohort: Cohort | None) -> QuietHours:
    return cohort.quiet_hours if cohort else QuietHours()


def morning_after(now: datetime, quiet_hours: QuietHours) -> datetime:
    """The next morning on which letters are sent."""
    local = now.astimezone(PARIS)
    at = datetime.combine(local.date(), MORNING, PARIS)
    if at <= local:
        at = datetime.combine(local.date() + timedelta(days=1), MORNING, PARIS)
    return next_sending_time(at, quiet_hours)


def gather(
    cohort: Cohort | None,
    digest: Digest | None,
    matters: Sequence[Open],
    hidden: Mapping[str, Hidden],
    now: datetime,
) -> Decision:
    """The digest of a cohort for each of its coordinators, once its morning has come.

    `hidden`: every coordinator, and of whom they are told nothing.
    """
    if digest is None or digest.due_at is None or digest.due_at > now:
        return []
    quiet_hours = _quiet_hours(cohort)
    told = {
        who: tuple(_told(theirs))
        for who, behind in sorted(hidden.items())
        if (theirs := _theirs(matters, behind, digest.gathered_at))
    }
    again = bool(matters) and digest.again < MOST_TIMES_AGAIN
    gathered = AttentionGathered(
        cohort_id=digest.cohort_id,
        gathered_at=now,
        told=tuple(_told(matters)),
        coordinators=tuple(told),
        next_at=morning_after(now + AGAIN_AFTER, quiet_hours) if again else None,
    )
    letters = [
        DigestQueued(
            cohort_id=digest.cohort_id,
            letter_id=f"AttentionGathered:{now:%Y%m%dT%H%M%SZ}:{person_id}",
            person_id=person_id,
            facts=gathered.model_copy(update={"told": theirs}).model_dump(mode="json"),
            send_at=next_sending_time(now, quiet_hours),
        )
        for person_id, theirs in told.items()
    ]
    return [gathered, *letters]


def _theirs(matters: Sequence[Open], behind: Hidden, told_at: datetime | None) -> Sequence[Open]:
    """What a coordinator is told this morning: all that they see, or nothing where all that is new
    is hidden from them. A letter that says nothing new would say that there is something."""
    theirs = seen(matters, behind)
    news = [one for one in matters if told_at is None or one.matter.since >= told_at]
    return theirs if not news or seen(news, behind) else ()


def _told(matters: Sequence[Open]) -> Iterable[Told]:
    for kind in KINDS:
        some = sorted(
            (one.matter for one in matters if one.kind == kind),
            key=lambda matter: (matter.since, matter.about),
        )
        if some:
            yield Told(kind=kind, count=len(some), oldest=tuple(some[:MOST_NAMED]))
