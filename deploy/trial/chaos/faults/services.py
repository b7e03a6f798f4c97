"""What happens to the services' own processes."""

import asyncio
import random
import signal
from datetime import timedelta

from deploy.local.process import free_port
from deploy.local.stack import SERVICES, ServiceProcess
from deploy.trial.chaos.faults.kinds import Scene, kind
from schemas.topics import Service

GRACE = 12.0
LONGEST_BACK_HOURS = 12.0


def _victim(scene: Scene, draw: random.Random) -> ServiceProcess:
    """Some process that runs."""
    processes = list(scene.stage.everyone)
    draw.shuffle(processes)
    for process in processes:
        if process.child is not None and process.child.returncode is None:
            return process
    return processes[0]


@kind("kill-service", "edges", (0.5, 1.5), weight=4)
async def kill_service(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A process of a service is killed (-9); it is started again at once."""
    process = _victim(scene, draw)
    scene.note(process.label)
    assert process.child is not None
    process.child.kill()
    await asyncio.sleep(seconds)


@kind("term-service", "edges", (0.5, 1.5), mend=1.5, weight=2)
async def term_service(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A process of a service is asked to end (SIGTERM), and killed if it takes too long."""
    process = _victim(scene, draw)
    scene.note(process.label)
    await _ended(process)
    await asyncio.sleep(seconds)


async def _ended(process: ServiceProcess) -> None:
    child = process.child
    assert child is not None
    child.send(signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE):
            await child.wait()
    except TimeoutError:
        child.kill()


@kind("freeze-service", "parts", (1.5, 4), mend=1.0, weight=2)
async def freeze_service(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A process is stopped until its partitions are another's, then goes on (a zombie)."""
    process = _victim(scene, draw)
    scene.note(process.label)
    child = process.child
    assert child is not None
    child.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(scene.stage.terms.session_timeout_ms / 1000 + seconds)
    finally:
        child.send(signal.SIGCONT)


@kind("rebalance-storm", "parts", (4, 6), mend=3.0)
async def rebalance_storm(scene: Scene, draw: random.Random, seconds: float) -> None:
    """More processes of a service join, one a second, and leave a few seconds later."""
    service = draw.choice(SERVICES)
    scene.note(service)

    async def visit(number: int) -> None:
        await asyncio.sleep(number)
        await _visit(scene, service, draw.uniform(2.5, 4.0))

    await asyncio.gather(*(visit(number) for number in range(int(seconds))))


async def _visit(scene: Scene, service: Service, seconds: float) -> None:
    """One more process of a service, for a while."""
    guest = scene.stage.add(service, f"{service}-guest", free_port())
    try:
        await asyncio.sleep(seconds)
    finally:
        guest.stopping = True
        await _ended(guest)
        scene.stage.guests.append(guest)


@kind("slow-take-over", "parts", (6, 10), mend=4.0)
async def slow_take_over(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A process joins while the database is so slow that taking over outlasts a session."""
    service = draw.choice(SERVICES)
    late = draw.uniform(0.5, 1.5)
    scene.note(f"{service}, every answer {late:.1f} s late")
    for proxy in scene.stage.database.proxies:
        proxy.delay(late)
    try:
        await _visit(scene, service, seconds)
    finally:
        for proxy in scene.stage.database.proxies:
            proxy.heal()


@kind("clock-back", "edges", (2, 5), mend=1.0, weight=2)
async def clock_back(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A process is started again with its clock hours behind, then once more with the right one."""
    process = _victim(scene, draw)
    hours = draw.uniform(0.2, LONGEST_BACK_HOURS)
    scene.note(f"{process.label} by {hours:.1f} h")
    # A later origin at the same rate is a clock that is behind.
    late = scene.stage.origin + timedelta(hours=hours) / scene.stage.terms.rate
    process.settings["CONNECTE_CLOCK_ORIGIN"] = late.isoformat()
    try:
        await _ended(process)
        await asyncio.sleep(seconds)
    finally:
        del process.settings["CONNECTE_CLOCK_ORIGIN"]
        await _ended(process)
