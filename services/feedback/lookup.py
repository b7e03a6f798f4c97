"""A cohort's documents as they are kept or, where there is none yet, as they begin: empty."""

from schemas.base import Message, people_of
from services.chassis.domain import State
from services.feedback.views import Cohort, Group, Pair, Turnout


def cohort_of(state: State, message: Message) -> Cohort | None:
    """The cohort that a message is about, if it was opened."""
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def group_in(state: State, cohort_id: str, id: str) -> Group:
    """A group of a cohort; an empty one before its first answer."""
    return state.get(Group, cohort_id, id) or Group(id=id, cohort_id=cohort_id)


def turnout_in(state: State, cohort_id: str, id: str) -> Turnout:
    """The turnout of a group, or of all; an empty one before its first survey."""
    return state.get(Turnout, cohort_id, id) or Turnout(id=id, cohort_id=cohort_id)


def pair_in(state: State, cohort_id: str, pair_id: str) -> Pair:
    """A pair, also before it is known that it was formed."""
    mentor_id, manager_id = people_of(pair_id)
    return state.get(Pair, cohort_id, pair_id) or Pair(
        id=pair_id, cohort_id=cohort_id, mentor_id=mentor_id, manager_id=manager_id
    )
