"""What matching's tests begin with: a cohort, mentors, managers, and pairs at every stage."""

from schemas.base import Message
from schemas.commands import AcceptProposal, RunRound
from schemas.events import CohortOpened, ManagerEnrolled, MentorVolunteered
from schemas.values import CohortPolicy, Window
from services.chassis.domain import D
from services.matching.handlers import DOMAIN
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


def scenario(*history: Message, **policy: object) -> Scenario:
    opened = CohortOpened(cohort_id="c", name="C", policy=CohortPolicy.model_validate(policy))
    return Scenario(DOMAIN).given(opened, *history)


def proposed(capacity: int = 1, managers: int = 1) -> Scenario:
    """A mentor `m1` is proposed to `g1` (and more)."""
    people = [manager(f"g{i}") for i in range(1, managers + 1)]
    found = scenario(mentor("m1", capacity=capacity), *people)
    found.when(RunRound(cohort_id="c", round_id="r1"))
    return found


def formed(capacity: int = 1, managers: int = 1) -> Scenario:
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
