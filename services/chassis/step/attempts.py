"""A step made until it is whole, whatever its inputs are: poison is what fails for good (G4).

A fault that will not pass, wherever it comes from, is looked for in halves of the step; the one
input that fails alone is set aside, and the others go on. Always holds: nothing is set aside for a
fault that passes, and nothing for one of the surroundings, which is told by this: there, the step
that only sets the input aside fails as well.
"""

import logging
from collections.abc import Callable, Sequence

from services.chassis.inputs import Fault, Input, fault_of
from services.chassis.step.ownership import Ownership, StateLost
from services.chassis.step.parking import TooManyParked, given_up, halves, origin_of
from services.chassis.step.ports import Ports
from services.chassis.step.retrying import Abandoned, Retry
from services.chassis.step.step import Steps
from services.chassis.store.contract import Outpaced

logger = logging.getLogger(__name__)

Undecided = Callable[[Input, Fault], None]
"""Told of what is no record and cannot be decided on, and why not."""

OF_NO_INPUT = (Abandoned, StateLost)


class Attempts:
    """The steps of some partitions of a process; whoever calls has them made one at a time."""

    def __init__(
        self, steps: Steps, ports: Ports, ownership: Ownership, retry: Retry, undecided: Undecided
    ) -> None:
        self._steps = steps
        self._ports = ports
        self._ownership = ownership
        self._retry = retry
        self._undecided = undecided

    async def make(self, inputs: Sequence[Input]) -> None:
        """Make the step of these inputs, or several of parts of them."""
        if await self._stopped_by(inputs) is None:
            return
        if parts := halves(inputs):
            for part in parts:
                await self.make(part)
        else:
            await self._without(inputs[0])

    async def write_passed(self) -> None:
        """Write what was passed over; nothing of it can be set aside."""
        wait = 0.0
        while (error := await self._stopped_by(())) is not None:
            wait = await self._retry.pause(error, "environment", wait)

    async def _without(self, item: Input) -> None:
        """Set an input aside that fails alone, unless that fails as well."""
        wait = 0.0
        error = await self._stopped_by([item])  # what happened once may have been chance
        while error is not None:
            fault = fault_of(item, error)
            where = {"origin": origin_of(item.received) if item.received else None}
            logger.error("set aside: %s", fault.detail, exc_info=error, extra=where)
            if (without := given_up(item, fault)) is None:
                self._undecided(item, fault)
                return
            if (surroundings := await self._stopped_by([without])) is None:
                return
            wait = await self._retry.pause(surroundings, "environment", wait)
            error = await self._stopped_by([item])

    async def _stopped_by(self, inputs: Sequence[Input]) -> Exception | None:
        """Make one step, as often as it takes; the fault that stops it for good, or None."""
        try:
            await self._until_made(inputs)
        except OF_NO_INPUT:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it will be the same next time
            return error
        return None

    async def _until_made(self, inputs: Sequence[Input]) -> None:
        """Make one step, as often as it takes: somebody else may have written meanwhile."""
        wait, outpaced = 0.0, False
        while True:
            try:
                if outpaced:
                    await self._retry.until_done(self._ownership.catch_up)
                await self._retry.until_done(lambda: self._attempt(inputs))
            except Outpaced as error:
                logger.warning("somebody else wrote to a partition; its place is read again")
                # Whoever writes to it, too, has the same right to it: who insists, only disturbs.
                wait = await self._retry.pause(error, "away", wait)
                outpaced = True
            except TooManyParked as full:
                self._ownership.stop(full.partition, "parked-limit")
                logger.critical("partition %d is stopped: %s", full.partition, full)
            else:
                return

    async def _attempt(self, inputs: Sequence[Input]) -> None:
        active = self._ownership.active
        mine = [item for item in inputs if item.partition in active]
        behind = () if inputs else [p for p in self._steps.passing.partitions if p in active]
        if mine or behind:
            with self._ports.tracing.step(mine):
                undecided = await self._steps.make(mine, self._ownership.owned, behind)
            for item, fault in undecided:
                self._undecided(item, fault)
