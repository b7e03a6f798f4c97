"""A pair's agenda: its plan, both calendars and the rules; and how what happens changes it.

A decision that leads to several events follows them here, one after the other, with the very
fold by which the documents change afterwards; so the two can never differ.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from schemas.base import Event, PairEvent, session_of
from schemas.dates import Region
from schemas.matching import PairDissolved, PairFormed
from schemas.meeting import MeetingPlaceSet, SessionMoveRefused, SessionRelocated
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    PlanningBegan,
    PlanningPostponed,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionDisputed,
    SessionEvent,
    SessionMissed,
    SessionMoveAccepted,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.values import Availability, CohortPolicy, Side
from services.chassis.domain import State
from services.scheduling.slots import Free, Interval
from services.scheduling.views import Busy, Calendar, Cohort, LineState, Pair, PlanLine

S = TypeVar("S", bound=SessionEvent)
P = TypeVar("P", bound=PairEvent)


@dataclass(frozen=True, slots=True)
class Agenda:
    """What the planning of one pair sees."""

    pair: Pair
    mentor: Calendar
    manager: Calendar
    policy: CohortPolicy

    @property
    def length(self) -> timedelta:
        """How long a session takes."""
        return timedelta(minutes=self.policy.session_minutes)

    @property
    def pending(self) -> tuple[PlanLine, ...]:
        """The sessions that wait to be planned, by number."""
        return tuple(line for line in self.pair.plan if line.state == "pending")

    def line_of(self, session_id: str) -> PlanLine | None:
        """The plan's line of a session; None if the pair has no such session."""
        return next((line for line in self.pair.plan if self.session_id(line) == session_id), None)

    def session_id(self, line: PlanLine) -> str:
        """The id of a line's session."""
        return session_of(self.pair.id, line.number)

    def taken(self, *but: str) -> list[Interval]:
        """(start, end) of what is taken in either calendar, except for the sessions `but`."""
        elsewhere = (*self.mentor.taken_elsewhere, *self.manager.taken_elsewhere)
        return [*self.taken_here(*but), *elsewhere]

    def taken_here(self, *but: str) -> list[Interval]:
        """The same, of sessions of this cohort alone."""
        return [*self.mentor.taken(*but), *self.manager.taken(*but)]

    @property
    def free(self) -> tuple[Free, Free]:
        """When the mentor can meet, and when the manager can, other sessions left aside."""
        return self._free(self.mentor), self._free(self.manager)

    def _free(self, calendar: Calendar) -> Free:
        region = self._region_of(calendar.site)
        return Free(calendar.availability, calendar.absences, calendar.offered, region)

    def _region_of(self, site: str | None) -> Region | None:
        regions = self.policy.regions or ()
        return next((known.region for known in regions if known.site == site), None)

    def with_calendars(self, calendars: Mapping[str, Calendar]) -> "Agenda":
        """The agenda with these calendars (by person) in the place of its own."""
        return replace(
            self,
            mentor=calendars.get(self.mentor.id, self.mentor),
            manager=calendars.get(self.manager.id, self.manager),
        )

    def session_event(self, kind: type[S], line: PlanLine, **own: Any) -> S:
        """The next change of a session; `own` are the fields that differ from its line's."""
        fields: dict[str, Any] = {
            "cohort_id": self.pair.cohort_id,
            "session_id": self.session_id(line),
            "pair_id": self.pair.id,
            "mentor_id": self.pair.mentor_id,
            "manager_id": self.pair.manager_id,
            "number": line.number,
            "attempt": line.attempt,
            "revision": line.changes,
            "starts_at": line.starts_at,
        } | own
        return kind(ends_at=fields["starts_at"] + self.length, **fields)

    def pair_event(self, kind: type[P], **own: Any) -> P:
        """Something about the pair."""
        return kind(
            cohort_id=self.pair.cohort_id,
            pair_id=self.pair.id,
            mentor_id=self.pair.mentor_id,
            manager_id=self.pair.manager_id,
            **own,
        )

    def after(self, event: Event) -> "Agenda":
        """The agenda once the event has happened."""
        match event:
            case SessionPlanned():
                planned = self._dated(event)
                return planned if planned.pending else planned._waiting(None)
            case SessionRescheduled() | SessionShifted():
                return self._dated(event)
            case SessionConfirmed():
                before = self.pair.line(event.number)
                by = (*before.confirmed_by, event.by)
                return self._revised(event, "planned", by, before.given_at)
            case SessionMoveProposed() | SessionMoveAccepted() | SessionMoveDeclined():
                before = self.pair.line(event.number)
                return self._revised(event, "planned", before.confirmed_by, before.given_at)
            case SessionPostponed():
                return self._revised(event, "pending")._freed(event)
            case SessionCancelled():
                ended = event.cause == "pair_dissolved"
                return self._revised(event, "cancelled" if ended else "pending")._freed(event)
            case SessionMissed() | SessionWithdrawn():
                return self._revised(event, "pending")._freed(event)
            case AttendanceCorrected():
                return self._corrected(event)
            case SessionDisputed() | SessionRelocated() | SessionMoveRefused():
                return self._changed(event)
            case GraduationWithdrawn():
                return self._reopened()
            case SessionCompleted():
                held = self._revised(event, "completed")._freed(event)._held(event)
                return held._counted(event.completed, presumed=event.presumed)
            case PlanningBegan():
                return self._timed(idle_since=event.at, stalls_at=self._stalls_at(event.at))
            case PlanningPostponed():
                return self._waiting(event.retry_at)
            case MeetingPlaceSet():
                return self._timed(place=event.place)
            case PairStalled():
                return self._timed(stalled=True, stalls_at=None)
            case PairGraduated():
                parted = self.pair.state == "dissolved" or self.pair.parted
                return self._closed("graduated")._timed(parted=parted)
            case PairDissolved() if self.pair.state == "active":
                return self._closed("dissolved")
            case PairDissolved() if self.pair.state == "graduated":
                return self._timed(parted=True)
            case _:
                return self

    def _revised(
        self,
        event: SessionEvent,
        state: LineState,
        confirmed_by: Iterable[Side] = (),
        given_at: datetime | None = None,
    ) -> "Agenda":
        line = PlanLine(
            number=event.number,
            state=state,
            attempt=event.attempt,
            changes=event.revision + 1,
            starts_at=event.starts_at,
            confirmed_by=tuple(confirmed_by),
            given_at=given_at,
        )
        return self._with_line(line)

    def _dated(self, event: SessionPlanned | SessionRescheduled | SessionShifted) -> "Agenda":
        dated = self._revised(event, "planned", event.confirmed_by, event.given_at)
        return dated._slotted(event)

    def _slotted(self, event: SessionEvent) -> "Agenda":
        slot = _slot(event)
        return self._calendars(lambda calendar: calendar.with_slot(slot))

    def _freed(self, event: SessionEvent) -> "Agenda":
        return self._calendars(lambda calendar: calendar.without(event.session_id))

    def _counted(self, completed: int, *, presumed: int) -> "Agenda":
        return self._timed(completed=completed, presumed=self.pair.presumed + presumed)

    def _changed(self, event: SessionEvent) -> "Agenda":
        """One more change of a session, which leaves its line as it is."""
        old = self.pair.line(event.number)
        line = old.model_copy(update={"changes": event.revision + 1})
        return self._with_line(line)

    def _corrected(self, event: AttendanceCorrected) -> "Agenda":
        """What took place after all needs no date; what did not waits for one."""
        old = self.pair.line(event.number)
        counted = self._counted(event.completed, presumed=-int(event.was_presumed))
        if event.held == event.was_held:
            return counted._changed(event)
        line = PlanLine(
            number=event.number,
            state="completed" if event.held else "pending",
            attempt=max(old.attempt, event.attempt),
            changes=event.revision + 1,
            starts_at=event.starts_at,
        )
        corrected = counted._with_line(line)
        if event.held:
            corrected = corrected._held(event)
        return corrected if corrected.pending else corrected._waiting(None)

    def _reopened(self) -> "Agenda":
        since = self.pair.idle_since
        return self._timed(
            state="active",
            graduations_withdrawn=self.pair.graduations_withdrawn + 1,
            stalls_at=self._stalls_at(since) if since else None,
        )

    def _with_line(self, line: PlanLine) -> "Agenda":
        plan = [line if old.number == line.number else old for old in self.pair.plan]
        return self._with_pair(plan=tuple(plan))

    def _held(self, event: SessionEvent) -> "Agenda":
        slot = _slot(event)

        def held(calendar: Calendar) -> Calendar:
            last = calendar.last_held
            earlier = last is not None and last.starts_at > slot.starts_at
            return calendar if earlier else calendar.model_copy(update={"last_held": slot})

        counted = self._calendars(held)
        idle_since = counted.pair.idle_since
        if idle_since is not None and event.ends_at <= idle_since:
            return counted  # a session from before the last one, reported late, ends no stall
        goes_on = self.pair.state == "active"
        stalls_at = self._stalls_at(event.ends_at) if goes_on else None
        return counted._timed(idle_since=event.ends_at, stalls_at=stalls_at, stalled=False)

    def _closed(self, state: str) -> "Agenda":
        return self._waiting(None)._timed(state=state, stalls_at=None, stalled=False)

    def _waiting(self, retry_at: datetime | None) -> "Agenda":
        """Sessions wait for a common hour until `retry_at`; with None, no more."""
        waits = retry_at is not None
        noted = self._calendars(lambda calendar: calendar.noting(self.pair.id, waits=waits))
        return noted._timed(retry_at=retry_at, waits=waits)

    def _stalls_at(self, since: datetime) -> datetime:
        return since + timedelta(days=self.policy.stalled_days)

    def _timed(self, **fields: Any) -> "Agenda":
        deadlines = (
            fields.get("stalls_at", self.pair.stalls_at),
            fields.get("retry_at", self.pair.retry_at),
        )
        fields["due_at"] = min((at for at in deadlines if at is not None), default=None)
        return self._with_pair(**fields)

    # `dataclasses.replace` takes longer than all the rest of what is done here.
    def _with_pair(self, **fields: Any) -> "Agenda":
        pair = self.pair.model_copy(update=fields)
        return Agenda(pair, self.mentor, self.manager, self.policy)

    def _calendars(self, change: Callable[[Calendar], Calendar]) -> "Agenda":
        return Agenda(self.pair, change(self.mentor), change(self.manager), self.policy)


def _slot(event: SessionEvent) -> Busy:
    return Busy(starts_at=event.starts_at, ends_at=event.ends_at, session_id=event.session_id)


def agenda_of(state: State, cohort_id: str, pair_id: str) -> Agenda | None:
    """The agenda of a pair; None if the pair is not known."""
    cohort = state.get(Cohort, cohort_id, cohort_id)
    pair = state.get(Pair, cohort_id, pair_id)
    if cohort is None or pair is None:
        return None
    return Agenda(
        pair,
        calendar_of(state, cohort_id, pair.mentor_id),
        calendar_of(state, cohort_id, pair.manager_id),
        cohort.policy,
    )


def new_agenda(state: State, event: PairFormed) -> Agenda | None:
    """The agenda of a pair that has just been formed; None if its cohort is not known."""
    cohort_id = event.cohort_id
    cohort = state.get(Cohort, cohort_id, cohort_id)
    if cohort is None:
        return None
    pair = Pair(
        id=event.pair_id,
        cohort_id=cohort_id,
        mentor_id=event.mentor_id,
        manager_id=event.manager_id,
        plan=_new_plan(cohort.policy.sessions),
    )
    return Agenda(
        pair,
        calendar_of(
            state, cohort_id, event.mentor_id, event.mentor_availability, event.mentor_site
        ),
        calendar_of(
            state, cohort_id, event.manager_id, event.manager_availability, event.manager_site
        ),
        cohort.policy,
    )


@lru_cache(maxsize=64)
def _new_plan(sessions: int) -> tuple[PlanLine, ...]:
    """Every pair's at first."""
    return tuple(PlanLine(number=n) for n in range(1, sessions + 1))


def calendar_of(
    state: State,
    cohort_id: str,
    person_id: str,
    availability: Availability | None = None,
    site: str | None = None,
) -> Calendar:
    """A person's calendar, an empty one at first; with another week or site if one is given."""
    found = state.get(Calendar, cohort_id, person_id)
    calendar = found or Calendar(id=person_id, cohort_id=cohort_id)
    if availability is None:
        return calendar
    update = {"availability": availability, "site": site or calendar.site}
    return calendar.model_copy(update=update)


def agendas_of(state: State, cohort_id: str, person_id: str) -> list[Agenda]:
    """The agendas of the pairs whose plans a person's calendar can change, by the pairs' ids."""
    pairs = calendar_of(state, cohort_id, person_id).pairs
    found = [agenda_of(state, cohort_id, pair_id) for pair_id in pairs]
    return [agenda for agenda in found if agenda is not None]
