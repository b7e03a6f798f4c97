"""What processes have used is known of those that have ended, too."""

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil

from deploy.trial.usage import Usage, watched
from tests.conftest import PATIENCE

BUSY = "x = bytearray(60_000_000)\nfor _ in range(3_000_000): pass\nprint('done', flush=True)\n"


async def test_a_child_s_processor_time_and_memory_are_counted_by_its_program() -> None:
    usage = Usage()
    with subprocess.Popen(
        [sys.executable, "-c", BUSY + "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        usage.look()
        child.communicate(b"\n")
    usage.look()  # it has ended
    used = usage.by_name()[Path(sys.executable).resolve().name]
    assert used["cpu_seconds"] > 0
    assert used["peak_megabytes"] > 57


async def test_who_has_ended_and_is_not_waited_for_keeps_its_name() -> None:
    usage = Usage()
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        usage.look()
        child.stdin.write(b"\n")
        child.stdin.close()
        async with asyncio.timeout(PATIENCE):
            while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.01)
        usage.look()
        assert Path(sys.executable).resolve().name in usage.by_name()
        assert "" not in usage.by_name()


async def test_they_are_looked_at_for_as_long_as_the_block_lasts() -> None:
    async with watched() as usage:
        async with asyncio.timeout(PATIENCE):
            while not usage.by_name():
                await asyncio.sleep(0.01)
    assert usage.by_name()["people and coordinator"]["cpu_seconds"] > 0
