"""Compressed batches, opened within a limit.

What a broker's `max.message.bytes` bounds is the batch as it travels, and 13 kB of zstd can hold
400 MB. Always holds: of whatever a batch claims to hold, no more than `OPENED_BYTES` are in memory;
what cannot be opened raises `Unopened`, and nothing else.
"""

import struct
import zlib
from collections.abc import Callable

import cramjam

OPENED_BYTES = 8 * 1024 * 1024
"""What a batch may hold: as much as the largest record that any topic takes."""

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_CODECS = 0x07  # of a batch's attributes

HEAD_BYTES = 61  # of a batch of format 2, before its records; these alone are compressed
_LENGTH_AT, _ATTRIBUTES_AT = 8, 21
_BEFORE_LENGTH_COUNTS = 12

_XERIAL = b"\x82SNAPPY\x00"  # how Java's producers frame snappy: blocks of their own length
_XERIAL_HEAD = 16
_FIRST_ROOM = 64 * 1024


class Unopened(Exception):
    """A batch that nobody opens, however often it is tried; the text says why, for people."""


def opened(batch: memoryview) -> bytearray:
    """The same batch with its records as they are; one that is not compressed, too.

    Its checksum, which is of the compressed bytes, does not fit any more.
    """
    if len(batch) < HEAD_BYTES:
        raise Unopened("it is shorter than the head of a batch")
    head = bytearray(batch[:HEAD_BYTES])
    (attributes,) = struct.unpack_from(">h", head, _ATTRIBUTES_AT)
    records = batch[HEAD_BYTES:]
    if codec := attributes & _CODECS:
        records = _records(codec, records)
    struct.pack_into(">h", head, _ATTRIBUTES_AT, attributes & ~_CODECS)
    length = HEAD_BYTES + len(records) - _BEFORE_LENGTH_COUNTS
    struct.pack_into(">i", head, _LENGTH_AT, length)
    return head + records


def _records(codec: int, data: memoryview) -> memoryview:
    try:
        match codec:
            case 1:
                return _gzip(data)
            case 2:
                return _snappy(data)
            case 3:
                return _into(cramjam.lz4.decompress_into, data)
            case 4:
                return _into(cramjam.zstd.decompress_into, data)
    except (cramjam.DecompressionError, zlib.error, struct.error) as error:
        raise Unopened(f"its {_NAMES[codec]} cannot be read: {error}"[:200]) from error
    raise Unopened(f"codec {codec} is none of Kafka's")


_NAMES = {GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}


def _too_large() -> Unopened:
    return Unopened(f"its records are more than {OPENED_BYTES} bytes")


def _into(decompress: Callable[[memoryview, bytearray], int], data: memoryview) -> memoryview:
    """Decompress into as much room as it takes; whoever wants more than there may be gets none."""
    room = min(max(_FIRST_ROOM, 8 * len(data)), OPENED_BYTES)
    while True:
        found = bytearray(room)
        try:
            return memoryview(found)[: decompress(data, found)]
        except cramjam.DecompressionError as error:
            if "write whole buffer" not in str(error):
                raise
            if room == OPENED_BYTES:
                raise _too_large() from error
            room = min(4 * room, OPENED_BYTES)


def _gzip(data: memoryview) -> memoryview:
    found, rest = bytearray(), bytes(data)
    while rest:  # one file after the other, as gzip allows
        stream = zlib.decompressobj(wbits=31)
        found += stream.decompress(rest, OPENED_BYTES - len(found) + 1)
        if len(found) > OPENED_BYTES:
            raise _too_large()
        if not stream.eof:
            raise Unopened("its gzip ends too early")
        rest = stream.unused_data
    return memoryview(found)


def _snappy(data: memoryview) -> memoryview:
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return memoryview(_snappy_block(data, OPENED_BYTES))
    found, at = bytearray(), _XERIAL_HEAD
    while at < len(data):
        (length,) = struct.unpack_from(">i", data, at)
        at += 4
        if not 0 <= length <= len(data) - at:
            raise Unopened("its snappy ends too early")
        found += _snappy_block(data[at : at + length], OPENED_BYTES - len(found))
        at += length
    return memoryview(found)


def _snappy_block(block: memoryview, room: int) -> bytearray:
    length = cramjam.snappy.decompress_raw_len(block)
    if length > room:
        raise _too_large()
    found = bytearray(length)
    cramjam.snappy.decompress_raw_into(block, found)
    return found
