"""Catching up: causes are read before effects."""

from services.chassis.step.catching_up import UpstreamFirst

CAUSES, EFFECTS, ECHOES = "causes", "effects", "echoes"


def order(**ends: int) -> UpstreamFirst:
    found = UpstreamFirst((CAUSES, EFFECTS, ECHOES))
    spots = {(topic, 0): end for topic, end in ends.items()}
    found.add(dict.fromkeys(spots, 0), spots)
    return found


def test_effects_wait_until_the_causes_have_been_read_to_where_they_ended() -> None:
    found = order(causes=10, effects=5, echoes=5)
    assert found.held({0: {}}) == {(EFFECTS, 0), (ECHOES, 0)}
    assert found.held({0: {CAUSES: 9}}) == {(EFFECTS, 0), (ECHOES, 0)}
    assert found.held({0: {CAUSES: 10}}) == {(ECHOES, 0)}
    assert found.held({0: {CAUSES: 10, EFFECTS: 5}}) == set()


def test_what_comes_after_the_assignment_holds_nobody_back() -> None:
    found = order(causes=10, effects=5)
    assert found.held({0: {CAUSES: 10, EFFECTS: 5, ECHOES: 0}}) == set()


def test_an_empty_topic_holds_nobody_back() -> None:
    found = UpstreamFirst((CAUSES, EFFECTS))
    found.add({(CAUSES, 0): 7, (EFFECTS, 0): 0}, {(CAUSES, 0): 7, (EFFECTS, 0): 3})
    assert found.held({0: {}}) == set()


def test_each_partition_waits_for_itself_alone() -> None:
    found = UpstreamFirst((CAUSES, EFFECTS))
    spots = {(CAUSES, 0): 4, (CAUSES, 1): 4}
    found.add(dict.fromkeys(spots, 0), spots)
    assert found.held({0: {CAUSES: 4}, 1: {}}) == {(EFFECTS, 1)}
