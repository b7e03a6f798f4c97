"""How the portal's documents of rounds, and of who is kept apart, follow from what it learned.

Always holds: a round that was published stays so. That it was asked for is told on another topic,
of which a portal that was away reads later.
"""

from collections.abc import Iterable

from schemas.base import recast
from schemas.matching import PairKeptApart, RoundCompleted, RoundEvent
from schemas.rounds import PairsSimulated, RoundCalledOff, RoundRequested, RoundSimulated
from services.chassis.domain import Change, Evolution, State
from services.portal.views import Apart, Round, Simulation


def _round_requested(state: State, event: RoundRequested) -> Iterable[Change]:
    round_ = _round(state, event)
    became = {} if round_.state == "completed" else {"state": "requested", "mode": event.mode}
    asked = {name: getattr(event, name) for name in ("requested_at", "begins_at", "besides")}
    yield round_.model_copy(update={**asked, **became})


def _round_called_off(state: State, event: RoundCalledOff) -> Iterable[Change]:
    round_ = _round(state, event)
    if round_.state == "completed":
        return
    back = ("simulated", "simulate") if round_.simulated else ("called-off", "publish")
    fields = dict(zip(("state", "mode"), back, strict=True))
    yield round_.model_copy(update={**fields, "begins_at": None})


def _round_ended(state: State, event: RoundCompleted | RoundSimulated) -> Iterable[Change]:
    simulated = isinstance(event, RoundSimulated)
    became = ("simulated", "simulate") if simulated else ("completed", "publish")
    figures = ("proposed", "managers_waiting", "places_free", "score", "optimal")
    fields = dict(zip(("state", "mode"), became, strict=True))
    told = {name: getattr(event, name) for name in figures}
    round_ = _round(state, event)
    if not simulated or round_.state != "completed":
        yield round_.model_copy(update={**fields, **told, "simulated": simulated})


def _round(state: State, event: RoundEvent) -> Round:
    """The round, or one of which nothing is known yet."""
    found = state.get(Round, event.cohort_id, event.round_id)
    return found or Round(
        id=event.round_id, cohort_id=event.cohort_id, state="requested", mode="simulate"
    )


def _pairs_simulated(_: State, event: PairsSimulated) -> Iterable[Change]:
    yield recast(Simulation, event, id=f"{event.round_id}.{event.part}")


def _kept_apart(_: State, event: PairKeptApart) -> Iterable[Change]:
    yield recast(Apart, event, id=event.pair_id)


ROUNDS: Evolution = {
    RoundRequested: _round_requested,
    RoundCalledOff: _round_called_off,
    RoundCompleted: _round_ended,
    RoundSimulated: _round_ended,
    PairsSimulated: _pairs_simulated,
    PairKeptApart: _kept_apart,
}
"""Of rounds: event to the documents that it changes."""
