"""The papers on data protection: their tables follow from the messages that the platform knows.

`python -m deploy.made.papers` writes the tables into docs/papers; a test holds them to be current.
Always holds: a field, a topic or a criterion of which `papers.toml` says nothing stops it, so none
can be added without a word of what it is for.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.base import Message
from schemas.retention import RETENTION
from schemas.topics import FOREVER, TOPICS, Topic
from schemas.values import CohortPolicy, Weights

PAPERS = Path(__file__).parents[2] / "docs" / "papers"
_SAID = Path(__file__).with_name("papers.toml")
_TABLE = re.compile(r"(<!-- table : (\w+) -->\n).*?(<!-- fin -->)", re.DOTALL)
_DAY_MS = 24 * 60 * 60 * 1000
_AUDIENCES = {
    "public": "services et abonnés",
    "internal": "services",
    "restricted": "notify, portail, exploitants",
}


class NothingSaid(Exception):
    """Something of the platform stands in no paper; the text names it and where to say it."""


@dataclass(frozen=True, slots=True)
class Category:
    """Fields of one kind. `personal`: whether they say something of a person."""

    name: str
    personal: bool
    why: str
    fields: tuple[str, ...]


@cache
def _said() -> dict[str, Any]:
    return tomllib.loads(_SAID.read_text(encoding="utf-8"))


@cache
def categories() -> tuple[Category, ...]:
    """Every field of every message, by what it is. Raises NothingSaid."""
    found = tuple(
        Category(**row | {"fields": tuple(row["fields"])}) for row in _said()["categories"]
    )
    said = [field for category in found for field in category.fields]
    known = {(kind.__name__, name) for topic in TOPICS.values() for kind, name in _fields(topic)}
    names = {name for _, name in known} | {f"{kind}.{name}" for kind, name in known}
    if unsaid := {name for kind, name in known if not {name, f"{kind}.{name}"} & set(said)}:
        raise NothingSaid(f"papers.toml, categories: name {', '.join(sorted(unsaid))} in one")
    if gone := set(said) - names:
        raise NothingSaid(f"papers.toml, categories: no message has {', '.join(sorted(gone))}")
    if twice := {field for field in said if said.count(field) > 1}:
        raise NothingSaid(f"papers.toml, categories: {', '.join(sorted(twice))} twice")
    return found


def _fields(topic: Topic) -> Iterator[tuple[type[Message], str]]:
    for kind in topic.types:
        for name in kind.model_fields:
            yield kind, name


def category_of(kind: type[Message], field: str) -> Category:
    """What a field of a message is: `Type.field` where that is said, `field` otherwise."""
    by_name = {said: category for category in categories() for said in category.fields}
    return by_name.get(f"{kind.__name__}.{field}") or by_name[field]


def _of(topic: Topic) -> str:
    """The key of papers.toml that speaks of a topic."""
    return topic.name.rpartition(".")[2]


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "jusqu’à l’effacement de la personne"
    if topic.retention_ms == FOREVER:
        return "sans limite dans le journal"
    return f"{topic.retention_ms // _DAY_MS} jours"


def _topics() -> Iterator[str]:
    yield "| journal | contenu | lu par | conservé |\n| --- | --- | --- | --- |\n"
    for topic in TOPICS.values():
        if (what := _said()["topics"].get(_of(topic))) is None:
            raise NothingSaid(f"papers.toml, topics: say what {topic.name} is")
        yield f"| `{topic.name}` | {what} | {_AUDIENCES[topic.audience]} | {_kept(topic)} |\n"


def _categories() -> Iterator[str]:
    yield "| données | à quoi elles servent | champs | journaux |\n| --- | --- | --- | --- |\n"
    for category in categories():
        if category.personal:
            fields = ", ".join(f"`{field}`" for field in category.fields)
            where = ", ".join(f"`{name}`" for name in _where(category))
            yield f"| {category.name} | {category.why} | {fields} | {where} |\n"


def _where(category: Category) -> Iterable[str]:
    """The topics on which fields of a category are."""
    return [
        topic.name.removeprefix("mentoring.")
        for topic in TOPICS.values()
        if any(category_of(kind, name) is category for kind, name in _fields(topic))
    ]


def _weights() -> Iterator[str]:
    weights = dict(Weights())
    total = sum(weights.values())
    yield "| critère | ce qui compte | poids par défaut | part |\n| --- | --- | --- | --- |\n"
    for name, weight in weights.items():
        if (what := _said()["weights"].get(name)) is None:
            raise NothingSaid(f"papers.toml, weights: say what {name} is")
        yield f"| `{name}` | {what} | {weight:g} | {100 * weight / total:.0f} % |\n"


def _delays() -> Iterator[str]:
    policy = CohortPolicy()
    yield "| règle | par défaut |\n| --- | --- |\n"
    yield f"| séances d’un binôme | {policy.sessions} de {policy.session_minutes} minutes |\n"
    yield f"| temps pour répondre à une proposition | {policy.proposal_days} jours |\n"
    yield f"| temps pour répondre à un questionnaire | {policy.survey_days} jours |\n"
    yield f"| effectif minimal d’un chiffre publié | {policy.smallest_group} personnes |\n"


def _retention() -> Iterator[str]:
    yield "| données | où | jusqu’à |\n| --- | --- | --- |\n"
    for kept in RETENTION:
        topics = ", ".join(f"`{name.removeprefix('mentoring.')}`" for name in kept.topics)
        where = f"{topics} ; {kept.beside.fr}" if topics else kept.beside.fr
        yield f"| {kept.what.fr} | {where} | {kept.until.fr} |\n"


_TABLES = {
    "retention": _retention,
    "topics": _topics,
    "categories": _categories,
    "weights": _weights,
    "delays": _delays,
}


def paper(text: str) -> str:
    """A paper with its tables as they have to be."""

    def table(found: re.Match[str]) -> str:
        return found[1] + "".join(_TABLES[found[2]]()) + found[3]

    return _TABLE.sub(table, text)


def differing() -> list[Path]:
    """The papers whose tables are not current."""
    return [path for path in sorted(PAPERS.glob("*.md")) if paper(_read(path)) != _read(path)]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Write the tables, or with `--check` only say which are not current."""
    parser = argparse.ArgumentParser(prog="python -m deploy.made.papers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="Change nothing; 1 if not current.")
    check = parser.parse_args(arguments).check
    try:
        stale = differing()
    except NothingSaid as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in stale:
        if check:
            sys.stderr.write(f"{path.name} is not current; run: make catalogue\n")
        else:
            path.write_text(paper(_read(path)), encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
