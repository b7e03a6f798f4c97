"""Programs of others that are measured beside ours."""

import asyncio
from asyncio.subprocess import PIPE


async def rate_of(*command: str) -> float:
    """The events per second that a program says last. Raises RuntimeError with its complaint."""
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        told, complaint = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    if running.returncode:
        raise RuntimeError(complaint.decode(errors="replace")[-2000:])
    return float(told.split()[-1])
