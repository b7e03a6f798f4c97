"""Records that earlier versions wrote, and how today's code would write them.

`tests/schemas/golden/` has a folder for each version that wrote some, a file for each topic in it,
and `SHA256SUMS`. Always holds, once the gate has passed: a message that was written then would have
the same key, headers, id and source today, on the same topic, and in its value all that it had.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.envelope import Record, Unreadable, attributes, decode, encode, type_name
from schemas.gate.findings import Finding, NotReleased
from schemas.sources import id_of, source_of
from schemas.topics import TOPICS, Topic

GOLDEN = Path(__file__).parents[2] / "tests" / "schemas" / "golden"
SUMS = "SHA256SUMS"
REMEDY = "take it back: records that are written cannot be changed"
BOTH = "subscribers read both forms: history keeps the old one"


@dataclass(frozen=True, slots=True)
class Written:
    """A record as it was written; `name` and `version` are those of its type."""

    topic: str
    partition: int
    key: str
    headers: tuple[tuple[str, str], ...]
    value: str

    @property
    def type(self) -> tuple[str, int]:
        """`PairFormed`, 1."""
        name = dict(self.headers)["ce_type"].rpartition(".v")
        return name[0].rpartition(".")[2], int(name[2])


def written(directory: Path = GOLDEN) -> Iterator[Written]:
    """Every golden record, version by version."""
    for path in sorted(directory.glob("*/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            headers = tuple((name, text) for name, text in row["headers"])
            yield Written(path.stem, row["partition"], row["key"], headers, row["value"])


def sums(directory: Path = GOLDEN) -> dict[str, str]:
    """File to hash, as it is."""
    return {
        path.relative_to(directory).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != SUMS
    }


def listed(text: str) -> dict[str, str]:
    """File to hash, as `sha256sum` writes it."""
    rows = (line.split("  ", 1) for line in text.splitlines())
    return {name: digest for digest, name in rows}


def listed_here(directory: Path = GOLDEN) -> dict[str, str]:
    """What the list of golden files says. Raises `NotReleased` where there is none."""
    try:
        return listed((directory / SUMS).read_text(encoding="utf-8"))
    except OSError:
        raise NotReleased(f"{directory}: golden records are in a checkout only") from None


def edited(was: Mapping[str, str], now: Mapping[str, str], told: str) -> Iterator[Finding]:
    """Golden files that are not what they were; `told`: by what."""
    for name, digest in was.items():
        if now.get(name) != digest:
            what = f"is not what {told} says" if name in now else "is gone"
            yield Finding(f"golden/{name}", what, REMEDY, "nobody can: history is as it was")


def again(row: Written, topic: Topic) -> Record:
    """The record as today's code writes its message; raises `Unreadable`."""
    headers = [(name, text.encode()) for name, text in row.headers]
    found = attributes(headers)
    message = decode(found, row.value.encode())
    named, source = found.id, found.source
    if found.sequence is not None:
        _, _, service, stream, _ = found.source.split("/")
        named = id_of(service, stream, row.partition, found.sequence)
        source = source_of(service, stream, row.partition)
    return encode(
        message,
        topic.name,
        row.partition,
        id=named,
        source=source,
        time=found.time,
        sequence=found.sequence,
        order=found.order,
        cause=found.cause,
        traceparent=found.traceparent,
    )


def check(rows: Iterable[Written]) -> Iterator[Finding]:
    """What would be written otherwise today. What many types have in common is one finding."""
    names: dict[tuple[str, str], list[str]] = {}
    whats: dict[tuple[str, str], str] = {}
    for row in rows:
        name = row.type[0]
        for where, what, others in _differences(row):
            whats.setdefault((where, others), what)
            of = names.setdefault((where, others), [])
            if name not in of:
                of.append(name)
    for (where, others), of in names.items():
        more = f" and {len(of) - 1} other types" if len(of) > 1 else ""
        yield Finding(f"{of[0]}{more}, {where}", whats[where, others], REMEDY, others)


def _differences(row: Written) -> Iterator[tuple[str, str, str]]:
    """(place, what is other, what others have to do)"""
    name, version = row.type
    topic = TOPICS.get(row.topic)
    if topic is None:
        return  # told of the topic
    kind = next((kind for kind in topic.types if kind.__name__ == name), None)
    if kind is None:
        yield "topic", f"is not on {row.topic} any more", "subscribers look for it where it is now"
        return
    if type_name(kind).rpartition(".v")[2] != str(version):
        return  # an older version is written no more
    try:
        made = again(row, topic)
    except Unreadable as error:
        yield "records", f"cannot be read: {error}", "nobody can: history is as it was"
        return
    if (key := (made.key or b"").decode()) != row.key:
        what = f"is {key}, it was {row.key}"
        yield "key", what, "subscribers who compact, join or count by key do so by another one"
    now = {header: (raw or b"").decode() for header, raw in made.headers}
    for header, was in row.headers:
        if header not in now:
            yield f"header {header}", "is not written any more", "subscribers do without it"
        elif now[header] != was:
            yield f"header {header}", "is made otherwise", BOTH
    value = (made.value or b"null").decode()
    if value == row.value:
        return
    for field in _lost(json.loads(row.value), json.loads(value), "value"):
        yield (
            field,
            "is written otherwise",
            "subscribers read both forms: history keeps the old one",
        )


def _lost(was: Any, now: Any, at: str) -> Iterator[str]:
    """What was written then and is not now; more may be."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            yield from _lost(value, now.get(name, ...), f"{at}.{name}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _lost(one, other, f"{at}.{number}")
    elif was != now:
        yield at
