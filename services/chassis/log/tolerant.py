"""Records of which a header's name is no text: read all the same.

The Kafka client decodes the names of headers while it reads. One that is not UTF-8, which the
broker takes and every client may send, makes it read the same batch again and again: nothing of
that partition is handled any more. Always holds, once `install` was called: every record that
the broker hands out is handed on; what is no text in a name stands there as `\\xff`.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT, _BEFORE = 8, 12  # a batch: its offset, its length, and so many bytes more


class _Names(bytearray):
    """Bytes whose parts can always be decoded."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _Names(part) if isinstance(part, bytearray) else part

    def decode(self, *_: str) -> str:
        return super().decode("utf-8", "backslashreplace")


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka is not typed
    _buffer: bytearray

    def __iter__(self) -> Any:
        super().__iter__()
        self._buffer = _Names(self._buffer)
        return self


class _Batch:
    """A batch as the client reads it, and as it is read where that fails."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._batch:
                yield record
                given += 1
        except (UnicodeDecodeError, CorruptRecordException):
            yield from islice(_TolerantBatch(self._raw), given, None)


class TolerantRecords:
    """The client's `MemoryRecords`, batch by batch."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def next_batch(self) -> _Batch | None:
        batch = self._records.next_batch()
        if batch is None:
            return None
        (length,) = struct.unpack_from(">i", self._data, self._at + _LENGTH_AT)
        end = self._at + _BEFORE + length
        raw, self._at = self._data[self._at : end], end
        return _Batch(batch, raw)


def install() -> None:
    """Let every consumer of this process read so."""
    fetcher.MemoryRecords = TolerantRecords
