"""Which offsets hold no record, but the end of somebody's transaction: read from brokers' files.

No consumer is told of these markers. Nor can they be counted beforehand: a coordinator that is
followed by another in the middle of a transaction's end has its marker written again.
"""

from collections.abc import Iterator, Sequence, Set
from functools import reduce
from pathlib import Path

from aiokafka.record.memory_records import MemoryRecords


def read_markers(replicas: Sequence[Path]) -> Set[str]:
    """Where they lie, as `topic/partition/offset`, in the files of all of these brokers.

    `replicas`: the data folder of each broker; each of them has every partition. Nothing may be
    written meanwhile.
    """
    return reduce(frozenset.intersection, map(_markers_of, replicas))


def _markers_of(data: Path) -> frozenset[str]:
    return frozenset(
        f"{topic}/{partition}/{offset}"
        for folder in sorted(data.glob("*-*/"))
        for topic, _, partition in [folder.name.rpartition("-")]
        for segment in sorted(folder.glob("*.log"))
        for offset in _markers_in(segment.read_bytes())
    )


def _markers_in(segment: bytes) -> Iterator[int]:
    batches = MemoryRecords(segment)
    while (batch := batches.next_batch()) is not None:
        if batch.is_control_batch:
            yield batch.base_offset
