"""The solver against mentor-match, on its own kind of people and under its own scores.

It knows grades, organisations and professions (and so this comparison does; our criteria do not).
A pair counts if none of its rules disqualifies it; the total is the sum of its scores. `scarce`:
people in groups of few, so that everybody has about three possible mentors.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from services.matching.search.assignment import AnyInts, Ints
from services.matching.search.fit import POINT
from services.matching.search.pairing import pair
from services.matching.search.scoring import Block, Pool
from tests.bench.peaks import peak
from tests.own_environment import environment

LOCK = Path(__file__).with_name("mentor-match.lock")
SCRIPT = Path(__file__).with_name("mentor_match.py")

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`pairs` are (mentor, mentee), those that the rules allow; memory is in MB."""

    pairs: frozenset[tuple[str, str]]
    total: int
    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both on the same people; `stable`: whether shuffled rows gave the same pairs."""

    ours: Outcome
    peer: Outcome
    ours_stable: bool
    peer_stable: bool


def compare(directory: Path, count: int, *, scarce: bool = False) -> Comparison:
    """As many mentors as mentees."""
    random = np.random.default_rng(7)
    people = _people(random, count, scarce)
    shuffled = {
        **people,
        "mentors": [people["mentors"][n] for n in random.permutation(count)],
        "mentees": [people["mentees"][n] for n in random.permutation(count)],
    }
    found = []
    for number, rows in enumerate((people, shuffled)):
        path = directory / f"people-{number}.json"
        path.write_text(json.dumps(rows))
        for command in ((sys.executable, "-m", "tests.bench.peers"), (_peer(), "-P", str(SCRIPT))):
            told = subprocess.run(
                (*command, str(path)), check=True, capture_output=True, text=True
            ).stdout
            found.append(_outcome(rows, json.loads(told)))
    ours, peer, ours_again, peer_again = found
    return Comparison(ours, peer, ours.pairs == ours_again.pairs, peer.pairs == peer_again.pairs)


def _people(random: np.random.Generator, count: int, scarce: bool) -> dict[str, Any]:
    def rows(who: str, low: int, high: int) -> Rows:
        return [
            {
                "email": f"{who}{n}@example.org",
                "grade": int(random.integers(low, high)),
                "organisation": f"o{random.integers(15)}",
                "profession": f"p{random.integers(12)}",
                "role": f"r{random.integers(max(count // 4, 1))}" if scarce else "any",
            }
            for n in range(count)
        ]

    return {"scarce": scarce, "mentors": rows("m", 3, 8), "mentees": rows("t", 1, 6)}


def _scores(mentors: Rows, mentees: Rows, scarce: bool) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Mentee by mentor: the score by the rules of `mentor_match.py`, or -1."""

    def column(name: str) -> tuple[Any, Any]:
        values = {row[name]: k for k, row in enumerate([*mentors, *mentees])}
        of = [
            np.array([values[row[name]] for row in rows], np.int16) for rows in (mentees, mentors)
        ]
        return of[0][:, None], of[1][None, :]

    grades = [np.array([row["grade"] for row in rows], np.int16) for rows in (mentees, mentors)]
    higher = grades[1][None, :] - grades[0][:, None]
    (mine, theirs), (own, other) = column("organisation"), column("profession")
    one, two, three, four = np.int16([1, 2, 3, 4])
    score = two * (higher == 2) + three * (mine != theirs) + four * (own == other)
    allowed = higher > 0
    if scarce:
        here, there = column("role")
        allowed &= here == there
    return np.where(allowed, score, -one)


class _Crowd:
    """Their people, as a pool of ours: who may be whose mentor, and what it is worth."""

    def __init__(self, people: dict[str, Any]) -> None:
        self.mentors, self.managers = (
            sorted(people[who], key=lambda row: [str(value) for value in row.values()])
            for who in ("mentors", "mentees")
        )
        self.capacities = np.ones(len(self.mentors), np.int64)
        self._scores = _scores(self.mentors, self.managers, people["scarce"])

    def legal(self, managers: Ints) -> Iterator[Block]:
        some = self._scores[managers]
        rows, mentors = np.nonzero(some >= 0)
        start = np.searchsorted(rows, np.arange(len(managers) + 1))
        yield Block(managers, start, mentors, some[rows, mentors].astype(np.int32) * POINT)

    def ties(self, i: int | Ints, mentors: AnyInts) -> Ints:
        found: Ints = (i * 40_503 + mentors * 30_011) % (1 << 12)
        return found


def pairs(people: dict[str, Any]) -> list[tuple[str, str]]:
    """The best pairs, by our search, whatever the order of the rows."""
    crowd = _Crowd(people)
    found = pair(cast(Pool, crowd))
    return [(crowd.mentors[j]["email"], crowd.managers[i]["email"]) for i, j, _ in found.pairs]


def _outcome(people: dict[str, Any], told: dict[str, Any]) -> Outcome:
    mentors, mentees = people["mentors"], people["mentees"]
    scores = _scores(mentors, mentees, people["scarce"])
    place = {row["email"]: j for j, row in enumerate(mentors)}
    waiting = {row["email"]: i for i, row in enumerate(mentees)}
    made: Sequence[tuple[str, str]] = [(mentor, mentee) for mentor, mentee in told["pairs"]]
    worth = {pair: int(scores[waiting[pair[1]], place[pair[0]]]) for pair in made}
    allowed = {pair: score for pair, score in worth.items() if score >= 0}
    return Outcome(frozenset(allowed), sum(allowed.values()), told["seconds"], told["memory"])


def _peer() -> str:
    """The Python of an environment that has mentor-match, and nothing of ours."""
    return str(environment(LOCK) / "python")


if __name__ == "__main__":
    people = json.loads(Path(sys.argv[1]).read_text())
    begin = time.perf_counter()
    made = pairs(people)
    taken = time.perf_counter() - begin
    print(json.dumps({"pairs": made, "seconds": taken, "memory": peak()}))  # noqa: T201
