"""How notify's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Collection, Iterable
from typing import Any

from schemas.attention import (
    AttentionGathered,
    AttentionSettled,
    AttentionWanted,
    DigestQueued,
)
from schemas.base import recast
from schemas.calendars import HoursElsewhereNoted
from schemas.cohorts import PolicyChanged, RetentionEnded
from schemas.lines import LineManagerNamed, line_told
from schemas.links import LinksRevoked
from schemas.matching import CohortOpened, ManagerEnrolled, MentorVolunteered
from schemas.meeting import MeetingPlaceSet
from schemas.notify import (
    AddressChanged,
    ContactsErased,
    HoursTold,
    LetterDeferred,
    LetterEvent,
    LetterFailed,
    LetterQueued,
    LetterSent,
    NewsDropped,
    NewsHeld,
    SessionDate,
)
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import SessionCompleted
from schemas.taking_part import ManagerChanged, MentorChanged
from services.chassis.documents import links_revoked
from services.chassis.domain import Change, Evolution, Gone, State
from services.notify.attention import concern_id
from services.notify.elsewhere import BEGINNINGS, answers
from services.notify.evolution_of_roles import ROLES
from services.notify.leaving import day_of
from services.notify.letters import TELLINGS, fact_id
from services.notify.outdating import LAST, with_last
from services.notify.views import (
    Cohort,
    Concern,
    Digest,
    Elsewhere,
    Entry,
    LateReminder,
    Letter,
    Line,
    Pair,
    Person,
    Retention,
    Tray,
)


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    yield Cohort(
        id=event.cohort_id,
        cohort_id=event.cohort_id,
        name=event.name,
        quiet_hours=event.policy.quiet_hours,
        languages=event.policy.languages,
        letters=event.policy.letters,
        placed=event.policy.where is not None,
        charter=event.policy.charter,
    )


def _policy_changed(state: State, event: PolicyChanged) -> Iterable[Change]:
    cohort = state.get(Cohort, event.cohort_id, event.cohort_id)
    if cohort is not None:
        after = event.after
        fields = ("quiet_hours", "languages", "letters", "charter")
        yield cohort.model_copy(update={name: getattr(after, name) for name in fields})


def _place_set(_: State, event: MeetingPlaceSet) -> Iterable[Change]:
    yield Pair(id=event.pair_id, cohort_id=event.cohort_id, place=event.place)


def _line(
    state: State,
    event: LineManagerNamed | MentorVolunteered | ManagerEnrolled | MentorChanged | ManagerChanged,
) -> Iterable[Change]:
    if told := line_told(event):
        known = state.get(Line, event.cohort_id, event.subject)
        line = known or Line(id=event.subject, cohort_id=event.cohort_id)
        yield line.model_copy(update=told)


def _contact(_: State, contact: PersonContact) -> Iterable[Change]:
    yield Person(
        id=contact.person_id,
        cohort_id=contact.cohort_id,
        name=contact.name,
        email=contact.email,
        address=contact.email.casefold(),
        language=contact.language,
        post=contact.post,
        presentation=contact.presentation,
        role=contact.role,
        assistant=contact.assistant,
    )


def _erased(state: State, event: PersonErased) -> Iterable[Change]:
    person = state.get(Person, event.cohort_id, event.person_id)
    if person is not None:
        yield Gone(person)


def _retention_ended(_: State, event: RetentionEnded) -> Iterable[Change]:
    if event.erase_at is not None:
        yield Retention(id=event.cohort_id, cohort_id=event.cohort_id, due_at=event.erase_at)


def _contacts_erased(state: State, event: ContactsErased) -> Iterable[Change]:
    known = state.get(Retention, event.cohort_id, event.cohort_id)
    if known is not None:
        erased = known.erased + event.erased
        yield known.model_copy(update={"due_at": event.next_at, "erased": erased})


def _held(state: State, event: NewsHeld) -> Iterable[Change]:
    tray = state.get(Tray, event.cohort_id, event.person_id)
    if tray is None:
        tray = Tray(id=event.person_id, cohort_id=event.cohort_id)
    entry = Entry(
        news_id=event.letter_id,
        template=event.template,
        side=event.side,
        facts=event.facts,
        tell_at=event.tell_at,
        joins_from=event.joins_from,
    )
    dates = _dates(tray.dates, event.template, event.facts)
    last = tray.last
    if event.template in LAST:
        last = with_last(last, event.letter_id.rpartition(":")[0], event.facts)
    others = tray.waiting
    for one in others:
        if one.news_id == event.letter_id:  # it is held for longer than at first
            others = _but(tray, {event.letter_id})
    held = _with(tray, (*others, entry), dates=dates, last=last)
    yield held
    if event.template in _BEGIN or (tray.elsewhere and _differ(tray, held)):
        yield _elsewhere(state, event.cohort_id, event.person_id).changed()


def _dropped(state: State, event: NewsDropped) -> Iterable[Change]:
    tray = state.get(Tray, event.cohort_id, event.person_id)
    if tray is not None:
        others, last = _but(tray, {event.letter_id}), tray.last
        was_held = len(others) < len(tray.waiting)
        if event.template in LAST and not was_held:  # it was untrue before it was read
            last = with_last(last, event.letter_id.rpartition(":")[0], {})
        yield _with(tray, others, last=last)
    if event.cause == "too-late":
        yield LateReminder(id=event.letter_id, cohort_id=event.cohort_id, template=event.template)


def _queued(state: State, event: LetterQueued) -> Iterable[Change]:
    yield Letter(
        id=event.letter_id,
        cohort_id=event.cohort_id,
        state="queued",
        person_id=event.person_id,
        side=event.side,
        template=event.template,
        facts=event.facts,
        also=event.also,
        dates=event.dates,
        urgent=event.urgent,
        to_assistant=event.to_assistant,
        owed_since=event.send_at,
        due_at=event.send_at,
    )
    if event.to_assistant:  # nothing of it waits, and it tells the person nothing
        return
    tray = state.get(Tray, event.cohort_id, event.person_id)
    begins = event.template in _BEGIN
    differs = False
    if tray is not None:
        emptied = _emptied(tray, event)
        yield emptied
        differs = tray.elsewhere and _differ(tray, emptied)
        begins = begins and all(entry.news_id != event.letter_id for entry in tray.waiting)
    if begins or differs:
        yield _elsewhere(state, event.cohort_id, event.person_id).changed()


_BEGIN = frozenset(kind.__name__ for kind in BEGINNINGS)


def _differ(before: Tray, after: Tray) -> bool:
    """Whether another cohort of theirs is to hear of other dates."""
    return set(before.dates) != set(after.dates)


def _elsewhere(state: State, cohort_id: str, person_id: str) -> Elsewhere:
    found = state.get(Elsewhere, cohort_id, person_id)
    return found or Elsewhere(id=person_id, cohort_id=cohort_id)


def _address_changed(state: State, event: AddressChanged) -> Iterable[Change]:
    yield _elsewhere(state, event.cohort_id, event.person_id).changed()


def _hours_heard(state: State, event: HoursElsewhereNoted) -> Iterable[Change]:
    known = state.get(Elsewhere, event.cohort_id, event.person_id)
    if answers(known, event):
        yield _elsewhere(state, event.cohort_id, event.person_id).changed()


def _hours_told(state: State, event: HoursTold) -> Iterable[Change]:
    for told in event.told:
        known = _elsewhere(state, event.cohort_id, told.person_id)
        done = {"due_at": None} if known.changes == told.revision else {}
        yield known.model_copy(update={"hearers": told.hearers, **done})
        tray, elsewhere = state.get(Tray, event.cohort_id, told.person_id), bool(told.hearers)
        if tray is None and elsewhere:
            tray = Tray(id=told.person_id, cohort_id=event.cohort_id)
        if tray is not None and tray.elsewhere != elsewhere:
            yield tray.model_copy(update={"elsewhere": elsewhere})


def _emptied(tray: Tray, event: LetterQueued) -> Tray:
    """The tray without what the letter tells, which is remembered as far as the next one asks."""
    told = [(event.letter_id, event.template, event.facts)]
    told += [(news.news_id, news.template, news.facts) for news in event.also]
    known, dates, last = {entry.news_id for entry in tray.waiting}, tray.dates, tray.last
    for news_id, template, facts in told:
        if news_id not in known:  # of what has waited the date is known, or a newer one
            dates = _dates(dates, template, facts)
            if template in LAST:
                last = with_last(last, news_id.rpartition(":")[0], facts)
    asked = (f["session_id"] for _, t, f in told if t == "AttendanceRequested")
    gathered = any(TELLINGS[template].waits for _, template, _ in told if template in TELLINGS)
    return _with(
        tray,
        _but(tray, {news_id for news_id, _, _ in told}),
        dates=dates,
        last=last,
        asked=tuple(dict.fromkeys((*tray.asked, *asked))),
        told_on=day_of(event.send_at) if gathered else tray.told_on,
    )


def _but(tray: Tray, ids: Collection[str]) -> tuple[Entry, ...]:
    return tuple(entry for entry in tray.waiting if entry.news_id not in ids)


def _with(tray: Tray, waiting: tuple[Entry, ...], **change: Any) -> Tray:
    """The tray in which this waits, and its deadline."""
    due_at = min([entry.tell_at for entry in waiting], default=None)
    return tray.model_copy(update={"waiting": waiting, "due_at": due_at, **change})


def _dates(
    known: tuple[SessionDate, ...], template: str, facts: dict[str, Any]
) -> tuple[SessionDate, ...]:
    """The sessions as planned, after what is told of one."""
    if template not in (*_PLANNED, *_GONE) or "starts_at" not in facts:
        return known
    which = (facts["pair_id"], facts["number"])
    others = tuple(date for date in known if (date.pair_id, date.number) != which)
    return others if template in _GONE else (*others, SessionDate.model_validate(facts))


def _session_held(state: State, event: SessionCompleted) -> Iterable[Change]:
    """No letter tells of it, and it makes untrue what is read later: so it is learned."""
    for person_id in (event.mentor_id, event.manager_id):
        tray = state.get(Tray, event.cohort_id, person_id)
        if tray is not None:
            yield tray.model_copy(update={"last": with_last(tray.last, fact_id(event), {})})


# What gives a date or takes it is on one topic, and so in order. SessionRelocated is not: it names
# the date that stood, and can come after what has given another one, or taken it.
_PLANNED = ("SessionPlanned", "SessionRescheduled", "SessionShifted")
_GONE = ("SessionCancelled", "SessionPostponed", "SessionWithdrawn")


def _sent(state: State, event: LetterSent) -> Iterable[Change]:
    for letter in _known(state, event):
        yield letter.model_copy(
            update={"state": "sent", "attempts": event.attempt, "cause": None, "due_at": None}
        )


def _deferred(state: State, event: LetterDeferred) -> Iterable[Change]:
    for letter in _known(state, event):
        change = {
            "state": "queued",
            "attempts": event.attempt,
            "cause": event.cause,
            "due_at": event.retry_at,
        }
        if letter.state == "failed":  # asked again by a coordinator: the wait starts anew
            change["owed_since"] = event.retry_at
        yield letter.model_copy(update=change)


def _failed(state: State, event: LetterFailed) -> Iterable[Change]:
    for letter in _known(state, event):
        yield letter.model_copy(
            update={
                "state": "failed",
                "attempts": event.attempt,
                "cause": event.cause,
                "due_at": None,
            }
        )


def _known(state: State, event: LetterEvent) -> Iterable[Letter]:
    """The letter that an event is about, if there is one."""
    letter = state.get(Letter, event.cohort_id, event.letter_id)
    return () if letter is None else (letter,)


def _attention_wanted(state: State, event: AttentionWanted) -> Iterable[Change]:
    yield recast(Concern, event, id=concern_id(event.kind, event.about))
    known = state.get(Digest, event.cohort_id, event.cohort_id)
    digest = known or Digest(id=event.cohort_id, cohort_id=event.cohort_id)
    due = [event.tell_at, *([digest.due_at] if digest.due_at else [])]
    yield digest.model_copy(update={"due_at": min(due), "again": 0})


def _attention_settled(state: State, event: AttentionSettled) -> Iterable[Change]:
    concern = state.get(Concern, event.cohort_id, concern_id(event.kind, event.about))
    if concern is not None:
        yield Gone(concern)


def _attention_gathered(state: State, event: AttentionGathered) -> Iterable[Change]:
    digest = state.get(Digest, event.cohort_id, event.cohort_id)
    if digest is not None:
        told = {"due_at": event.next_at, "again": digest.again + 1}
        yield digest.model_copy(update={**told, "gathered_at": event.gathered_at})


def _digest_queued(_: State, event: DigestQueued) -> Iterable[Change]:
    yield Letter(
        id=event.letter_id,
        cohort_id=event.cohort_id,
        state="queued",
        person_id=event.person_id,
        template=AttentionGathered.__name__,
        facts=event.facts,
        owed_since=event.send_at,
        due_at=event.send_at,
    )


EVOLUTION: Evolution = {
    CohortOpened: _cohort_opened,
    PolicyChanged: _policy_changed,
    LineManagerNamed: _line,
    LinksRevoked: links_revoked,
    MentorVolunteered: _line,
    ManagerEnrolled: _line,
    MentorChanged: _line,
    ManagerChanged: _line,
    MeetingPlaceSet: _place_set,
    SessionCompleted: _session_held,
    PersonContact: _contact,
    PersonErased: _erased,
    RetentionEnded: _retention_ended,
    ContactsErased: _contacts_erased,
    NewsHeld: _held,
    NewsDropped: _dropped,
    LetterQueued: _queued,
    LetterSent: _sent,
    LetterDeferred: _deferred,
    LetterFailed: _failed,
    AttentionWanted: _attention_wanted,
    AttentionSettled: _attention_settled,
    AttentionGathered: _attention_gathered,
    DigestQueued: _digest_queued,
    AddressChanged: _address_changed,
    HoursElsewhereNoted: _hours_heard,
    HoursTold: _hours_told,
    **ROLES,
}
"""Event, or record of the people topic, to the documents that it changes."""
