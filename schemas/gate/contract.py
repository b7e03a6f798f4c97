"""The contract beside the schemas: topics, partitions, headers, ids, and what is promised in words.

`schemas/contract.json` is how it was last released. Pure but for reading it. None of it has a
version, so nobody can read old and new side by side: whatever differs is a finding, until somebody
has agreed on it in `schemas/agreed.toml`. What is new beside it passes.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas import base, envelope, sources, topics
from schemas.gate import generate
from schemas.gate.differences import differences
from schemas.gate.findings import Finding, NotReleased
from schemas.gate.wording import rephrased, reworded

CONTRACT = Path(__file__).parents[1] / "contract.json"
COHORTS = ("bercy-2017", "a", "DGFiP.2018_vague-2", "x" * 48)
COUNTS = (1, 4, 12, 48)

Contract = Mapping[str, Any]

AGREE = "take it back, or agree on it in schemas/agreed.toml"


def today() -> Contract:
    """The contract as the code has it: what is computed is computed, of examples."""
    pair = base.pair_of("m-017", "g-004")
    second = sources.following(sources.following(0))
    return {
        "topics": {name: _row(topic) for name, topic in topics.TOPICS.items()},
        "partitions": {
            f"{cohort} of {count}": topics.partition_of(cohort, count)
            for cohort in COHORTS
            for count in COUNTS
        },
        "headers": generate.headers(),
        "ids": {
            "pair_id": pair,
            "session_id": base.session_of(pair, 3),
            "first ce_sequence": sources.following(0),
            "second ce_sequence": second,
            "ce_source": sources.source_of("matching", "events", 3),
            "ce_id": sources.id_of("matching", "events", 3, second),
            "ce_type": envelope.versioned_name("PairFormed", 1),
            "ce_dataschema": f"{envelope.SCHEMA_ROOT}PairFormed:1",
        },
        "promises": generate.PROMISES.split("\n\n"),
    }


def _row(topic: topics.Topic) -> dict[str, Any]:
    row = next(row for row in generate.topics() if row["name"] == topic.name)
    told = ("audience", "purpose", "key", "partitions", "partitioned_by")
    return {name: row[name] for name in told} | topic.config


def released(path: Path = CONTRACT) -> Contract:
    """The contract as it was released. Raises `NotReleased`."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotReleased(f"{path} is no contract: connecte schemas release") from None


def read(text: str) -> Contract:
    """A contract from its JSON; ValueError if it is none."""
    document = json.loads(text)
    if not isinstance(document, dict) or document.keys() != today().keys():
        raise ValueError("no contract")
    return document


def check(old: Contract, new: Contract | None = None) -> Iterator[Finding]:
    """Everything that is otherwise than it was released."""
    new = today() if new is None else new
    yield from _topics(old["topics"], new["topics"])
    yield from _partitions(old["partitions"], new["partitions"])
    yield from _headers(old["headers"], new["headers"])
    for name, was in old["ids"].items():
        now = new["ids"].get(name)
        if now != was:
            yield _other(
                f"ids.{name}", was, now, "subscribers who take it apart learn the new form"
            )
    yield from _promises(old["promises"], new["promises"])


_OF_A_TOPIC = {
    "audience": "subscribers ask whether they may still read it, and its owner who may read it now",
    "key": "subscribers stop taking the key apart as before; a compacted topic is written anew",
    "partitions": "subscribers read every partition again: cohorts have moved",
    "partitioned_by": "subscribers look for a cohort on another partition",
    "cleanup.policy": "subscribers keep what they need: records go, or stay, otherwise than before",
    "retention.ms": "subscribers who come late, or read again, find more or less than before",
    "max.message.bytes": "subscribers allow records of the new size, senders send none above it",
    "compression.type": "subscribers need the codec, and the memory for what it opens to",
}


def _topics(old: Contract, new: Contract) -> Iterator[Finding]:
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            others = "subscribers move to another topic, or lose these events"
            like = [n for n in new if n not in old and new[n]["purpose"] == was["purpose"]]
            yield _other(name, name, like[0] if like else None, others)
            continue
        for key, others in _OF_A_TOPIC.items():
            if now.get(key) != was.get(key):
                yield _other(f"{name}.{key}", was.get(key), now.get(key), others)
        yield from rephrased(f"{name}.purpose", was["purpose"], now["purpose"], AGREE)


def _partitions(old: Contract, new: Contract) -> Iterator[Finding]:
    moved = [vector for vector in old if new.get(vector) != old[vector]]
    if moved:
        was, now = (", ".join(f"{v}: {of.get(v)}" for v in moved) for of in (old, new))
        first = "bercy-2017 of 12" if "bercy-2017 of 12" in moved else moved[0]
        what = f"{first} is on {new.get(first)}, it was on {old[first]}"
        others = "subscribers find a cohort on another partition; its order ends at the change"
        yield Finding("partition function", what, AGREE, others, was, now)


def _headers(old: Contract, new: Contract) -> Iterator[Finding]:
    for one in differences("headers", dict(old), dict(new), one_way=False):
        name = one.field.split(".")[1]
        was, now = (json.dumps(of["properties"].get(name), sort_keys=True) for of in (old, new))
        yield Finding(one.field, one.what, AGREE, one.subscribers, was, now)
    yield from reworded("headers", dict(old), dict(new), AGREE)


def _promises(old: list[str], new: list[str]) -> Iterator[Finding]:
    """A paragraph is held against the one that begins as it did, or stands where it stood."""
    for number, was in enumerate(old):
        same = [text for text in new if text.split()[:2] == was.split()[:2]]
        now = same[0] if same else (new[number] if number < len(new) else "")
        yield from rephrased(f"promises.{was.split()[0].strip(':').lower()}", was, now, AGREE)


def _other(field: str, was: Any, now: Any, others: str) -> Finding:
    what = f"is gone, it was {was}" if now is None else f"is {now}, it was {was}"
    return Finding(field, what, AGREE, others, str(was), str(now))
