"""Searches go on beside everything else; large ones in a process of their own."""

import asyncio
import logging
from datetime import timedelta

import pytest

from schemas.base import Message
from schemas.matching import RunRound
from services.chassis.domain import Document
from services.chassis.step.deadlines import FailedFor
from services.matching.messages import PairsFound, SearchEnded
from services.matching.search import worker as searching
from services.matching.search.alone import solve_roll
from services.matching.search.question import Found, Roll
from services.matching.search.worker import RoundSearch, Solver, solve_here
from services.matching.views import Round
from tests.chassis.faults import Unwilling
from tests.conftest import PATIENCE
from tests.matching.given import Matching, decided, manager, mentor, scenario, the
from tests.matching.search.test_alone import processes
from tests.scenario import NOW, Scenario, kinds


def asked(*rounds: str, people: int = 3) -> Matching:
    """Rounds of a cohort of so many mentors and managers are asked for."""
    mentors = [mentor(f"m{number}") for number in range(people)]
    found = scenario(*mentors, *(manager(f"g{number}") for number in range(people)))
    for round_id in rounds:
        Scenario.when(found, RunRound(cohort_id="c", round_id=round_id))
    return found


def due(found: Matching, *rounds: str) -> list[Document]:
    asked_for = [the(found, Round, name) for name in rounds]
    return [round_ for round_ in asked_for if round_.due_at is not None]


async def looks(perform: RoundSearch, found: Matching, *rounds: str) -> list[Message]:
    """Everything that is reported until no round is due, decided on as it comes."""
    reported: list[Message] = []
    while rows := due(found, *rounds):
        for outcome in await perform(rows, NOW + timedelta(days=1), asyncio.Event()):
            reported.append(outcome)
            decided(found.when(outcome))
    return reported


async def test_while_one_round_is_searched_others_go_on_and_nobody_waits_for_it() -> None:
    found = asked("slow")
    go = asyncio.Event()

    async def slowly(roll: Roll) -> Found:
        await go.wait()
        return solve_roll(roll)

    perform = RoundSearch(found, slowly, patience=0.01)
    for _ in range(3):
        assert await perform(due(found, "slow"), NOW, asyncio.Event()) == []
    go.set()
    reported = await looks(perform, found, "slow")
    assert kinds(reported) == ["PairsFound", "SearchEnded"]  # type: ignore[arg-type]
    assert the(found, Round, "slow").state == "completed"


async def test_a_round_is_handed_over_in_parts_that_a_step_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    found = asked("r1", people=5)
    reported = await looks(RoundSearch(found, solve_here), found, "r1")
    parts = [len(part.pairs) for part in reported if isinstance(part, PairsFound)]
    assert parts == [2, 2, 1]
    assert the(found, Round, "r1").proposed == 5


async def test_a_search_whose_process_was_killed_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(searching, "SMALL", 0)
    found = asked("r1")
    perform = RoundSearch(found, Solver(), patience=0.01)
    killed = False
    with caplog.at_level(logging.ERROR):
        while rows := due(found, "r1"):
            for outcome in await perform(rows, NOW, asyncio.Event()):
                decided(found.when(outcome))
            if not killed and (searches := processes()):
                for process in searches:
                    process.kill()
                killed = True
    assert "begun anew" in caplog.text
    assert the(found, Round, "r1").proposed == 3


async def test_a_fault_of_the_database_is_the_chassis_to_retry_and_the_search_begins_anew() -> None:
    found = asked("r1")
    reads = Unwilling(found, "encoded", [ConnectionError()])

    perform = RoundSearch(reads, solve_here)
    with pytest.raises(FailedFor) as failed:
        await perform(due(found, "r1"), NOW, asyncio.Event())
    assert [type(error) for error in failed.value.errors.values()] == [ConnectionError]
    assert isinstance((await looks(perform, found, "r1"))[-1], SearchEnded)


async def test_of_a_round_that_is_not_ours_any_more_the_search_is_given_up() -> None:
    found = asked("r1", "r2")
    given_up = asyncio.Event()

    async def for_ever(_: Roll) -> Found:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        raise AssertionError

    perform = RoundSearch(found, for_ever, patience=0.01)
    await perform(due(found, "r1"), NOW, asyncio.Event())
    await perform(due(found, "r2"), NOW, asyncio.Event())
    async with asyncio.timeout(PATIENCE):
        await given_up.wait()
