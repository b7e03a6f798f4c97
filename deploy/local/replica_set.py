"""A MongoDB of three members on this machine, for proofs that need one to fail.

Always holds: a write that a majority acknowledged outlives the loss of any one member. Where the
members are proxied, clients and the other members know each by the port of its proxy, so what a
proxy does hits whatever comes in at that member; what it sends out to others goes through theirs.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.mongodb import (
    GRACE_SECONDS,
    READY_SECONDS,
    REPLICA_SET,
    Mongod,
    mongod_binary,
)
from deploy.local.process import PartError, accepts, free_port
from deploy.local.proxy import TcpProxy
from deploy.local.small_disk import SmallDisk, mounted

MEMBERS = 3
SMALL = 2  # the index of the member that may have a small disk
LOOK_SECONDS = 0.05
STEP_DOWN_SECONDS = 3
PRIMARY_SECONDS = 60.0
INITIATE_SECONDS = 180.0  # an attempt takes half a minute where one member is slow to answer
NODE_NOT_FOUND = 74

# So that a lost primary is replaced within about two seconds instead of about twelve.
SETTINGS = {
    "electionTimeoutMillis": 2000,
    "heartbeatIntervalMillis": 500,
    "heartbeatTimeoutSecs": 2,
}

# Otherwise one that is asked to end first waits fifteen seconds for its clients to leave.
AT_ONCE = ("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100")

# Otherwise it sets 100 MB pieces of journal aside, which is most of a small disk, and goes on
# writing there long after the disk is full.
SMALL_JOURNAL = (
    "--wiredTigerEngineConfigString",
    "log=(enabled=true,remove=true,path=journal,compressor=snappy,file_max=1MB,prealloc=false)",
)


class ReplicaSet:
    """A running set. What happens to a member is asked for by its index."""

    def __init__(
        self, members: list["Member"], proxies: list[TcpProxy], disks: dict[int, SmallDisk]
    ) -> None:
        self.members = members
        self.proxies = proxies
        self.disks = disks
        hosts = ",".join(self._hosts)
        self.uri = f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    @property
    def _hosts(self) -> list[str]:
        ports = [part.port for part in self.proxies or self.members]
        return [f"127.0.0.1:{port}" for port in ports]

    async def primary(self) -> int:
        """The index of the primary, once there is one. Asks the members past their proxies.

        Of two that think that they are, the one of the later election counts.
        """
        deadline = time.monotonic() + PRIMARY_SECONDS
        while True:
            hellos = await asyncio.gather(*(member.hello() for member in self.members))
            terms = {
                number: _term(hello)
                for number, hello in enumerate(hellos)
                if hello.get("isWritablePrimary")
            }
            if terms:
                return max(terms, key=terms.__getitem__)
            if time.monotonic() > deadline:
                raise PartError(f"no primary within {PRIMARY_SECONDS:g} s")
            await asyncio.sleep(LOOK_SECONDS)

    async def step_down(self) -> int:
        """Make the primary give up its office for a few seconds; its index."""
        while True:
            old = await self.primary()
            command = {
                "replSetStepDown": STEP_DOWN_SECONDS,
                "secondaryCatchUpPeriodSecs": 1,
                # Even if nobody has caught up: what a majority has is safe all the same.
                "force": True,
            }
            try:
                async with self.members[old].asked() as client:
                    await client.admin.command(command)
            except PyMongoError:
                # It has lost its office, or its life, before we could ask: whoever is next.
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return old

    async def kill(self, i: int) -> None:
        """End a member with no chance to tidy up."""
        self.members[i].child.kill()
        await self.members[i].child.wait()

    async def restart(self, i: int) -> None:
        """Start a member with what it had stored; returns once it is primary or secondary.

        A member looks for itself under the address that the others know. So its proxy is healed.
        """
        await self.kill(i)
        if self.proxies:
            self.proxies[i].heal()
        await self.members[i].start()

    def fill_disk(self, i: int) -> None:
        """Leave no byte free on a member's small disk. It will die of its next write, or soon."""
        self.disks[i].fill()

    def free_disk(self, i: int) -> None:
        """Undo `fill_disk`; `restart` then brings the member back."""
        self.disks[i].clear()

    async def initiate(self) -> None:
        """Make the members, which have been launched, one set; returns once it has a primary."""
        await asyncio.gather(
            *(m.child.ready(lambda m=m: accepts(m.port), READY_SECONDS) for m in self.members)  # type: ignore[misc]
        )
        members = [{"_id": number, "host": host} for number, host in enumerate(self._hosts)]
        config = {"_id": REPLICA_SET, "members": members, "settings": SETTINGS}

        async def initiated() -> bool:
            async with self.members[0].asked() as client:
                try:
                    await client.admin.command("replSetInitiate", config)
                except OperationFailure as error:
                    # On a busy machine one member does not reach another in the time it takes.
                    if error.code != NODE_NOT_FOUND:
                        raise
                    return False
            return True

        await self.members[0].child.ready(initiated, INITIATE_SECONDS)
        await self.primary()
        await asyncio.gather(*(m.child.ready(m.in_office, READY_SECONDS) for m in self.members))


class Member(Mongod):
    """One of several: it is back when it is primary or secondary."""

    async def start(self) -> None:
        self.launch()
        await self.child.ready(self.in_office, READY_SECONDS)

    def launch(self, *more: str) -> None:
        super().launch(*more, *AT_ONCE, *(SMALL_JOURNAL if self.within else ()))

    async def in_office(self) -> bool:
        hello = await self.hello()
        return bool(hello.get("isWritablePrimary") or hello.get("secondary"))

    async def hello(self) -> dict[str, Any]:
        """What it says of itself; nothing if it does not answer."""
        # First a plain connection, because the client would go on asking for a second.
        if not await accepts(self.port):
            return {}
        try:
            async with self.asked() as client:
                return await client.admin.command("hello")
        except PyMongoError:
            return {}


def _term(hello: dict[str, Any]) -> int:
    return int(str(hello["electionId"])[-8:], 16)


@asynccontextmanager
async def replica_set(
    directory: Path,
    *,
    proxied: bool = True,
    cache_gb: float = 0.25,
    small_disk: int | None = None,
) -> AsyncIterator[ReplicaSet]:
    """Yields a set of three with a primary, for as long as the block lasts.

    `small_disk` gives the last member a disk of that many bytes, in memory, beside which its
    oplog (up to 256 MB) and two copies of what changes have to fit; it needs `can_mount`. Raises
    PartError when there is no `mongod` to be had, or the set does not form.
    """
    binary = mongod_binary()
    async with AsyncExitStack() as stack:
        members: list[Member] = []
        disks: dict[int, SmallDisk] = {}
        for number in range(MEMBERS):
            home = directory / f"member-{number}"
            within: tuple[str, ...] = ()
            if small_disk is not None and number == SMALL:
                disk = mounted(home / "mongodb", small_disk, home / "disk.log")
                disks[number] = await stack.enter_async_context(disk)
                within = disks[number].within
            members.append(Member(home, binary, free_port(), cache_gb=cache_gb, within=within))
        proxies = [TcpProxy(member.port) for member in members] if proxied else []
        for proxy in proxies:
            await stack.enter_async_context(proxy)
        stack.push_async_callback(_stop, members)
        for member in members:
            member.launch()
        rs = ReplicaSet(members, proxies, disks)
        await rs.initiate()
        yield rs


async def _stop(members: list[Member]) -> None:
    # Side by side: a primary that leaves alone waits for another to take over.
    await asyncio.gather(
        *(member.child.stop(GRACE_SECONDS) for member in members if hasattr(member, "child"))
    )
