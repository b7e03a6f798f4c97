"""How what the portal shows of meetings follows from events: where a pair meets. A fold."""

from collections.abc import Iterable

from schemas.meeting import MeetingPlaceSet
from services.chassis.domain import Change, Evolution, State
from services.portal.views import Pair


def _place_set(state: State, event: MeetingPlaceSet) -> Iterable[Change]:
    pair = state.get(Pair, event.cohort_id, event.pair_id)
    if pair is not None:
        yield pair.model_copy(update={"place": event.place})


MEETINGS: Evolution = {MeetingPlaceSet: _place_set}
