"""Which partitions never had a heartbeat. Those that had one are due like any other document."""

from collections.abc import Collection, Sequence

from services.chassis.documents import Beat
from services.chassis.domain import Due, One
from services.chassis.inputs import Input
from services.chassis.step.deciding import Load


class Silence:
    """The silent partitions of one service, as far as the process has taken them over."""

    def __init__(self, service: str, load: Load) -> None:
        self.service = service
        self.load = load
        self.partitions: set[int] = set()

    async def listen(self, partitions: Sequence[int]) -> None:
        """Find out about partitions that are taken over."""
        found = await self.load([One(Beat, self.service, str(p)) for p in partitions])
        self.partitions |= set(partitions) - {int(beat.id) for beat in found}

    def broken(self, owned: Collection[int]) -> list[Input]:
        """What has to be decided on for the owned ones to have their first heartbeat."""
        silent, self.partitions = sorted(self.partitions & set(owned)), set()
        due = [Due(cohort_id=self.service, collection=Beat.collection, id=str(p)) for p in silent]
        return [Input(p, message=message) for p, message in zip(silent, due, strict=True)]
