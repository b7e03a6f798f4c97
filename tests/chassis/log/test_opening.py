"""Compressed batches are opened within a limit, and what cannot be opened is said."""

import gzip
import secrets
import tracemalloc
from typing import Any

import cramjam
import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.log import opening
from services.chassis.log.contract import UNOPENED
from services.chassis.log.opening import (
    GZIP,
    HEAD_BYTES,
    LZ4,
    OPENED_BYTES,
    SNAPPY,
    ZSTD,
    Unopened,
    opened,
)
from services.chassis.log.tolerant import TolerantRecords
from tests.chassis.log.foreign import COMPRESS, batch_of
from tests.fuzz.conftest import patient

CODECS = [GZIP, SNAPPY, LZ4, ZSTD]
ROWS = [(b"k%d" % n, secrets.token_bytes(n), [("h", b"v"), ("n", None)]) for n in range(200)]


def read(batch: bytes) -> list[Any]:
    found = TolerantRecords(batch).next_batch()
    assert found is not None
    assert found.validate_crc()
    return list(found)


@pytest.mark.parametrize("codec", [0, *CODECS])
def test_a_batch_of_every_codec_holds_what_was_put_in(codec: int) -> None:
    found = read(batch_of(ROWS, codec))
    assert [(r.key, r.value, list(r.headers)) for r in found] == ROWS
    assert [r.offset for r in found] == list(range(len(ROWS)))


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_that_holds_more_than_may_be_is_not_opened_and_takes_no_more_memory(
    codec: int,
) -> None:
    batch = batch_of([(None, bytes(OPENED_BYTES // 2), [])] * 8, codec)
    assert len(batch) < OPENED_BYTES // 4
    tracemalloc.start()
    try:
        with pytest.raises(Unopened, match="its records are more than 8388608 bytes"):
            opened(memoryview(batch))
        assert tracemalloc.get_traced_memory()[1] < 3 * OPENED_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_that_holds_as_much_as_may_be_is_opened(codec: int) -> None:
    batch = batch_of([(None, bytes(OPENED_BYTES - 64), [])], codec)
    [record] = read(batch)
    assert len(record.value) == OPENED_BYTES - 64


def test_snappy_without_javas_frame_and_gzip_in_parts_are_read() -> None:
    plain = batch_of(ROWS)[HEAD_BYTES:]
    raw = bytes(cramjam.snappy.compress_raw(plain))
    assert len(read(batch_of(ROWS, SNAPPY, stream=raw))) == len(ROWS)
    parts = gzip.compress(plain[:100]) + gzip.compress(plain[100:])
    assert len(read(batch_of(ROWS, GZIP, stream=parts))) == len(ROWS)


@pytest.mark.parametrize(
    ("codec", "stream"),
    [
        *((codec, b"nonsense") for codec in CODECS),
        *((codec, b"") for codec in CODECS),
        *((codec, COMPRESS[codec](batch_of(ROWS)[HEAD_BYTES:])[:-9]) for codec in CODECS),
        *((codec, COMPRESS[codec](b"no records")) for codec in CODECS),
        (5, b"x"),
        (7, b""),
        (SNAPPY, b"\x82SNAPPY\x00" + bytes(8) + b"\x7f\xff\xff\xff"),
        (SNAPPY, b"\x82SNAPPY\x00" + bytes(8) + b"\xff\xff\xff\xff"),
    ],
)
def test_a_batch_that_cannot_be_opened_is_one_record_in_the_place_of_its_last(
    codec: int, stream: bytes
) -> None:
    batch = batch_of(ROWS, codec, stream=stream, base=40)
    [record] = read(batch)
    assert record.offset == 40 + len(ROWS) - 1
    assert record.value == batch
    assert dict(record.headers)[UNOPENED]


def test_what_can_be_read_before_a_record_that_cannot_is_handed_on() -> None:
    plain = bytearray(batch_of(ROWS))
    cut = bytes(plain[HEAD_BYTES : len(plain) - 150])  # within the last record
    found = read(batch_of(ROWS, stream=cut))
    assert [r.value for r in found[:-1]] == [value for _, value, _ in ROWS[: len(found) - 1]]
    assert len(found) > 100
    assert found[-1].offset == len(ROWS) - 1
    assert UNOPENED in dict(found[-1].headers)


@patient
@given(st.sampled_from([0, *CODECS, 5]), st.binary(max_size=300))
def test_whatever_stands_in_a_batch_something_of_it_is_handed_on(codec: int, stream: bytes) -> None:
    found = read(batch_of(ROWS[:3], codec, stream=stream))
    assert found
    assert all(record.offset >= 0 for record in found)


def test_the_client_itself_would_open_a_batch_without_limit() -> None:
    """When this fails, `opening` has had its time."""
    batch = batch_of([(None, bytes(OPENED_BYTES), [])], ZSTD)
    [record] = list(DefaultRecordBatch(batch))
    assert len(record.value) == opening.OPENED_BYTES
