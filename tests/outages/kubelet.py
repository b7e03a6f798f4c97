"""What an orchestrator does to a process: probes as the chart has them, restarts, longer pauses.

Always holds: the numbers are those of deploy/chart/templates/deployments.yaml and of Kubernetes'
own back-off; requests are sent only to processes that said they were ready.
"""

import asyncio
import time
from dataclasses import dataclass

import httpx

from deploy.local.stack import ServiceProcess

LIVE_EVERY, LIVE_WITHIN, LIVE_FAILURES = 15.0, 5.0, 3
READY_EVERY, READY_WITHIN, READY_FAILURES = 5.0, 3.0, 2
START_EVERY, START_WITHIN, START_FAILURES = 2.0, 2.0, 45
FIRST_PAUSE, LONGEST_PAUSE, CALM = 10.0, 300.0, 600.0  # of CrashLoopBackOff, in seconds
GRACE = 30.0


@dataclass(slots=True)
class Pod:
    """One process, looked after. `ready`: whether requests are sent to it; `killed`: by probes."""

    process: ServiceProcess
    ready: bool = False
    killed: int = 0

    async def live(self) -> None:
        """Start it, and again whenever it ends or does not answer, until cancelled."""
        pause = 0.0
        while True:
            began = time.monotonic()
            self.process.start()
            child = self.process.child
            assert child is not None
            ending, probing = (asyncio.ensure_future(job) for job in (child.wait(), self._probed()))
            try:
                await asyncio.wait({ending, probing}, return_when=asyncio.FIRST_COMPLETED)
                if child.returncode is None:
                    self.killed += 1
                    await child.stop(GRACE)
            finally:
                ending.cancel()
                probing.cancel()
                self.ready = False
            if time.monotonic() - began > CALM:
                pause = 0.0
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)

    async def _probed(self) -> None:
        """Returns when it has not answered as often as the kubelet bears."""
        failures = 0
        while not await self._answers("live", START_WITHIN):
            failures += 1
            if failures >= START_FAILURES:
                return
            await asyncio.sleep(START_EVERY)
        readiness = asyncio.ensure_future(self._readiness())
        try:
            failures = 0
            while failures < LIVE_FAILURES:
                await asyncio.sleep(LIVE_EVERY)
                failures = 0 if await self._answers("live", LIVE_WITHIN) else failures + 1
        finally:
            readiness.cancel()

    async def _readiness(self) -> None:
        failures = 0
        while True:
            if await self._answers("ready", READY_WITHIN):
                failures, self.ready = 0, True
            else:
                failures += 1
                self.ready = self.ready and failures < READY_FAILURES
            await asyncio.sleep(READY_EVERY)

    async def _answers(self, question: str, within: float) -> bool:
        try:
            async with httpx.AsyncClient(timeout=within) as client:
                answer = await client.get(f"{self.process.url}/health/{question}")
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
