"""Time that stands until somebody turns it: every process tells the same, and notices a leap."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.clock import Clock, Hand, SharedClock
from tests.conftest import PATIENCE

MOMENT = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAY = (
    "import sys; from pathlib import Path; from services.chassis.clock import Hand, SharedClock; "
    "print(SharedClock(Hand(Path(sys.argv[1]))).now().isoformat())"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@given(st.integers(0, 10**14).map(lambda number: EPOCH + timedelta(milliseconds=number)))
def test_whoever_looks_at_a_hand_sees_the_moment_to_which_it_was_turned(at: datetime) -> None:
    from tempfile import TemporaryDirectory  # noqa: PLC0415  # one for each example

    with TemporaryDirectory() as directory:
        hand = Hand.made(Path(directory) / "clock", MOMENT)
        looking = SharedClock(Hand(Path(directory) / "clock"))
        assert looking.now() == MOMENT
        hand.turn(at)
        assert looking.now() == at


def test_another_process_tells_the_same_time(path: Path) -> None:
    hand = Hand.made(path, MOMENT)
    hand.turn(MOMENT + timedelta(days=3))
    said = subprocess.run(
        [sys.executable, "-c", SAY, str(path)], capture_output=True, text=True, check=True
    )
    assert datetime.fromisoformat(said.stdout.strip()) == MOMENT + timedelta(days=3)


def test_whoever_only_looks_cannot_turn_the_hand(path: Path) -> None:
    Hand.made(path, MOMENT)
    with pytest.raises(TypeError):
        Hand(path).turn(MOMENT)


async def test_a_leap_ends_the_wait_for_the_next_look_at_what_is_due(path: Path) -> None:
    hand, never = Hand.made(path, MOMENT), asyncio.Event()
    clock = SharedClock(Hand(path))
    waiting = asyncio.create_task(clock.pass_by(PATIENCE, never))
    await asyncio.sleep(0)
    assert not waiting.done()
    hand.turn(MOMENT + timedelta(days=1))
    async with asyncio.timeout(PATIENCE):
        await waiting


async def test_who_is_to_end_at_the_moment_for_which_he_waits_ends() -> None:
    happened = asyncio.Event()
    waiting = asyncio.create_task(Clock().pass_by(PATIENCE, happened))
    await asyncio.sleep(0)
    happened.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
