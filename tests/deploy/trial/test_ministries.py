"""Every ministry at once: who takes part, and what a run of them is held to."""

import pytest

from deploy.errors import BadInput
from deploy.trial.ministries import COHORTS, FEWEST, MANAGERS, MENTORS, ministries, shares


@pytest.mark.parametrize("total", [MANAGERS, MENTORS])
def test_sixty_cohorts_of_very_different_size_are_about_as_many_people_as_asked_for(
    total: int,
) -> None:
    found = shares(total)
    assert len(found) == COHORTS
    assert sum(found) == pytest.approx(total, rel=0.01)
    assert sorted(found, reverse=True) == found
    assert found[0] > 20 * found[-1]


def test_the_smallest_scale_leaves_somebody_in_every_cohort() -> None:
    assert set(shares(1)) == {FEWEST}


def test_the_same_seed_makes_up_the_same_people() -> None:
    again = ministries(0.001, 7)
    assert ministries(0.001, 7) == again
    assert [*again] == [f"ministries-{number:02}" for number in range(1, COHORTS + 1)]
    assert ministries(0.001, 8) != again


@pytest.mark.parametrize("scale", [0, -1, 21, float("nan")])
def test_a_scale_that_is_none_is_refused_by_its_name(scale: float) -> None:
    with pytest.raises(BadInput, match="--scale"):
        ministries(scale, 1)
