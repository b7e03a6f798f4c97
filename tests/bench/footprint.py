"""What a service takes while nothing happens: until it is ready, in memory, and in a minute.

Each process is started alone, with the settings of a deployment, and all are left in peace
together. Of a start the processor time is told beside the seconds: others on the machine change it
less.
"""

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.broker import embedded_broker
from deploy.local.mail import Mailbox
from deploy.local.mongodb import mongodb
from deploy.local.process import free_ports
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.topics import create_topics
from services.chassis.settings import Settings
from tests.bench.peaks import resident

IDLE_SECONDS = 60.0
SETTLE_SECONDS = 15.0
"""After which what a start leaves behind (its first heartbeats and places) has been done."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Footprint:
    """One service's. `share`: of a core, from 0 to 1, while nothing happens."""

    ready_seconds: float
    ready_processor: float
    megabytes: float
    share: float


async def footprints(idle: float = IDLE_SECONDS) -> dict[str, Footprint]:
    """Of each service, by its name."""
    as_deployed = {name: field.default for name, field in Settings.model_fields.items()}
    terms = Terms(
        partitions=as_deployed["partitions"],
        session_timeout_ms=as_deployed["session_timeout_ms"],
        settings={"CONNECTE_FETCH_WAIT_MS": str(as_deployed["fetch_wait_ms"])},
    )
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as name:
        directory = Path(name)
        async with (
            embedded_broker(directory) as kafka,
            mongodb(directory) as uri,
            Mailbox(directory / "mail") as mailbox,
        ):
            connection = {"bootstrap_servers": kafka}
            await create_topics(connection, partitions=terms.partitions, replication=1)
            return await _measured(directory, terms, kafka, uri, mailbox.port, idle)


async def _measured(
    directory: Path, terms: Terms, kafka: str, uri: str, smtp: int, idle: float
) -> dict[str, Footprint]:
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    env = environment(terms, kafka, uri, smtp, ports, datetime.now(UTC))
    processes = [ServiceProcess(name, directory, env, ports[name]) for name in SERVICES]
    begun: dict[str, tuple[float, float]] = {}
    try:
        for process in processes:
            started = time.perf_counter()
            process.start()
            await process.ready()
            begun[process.name] = time.perf_counter() - started, processor(_pid(process))
        await asyncio.sleep(SETTLE_SECONDS)
        before = {p.name: processor(_pid(p)) for p in processes}
        started = time.perf_counter()
        await asyncio.sleep(idle)
        seconds = time.perf_counter() - started
        return {
            p.name: Footprint(
                *begun[p.name],
                resident(_pid(p)),
                (processor(_pid(p)) - before[p.name]) / seconds,
            )
            for p in processes
        }
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


def _pid(process: ServiceProcess) -> int:
    assert process.child is not None
    return process.child.pid


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
