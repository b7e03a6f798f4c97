"""A mentor and a manager, and the pair that they are; and how what happens to it changes all three.

Always holds: a pair has one life; it takes up a place of its mentor from the proposal to its end.
"""

from dataclasses import dataclass, replace
from typing import Any

from schemas.base import Message, PairEvent, people_of, recast
from schemas.matching import (
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from services.chassis.domain import Columns, State
from services.matching.search.fit import LineOf
from services.matching.views import Line, Manager, Mentor, Pair, PairState

_ENDS: dict[type[Message], PairState] = {
    ProposalDeclined: "declined",
    ProposalExpired: "expired",
    PairDissolved: "dissolved",
    PairGraduated: "graduated",
}


@dataclass(frozen=True, slots=True)
class Couple:
    """Two people; `pair` is None as long as they were not proposed to each other."""

    mentor: Mentor
    manager: Manager
    pair: Pair | None = None

    def after(self, event: PairEvent) -> "Couple":
        """The couple once the event has happened. Raises `LookupError` where there is no pair."""
        if isinstance(event, PairProposed):
            return self._proposed(event)
        if self.pair is None:
            raise LookupError(f"{type(event).__name__} of an unknown pair {event.pair_id}")
        match event:
            case ProposalAccepted():
                return self._with(self.pair, accepted=(*self.pair.accepted, event.by))
            case PairFormed():
                formed = self._with(self.pair, state="formed", due_at=None)
                return formed._managed(state="paired")
            case GraduationWithdrawn():
                return self._reopened(self.pair)
            case _ if self.pair.state in ("proposed", "formed"):
                return self._ended(self.pair, _ENDS[type(event)])
            case _:
                # Dissolved here while its last session was reported there: it stays dissolved.
                return self

    def _proposed(self, event: PairProposed) -> "Couple":
        pair = recast(Pair, event, id=event.pair_id, due_at=event.expires_at, state="proposed")
        mentor = engaged(self.mentor, (*self.mentor.engaged, pair.id))
        couple = replace(self, mentor=mentor, pair=pair)
        return couple._managed(state="proposed", pair_id=pair.id, waiting=None)

    def _ended(self, pair: Pair, state: PairState) -> "Couple":
        others = tuple(other for other in self.mentor.engaged if other != pair.id)
        ended = self._with(pair, state=state, due_at=None, asked_another=())
        couple = replace(ended, mentor=engaged(self.mentor, others))
        if self.manager.pair_id != pair.id:  # they came back, and have another by now
            return couple
        if self.manager.state == "withdrawn":
            return couple._managed(pair_id=None)
        if state == "graduated":
            return couple._managed(state="graduated", pair_id=pair.id)
        return replace(couple, manager=self.manager.free())

    def _reopened(self, pair: Pair) -> "Couple":
        """It stands again, and takes a place again: one more than the mentor has, if need be."""
        if pair.state != "graduated":
            return self
        mentor = engaged(self.mentor, (*self.mentor.engaged, pair.id))
        couple = replace(self._with(pair, state="formed"), mentor=mentor)
        if not self.manager.may_take(pair.id):
            return couple
        return couple._managed(state="paired", pair_id=pair.id, waiting=None)

    def _with(self, pair: Pair, **fields: Any) -> "Couple":
        return replace(self, pair=pair.model_copy(update=fields))

    def _managed(self, **fields: Any) -> "Couple":
        return replace(self, manager=self.manager.model_copy(update=fields))


def engaged(mentor: Mentor, pairs: tuple[str, ...]) -> Mentor:
    """The mentor with these pairs, proposed or standing, and what state they leave them in."""
    state = mentor.state
    if state in ("available", "engaged"):
        state = "engaged" if len(pairs) >= mentor.capacity else "available"
    return mentor.model_copy(update={"engaged": pairs, "state": state})


def couple_of(state: State, cohort_id: str, pair_id: str) -> Couple | None:
    """The two people that a pair's id names; None if one of them is not known."""
    mentor_id, manager_id = people_of(pair_id)
    mentor = state.get(Mentor, cohort_id, mentor_id)
    manager = state.get(Manager, cohort_id, manager_id)
    if mentor is None or manager is None:
        return None
    return Couple(mentor, manager, state.get(Pair, cohort_id, pair_id))


def line_in(state: State, cohort_id: str) -> LineOf:
    """Who somebody reports to, one person at a time, as far as it is known."""

    def line_of(person: str) -> str | None:
        line = state.get(Line, cohort_id, person)
        if line is not None:
            return line.line_manager
        known = state.get(Mentor, cohort_id, person) or state.get(Manager, cohort_id, person)
        return known.line_manager if known else None

    return line_of


def standing_in(cohort_id: str) -> list[Columns]:
    """By which the ids of all pairs and proposals are known that stand in a cohort."""
    states: tuple[PairState, ...] = ("formed", "proposed")
    return [Columns(Pair, cohort_id, ("id",), (("state", state),)) for state in states]
