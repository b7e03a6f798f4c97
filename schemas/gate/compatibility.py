"""The gate: what a change of a schema would break, with the field's name and what to do.

`schemas/released.json` has the schema of every type and version as it was last released: name to
version to schema. Always holds, once the gate has passed: whoever reads with a released schema can
read what is written with today's; whoever reads with today's can read everything that was ever
written.

Commands are read by the platform alone, so only today's reader has to understand older senders.
Two judges look: a walk of our own, which names the field, and `jsoncompat`, which compares the
sets of documents (and knows nothing of patterns, formats and defaults).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.base import Message
from schemas.gate import generate
from schemas.gate.differences import Difference, Schema, differences
from schemas.gate.findings import Finding, NotReleased
from schemas.gate.samples import example
from schemas.gate.wording import reworded
from schemas.topics import TOPICS, TYPES
from schemas.upcasting import UPCASTS, can_upcast, upcast

RELEASED = Path(__file__).parents[1] / "released.json"

Versions = Mapping[str, Mapping[int, Schema]]
"""Type to version to schema."""


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

    def others(self, name: str, subscribers: str) -> str:
        """What those have to do who are not here, of what `subscribers` of it would have to."""
        if name in self.public:
            return subscribers
        if name in self.one_way:
            return "senders send the new form; what waits in the topic was sent in the old one"
        return f"no subscriber reads it; the platform's own history has it: {subscribers}"


def _names(groups: Any) -> frozenset[str]:
    return frozenset(kind.__name__ for group in groups for kind in group)


def versioned(kind: type[Message]) -> str:
    """A type with its version: `PairFormed.v1`."""
    return f"{kind.__name__}.v{kind.version}"


def released(path: Path = RELEASED) -> dict[str, dict[int, Schema]]:
    """What was released: of a file as `released.json` is, or of a directory with a NAME.vN.json
    for each schema, as a catalogue is. Raises `NotReleased`."""
    found: dict[str, dict[int, Schema]] = {}
    for name, version, schema in _of_directory(path) if path.is_dir() else _of_file(path):
        found.setdefault(name, {})[version] = schema
    if not found:
        raise NotReleased(f"{path} has no released schemas")
    return found


def _of_file(path: Path) -> Iterator[tuple[str, int, Schema]]:
    try:
        rows = list(_rows(path.read_text(encoding="utf-8")))
    except _NONE:
        raise NotReleased(f"{path} has no schemas by name and version") from None
    yield from rows


def read(text: str) -> Versions:
    """What was released, from a file's text. ValueError if it is none."""
    found: dict[str, dict[int, Schema]] = {}
    try:
        for name, version, schema in _rows(text):
            found.setdefault(name, {})[version] = schema
    except _NONE as error:
        raise ValueError(str(error)) from None
    return found


def _rows(text: str) -> Iterator[tuple[str, int, Schema]]:
    for name, versions in json.loads(text).items():
        for version, schema in versions.items():
            yield name, int(version), _walked(name, schema)


def _of_directory(directory: Path) -> Iterator[tuple[str, int, Schema]]:
    for path in sorted(directory.rglob("*.v*.json")):
        name, _, version = path.name.removesuffix(".json").rpartition(".v")
        try:
            yield name, int(version), _walked(name, _json(path))
        except _NONE:
            raise NotReleased(f"{path} is no JSON Schema of a version") from None


_NONE = (AttributeError, KeyError, OSError, TypeError, ValueError)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _walked(name: str, schema: Schema) -> Schema:
    list(differences(name, schema, schema, one_way=False))  # or it raises: it is no schema
    return schema


def check(versions: Versions, language: Language | None = None) -> list[Finding]:
    """Everything that would break if today's schemas were released after these versions."""
    language = language or Language.of_today()
    findings: list[Finding] = []
    for name in sorted(versions.keys() | language.types.keys()):
        kind = language.types.get(name)
        if kind is None:
            remedy, others = "keep the type: history has it", "subscribers do without it"
            findings.append(Finding(name, "was published and is gone", remedy, others))
        else:
            findings += _of_type(kind, versions.get(name, {}), language)
    return findings


def _of_type(
    kind: type[Message], versions: Mapping[int, Schema], language: Language
) -> Iterator[Finding]:
    name, now = kind.__name__, kind.version
    if now in versions:
        remedy = f"publish {name}.v{now + 1}, with an upcast from v{now}"
        one_way = name in language.one_way
        for one in compare(name, versions[now], schema_of(kind), one_way=one_way):
            others = language.others(name, one.subscribers)
            yield Finding(one.field, one.what, remedy, others)
    for later in sorted(n for n in versions if n > now):
        what = f"v{later} was published, and today's is v{now}"
        yield Finding(name, what, "keep the newest", f"subscribers read v{now} again")
    for n in range(1, now):
        unread = f"subscribers who read all of history cannot read v{n}"
        if n not in versions:
            what = f"v{n} is not among the released schemas"
            yield Finding(name, what, "put it back", unread)
        if (name, n) not in UPCASTS:
            what, remedy = f"v{n} cannot be read", f"register an upcast from v{n}"
            yield Finding(name, what, remedy, unread)
        elif n in versions and (wrong := _unreadable(kind, n, versions[n])):
            what = f"the example of v{n} cannot be read: {wrong}"
            yield Finding(name, what, "mend the upcast", unread)
    step = UPCASTS.get((name, now - 1))
    if step and name in language.public and (step.down is None or step.until is None):
        yield Finding(
            name,
            f"v{now - 1} would end without notice",
            "give the upcast a `down` and a day `until` which both versions are published",
            f"subscribers read v{now} at once, or nothing",
        )


def told_otherwise(versions: Versions, language: Language | None = None) -> Iterator[Finding]:
    """Descriptions of a version that may mean something else than these."""
    for name, kind in (language or Language.of_today()).types.items():
        old = versions.get(name, {}).get(kind.version)
        if old is not None:
            remedy = f"publish {name}.v{kind.version + 1}"
            yield from reworded(name, old, schema_of(kind), remedy)


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


@cache
def schema_of(kind: type[Message]) -> Schema:
    """Today's schema of a type; to be read only."""
    return generate.message_schema(kind)


def compare(name: str, old: Schema, new: Schema, *, one_way: bool) -> list[Difference]:
    """What a change of one version's schema breaks, by field."""
    if old == new:
        return []
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
    """Today's schemas that are not released as they are, each as `PairFormed.v1`."""
    kinds = (language or Language.of_today()).types.values()
    return sorted(versioned(kind) for kind in kinds if not _is_released(kind, versions))


def additions(versions: Versions, name: str) -> str:
    """What is new of one of these, in a sentence that says what subscribers have to do."""
    kind = TYPES[name.rpartition(".v")[0]]
    old, new = versions.get(kind.__name__, {}).get(kind.version), schema_of(kind)
    read = kind.audience == "public"
    if old is None:
        others = "subscribers pass over types that they do not know"
        return f"{name} is new; {others if read else 'no subscriber reads it'}"
    back = differences(kind.__name__, new, old, one_way=False)
    fields = [one.field for one in back if one.what.startswith("is gone")]
    if not fields:
        return f"{name} takes more, or is told in more words; nobody has to do anything"
    others = "subscribers pass over fields that they do not know"
    return f"{name} has {', '.join(fields)}; {others if read else 'no subscriber reads it'}"


def _is_released(kind: type[Message], versions: Versions) -> bool:
    return versions.get(kind.__name__, {}).get(kind.version) == schema_of(kind)


def release(file: Path = RELEASED) -> list[str]:
    """Release today's schemas; which ones were not, as `PairFormed.v1`. The gate must have passed.

    A file that is not there yet is begun.
    """
    versions = released(file) if file.exists() else {}
    names = unreleased(versions)
    for kind in Language.of_today().types.values():
        versions.setdefault(kind.__name__, {})[kind.version] = schema_of(kind)
    if names:
        rows = {name: {str(n): schema for n, schema in of.items()} for name, of in versions.items()}
        file.write_text(generate.text(rows), encoding="utf-8", newline="\n")
    return names
