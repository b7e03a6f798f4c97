"""What the check says of pairs that did not come about as the rules want it."""

import pytest

from tests.deploy.trial.check.stories import (
    formed,
    judged,
    only_doubled,
    only_lost,
    proposed,
    short_run,
    whole_run,
)


def test_a_pair_that_only_one_side_accepted_is_lost() -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1")
    formed(run, "m-1~g-1", accepted=["mentor"])
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[1, 2])
    only_lost(judged(run), "PairFormed", "m-1~g-1", "the manager had not accepted")


def test_a_pair_that_was_never_proposed_is_lost() -> None:
    run = short_run()
    formed(run, "m-1~g-1")
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[1, 2])
    only_lost(judged(run), "m-1~g-1", "was never proposed")


def test_a_declined_pair_that_is_proposed_again_is_doubled() -> None:
    run = whole_run()
    proposed(run, "r-2", "m-2~g-3")
    only_doubled(judged(run), "m-2~g-3", "proposed again, after it was declined")


@pytest.mark.parametrize(
    ("person", "pair"), [("m-1", "m-1~g-2"), ("g-1", "m-2~g-1")], ids=["mentor", "manager"]
)
def test_a_person_in_more_pairs_than_there_are_places_is_doubled(person: str, pair: str) -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1", pair)
    only_doubled(judged(run), f"{person} has 1 place(s)", "m-1~g-1", pair)


def test_a_side_that_accepts_twice_is_doubled() -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1")
    for _ in range(2):
        run.pair("matching", "ProposalAccepted", "m-1~g-1", by="mentor")
    only_doubled(judged(run), "ProposalAccepted", "mentor had accepted already")


def test_a_mentor_who_volunteered_twice_is_doubled() -> None:
    run = short_run()
    run.fact("matching", "MentorVolunteered", "m-1", mentor_id="m-1", capacity=1)
    only_doubled(judged(run), "MentorVolunteered", "m-1", "happened before")


def test_a_round_that_proposed_less_than_it_says_is_lost() -> None:
    run = short_run()
    run.fact("matching", "RoundCompleted", "r-1", round_id="r-1", proposed=1)
    run.row("matching", "rounds", "r-1")
    only_lost(judged(run), "RoundCompleted", "of its 1 proposals the log has 0")
