"""What matching's tests begin with: a cohort, mentors, managers, and pairs at every stage."""

import asyncio
from collections.abc import Sequence

from schemas.base import Event, Message
from schemas.matching import (
    AcceptProposal,
    CohortOpened,
    ManagerEnrolled,
    MentorVolunteered,
    RunRound,
)
from schemas.rounds import (
    RoundRequested,
)
from schemas.values import CohortPolicy, Window
from services.chassis.domain import D, Decision, Document, Refusal
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.matching.handlers import DOMAIN
from services.matching.search.worker import search, solve_here
from services.matching.views import Round
from tests.scenario import Scenario

MONDAY = (Window(day="mon", start="09:00", end="12:00"),)
TUESDAY = (Window(day="tue", start="09:00", end="12:00"),)


def mentor(id: str, **changes: object) -> MentorVolunteered:
    fields: dict[str, object] = {
        "cohort_id": "c",
        "mentor_id": id,
        "directorate": "DGFiP",
        "site": "Bercy",
        "skills": {"linkedin": 4},
        "capacity": 1,
        "availability": MONDAY,
    }
    return MentorVolunteered.model_validate({**fields, **changes})


def manager(id: str, **changes: object) -> ManagerEnrolled:
    fields: dict[str, object] = {
        "cohort_id": "c",
        "manager_id": id,
        "directorate": "INSEE",
        "site": "Bercy",
        "job_family": "statistics",
        "needs": {"linkedin": 3},
        "availability": MONDAY,
    }
    return ManagerEnrolled.model_validate({**fields, **changes})


class Matching(Scenario):
    """Matching's state; a round that is asked for is searched to its end."""

    def when(self, message: Message) -> Decision:
        decision = super().when(message)
        if not isinstance(message, RunRound) or isinstance(decision, Refusal):
            return decision
        events = list(decision)
        for event in decision:
            assert isinstance(event, RoundRequested)
            events += asyncio.run(self.searched(event.round_id))
        return events

    async def searched(self, round_id: str) -> list[Event]:
        """What is decided on the outcomes of the round's search."""
        events: list[Event] = []
        async for outcome in search(self, the(self, Round, round_id), solve_here):
            events += decided(super().when(outcome))
        return events

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        """Some fields of each document, as a store would give them."""
        store = MemoryStore()
        await store.fill(Place(0), self.state.whole(kind, cohort_id))
        return await store.encoded(kind, cohort_id, fields)


def decided(decision: Decision) -> Sequence[Event]:
    """The events; it was no refusal."""
    assert not isinstance(decision, Refusal), decision
    return decision


def scenario(*history: Message, **policy: object) -> Matching:
    opened = CohortOpened(cohort_id="c", name="C", policy=CohortPolicy.model_validate(policy))
    found = Matching(DOMAIN)
    found.given(opened, *history)
    return found


def proposed(capacity: int = 1, managers: int = 1) -> Matching:
    """A mentor `m1` is proposed to `g1` (and more)."""
    people = [manager(f"g{i}") for i in range(1, managers + 1)]
    found = scenario(mentor("m1", capacity=capacity), *people)
    found.when(RunRound(cohort_id="c", round_id="r1"))
    return found


def formed(capacity: int = 1, managers: int = 1) -> Matching:
    """Everybody has accepted."""
    found = proposed(capacity, managers)
    for number in range(1, min(capacity, managers) + 1):
        found.when(AcceptProposal(cohort_id="c", pair_id=f"m1~g{number}", by="mentor"))
        found.when(AcceptProposal(cohort_id="c", pair_id=f"m1~g{number}", by="manager"))
    return found


def the(found: Scenario, kind: type[D], id: str) -> D:
    """The document as it stands."""
    document = found.state.get(kind, "c", id)
    assert document is not None
    return document
