"""A proposal and the pair that comes of it: one life, whatever the order of events."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Command
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    DissolvePair,
    PairFormed,
    PairProposed,
    PauseMentor,
    ResumeMentor,
    RunRound,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from services.matching.views import Manager, Mentor, Pair
from tests.matching.given import formed, manager, mentor, proposed, scenario, the
from tests.scenario import Everything, kinds, refusal

PAIR = {"cohort_id": "c", "pair_id": "m1~g1"}
YES_MENTOR = AcceptProposal(**PAIR, by="mentor")
YES_MANAGER = AcceptProposal(**PAIR, by="manager")
NO_MENTOR = DeclineProposal(**PAIR, by="mentor")


def test_a_pair_is_formed_once_both_have_accepted_in_either_order() -> None:
    for first, second in ((YES_MENTOR, YES_MANAGER), (YES_MANAGER, YES_MENTOR)):
        found = proposed()
        assert kinds(found.when(first)) == ["ProposalAccepted"]
        assert kinds(found.when(second)) == ["ProposalAccepted", "PairFormed"]
        assert the(found, Pair, "m1~g1").state == "formed"
        assert the(found, Manager, "g1").state == "paired"


def test_a_formed_pair_tells_both_weeks() -> None:
    found = proposed()
    found.when(YES_MENTOR)
    decision = found.when(YES_MANAGER)
    assert isinstance(decision, list)
    assert isinstance(decision[1], PairFormed)
    assert decision[1].mentor_availability == the(found, Mentor, "m1").availability


def test_an_answer_counts_once() -> None:
    found = proposed()
    found.when(YES_MENTOR)
    assert refusal(found.when(YES_MENTOR)) == "already-answered"
    found.when(YES_MANAGER)
    assert refusal(found.when(YES_MANAGER)) == "already-answered"


def test_a_no_after_a_yes_counts_until_the_other_has_answered() -> None:
    found = proposed()
    found.when(YES_MENTOR)
    assert kinds(found.when(NO_MENTOR)) == ["ProposalDeclined"]
    assert refusal(found.when(YES_MANAGER)) == "proposal-declined"


def test_a_declined_proposal_frees_both() -> None:
    found = proposed()
    found.when(NO_MENTOR)
    assert the(found, Mentor, "m1").engaged == ()
    assert the(found, Manager, "g1").state == "waiting"


def test_a_proposal_expires_when_its_time_has_come_and_not_before() -> None:
    found = proposed()
    assert found.later(days=9).when_due() == []
    assert kinds(found.later(days=1).when_due()) == ["ProposalExpired"]
    assert the(found, Manager, "g1").state == "waiting"


def test_an_answer_that_comes_too_late_is_refused_before_and_after_the_expiry() -> None:
    found = proposed().later(days=10)
    assert refusal(found.when(YES_MENTOR)) == "proposal-expired"
    found.when_due()
    assert refusal(found.when(YES_MENTOR)) == "proposal-expired"


def test_a_formed_pair_has_no_deadline() -> None:
    assert formed().later(days=1000).when_due() == []


def test_a_standing_pair_is_dissolved_once() -> None:
    found = formed()
    dissolve = DissolvePair(**PAIR, reason="a new post")
    assert kinds(found.when(dissolve)) == ["PairDissolved"]
    assert found.when(dissolve) == []
    assert the(found, Manager, "g1").state == "waiting"


def test_what_does_not_stand_cannot_be_dissolved() -> None:
    dissolve = DissolvePair(**PAIR, reason="")
    assert refusal(proposed().when(dissolve)) == "pair-not-standing"
    assert refusal(scenario().when(dissolve)) == "unknown-pair"


def test_an_unknown_pair_is_told_so() -> None:
    assert refusal(scenario().when(YES_MENTOR)) == "unknown-pair"
    assert refusal(scenario().when(NO_MENTOR)) == "unknown-pair"


def test_a_graduation_of_a_pair_that_nobody_knows_is_refused() -> None:
    found = proposed()
    event = PairGraduated(**PAIR, mentor_id="m1", manager_id="g1", sessions=5)
    stranger = event.model_copy(update={"pair_id": "m1~g9", "manager_id": "g9"})
    other = event.model_copy(update={"cohort_id": "elsewhere"})

    assert refusal(found.when(stranger)) == "unknown-pair"
    assert refusal(found.when(other)) == "unknown-pair"
    assert found.when(event) == []


def test_a_pair_that_was_dissolved_stays_so_when_a_late_graduation_comes() -> None:
    found = formed()
    found.when(DissolvePair(**PAIR, reason=""))
    found.when(PairGraduated(**PAIR, mentor_id="m1", manager_id="g1", sessions=5))
    assert the(found, Pair, "m1~g1").state == "dissolved"
    assert the(found, Manager, "g1").state == "waiting"


def withdrawn() -> GraduationWithdrawn:
    return GraduationWithdrawn(**PAIR, mentor_id="m1", manager_id="g1", completed=4, again=1)


def test_a_pair_of_which_the_graduation_is_taken_back_stands_again_and_takes_its_place() -> None:
    found = formed()
    found.when(PairGraduated(**PAIR, mentor_id="m1", manager_id="g1", sessions=5))
    assert the(found, Mentor, "m1").engaged == ()
    assert found.when(withdrawn()) == []
    assert the(found, Pair, "m1~g1").state == "formed"
    assert the(found, Mentor, "m1").engaged == ("m1~g1",)
    assert the(found, Manager, "g1").state == "paired"


def test_it_ends_at_once_if_one_of_the_two_has_left_meanwhile() -> None:
    found = formed()
    found.when(PairGraduated(**PAIR, mentor_id="m1", manager_id="g1", sessions=5))
    found.when(WithdrawMentor(cohort_id="c", mentor_id="m1"))
    assert kinds(found.when(withdrawn())) == ["PairDissolved"]
    assert the(found, Pair, "m1~g1").state == "dissolved"


def test_a_graduation_that_was_not_known_is_not_taken_back() -> None:
    found = formed()
    assert found.when(withdrawn()) == []
    assert the(found, Pair, "m1~g1").state == "formed"
    stranger = withdrawn().model_copy(update={"pair_id": "m1~g9", "manager_id": "g9"})
    assert refusal(found.when(stranger)) == "unknown-pair"


MENTORS = [mentor("m1", capacity=2), mentor("m2"), mentor("m3", capacity=2)]
MANAGERS = [manager(f"g{i}") for i in range(1, 5)]
SIDES = st.sampled_from(("mentor", "manager"))
PAIRS = st.builds(
    "{}~{}".format, st.sampled_from(("m1", "m2", "m3")), st.sampled_from(("g1", "g2", "g3", "g4"))
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(AcceptProposal, cohort_id=st.just("c"), pair_id=PAIRS, by=SIDES),
    st.builds(AcceptProposal, cohort_id=st.just("c"), pair_id=PAIRS, by=SIDES),
    st.builds(DeclineProposal, cohort_id=st.just("c"), pair_id=PAIRS, by=SIDES),
    st.builds(DissolvePair, cohort_id=st.just("c"), pair_id=PAIRS, reason=st.just("")),
    st.builds(RunRound, cohort_id=st.just("c"), round_id=st.integers(1, 9).map(lambda n: f"r{n}")),
    st.sampled_from(
        (
            WithdrawMentor(cohort_id="c", mentor_id="m1"),
            WithdrawManager(cohort_id="c", manager_id="g1"),
            PauseMentor(cohort_id="c", mentor_id="m3"),
            ResumeMentor(cohort_id="c", mentor_id="m3"),
        )
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.integers(0, 6)), max_size=40))
def test_whatever_happens_nobody_is_over_capacity_and_no_pair_lives_twice(
    story: list[tuple[Command, int]],
) -> None:
    found = scenario(*MENTORS, *MANAGERS)
    history = [*MENTORS, *MANAGERS]
    for command, days in story:
        found.later(days=days).when_due()
        found.when(command)
        for person in found.state.whole(Mentor, "c"):
            assert len(person.engaged) <= person.capacity
            assert set(person.engaged) == {
                pair.id
                for pair in found.state.whole(Pair, "c")
                if pair.mentor_id == person.id and pair.state in ("proposed", "formed")
            }
        for someone in found.state.whole(Manager, "c"):
            live = [
                pair.id
                for pair in found.state.whole(Pair, "c")
                if pair.manager_id == someone.id and pair.state in ("proposed", "formed")
            ]
            assert len(live) <= 1
            assert (someone.state in ("proposed", "paired")) == bool(live)
    proposals = [e.pair_id for e in found.events if isinstance(e, PairProposed)]
    assert len(proposals) == len(set(proposals))
    again = scenario(*history, *found.events)
    assert isinstance(again.state, Everything)
    assert again.state.documents == found.state.documents
