"""Which node of a real Kafka is the active controller, as the controller itself says.

What a broker tells of its cluster is no help: in KRaft it names any broker that is alive. This is
the one request for it, DescribeQuorum in its first version, which the Python clients do not have
and brokers hand on to the controller.
"""

import asyncio
import contextlib
import struct

ANSWER_SECONDS = 1.0
API_KEY, VERSION = 55, 0
TOPIC = b"__cluster_metadata"
MOST_BYTES = 1024 * 1024

# A length of n is written as n + 1, and each structure ends with its number of tagged fields, 0.
_HEADER = struct.pack(">hhih", API_KEY, VERSION, 1, -1) + b"\0"
_BODY = b"\2" + bytes([len(TOPIC) + 1]) + TOPIC + b"\2" + struct.pack(">i", 0) + b"\0\0\0"
_REQUEST = struct.pack(">i", len(_HEADER) + len(_BODY)) + _HEADER + _BODY

# Correlation and tags; error; topics and name; partitions, index, error, leader and epoch.
_ANSWER = struct.Struct(f">iBhBB{len(TOPIC)}sBihii")


async def led_by(port: int) -> tuple[int, int] | None:
    """(epoch, node id) of the quorum's leader, by the broker on this port; None if it has none."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _ask(port)
    return None


async def _ask(port: int) -> tuple[int, int] | None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_REQUEST)
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        answer = await reader.readexactly(min(size, MOST_BYTES))
    finally:
        writer.close()
    if len(answer) < _ANSWER.size:
        return None  # an error has no partitions
    _, _, error, _, _, topic, _, _, refused, leader, epoch = _ANSWER.unpack_from(answer)
    return (epoch, leader) if topic == TOPIC and not error and not refused else None
