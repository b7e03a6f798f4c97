"""What a process does again and again beside the batches that it is handed. Each runs for ever."""

import asyncio
import contextlib
import math

from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper

LEFT_EVERY = 10.0
PASSED_WITHIN = 3.0


async def decide_deadlines(stepper: Stepper) -> None:
    """Decide on what is due, a little more often than the programme's clock can notice."""
    clock = stepper.ports.clock
    pause = min(max(600 / clock.rate, 0.03), 1.0)
    while True:
        stepper.left_due.clear()
        with contextlib.suppress(Abandoned):
            if await stepper.decide_due():
                continue
        await clock.pass_by(pause, stepper.left_due)


async def write_what_was_passed(stepper: Stepper) -> None:
    """Write what was passed over a little later, unless a step has done so; sooner where programme
    time flies."""
    rate = stepper.ports.clock.rate
    pause = min(max(600 / rate, 0.03), PASSED_WITHIN) if math.isfinite(rate) else PASSED_WITHIN
    while True:
        await stepper.passed.wait()
        await asyncio.sleep(pause)
        with contextlib.suppress(Abandoned):
            await stepper.write_passed()


async def publish_what_is_left(stepper: Stepper) -> None:
    """See now and then that nothing stands in the outbox for good."""
    while True:
        await asyncio.sleep(LEFT_EVERY)
        with contextlib.suppress(Abandoned):
            await stepper.publish_left()
