"""Records from a file, as a consumer would hand them over: to test a subscriber without a broker.

Stands on its own: copy it, and rehearsal.jsonl. A line of the file is a record: its headers and
its key are texts, its value is JSON; edit them to make the case that you need.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REHEARSAL = Path(__file__).parent.parent / "rehearsal.jsonl"


class Record(NamedTuple):
    """What clients give: aiokafka's ConsumerRecord has the same names."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def records(path: Path = REHEARSAL) -> Iterator[Record]:
    """Those of the file, in its order, which keeps that of every partition."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Record(
                row["topic"],
                row["partition"],
                row["offset"],
                row["key"].encode(),
                [(name, text.encode()) for name, text in row["headers"].items()],
                json.dumps(row["value"], ensure_ascii=False, separators=(",", ":")).encode(),
            )
