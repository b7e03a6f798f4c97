"""What it takes to give dates to sessions: all of a pair's, and the six that are offered for one.

The first beside the bare step, as in `services`: the same reads, writes and publications, and no
logic. The second in processor time alone, with nothing remembered of the two weeks.
"""

import statistics
import time
from dataclasses import replace
from datetime import datetime

from schemas.base import Message
from services.scheduling import slots
from services.scheduling.agenda import Agenda, agenda_of
from services.scheduling.moving import offers
from services.scheduling.views import Session
from tests.limits.test_steps import CASES, COHORTS, formed, opened
from tests.scheduling.given import ANY_DAY, COHORT, PAIR, standing, the_session
from tests.scheduling.given import formed as pair_formed

PAIRS = 10_000
OTHERS = ("g-2", "g-3", "g-4")
CALLS = 300


def _pairs(count: int) -> list[Message]:
    return formed(count)[len(COHORTS) :]


PLANNING = replace(CASES["scheduling"], before=opened, frequent=_pairs)
"""Pairs are formed in cohorts that are open: all their sessions are planned."""


def _busy_mentor() -> tuple[Agenda, Session, datetime]:
    """A pair of a mentor with three others, all of whom have their sessions planned."""
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    for manager in OTHERS:
        scenario.when(pair_formed(ANY_DAY, ANY_DAY, manager_id=manager))
    agenda = agenda_of(scenario.state, COHORT, PAIR)
    assert agenda is not None
    assert len(agenda.mentor.busy) == 5 * (1 + len(OTHERS))
    return agenda, the_session(scenario, 1), scenario.now


def milliseconds() -> float:
    """Processor time of six slots for a pair whose mentor has three others; the median."""
    agenda, session, now = _busy_mentor()
    taken = []
    for _ in range(CALLS):
        slots._common_week.cache_clear()
        begun = time.process_time_ns()
        found = offers(agenda, session, now)
        taken.append(time.process_time_ns() - begun)
        assert len(found) == 6
    return statistics.median(taken) / 1e6
