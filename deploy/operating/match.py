"""`connecte match`: two files of people in, pairs out. The service's own functions, and no broker.

Always holds: what is written is whole; a file that could not be finished is not there.
"""

import csv
import json
import os
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from deploy.errors import BadInput
from deploy.operating.rosters import read_people
from schemas.base import recast
from schemas.invalid import in_one_line
from schemas.values import AskedPolicy, CohortPolicy, WaitingCause, Words
from services.matching.search.assignment import Ints
from services.matching.search.explaining import first_tools, reasons_of
from services.matching.search.fit import POINT
from services.matching.search.pairing import Pairing, Progress, pair
from services.matching.search.scoring import Bonds, Pool
from services.matching.search.unpaired import Competition, Unpaired, unpaired
from services.matching.views import Manager, Mentor

_POLICY: TypeAdapter[CohortPolicy] = TypeAdapter(AskedPolicy)
_COHORT = "match"  # commands and documents want one; it is in no result


@dataclass(slots=True)
class Phases:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


@dataclass(frozen=True, slots=True)
class Match:
    """The result as a document for machines, what it was made from, and what may be misspelt."""

    document: dict[str, Any]
    pairing: Pairing
    warnings: tuple[str, ...] = ()


def match(
    mentors: Path, managers: Path, policy: Path | None = None, advanced: Progress = lambda *_: None
) -> Match:
    """Pair the people of two files. Raises BadInput with every finding."""
    phases = Phases()
    with phases("read"):
        terms = read_policy(policy)
        people = read_people(mentors, managers, _COHORT)
    with phases("prepare"):
        volunteers = [recast(Mentor, m, id=m.mentor_id) for m in people.mentors]
        waiting = [recast(Manager, g, id=g.manager_id) for g in people.managers]
        everybody: list[Mentor | Manager] = [*volunteers, *waiting]
        bonds = Bonds({person.id: person.line_manager for person in everybody})
        pool = Pool(volunteers, waiting, terms, bonds)
    with phases("pair"):
        found = pair(pool, advanced)
    with phases("explain"):
        document = _document(found, unpaired(found))
    warnings = tuple(str(warning) for warning in people.warnings)
    return Match({**document, "seconds": phases.seconds}, found, warnings)


def read_policy(path: Path | None) -> CohortPolicy:
    """A cohort's policy from a TOML file; every field has its default. Raises BadInput."""
    if path is None:
        return CohortPolicy()
    try:
        given = to_json(tomllib.loads(path.read_text(encoding="utf-8")), inf_nan_mode="constants")
        return _POLICY.validate_json(given, strict=True, extra="forbid")  # as a command's
    except ValidationError as error:
        raise BadInput(f"{path}: {in_one_line(error.errors())}") from None
    except (OSError, ValueError, RecursionError) as error:  # of a number of 5,000 digits, too
        raise BadInput(f"{path}: expected a TOML file that can be read ({error})") from None


def _document(found: Pairing, alone: Sequence[Unpaired]) -> dict[str, Any]:
    pool = found.pool
    pairs = [
        {
            "mentor": pool.mentors[j].id,
            "manager": pool.managers[i].id,
            "score": score,
            "tools": [first.tool for first in begin],
            "first_tools": [first.model_dump() for first in begin],
            "reasons": [
                reason.model_dump()
                for reason in reasons_of(pool.mentors[j], pool.managers[i], pool.policy)
            ],
        }
        for i, j, score in found.pairs
        for begin in [first_tools(pool.mentors[j], pool.managers[i])]
    ]
    # Each once, whoever competes: they can be thousands, for as many mentors.
    competitions = list({id(c): c for one in alone if (c := one.competition)}.values())
    prices = found.assignment
    ids = [mentor.id for mentor in pool.mentors], [manager.id for manager in pool.managers]
    return {
        "pairs": sorted(pairs, key=lambda row: str(row["manager"])),
        "unmatched": sorted(
            (
                {"manager": pool.managers[one.manager].id, "reason": _reason(one, competitions)}
                for one in alone
            ),
            key=lambda row: str(row["manager"]),
        ),
        "competitions": [
            {
                "managers": sorted(pool.managers[i].id for i in one.managers),
                "mentors": sorted(pool.mentors[j].id for j in one.mentors),
                "places": one.places,
            }
            for one in competitions
        ],
        "objective": {"pairs": len(pairs), "score": found.score},
        "certificate": {
            "pair_value": prices.pair_value / POINT,
            "mentor_prices": _by_id(ids[0], prices.mentor_prices),
            "manager_prices": _by_id(ids[1], prices.manager_prices),
            "optimal": found.proven,
        },
        "graph": {
            "mentors": len(pool.mentors),
            "managers": len(pool.managers),
            "edges": len(found.graph.mentor),
            "legal": int(found.legal.sum()),
        },
    }


def _by_id(ids: Sequence[str], prices: Ints) -> dict[str, float]:
    """Prices in points, by id."""
    return dict(sorted(zip(ids, (prices / POINT).tolist(), strict=True)))


def _reason(one: Unpaired, competitions: list[Competition]) -> dict[str, Any]:
    words = _words(one)
    reason: dict[str, Any] = {"cause": one.cause, "text": words.en, "words": words.model_dump()}
    if one.competition is not None:
        reason["competition"] = competitions.index(one.competition)
    return reason


_CAUSES: dict[WaitingCause, Words] = {
    "no-skill": Words(
        fr="aucun mentor ne maîtrise au niveau demandé un outil recherché",
        en="no mentor masters a needed tool at its level, but for those kept apart",
    ),
    "no-common-hour": Words(
        fr="aucun mentor qui maîtrise un outil recherché n’est libre au même moment",
        en="no mentor who masters a needed tool is free when the manager is",
    ),
}


def _words(one: Unpaired) -> Words:
    """Why somebody stays without a mentor, for whoever decides: with the figures."""
    if (among := one.competition) is None:
        return _CAUSES[one.cause]
    managers = _counted(len(among.managers), "manager")
    mentors = _counted(len(among.mentors), "mentor")
    places = _counted(among.places, "place")
    return Words(
        fr=f"{managers} ne peuvent être accompagnés que par {mentors}, qui ensemble ont {places}",
        en=f"{managers} can only be coached by {mentors}, who together have {places}",
    )


def _counted(number: int, word: str) -> str:
    """In French and in English, as long as the word is the same."""
    return f"{number} {word}{'s' if number > 1 else ''}"


# --- files -------------------------------------------------------------------------------------


def write_whole(path: Path, text: str) -> None:
    """Write a file that is either there to its end or as it was. Raises BadInput."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise BadInput(f"{path}: cannot be written ({error.strerror})") from None


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def pairs_csv(document: dict[str, Any]) -> str:
    """A row per pair: manager, mentor, score, tools to begin with."""
    return _csv(
        ("manager", "mentor", "score", "tools"),
        ((p["manager"], p["mentor"], p["score"], ";".join(p["tools"])) for p in document["pairs"]),
    )


def edges_csv(found: Pairing) -> str:
    """A row per legal pair that was considered: manager, mentor, score."""
    mentors = [mentor.id for mentor in found.pool.mentors]
    managers = [manager.id for manager in found.pool.managers]
    graph = found.graph
    rows = zip(graph.rows.tolist(), graph.mentor.tolist(), np.asarray(graph.points), strict=True)
    return _csv(
        ("manager", "mentor", "score"), ((managers[i], mentors[j], p / POINT) for i, j, p in rows)
    )


def certificate_json(document: dict[str, Any]) -> str:
    """The certificate with the objective that it proves."""
    return json.dumps({**document["certificate"], "objective": document["objective"]})
