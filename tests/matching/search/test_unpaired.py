"""Who stays without a mentor is told why, and what is told is true."""

from random import Random

import numpy as np
from hypothesis import given, settings

from services.matching.search.pairing import pair
from services.matching.search.unpaired import unpaired
from tests.matching.search.test_pairing import SEEDS, people, pool_of


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_who_competes_can_have_nobody_else_and_there_are_too_many_of_them(seed: int) -> None:
    found = pair(pool_of(*people(Random(seed), 9)), kept=2)
    told = unpaired(found)
    pool = found.pool
    assert {one.manager for one in told} == set(range(len(pool.managers))) - {
        i for i, _, _ in found.pairs
    }
    for one in told:
        if (among := one.competition) is not None:
            assert one.cause == "competition" and one.manager in among.managers
            blocks = pool.legal(np.array(among.managers))
            able = {j for block in blocks for j in block.mentor.tolist()}
            assert able == set(among.mentors)
            assert among.places == sum(pool.mentors[j].places for j in able) < len(among.managers)
        else:
            [block] = pool.legal(np.array([one.manager]))
            assert not len(block.mentor)
            assert pool.able_anybody(one.manager) == (one.cause == "no-common-hour")
