"""What follows from a fact: letters that leave at once, and what is held for the next one.

Always holds: one telling per fact and person, however often the fact comes; what waits and has
become untrue is dropped at once; what can wait is told in one letter a day; a change of the next
48 hours does not wait.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.letter_rules import LetterRules
from schemas.matching import PairFormed
from schemas.meeting import SessionMoveRefused, SessionRelocated
from schemas.notify import LetterQueued, NewsDropped, NewsHeld
from schemas.saying import PARIS
from schemas.scheduling import (
    SessionCancelled,
    SessionEvent,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.values import QuietHours
from services.chassis.domain import Decision
from services.notify.calendar import next_sending_time
from services.notify.leaving import day_of, without_what_leaves
from services.notify.letters import LETTERS, TELLINGS, TEMPLATES, Owed, fact_id
from services.notify.outdating import LATE, has_ended, makes_untrue, read_late
from services.notify.reminding import NOTICE, Reminder, reminders_of
from services.notify.views import Cohort, Entry, Tray

SOON = timedelta(hours=48)
A_MOMENT = timedelta(minutes=1)
"""For so long is held what may have been read before something of the same moment."""
_CHANGES = (
    SessionCancelled,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionMoveRefused,
    SessionPostponed,
    SessionRelocated,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)


def tell(
    cohort: Cohort | None,
    trays: Mapping[str, Tray],
    owed: Collection[Owed],
    event: Event,
    now: datetime,
) -> Decision:
    """Drop what the fact makes untrue, tell it to whom it concerns, and set its reminders.

    `trays`: by person, of those whom it concerns; `owed`: its letters that there are not yet.
    """
    rules, quiet_hours = rules_of(cohort)
    whole = trays
    for who in whole:
        if (due_at := whole[who].due_at) is not None and due_at <= now:
            trays = {**trays, who: without_what_leaves(whole[who], quiet_hours, now)}
    events: list[Event] = [*_dropped(trays, event)]
    reminders = list(reminders_of(event, rules, quiet_hours, now))
    facts = event.model_dump(mode="json") if owed or reminders else {}
    may_be_late = type(event) in LATE
    for news_id, person_id, side in owed:
        tray = trays.get(person_id)
        if _has(whole.get(person_id), news_id) or _is_covered(tray, event):
            continue
        about: dict[str, Any] = {
            "cohort_id": event.cohort_id,
            "letter_id": news_id,
            "person_id": person_id,
            "template": type(event).__name__,
        }
        if may_be_late and tray is not None and (by := read_late(event, tray.last)):
            events.append(NewsDropped(**about, cause="outdated", by=by))
            reminders = [one for one in reminders if one.person_id != person_id]
            continue
        about |= {"side": side, "facts": facts}
        told = _told(event, about, tray, rules, quiet_hours, now)
        events.append(told)
        if tray is not None and isinstance(event, PairFormed):
            events.extend(_held_with(told, tray))
    events.extend(_reminders(whole, event, facts, reminders, now))
    return events


def rules_of(cohort: Cohort | None) -> tuple[LetterRules, QuietHours]:
    """How a cohort's letters are gathered, and when none leaves."""
    # A session's fact can overtake the cohort's opening, which is on another topic.
    return (cohort.rules, cohort.quiet_hours) if cohort else (LetterRules(), QuietHours())


def _dropped(trays: Mapping[str, Tray], event: Event) -> Iterator[NewsDropped]:
    for person_id, tray in trays.items():
        for entry in tray.waiting:
            if makes_untrue(event, entry) and not _tells(entry, event):
                yield NewsDropped(
                    cohort_id=event.cohort_id,
                    letter_id=entry.news_id,
                    person_id=person_id,
                    template=entry.template,
                    cause="outdated",
                    by=fact_id(event),
                )


def _tells(entry: Entry, event: Event) -> bool:
    """Whether it is this very fact, which has come again."""
    return entry.news_id.rpartition(":")[0] == fact_id(event)


def _has(tray: Tray | None, news_id: str) -> bool:
    return tray is not None and any(entry.news_id == news_id for entry in tray.waiting)


def _is_covered(tray: Tray | None, event: Event) -> bool:
    """The questions after a session are in the letter that asked whether it took place."""
    if tray is None or not isinstance(event, SurveyOpened) or event.kind != "session":
        return False
    return session_asked(event) in tray.asked


def session_asked(event: SurveyOpened) -> str:
    """The id of the session after which a survey is opened."""
    occasion = event.survey_id.removeprefix(f"{event.pair_id}~").partition("~")[0]
    return f"{event.pair_id}~{occasion.removeprefix('s')}"


def _told(
    event: Event,
    about: dict[str, Any],
    tray: Tray | None,
    rules: LetterRules,
    quiet_hours: QuietHours,
    now: datetime,
) -> NewsHeld | LetterQueued:
    telling = LETTERS[type(event)]
    if telling.waits and (at := _gathered(tray, rules, quiet_hours, now)) > now:
        return NewsHeld(**about, tell_at=at, joins_from=now)
    early = rules.gather_minutes and _may_be_early(event, tray)  # else nothing is gathered
    ready = now + A_MOMENT if early else now
    urgent, at = _leaves(event, rules, quiet_hours, ready)
    if tray is not None and telling.invitation is not None:
        at = _with_the_first_letter(tray, event, at)
    # The dates of a session are kept in the tray, and there is none before something was held.
    if at == now and (tray is not None or telling.invitation is None):
        return LetterQueued(**about, send_at=at, urgent=urgent)
    return NewsHeld(**about, tell_at=at, joins_from=at)


def _may_be_early(event: Event, tray: Tray | None) -> bool:
    """Whether something of the same moment may not have been read that changes how it is told:
    what makes it untrue, or the letter that says who one is paired with."""
    if isinstance(event, SessionPlanned):
        for date in tray.dates if tray is not None else ():
            if date.pair_id == event.pair_id:
                return False
        return True
    return type(event) in LATE


def _gathered(
    tray: Tray | None, rules: LetterRules, quiet_hours: QuietHours, now: datetime
) -> datetime:
    """When what can wait is told: within the hour, but no second time on the same day.

    Where nothing is gathered, each fact has its own letter, as soon as letters are sent.
    """
    if rules.gather_minutes == 0:
        return next_sending_time(now, quiet_hours)
    at = next_sending_time(now + timedelta(minutes=rules.gather_minutes), quiet_hours)
    if tray is not None and tray.told_on is not None and day_of(at) <= tray.told_on:
        tomorrow = datetime.fromisoformat(tray.told_on).date() + timedelta(days=1)
        at = next_sending_time(datetime.combine(tomorrow, time(), PARIS), quiet_hours)
    return at


def _leaves(
    event: Event, rules: LetterRules, quiet_hours: QuietHours, now: datetime
) -> tuple[bool, datetime]:
    """Whether it leaves in quiet hours, and when it leaves."""
    at = next_sending_time(now, quiet_hours)
    if at == now or not isinstance(event, _CHANGES):
        return False, at
    dates = (event.starts_at, getattr(event, "previously_at", event.starts_at))
    soon = [date for date in dates if now < date <= now + SOON]
    if soon and (rules.urgent_at_night or at + NOTICE > min(soon)):
        return True, now
    return False, at


def leaves_at_night(entry: Entry, quiet_hours: QuietHours) -> bool:
    """Whether it is a change that was not to wait for the morning."""
    is_change = issubclass(TEMPLATES[entry.template], _CHANGES)
    return is_change and next_sending_time(entry.tell_at, quiet_hours) != entry.tell_at


def _with_the_first_letter(tray: Tray, event: Event, at: datetime) -> datetime:
    """Invitations come with the letter that says who one is paired with, and not before it."""
    if isinstance(event, SessionEvent):
        planned = isinstance(event, SessionPlanned)
        for entry in tray.waiting:
            first = entry.template == "PairFormed" or (
                planned and entry.template == "SessionPlanned"
            )
            if first and entry.facts["pair_id"] == event.pair_id:
                at = max(at, entry.tell_at)
    return at


def _held_with(told: NewsHeld | LetterQueued, tray: Tray) -> Iterator[NewsHeld]:
    """The invitations of a pair that were read of before the pair: they wait for its letter."""
    if not isinstance(told, NewsHeld):
        return
    for entry in tray.waiting:
        invites = TELLINGS[entry.template].invitation is not None
        of_the_pair = entry.facts.get("pair_id") == told.facts["pair_id"]
        if invites and of_the_pair and entry.tell_at < told.tell_at:
            yield NewsHeld(
                cohort_id=told.cohort_id,
                letter_id=entry.news_id,
                person_id=told.person_id,
                template=entry.template,
                side=entry.side,
                facts=entry.facts,
                tell_at=told.tell_at,
                joins_from=told.tell_at,
            )


def _reminders(
    trays: Mapping[str, Tray],
    event: Event,
    facts: dict[str, Any],
    reminders: Iterable[Reminder],
    now: datetime,
) -> Iterator[NewsHeld | NewsDropped]:
    for reminder in reminders:
        news_id, tray = f"{reminder.fact}:{reminder.person_id}", trays.get(reminder.person_id)
        if tray is not None and (
            _has(tray, news_id) or (tray.last and has_ended(event, tray.last))
        ):
            continue
        about = {
            "cohort_id": event.cohort_id,
            "letter_id": news_id,
            "person_id": reminder.person_id,
            "template": reminder.template,
        }
        if reminder.comes_too_late(now):
            yield NewsDropped(**about, cause="too-late")
        else:
            yield NewsHeld(
                **about,
                side=reminder.side,
                facts=facts,
                tell_at=reminder.tell_at,
                joins_from=reminder.joins_from,
            )
