"""Queues behind records that stand aside: their order, and how little a step writes of one."""

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.documents import BlockedSubject, QueuePage
from services.chassis.domain import Change, Gone, State
from services.chassis.step import queues
from services.chassis.step.queues import PAGE, joined, left, waiting_in
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.chassis.store.rows import row_of
from tests.chassis.toy import (
    COMMANDS,
    MENDED,
    PARKED,
    World,
    breaks_decide,
    confirm,
    equal_when_rebuilt,
    formed,
    types,
)
from tests.scenario import Everything

NAME = "t/0/k"


def head_of(state: State) -> BlockedSubject | None:
    return state.get(BlockedSubject, "s", NAME)


def waiting(state: State) -> list[str]:
    head = head_of(state)
    return [] if head is None else list(waiting_in(head, state))


@settings(max_examples=300)
@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), max_size=60))
def test_a_queue_is_those_who_joined_and_have_not_left_in_their_order(
    deeds: list[int | None],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queues, "PAGE", 3)
        state, there, offset = Everything(), list[str](), 0
        for deed in deeds:
            if deed is None:
                offset += 1
                there.append(f"t/0/{offset}")
                state.apply(list(joined(head_of(state), NAME, "s", there[-1])))
            elif there:
                head = head_of(state)
                assert head is not None
                assert head.origins[0] == there[0], "the head names the first one"
                state.apply(list(left(head, state, there.pop(deed % len(there)))))
            assert waiting(state) == there
            assert len(state.documents) - list(state.documents.values()).count(None) <= 2 + offset
        kept = [d for d in state.documents.values() if d is not None]
        assert bool(kept) == bool(there), "a queue without anybody leaves nothing behind"


def test_a_step_writes_as_much_of_a_queue_of_ten_thousand_as_of_one_of_two_hundred() -> None:
    state = Everything()
    written: list[int] = []
    for offset in range(10_000):
        changes: list[Change] = list(joined(head_of(state), NAME, "s", f"{COMMANDS}/0/{offset}"))
        state.apply(changes)
        rows = [row_of(0, change) for change in changes if not isinstance(change, Gone)]
        written.append(sum(len(bson.encode(row)) for row in rows))
    of_a_page = 60 * PAGE  # bytes: an origin, and what an array takes for it
    assert max(written[:200]) < 2 * of_a_page
    assert max(written) < 4 * of_a_page
    # A page is written once, its offset stands in the head: 16 bytes for every hundred records.
    assert sum(written[-1000:]) / 1000 < 3 * of_a_page
    assert sum(isinstance(d, QueuePage) for d in state.documents.values()) == 98


async def test_a_long_queue_is_handled_in_its_order_and_rebuilt_to_the_byte(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE", 2)
    world.publish(formed("m~g"))
    world.command(breaks_decide("m~g"))
    for _ in range(9):
        world.command(confirm("m~g"))
    await world.run()
    pages = [key for key in await world.documents() if key.startswith("blocked_pages/")]
    assert len(pages) == 3
    await equal_when_rebuilt(world)
    fourth = sorted(d.id for d in await world.parked())[3]
    await world.drop(fourth)
    await world.run()
    await equal_when_rebuilt(world)
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert await world.parked() == []
    retried = types(world.written(PARKED)).count("RecordRetried")
    assert retried == 9, "all but the one that was dropped"
    left_over = [key for key in await world.documents() if key.startswith("blocked")]
    assert left_over == []
    await equal_when_rebuilt(world)


async def test_a_queue_of_an_older_version_is_left_and_joined() -> None:
    store = MemoryStore()
    old = BlockedSubject(id=NAME, cohort_id="s", origins=tuple(f"t/0/{n}" for n in range(250)))
    await store.fill(Place(0), [old])
    state = Everything()
    state.apply([old])

    state.apply(list(joined(old, NAME, "s", "t/0/900")))
    head = head_of(state)
    assert head is not None
    state.apply(list(left(head, state, "t/0/0")))

    assert waiting(state) == [*(f"t/0/{n}" for n in range(1, 250)), "t/0/900"]
