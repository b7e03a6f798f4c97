"""The gate: what a change of a schema would break, with the field's name and what to do.

`schemas/published/` has the schema of every type and version as it was last published. Always
holds, once the gate has passed: whoever reads with a published schema can read what is written
with today's; whoever reads with today's can read everything that was ever written.

Commands are read by the platform alone, so only today's reader has to understand older senders.
Two judges look: a walk of our own, which names the field, and `jsoncompat`, which compares the
sets of documents (and knows nothing of patterns, formats and defaults).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.base import Message
from schemas.gate import generate
from schemas.gate.differences import Difference, Schema, differences
from schemas.gate.samples import example
from schemas.topics import TOPICS
from schemas.upcasting import UPCASTS, can_upcast, upcast

PUBLISHED = Path(__file__).parents[1] / "published"

Versions = Mapping[str, Mapping[int, Schema]]
"""Type to version to schema."""


class NotPublished(Exception):
    """A directory has no published schemas, or a file of it is none; the text says which."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is broken, where, and what to do about it. `field` is `PairProposed.reasons.0.value`."""

    field: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Language:
    """The types as they are now.

    `one_way` are those that only the platform reads; `public` those that others may read.
    """

    types: Mapping[str, type[Message]]
    one_way: frozenset[str]
    public: frozenset[str]

    @classmethod
    def of_today(cls) -> "Language":
        topics = TOPICS.values()
        return cls(
            {kind.__name__: kind for topic in topics for kind in topic.types},
            _names(topic.types for topic in topics if topic.name.endswith(".commands")),
            _names(topic.types for topic in topics if topic.audience == "public"),
        )


def _names(groups: Any) -> frozenset[str]:
    return frozenset(kind.__name__ for group in groups for kind in group)


def file_name(kind: type[Message]) -> str:
    """The name of a published schema."""
    return f"{kind.__name__}.v{kind.version}.json"


def published(directory: Path = PUBLISHED) -> dict[str, dict[int, Schema]]:
    """What was published. Raises `NotPublished`."""
    found: dict[str, dict[int, Schema]] = {}
    for path in sorted(directory.rglob("*.v*.json")):
        name, _, version = path.name.removesuffix(".json").rpartition(".v")
        try:
            schema = json.loads(path.read_text(encoding="utf-8"))
            list(differences(name, schema, schema, one_way=False))  # it can be walked
            found.setdefault(name, {})[int(version)] = schema
        except (AttributeError, KeyError, TypeError, ValueError):
            raise NotPublished(f"{path} is no JSON Schema of a version") from None
    if not found:
        raise NotPublished(f"{directory} has no published schemas (NAME.vN.json)")
    return found


def check(versions: Versions, language: Language | None = None) -> list[Finding]:
    """Everything that would break if today's schemas were published after these versions."""
    language = language or Language.of_today()
    findings: list[Finding] = []
    for name in sorted(versions.keys() | language.types.keys()):
        kind = language.types.get(name)
        if kind is None:
            findings.append(
                Finding(name, "was published and is gone", "keep the type: history has it")
            )
        else:
            findings += _of_type(kind, versions.get(name, {}), language)
    return findings


def _of_type(
    kind: type[Message], versions: Mapping[int, Schema], language: Language
) -> Iterator[Finding]:
    name, now = kind.__name__, kind.version
    if now in versions:
        remedy = f"publish {name}.v{now + 1}, with an upcast from v{now}"
        found = compare(name, versions[now], schema_of(kind), one_way=name in language.one_way)
        yield from (Finding(one.field, one.what, remedy) for one in found)
    for later in sorted(n for n in versions if n > now):
        yield Finding(name, f"v{later} was published, and today's is v{now}", "keep the newest")
    for n in range(1, now):
        if n not in versions:
            yield Finding(name, f"v{n} is not among the published schemas", "put it back")
        if (name, n) not in UPCASTS:
            yield Finding(name, f"v{n} cannot be read", f"register an upcast from v{n}")
        elif n in versions and (wrong := _unreadable(kind, n, versions[n])):
            yield Finding(name, f"the example of v{n} cannot be read: {wrong}", "mend the upcast")
    step = UPCASTS.get((name, now - 1))
    if step and name in language.public and (step.down is None or step.until is None):
        yield Finding(
            name,
            f"v{now - 1} would end without notice",
            "give the upcast a `down` and a day `until` which both versions are published",
        )


def _unreadable(kind: type[Message], version: int, schema: Schema) -> str:
    """Why what an older schema gives as an example is none of today's messages; or nothing."""
    if not can_upcast(kind.__name__, version, kind.version):
        return ""  # told for the step that is missing
    try:
        data = upcast(kind.__name__, version, kind.version, example(schema))
        kind.model_validate_json(json.dumps(data))
    except Exception as error:  # noqa: BLE001  # whatever an upcast does wrong
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return ""


def schema_of(kind: type[Message]) -> Schema:
    """Today's schema of a type."""
    return generate.message_schema(kind)


def compare(name: str, old: Schema, new: Schema, *, one_way: bool) -> list[Difference]:
    """What a change of one version's schema breaks, by field."""
    found = list(differences(name, old, new, one_way=one_way))
    if not found and not same_documents(old, new, one_way=one_way):
        what = "jsoncompat finds documents that one version accepts and the other does not"
        found.append(Difference(name, what))
    return found


def same_documents(old: Schema, new: Schema, *, one_way: bool) -> bool:
    """The second judge: whether each side accepts what the other writes.

    A writer writes only the fields that its schema names, so a reader is held against the
    writer's schema with nothing else allowed.
    """
    from jsoncompat import check_compat  # noqa: PLC0415  # for whoever changes schemas, not to run

    def text(schema: Schema, closed: bool) -> str:
        return json.dumps(_bare(schema, closed))

    forward = one_way or check_compat(text(old, False), text(new, True), "serializer")
    return bool(forward and check_compat(text(old, True), text(new, False), "deserializer"))


def _bare(part: Any, closed: bool) -> Any:
    """A schema without what `jsoncompat` cannot read; `closed`, with no fields but its own."""
    if isinstance(part, list):
        return [_bare(item, closed) for item in part]
    if not isinstance(part, dict):
        return part
    bare = {
        key: {name: _bare(field, closed) for name, field in value.items()}
        if key in ("properties", "$defs")
        else _bare(value, closed)
        for key, value in part.items()
        if key not in ("$id", "examples", "default", "description")
    }
    if closed and "properties" in bare:
        bare.setdefault("additionalProperties", False)
    return bare


def unreleased(versions: Versions, language: Language | None = None) -> list[str]:
    """File names of today's schemas that are not published as they are."""
    kinds = (language or Language.of_today()).types.values()
    return sorted(
        file_name(kind)
        for kind in kinds
        if versions.get(kind.__name__, {}).get(kind.version) != schema_of(kind)
    )


def release(directory: Path = PUBLISHED) -> list[str]:
    """Publish today's schemas; the names of the files written. The gate must have passed."""
    types = Language.of_today().types
    versions = published(directory) if any(directory.rglob("*.v*.json")) else {}
    names = unreleased(versions)
    directory.mkdir(parents=True, exist_ok=True)
    for file in names:
        kind = types[file.partition(".v")[0]]
        text = generate.text(schema_of(kind))
        (directory / file).write_text(text, encoding="utf-8", newline="\n")
    return names
