"""From the outbox to the log: publish in order, then forget.

Always holds: what stands in the outbox is durable in the log before it is forgotten, and counts as
owed until then.
"""

from collections.abc import Iterable, Sequence

from services.chassis.step.ports import Ports
from services.chassis.step.retrying import Retry
from services.chassis.store.contract import Outgoing

SLOW_SECONDS = 10.0
"""After which a broker that has not said that it took a step's events counts as failing."""
PUBLISHING = "publishing"


class Publisher:
    """Publishes what the steps of one process have committed."""

    def __init__(self, ports: Ports, retry: Retry) -> None:
        self._ports = ports
        self._retry = retry

    @property
    def late(self) -> bool:
        """Whether something has been owed for too long."""
        return self._ports.metrics.owed_for() > SLOW_SECONDS

    async def left(self, partitions: Iterable[int]) -> list[Outgoing]:
        """What stands in the outbox of these; from now on it is owed."""
        left = await self._ports.store.outgoing(partitions)
        self._ports.metrics.owes(sum(len(item.records) for item in left))
        return left

    def begin(self) -> None:
        """As far as anybody knows the broker takes what it is given, until it does not."""
        self._retry.put_off.pop(PUBLISHING, None)

    def owe_nothing(self) -> None:
        """Whoever owns the partitions next owes it."""
        self._ports.metrics.owes(0)

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish what was committed, and forget it. What is published again is harmless."""
        records = [record for item in outgoing for record in item.records]

        async def put_out() -> None:
            await self._ports.log.publish(records)
            await self._ports.store.published(outgoing)

        with self._ports.metrics.publishing(len(records)):
            # What was committed cannot be taken back, so there is nothing else to do.
            await self._retry.until_done(put_out, PUBLISHING, whatever=True)
