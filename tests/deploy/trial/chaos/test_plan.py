"""Which fault comes when, from the seed alone."""

from itertools import pairwise

import pytest

from deploy.errors import BadInput
from deploy.trial.chaos.command import kinds_of
from deploy.trial.chaos.faults import KINDS
from deploy.trial.chaos.faults.poison import DOSES, MARK, poisoned
from deploy.trial.chaos.plan import schedule


def test_the_same_seed_plans_the_same_faults_and_another_seed_others() -> None:
    assert schedule(1, 5, KINDS) == schedule(1, 5, list(KINDS))
    assert schedule(1, 5, KINDS) != schedule(2, 5, KINDS)


def test_a_fault_draws_the_same_victim_every_time() -> None:
    (one, *_), _ = schedule(7, 5, KINDS).values()
    assert [one.draw.random() for _ in range(3)] == [one.draw.random() for _ in range(3)]


@pytest.mark.parametrize("seed", range(5))
def test_no_two_faults_of_a_lane_overlap_and_all_end_in_time(seed: int) -> None:
    for lane in schedule(seed, 10, KINDS).values():
        assert all(a.at + a.seconds < b.at for a, b in pairwise(lane))
        assert lane[-1].at + lane[-1].seconds <= 600


@pytest.mark.parametrize("seed", range(5))
def test_ten_minutes_have_every_kind_and_many_of_each_lane(seed: int) -> None:
    lanes = schedule(seed, 10, KINDS)
    assert {p.kind for lane in lanes.values() for p in lane} == set(KINDS)
    assert sum(len(lane) for lane in lanes.values()) >= 200


def test_only_the_kinds_that_are_asked_for_are_planned() -> None:
    lanes = schedule(1, 5, ["kill-service", "step-down"])
    assert {p.kind for p in lanes["edges"]} == {"kill-service"}
    assert {p.kind for p in lanes["parts"]} == {"step-down"}


def test_a_kind_that_does_not_exist_is_bad_input_that_names_those_that_do() -> None:
    with pytest.raises(BadInput, match=r"no such kind: earthquake; there is .*kill-broker"):
        kinds_of("kill-service,earthquake")
    assert kinds_of(None) == tuple(KINDS)
    assert kinds_of(" step-down , poison") == ("step-down", "poison")


def test_every_poison_is_marked_and_no_two_share_a_subject() -> None:
    chance = schedule(1, 5, KINDS)["edges"][0].draw
    made = [poisoned(str(n), chance, 4) for n in range(400)]
    assert {name for name, _ in made} == {dose.name for dose in DOSES}
    assert all((MARK, str(n).encode()) in r.headers for n, (_, r) in enumerate(made))
    keys = [record.key for _, record in made if record.key is not None]
    assert len(keys) == len(set(keys))
