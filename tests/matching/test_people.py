"""Cohorts and people: opening, volunteering, enrolling, pausing, changing, leaving."""

import pytest

from schemas.base import Command, recast
from schemas.cohorts import ChangePolicy
from schemas.matching import (
    ChangeAvailability,
    EnrolManager,
    OpenCohort,
    PairDissolved,
    PauseMentor,
    ProposalExpired,
    ResumeMentor,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.scheduling import PairGraduated
from schemas.values import CohortPolicy
from services.chassis.domain import Refusal
from services.matching.handlers import DOMAIN
from services.matching.views import Manager, Mentor
from tests.matching.given import TUESDAY, formed, manager, mentor, proposed, scenario, the
from tests.scenario import Scenario, kinds, refusal

VOLUNTEER = recast(VolunteerAsMentor, mentor("m1"))
ENROL = recast(EnrolManager, manager("g1"))
OPEN = OpenCohort(cohort_id="c", name="C", policy=CohortPolicy())


def test_a_cohort_is_opened_once() -> None:
    found = Scenario(DOMAIN)
    assert kinds(found.when(OPEN)) == ["CohortOpened"]
    assert found.when(OPEN) == []


def test_a_cohort_is_not_opened_again_on_other_terms() -> None:
    other = OpenCohort(cohort_id="c", name="C", policy=CohortPolicy(sessions=3))
    assert refusal(scenario().when(other)) == "cohort-exists"


@pytest.mark.parametrize("command", [VOLUNTEER, ENROL, RunRound(cohort_id="c", round_id="r")])
def test_nothing_is_done_in_a_cohort_that_does_not_exist(command: Command) -> None:
    assert refusal(Scenario(DOMAIN).when(command)) == "unknown-cohort"


def test_somebody_volunteers_once() -> None:
    found = scenario()
    assert kinds(found.when(VOLUNTEER)) == ["MentorVolunteered"]
    assert found.when(VOLUNTEER) == []


def test_another_offer_of_the_same_person_is_refused() -> None:
    found = scenario(mentor("m1"))
    other = VOLUNTEER.model_copy(update={"capacity": 2})
    assert refusal(found.when(other)) == "already-volunteered"


def test_whoever_joins_is_of_an_organisation_that_the_cohort_names_if_it_names_any() -> None:
    found = scenario()
    for command in (VOLUNTEER, ENROL):
        told = command.model_copy(update={"organisation": "Natixis"})
        assert found.when(told) != []
        assert found.when(told) == []
        assert refusal(found.when(command)).startswith("already-")
    named = scenario()
    policy = CohortPolicy(organisations=("Natixis",))
    named.when(ChangePolicy(cohort_id="c", policy=policy))
    for command in (VOLUNTEER, ENROL):
        other = command.model_copy(update={"organisation": "Another"})
        assert refusal(named.when(other)) == "organisation-not-named"
        assert not isinstance(named.when(command), Refusal)


def test_a_manager_enrols_once() -> None:
    found = scenario()
    assert kinds(found.when(ENROL)) == ["ManagerEnrolled"]
    assert found.when(ENROL) == []
    other = ENROL.model_copy(update={"site": "Lyon"})
    assert refusal(found.when(other)) == "already-enrolled"


def test_a_paused_mentor_is_not_proposed_and_a_resumed_one_is() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    assert kinds(found.when(PauseMentor(cohort_id="c", mentor_id="m1"))) == ["MentorPaused"]
    assert "PairProposed" not in kinds(found.when(RunRound(cohort_id="c", round_id="r1")))
    assert kinds(found.when(ResumeMentor(cohort_id="c", mentor_id="m1"))) == ["MentorResumed"]
    assert "PairProposed" in kinds(found.when(RunRound(cohort_id="c", round_id="r2")))


def test_volunteering_again_after_a_pause_resumes() -> None:
    found = scenario(mentor("m1"))
    found.when(PauseMentor(cohort_id="c", mentor_id="m1"))
    assert kinds(found.when(VOLUNTEER)) == ["MentorResumed"]


def test_pausing_and_resuming_twice_changes_nothing() -> None:
    found = scenario(mentor("m1"))
    found.when(PauseMentor(cohort_id="c", mentor_id="m1"))
    assert found.when(PauseMentor(cohort_id="c", mentor_id="m1")) == []
    found.when(ResumeMentor(cohort_id="c", mentor_id="m1"))
    assert found.when(ResumeMentor(cohort_id="c", mentor_id="m1")) == []


def test_a_pause_leaves_a_standing_pair_alone() -> None:
    found = formed()
    found.when(PauseMentor(cohort_id="c", mentor_id="m1"))
    assert the(found, Manager, "g1").state == "paired"


def test_a_changed_week_counts_in_the_next_round() -> None:
    found = scenario(mentor("m1"), manager("g1", availability=TUESDAY))
    assert "PairProposed" not in kinds(found.when(RunRound(cohort_id="c", round_id="r1")))
    change = ChangeAvailability(cohort_id="c", person_id="m1", availability=TUESDAY)
    assert kinds(found.when(change)) == ["AvailabilityChanged"]
    assert found.when(change) == []
    assert "PairProposed" in kinds(found.when(RunRound(cohort_id="c", round_id="r2")))


def test_a_mentor_who_leaves_ends_every_pair_and_frees_the_managers() -> None:
    found = formed(capacity=2, managers=2)
    decision = found.when(WithdrawMentor(cohort_id="c", mentor_id="m1"))
    assert kinds(decision) == ["MentorWithdrew", "PairDissolved", "PairDissolved"]
    assert [the(found, Manager, g).state for g in ("g1", "g2")] == ["waiting", "waiting"]
    assert the(found, Mentor, "m1").engaged == ()


def test_a_manager_who_leaves_frees_the_mentor() -> None:
    found = formed()
    decision = found.when(WithdrawManager(cohort_id="c", manager_id="g1"))
    assert isinstance(decision, list)
    assert isinstance(decision[1], PairDissolved)
    assert decision[1].cause == "manager_withdrew"
    assert the(found, Mentor, "m1").state == "available"
    assert the(found, Manager, "g1").state == "withdrawn"


def test_leaving_ends_an_open_proposal_without_an_answer() -> None:
    for command in (
        WithdrawMentor(cohort_id="c", mentor_id="m1"),
        WithdrawManager(cohort_id="c", manager_id="g1"),
    ):
        decision = proposed().when(command)
        assert isinstance(decision, list)
        assert isinstance(decision[1], ProposalExpired)
        assert decision[1].cause == "withdrawal"


def test_leaving_twice_changes_nothing_and_there_is_no_way_back() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(WithdrawMentor(cohort_id="c", mentor_id="m1"))
    found.when(WithdrawManager(cohort_id="c", manager_id="g1"))
    assert found.when(WithdrawMentor(cohort_id="c", mentor_id="m1")) == []
    assert found.when(WithdrawManager(cohort_id="c", manager_id="g1")) == []
    assert refusal(found.when(VOLUNTEER)) == "withdrawn"
    assert refusal(found.when(ENROL)) == "withdrawn"
    assert refusal(found.when(PauseMentor(cohort_id="c", mentor_id="m1"))) == "withdrawn"


@pytest.mark.parametrize(
    "command",
    [
        PauseMentor(cohort_id="c", mentor_id="x"),
        ResumeMentor(cohort_id="c", mentor_id="x"),
        WithdrawMentor(cohort_id="c", mentor_id="x"),
        WithdrawManager(cohort_id="c", manager_id="x"),
        ChangeAvailability(cohort_id="c", person_id="x", availability=TUESDAY),
    ],
)
def test_a_person_nobody_knows_is_told_so(command: Command) -> None:
    assert refusal(scenario().when(command)) == "unknown-person"


def test_a_graduated_pair_frees_the_mentor_and_keeps_the_manager() -> None:
    found = formed()
    found.when(
        PairGraduated(cohort_id="c", pair_id="m1~g1", mentor_id="m1", manager_id="g1", sessions=5)
    )
    assert the(found, Mentor, "m1").state == "available"
    assert the(found, Manager, "g1").state == "graduated"
