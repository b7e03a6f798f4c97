"""The part of somebody who has joined: what they say now, a pause, coming back, another partner."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Command
from schemas.cohorts import ChangePolicy
from schemas.matching import (
    AcceptProposal,
    DissolvePair,
    ProposePair,
    RunRound,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from schemas.taking_part import (
    AskForAnotherPartner,
    ChangeManager,
    ChangeMentor,
    KeepPartner,
    ManagerReturned,
    PauseManager,
    ResumeManager,
    ReturnManager,
    ReturnMentor,
)
from schemas.values import CohortPolicy
from services.matching.views import Manager, Mentor, Pair
from tests.matching.given import formed, manager, mentor, proposed, scenario, the
from tests.scenario import NOW, kinds, refusal

G1: dict[str, Any] = {"cohort_id": "c", "manager_id": "g1"}
M1: dict[str, Any] = {"cohort_id": "c", "mentor_id": "m1"}
PAIR: dict[str, Any] = {"cohort_id": "c", "pair_id": "m1~g1"}
ROUND = RunRound(cohort_id="c", round_id="r2")


# --- what they say now ------------------------------------------------------------------------


def test_a_mentor_says_something_else_and_what_is_left_out_stays() -> None:
    found = scenario(mentor("m1"))
    assert kinds(found.when(ChangeMentor(**M1, site="Lyon"))) == ["MentorChanged"]
    changed = the(found, Mentor, "m1")
    assert (changed.site, changed.directorate, changed.skills) == ("Lyon", "DGFiP", {"linkedin": 4})


def test_somebody_is_of_another_organisation_and_of_the_cohorts_own_again() -> None:
    found = scenario(mentor("m1", organisation="Natixis"), manager("g1"))
    assert kinds(found.when(ChangeManager(**G1, organisation="Natixis"))) == ["ManagerChanged"]
    assert the(found, Manager, "g1").organisation == "Natixis"
    found.when(ChangeMentor(**M1, site="Lyon"))
    assert the(found, Mentor, "m1").organisation == "Natixis"
    assert kinds(found.when(ChangeMentor(**M1, organisation=""))) == ["MentorChanged"]
    assert the(found, Mentor, "m1").organisation is None
    assert found.when(ChangeMentor(**M1, organisation="")) == []


def test_nobody_becomes_of_an_organisation_that_the_cohort_does_not_name() -> None:
    found = scenario(mentor("m1", organisation="Before"), manager("g1"))
    found.when(ChangePolicy(cohort_id="c", policy=CohortPolicy(organisations=("Natixis",))))
    no = "organisation-not-named"
    assert refusal(found.when(ChangeMentor(**M1, organisation="Other"))) == no
    assert refusal(found.when(ChangeManager(**G1, organisation="natixis"))) == no
    assert kinds(found.when(ChangeManager(**G1, organisation="Natixis"))) == ["ManagerChanged"]
    assert kinds(found.when(ChangeMentor(**M1, organisation="Before", site="Lyon"))) == [
        "MentorChanged"
    ]


def test_to_say_the_same_again_changes_nothing() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    assert found.when(ChangeMentor(**M1, site="Bercy", skills={"linkedin": 4})) == []
    assert found.when(ChangeManager(**G1, needs={"linkedin": 3})) == []
    assert found.when(ChangeManager(**G1)) == []


def test_a_manager_without_needs_has_those_of_the_job() -> None:
    found = scenario(manager("g1"))
    found.when(ChangeManager(**G1, job_family="public-procurement", needs={}))
    changed = the(found, Manager, "g1")
    assert changed.job_family == "public-procurement"
    assert "linkedin" in changed.needs


def test_the_next_round_goes_by_what_is_new() -> None:
    found = scenario(mentor("m1", skills={"wiki": 4}), manager("g1", needs={"linkedin": 3}))
    assert "PairProposed" not in kinds(found.when(RunRound(cohort_id="c", round_id="r1")))
    found.when(ChangeMentor(**M1, skills={"linkedin": 4}))
    assert "PairProposed" in kinds(found.when(ROUND))


def test_fewer_places_than_pairs_end_none_and_bring_no_other() -> None:
    found = formed(capacity=2, managers=2)
    found.when(ChangeMentor(**M1, capacity=1))
    assert [the(found, Pair, f"m1~g{n}").state for n in (1, 2)] == ["formed", "formed"]
    found.when(DissolvePair(**PAIR, reason=""))
    assert the(found, Mentor, "m1").places == 0
    found.given(manager("g3"))
    assert "PairProposed" not in kinds(found.when(ROUND))


@pytest.mark.parametrize(
    ("leaves", "change"),
    [
        (WithdrawMentor(**M1), ChangeMentor(**M1, site="Lyon")),
        (WithdrawManager(**G1), ChangeManager(**G1, site="Lyon")),
        (WithdrawManager(**G1), PauseManager(**G1)),
        (WithdrawManager(**G1), ResumeManager(**G1)),
    ],
)
def test_whoever_has_left_comes_back_first(leaves: Command, change: Command) -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(leaves)
    assert refusal(found.when(change)) == "withdrawn"


@pytest.mark.parametrize(
    "command",
    [
        ChangeMentor(**M1),
        ChangeManager(**G1),
        PauseManager(**G1),
        ResumeManager(**G1),
        ReturnMentor(**M1),
        ReturnManager(**G1),
    ],
)
def test_nobody_changes_who_never_joined(command: Command) -> None:
    assert refusal(scenario().when(command)) == "unknown-person"


# --- a manager's pause --------------------------------------------------------------------------


def test_a_paused_manager_is_not_proposed_and_one_who_is_back_keeps_their_place() -> None:
    found = scenario(mentor("m1"), manager("g1", enrolled_at=NOW))
    assert kinds(found.when(PauseManager(**G1))) == ["ManagerPaused"]
    assert found.when(PauseManager(**G1)) == []
    assert the(found, Manager, "g1").state == "paused"
    assert "PairProposed" not in kinds(found.when(RunRound(cohort_id="c", round_id="r1")))
    by_hand = ProposePair(**PAIR, reason="asked for it")
    assert refusal(found.when(by_hand)) == "not-waiting"
    assert kinds(found.when(ResumeManager(**G1))) == ["ManagerResumed"]
    assert found.when(ResumeManager(**G1)) == []
    assert the(found, Manager, "g1").enrolled_at == NOW
    assert "PairProposed" in kinds(found.when(ROUND))


def test_a_pair_goes_on_while_its_manager_pauses_and_nothing_follows_it() -> None:
    found = formed()
    found.when(PauseManager(**G1))
    assert the(found, Pair, "m1~g1").state == "formed"
    found.when(DissolvePair(**PAIR, reason=""))
    assert the(found, Manager, "g1").state == "paused"


def test_a_proposal_stands_while_its_manager_pauses() -> None:
    found = proposed()
    found.when(PauseManager(**G1))
    found.when(AcceptProposal(**PAIR, by="mentor"))
    assert "PairFormed" in kinds(found.when(AcceptProposal(**PAIR, by="manager")))


# --- coming back --------------------------------------------------------------------------------


def test_a_mentor_comes_back_with_what_they_said_and_without_their_pairs() -> None:
    found = formed()
    found.when(WithdrawMentor(**M1))
    assert kinds(found.when(ReturnMentor(**M1))) == ["MentorReturned"]
    assert found.when(ReturnMentor(**M1)) == []
    back = the(found, Mentor, "m1")
    assert (back.state, back.engaged, back.skills) == ("available", (), {"linkedin": 4})
    assert the(found, Pair, "m1~g1").state == "dissolved"
    assert "PairProposed" not in kinds(found.when(ROUND)), "a pair has one life"


def test_a_manager_comes_back_last_on_the_list() -> None:
    found = scenario(manager("g1", enrolled_at=NOW))
    found.when(PauseManager(**G1))
    found.when(WithdrawManager(**G1))
    found.later(days=3)
    (event,) = found.when(ReturnManager(**G1))  # type: ignore[misc]
    assert isinstance(event, ManagerReturned)
    back = the(found, Manager, "g1")
    assert (back.state, back.pair_id, back.enrolled_at) == ("waiting", None, found.now)


def test_each_return_is_counted() -> None:
    found = scenario(mentor("m1"))
    for again in (1, 2):
        found.when(WithdrawMentor(**M1))
        (event,) = found.when(ReturnMentor(**M1))  # type: ignore[misc]
        assert event.again == again  # type: ignore[attr-defined]


def graduated_and_gone() -> Any:
    found = formed()
    found.when(PairGraduated(**PAIR, mentor_id="m1", manager_id="g1", sessions=5))
    found.when(WithdrawManager(**G1))
    found.when(ReturnManager(**G1))
    return found


TAKEN_BACK = GraduationWithdrawn(**PAIR, mentor_id="m1", manager_id="g1", again=1, completed=4)


def test_who_came_back_is_in_their_former_pair_again_if_its_graduation_is_taken_back() -> None:
    found = graduated_and_gone()
    assert kinds(found.when(TAKEN_BACK)) == []
    assert (the(found, Manager, "g1").state, the(found, Manager, "g1").pair_id) == (
        "paired",
        "m1~g1",
    )


def test_unless_they_have_another_mentor_by_then() -> None:
    found = graduated_and_gone()
    found.given(mentor("m2"))
    found.when(ROUND)
    assert kinds(found.when(TAKEN_BACK)) == ["PairDissolved"]
    assert the(found, Manager, "g1").pair_id == "m2~g1"
    assert the(found, Manager, "g1").state == "proposed"
    assert the(found, Mentor, "m1").engaged == ()


# --- another partner ----------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["mentor", "manager"])
def test_to_ask_for_another_partner_is_noted_once_and_ends_nothing(side: Any) -> None:
    found = formed()
    asked = AskForAnotherPartner(**PAIR, by=side, reason="other hours")
    assert kinds(found.when(asked)) == ["AnotherPartnerAsked"]
    assert found.when(asked) == []
    assert the(found, Pair, "m1~g1").state == "formed"
    assert kinds(found.when(KeepPartner(**PAIR, by=side))) == ["PartnerKept"]
    assert refusal(found.when(KeepPartner(**PAIR, by=side))) == "not-asked"
    assert kinds(found.when(asked)) == ["AnotherPartnerAsked"]


def test_another_partner_is_asked_for_in_a_pair_that_stands() -> None:
    asked = AskForAnotherPartner(**PAIR, by="mentor")
    assert refusal(proposed().when(asked)) == "pair-not-standing"
    assert refusal(scenario().when(asked)) == "unknown-pair"
    assert refusal(scenario().when(KeepPartner(**PAIR, by="mentor"))) == "unknown-pair"


# --- whatever happens ---------------------------------------------------------------------------

SITES = st.sampled_from(["Lyon", "Bercy"])
TOOLS = st.dictionaries(st.sampled_from(["linkedin", "wiki"]), st.integers(1, 5), min_size=1)
COMMANDS = st.one_of(
    st.builds(
        ChangeMentor,
        **{k: st.just(v) for k, v in M1.items()},
        site=SITES,
        skills=TOOLS,
        capacity=st.integers(1, 3),
    ),
    st.builds(ChangeManager, **{k: st.just(v) for k, v in G1.items()}, site=SITES, needs=TOOLS),
    st.sampled_from([PauseManager(**G1), ResumeManager(**G1)]),
    st.sampled_from([ReturnMentor(**M1), ReturnManager(**G1)]),
    st.builds(
        AskForAnotherPartner,
        **{k: st.just(v) for k, v in PAIR.items()},
        by=st.sampled_from(["mentor", "manager"]),
    ),
    st.builds(
        KeepPartner,
        **{k: st.just(v) for k, v in PAIR.items()},
        by=st.sampled_from(["mentor", "manager"]),
    ),
)
LEAVING = st.sampled_from([WithdrawMentor(**M1), WithdrawManager(**G1)])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([proposed, formed]), st.lists(COMMANDS, max_size=12))
def test_whatever_they_say_pairs_and_proposals_stand(begin: Any, commands: list[Command]) -> None:
    found = begin()
    pair, before = the(found, Pair, "m1~g1"), the(found, Manager, "g1")
    for command in commands:
        found.when(command)
    after = the(found, Pair, "m1~g1")
    assert after.model_copy(update={"asked_another": ()}) == pair
    assert (the(found, Manager, "g1").state, the(found, Manager, "g1").pair_id) == (
        before.state,
        before.pair_id,
    )
    assert the(found, Mentor, "m1").engaged == ("m1~g1",)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(COMMANDS, LEAVING), max_size=16))
def test_whoever_comes_and_goes_is_in_a_pair_that_knows_of_it(commands: list[Command]) -> None:
    found = formed()
    for number, command in enumerate(commands):
        found.when(command)
        if number % 4 == 3:
            found.when(RunRound(cohort_id="c", round_id=f"again-{number}"))
        manager_, mentor_ = the(found, Manager, "g1"), the(found, Mentor, "m1")
        engaged = manager_.state in ("proposed", "paired")
        assert engaged == (the(found, Pair, "m1~g1").state in ("proposed", "formed"))
        assert engaged == (mentor_.engaged == ("m1~g1",))
        assert (manager_.state == "paused") <= manager_.paused
