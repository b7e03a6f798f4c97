"""Every record that the broker hands out is handed on, whatever the names of its headers."""

from typing import Any

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.log.tolerant import TolerantRecords
from tests.fuzz.conftest import patient

GZIP = 1


class Name(str):
    """A header's name, of any bytes."""

    raw: bytes

    def encode(self, *_: str, **__: str) -> bytes:
        return self.raw


def named(raw: bytes) -> Name:
    name = Name()
    name.raw = raw
    return name


names = st.binary(max_size=12)
records = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=10),
        st.none() | st.binary(max_size=40),
        st.lists(st.tuples(names, st.none() | st.binary(max_size=10)), max_size=3),
    ),
    min_size=1,
    max_size=5,
)


def batch(rows: Any, compression: int) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, 1 << 20)
    for offset, (key, value, headers) in enumerate(rows):
        given = [(named(name), raw) for name, raw in headers]
        builder.append(offset, 1, key, value, given)
    return bytes(builder.build())


def read(data: bytes) -> list[list[tuple[int, Any, Any, list[Any]]]]:
    found, records = [], TolerantRecords(data)
    while records.has_next():
        next_batch = records.next_batch()
        assert next_batch is not None
        assert next_batch.validate_crc()
        found.append([(r.offset, r.key, r.value, list(r.headers)) for r in next_batch])
    return found


@patient
@given(st.lists(records, min_size=1, max_size=3), st.sampled_from([0, GZIP]))
def test_every_record_is_handed_on(batches: list[Any], compression: int) -> None:
    assert read(b"".join(batch(rows, compression) for rows in batches)) == [
        [
            (
                *(offset, key, value),
                [(name.decode("utf-8", "backslashreplace"), raw) for name, raw in headers],
            )
            for offset, (key, value, headers) in enumerate(rows)
        ]
        for rows in batches
    ]


def test_the_client_itself_cannot_read_such_a_record() -> None:
    """When this fails, `tolerant` has had its time."""
    records = MemoryRecords(batch([(b"k", b"v", [(b"\xff", b"v")])], 0))
    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch())
