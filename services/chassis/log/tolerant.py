"""Batches of which the client can make nothing: read all the same, or handed on as they are.

The client decodes the names of headers while it reads, and decompresses whatever it is given. A
name that is no UTF-8, a codec that it does not know, a broken stream or one without end, all of
which some broker takes and every client may send, make it read the same batch again and again:
nothing of that partition, or of any, is handled any more.

Always holds, once `install` was called: every record that the broker hands out is handed on. What
is no text in a header's name stands there as `\\xff`. A batch that cannot be opened, or what of it
cannot be read, is one record in the place of its last: its value is the batch as it travelled, and
the header `UNOPENED` says in words what is wrong with it. A batch whose checksum is wrong is
nobody's input but a fault of disk or wire: reading it raises, and it is asked for again.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint_py

from services.chassis.log.contract import UNOPENED
from services.chassis.log.opening import Unopened, opened

_LENGTH_AT, _BEFORE = 8, 12  # a batch: its offset, its length, and so many bytes more
_MAGIC_AT, _FORMAT = 16, 2
_BROKEN = (UnicodeDecodeError, CorruptRecordException, ValueError, IndexError, struct.error)


@dataclass(frozen=True, slots=True)
class _Unread:
    """A batch, or what is left of it, in the shape of a record of the client."""

    offset: int
    timestamp: int
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_type: int = 0
    key: None = None
    checksum: None = None


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
        self._buffer = _Names(self._buffer)
        return self

    def _read_msg(self, *_: Any) -> Any:
        # The compiled reading of numbers looks beyond the end of what it is given.
        record = super()._read_msg(decode_varint_py)
        if self._pos > len(self._buffer):
            raise CorruptRecordException("the batch ends within a record")
        return record


class _Batch:
    """A batch as the client reads it, and as it is read where that fails."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The client asks so what a marker of a transaction says."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._records():
                yield record
                given += 1
        except Unopened as error:
            yield self._unread(str(error))
        except _BROKEN:
            yield from self._tolerant(given)

    def _records(self) -> Iterator[Any]:
        if self._raw[_MAGIC_AT] != _FORMAT:
            return iter(self._batch)
        if not self._batch.compression_type:
            return iter(self._batch)
        return iter(DefaultRecordBatch(opened(self._raw)))

    def _tolerant(self, given: int) -> Iterator[Any]:
        """What comes after the records that were given, as far as it can be read."""
        try:
            for number, record in enumerate(_TolerantBatch(opened(self._raw))):
                if number >= given:
                    yield record
        except (Unopened, *_BROKEN) as error:
            yield self._unread(f"a record in it cannot be read: {type(error).__name__}")

    def _unread(self, why: str) -> _Unread:
        batch = self._batch
        headers = ((UNOPENED, why.encode()),)
        timestamp = getattr(batch, "max_timestamp", 0)
        return _Unread(batch.next_offset - 1, timestamp, bytes(self._raw), headers)


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
