"""The replica set loses a member in every way we can think of, and nothing that was promised."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import NotPrimaryError, PyMongoError

from deploy.local.process import PartError, accepts
from deploy.local.replica_set import SMALL, ReplicaSet, replica_set
from deploy.local.small_disk import can_mount, mounted
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[3]
FATAL = 14  # mongod's exit code for what it cannot go on with

Rows = AsyncCollection[dict[str, Any]]

mounts = pytest.mark.skipif(not can_mount(), reason="only root on Linux may mount a small disk")


@asynccontextmanager
async def rows_of(rs: ReplicaSet) -> AsyncIterator[Rows]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        rs.uri, w="majority", journal=True, serverSelectionTimeoutMS=10_000
    )
    try:
        yield client.test.rows
    finally:
        await client.close()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.05)


async def is_there(rs: ReplicaSet, i: int, key: int) -> bool:
    """Whether one member has it, whatever the others say. While it recovers, it answers nobody."""
    async with rs.members[i].asked() as client:
        try:
            return await client.test.rows.find_one({"_id": key}) is not None
        except NotPrimaryError:
            return False


async def test_what_a_majority_has_outlives_the_killed_primary_which_comes_back_with_the_rest(
    tmp_path: Path,
) -> None:
    async with replica_set(tmp_path) as rs, rows_of(rs) as rows:
        await rows.insert_one({"_id": 1})
        old = await rs.primary()
        await rs.kill(old)
        assert await rs.primary() != old
        assert await rows.distinct("_id") == [1]
        await rows.insert_one({"_id": 2})
        await rs.restart(old)
        await eventually(lambda: is_there(rs, old, 2))
        assert await is_there(rs, old, 1)
    assert not any([await accepts(part.port) for part in (*rs.members, *rs.proxies)])


async def test_a_step_down_ends_the_open_transaction_and_another_is_primary(
    tmp_path: Path,
) -> None:
    async with replica_set(tmp_path, proxied=False) as rs, rows_of(rs) as rows:
        await rows.insert_one({"_id": 1})
        session = rows.database.client.start_session()
        async with session:
            await session.start_transaction()
            await rows.insert_one({"_id": 2}, session=session)
            old = await rs.step_down()
            assert await rs.primary() != old
            with pytest.raises(PyMongoError) as lost:
                await rows.insert_one({"_id": 3}, session=session)
            assert lost.value.has_error_label("TransientTransactionError")
            await session.abort_transaction()
        assert await rows.distinct("_id") == [1]


async def test_a_primary_that_is_cut_off_is_replaced_and_follows_when_it_is_healed(
    tmp_path: Path,
) -> None:
    async with replica_set(tmp_path) as rs, rows_of(rs) as rows:
        await rows.insert_one({"_id": 1})
        old = await rs.primary()
        rs.proxies[old].cut()

        async def replaced() -> bool:
            return await rs.primary() != old

        await eventually(replaced)
        await rows.insert_one({"_id": 2})
        rs.proxies[old].heal()
        await eventually(lambda: is_there(rs, old, 2))


@mounts
async def test_a_member_with_a_full_disk_dies_alone_and_comes_back_when_there_is_room(
    tmp_path: Path,
) -> None:
    async with replica_set(tmp_path, small_disk=96 << 20) as rs, rows_of(rs) as rows:
        full = rs.members[SMALL]
        rs.fill_disk(SMALL)
        assert rs.disks[SMALL].free == 0
        written = 0
        async with asyncio.timeout(PATIENCE):
            while full.child.returncode is None:
                await rows.insert_one({"_id": written, "text": os.urandom(1000)})
                written += 1
        assert full.child.returncode in (-signal.SIGABRT, FATAL)
        await rows.insert_one({"_id": written})
        with pytest.raises(PartError):
            await rs.restart(SMALL)
        rs.free_disk(SMALL)
        await rs.restart(SMALL)
        await eventually(lambda: is_there(rs, SMALL, written))
        async with full.asked() as client:
            assert await client.test.rows.count_documents({}) == written + 1


@mounts
async def test_a_small_disk_is_seen_by_those_within_it_only(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    async with mounted(path, 1 << 20, tmp_path / "log") as disk:
        put = ["sh", "-c", 'echo here > "$0/$$"', str(path)]
        subprocess.run([*disk.within, *put], check=True)
        assert not list(path.iterdir())
        disk.fill()
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run([*disk.within, *put], check=True, capture_output=True)
        disk.clear()
        subprocess.run([*disk.within, *put], check=True)


@mounts
async def test_no_small_disk_is_left_when_whoever_made_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from deploy.local.small_disk import *\n"
        "async def main():\n"
        "    async with mounted(Path(sys.argv[1]), 1 << 20, Path(sys.argv[2])) as disk:\n"
        "        print(disk.within[1].split('/')[2], flush=True)\n"
        "        await asyncio.sleep(3600)\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "disk"), str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        holder = int(await asyncio.to_thread(parent.stdout.readline))
        parent.kill()

    async def gone() -> bool:
        # With the last process in it a namespace ends, and with that what is mounted there.
        return not Path(f"/proc/{holder}").exists()

    await eventually(gone)
