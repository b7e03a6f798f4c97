"""Documents, places and the outbox as MongoDB holds them: translation and comparison, no more.

Always holds: equal documents and equal places are equal bytes.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pydantic import ValidationError
from pymongo import DeleteOne, ReplaceOne

from schemas.base import TAKEN_IN
from services.chassis.domain import Change, D, Document, Gone, OtherVersion
from services.chassis.store.contract import DeadlineAside, Outgoing, Place

LARGEST = 16 * 1024 * 1024  # bytes of a document
OUTBOX_BYTES = LARGEST // 2

WHICH = "_collection"
"""Where a document that is read among those of other kinds has the name of its collection."""

Operation = ReplaceOne[dict[str, Any]] | DeleteOne
"""A document is written, whether it is there or not, or deleted."""


def document_of(kind: type[D], row: Mapping[str, Any]) -> D:
    """A document as it was stored: what was taken in once is not asked for more.

    What a newer version has written beside is passed over, and what an older one had not has its
    default. Raises `OtherVersion` where there is none.
    """
    try:
        return kind.model_validate(row, context=TAKEN_IN)
    except ValidationError as error:
        # The first part of a place is a field of ours; further ones can be anybody's words.
        wrong = {str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]}
        raise OtherVersion(kind.collection, sorted(wrong)) from error


def these_of(kind: type[Document], keys: Iterable[str]) -> list[dict[str, Any]]:
    """A pipeline for the documents of a kind with these keys, which says `WHICH` kind they are."""
    return [{"$match": {"_id": {"$in": list(keys)}}}, {"$set": {WHICH: kind.collection}}]


def only(names: Sequence[str]) -> dict[str, bool]:
    """A projection of these fields."""
    return {"_id": False} | dict.fromkeys(names, True)


def row_of(partition: int, document: Document) -> dict[str, Any]:
    """A document as it is stored: its key, its partition, its fields."""
    return {"_id": document.key, "partition": partition, **document.model_dump()}


def place_row(place: Place) -> dict[str, Any]:
    """A place as it is stored; keys sorted, so that equal places are equal bytes."""
    return {
        "_id": place.partition,
        "step": place.step,
        "positions": dict(sorted(place.positions.items())),
        "seen": dict(sorted(place.seen.items())),
        "sequences": dict(sorted(place.sequences.items())),
        "order": place.order,
        "parked": place.parked,
    }


def operations_of(
    changes: Sequence[tuple[int, Change]],
) -> dict[type[Document], list[Operation]]:
    """One bulk write per kind, from (partition, change)."""
    found: dict[type[Document], list[Operation]] = {}
    for partition, change in changes:
        if isinstance(change, Gone):
            delete = DeleteOne({"_id": change.document.key})
            found.setdefault(type(change.document), []).append(delete)
        else:
            row = row_of(partition, change)
            replace = ReplaceOne({"_id": row["_id"]}, row, upsert=True)
            found.setdefault(type(change), []).append(replace)
    return found


def aside_operation(key: tuple[str, str], row: DeadlineAside | None) -> Operation:
    """What notes that a deadline is set aside, or (None) that it is no more."""
    name = {"_id": "/".join(key)}
    return DeleteOne(name) if row is None else ReplaceOne(name, name | asdict(row), upsert=True)


def aside_of(row: dict[str, Any]) -> DeadlineAside:
    """A deadline that is set aside, as it was noted."""
    return DeadlineAside(**{field.name: row[field.name] for field in fields(DeadlineAside)})


def chunks_of(outgoing: Outgoing) -> Iterable[dict[str, Any]]:
    """What a step has to publish, as one document of the outbox or several."""
    rows: list[list[Any]] = []
    size = chunk = 0
    for r in outgoing.records:
        weight = len(r.value or b"") + len(r.key or b"") + 512
        if rows and size + weight > OUTBOX_BYTES:
            yield _chunk(outgoing, chunk, rows)
            rows, size, chunk = [], 0, chunk + 1
        rows.append([r.topic, r.partition, r.key, r.value, dict(r.headers)])
        size += weight
    yield _chunk(outgoing, chunk, rows)


def _chunk(outgoing: Outgoing, chunk: int, rows: list[list[Any]]) -> dict[str, Any]:
    return {
        "_id": f"{outgoing.partition}/{outgoing.step}/{chunk}",
        "partition": outgoing.partition,
        "step": outgoing.step,
        "chunk": chunk,
        "records": rows,
    }


def place_of(row: dict[str, Any]) -> Place:
    """A place as it was stored."""
    names = ("step", "positions", "seen", "sequences", "order", "parked")
    return Place(row["_id"], *(row[name] for name in names))


def decoded(portion: bytes) -> list[dict[str, Any]]:
    """What `Store.encoded` gave, as rows."""
    return bson.decode_all(portion, _IN_UTC)


_IN_UTC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)


async def unequal(
    mine: AsyncIterator[tuple[Any, bytes]], theirs: AsyncIterator[tuple[Any, bytes]]
) -> AsyncIterator[Any]:
    """The keys that only one of two ordered sides has, or that have other bytes there."""
    left, right = await anext(mine, None), await anext(theirs, None)
    while left is not None or right is not None:
        if right is None or (left is not None and _order(left[0]) < _order(right[0])):
            assert left is not None
            yield left[0]
            left = await anext(mine, None)
        elif left is None or _order(right[0]) < _order(left[0]):
            yield right[0]
            right = await anext(theirs, None)
        else:
            if left[1] != right[1]:
                yield left[0]
            left, right = await anext(mine, None), await anext(theirs, None)


def _order(key: Any) -> tuple[bool, Any]:
    """As MongoDB sorts ids: numbers (a place has its partition's), then texts."""
    return isinstance(key, str), key
