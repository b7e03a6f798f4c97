"""An independent checker of what `connecte match` writes, under the default policy.

Imports nothing of the platform: it reads the two files, states the rules once more, and looks at
every couple:
`python -m tests.deploy.operating.certificates mentors.csv managers.csv pairs.csv cert.json`.
"""

import csv
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

DAYS = ("mon", "tue", "wed", "thu", "fri")
POINT = 10_000  # scores are whole ten-thousandths
JOBS = Path(__file__).parents[3] / "schemas" / "known" / "job_families.toml"

Row = dict[str, str]


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _levels(cell: str) -> dict[str, int]:
    return {
        t: int(level) for t, _, level in (part.partition(":") for part in cell.split(";") if part)
    }


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _quarters(cell: str, length: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """In which quarter hours of the week something of `length` minutes can begin."""
    week = np.zeros((5, 96), bool)
    for part in cell.split(";"):
        day, hours = part.split()
        start, end = map(_minute, hours.split("-"))
        for quarter in range(96):
            if start <= quarter * 15 and quarter * 15 + length <= end:
                week[DAYS.index(day), quarter] = True
    return week.reshape(-1)


def _above(person: str, lines: dict[str, str]) -> set[str]:
    found: set[str] = set()
    while (person := lines.get(person, "")) and person not in found:
        found.add(person)
    return found


class Couples:
    """Who may be paired with whom, and what it is worth, manager by manager."""

    def __init__(self, mentors: Path, managers: Path) -> None:
        self.mentors, self.managers = _rows(mentors), _rows(managers)
        self.place = {row["id"]: j for j, row in enumerate(self.mentors)}
        self.lines = {row["id"]: row["line_manager"] for row in (*self.mentors, *self.managers)}
        self.jobs = {
            name: {tool: about["level"] for tool, about in family["tools"].items()}
            for name, family in tomllib.loads(JOBS.read_text(encoding="utf-8")).items()
        }
        count = len(self.mentors)
        self.skills: dict[str, np.ndarray[Any, Any]] = {}
        for j, row in enumerate(self.mentors):
            for tool, level in _levels(row["skills"]).items():
                self.skills.setdefault(tool, np.zeros(count, int))[j] = level
        weeks = {row["availability"] for row in self.mentors}
        free = {week: _quarters(week, 15) for week in weeks}
        starts = {week: _quarters(week, 60) for week in weeks}
        self.free = np.array([free[row["availability"]] for row in self.mentors])
        self.starts = np.array([starts[row["availability"]] for row in self.mentors])
        self.directorate = np.array([row["directorate"] for row in self.mentors])
        self.site = np.array([row["site"] for row in self.mentors])
        self.below: dict[str, list[int]] = {}
        self.team: dict[str, list[int]] = {}
        self.wary: dict[str, list[int]] = {}
        for j, row in enumerate(self.mentors):
            for lead in _above(row["id"], self.lines):
                self.below.setdefault(lead, []).append(j)
            self.team.setdefault(row["line_manager"], []).append(j)
            for other in row["excludes"].split(";"):
                self.wary.setdefault(other, []).append(j)

    def legal(self, row: Row) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Whether each mentor may coach the manager, and the ten-thousandths of a point."""
        job = self.jobs.get(row["job_family"], self.jobs["general"])
        needs = _levels(row["needs"]) or job
        none = np.zeros(len(self.mentors), int)

        def reached(tools: dict[str, int]) -> np.ndarray[Any, Any]:
            got = sum((np.minimum(self.skills.get(t, none), n) for t, n in tools.items()), none)
            return np.asarray(got)

        able = np.any([self.skills.get(t, none) >= n for t, n in needs.items()], axis=0)
        shared = self.free[:, _quarters(row["availability"], 15)].sum(axis=1)
        able &= self.starts[:, _quarters(row["availability"], 60)].any(axis=1)
        apart = [self.place[o] for o in row["excludes"].split(";") if o in self.place]
        apart += [self.place[o] for o in _above(row["id"], self.lines) if o in self.place]
        apart += self.below.get(row["id"], []) + self.wary.get(row["id"], [])
        apart += self.team.get(row["line_manager"], []) if row["line_manager"] else []
        apart += [self.place[row["id"]]] if row["id"] in self.place else []
        able[apart] = False
        near = (self.site == row["site"]) | (self.site == "remote") | (row["site"] == "remote")
        points = 45 * POINT * reached(needs) // sum(needs.values())
        points += 10 * POINT * reached(job) // max(sum(job.values()), 1)
        points += 15 * POINT * np.minimum(shared, 16) // 16
        points += 20 * POINT * (self.directorate != row["directorate"]) + 10 * POINT * near
        return able, points


def findings(mentors: Path, managers: Path, pairs: Path, certificate: Path) -> list[str]:
    """What is wrong with the pairs or with their proof; nothing, if no pairing can be better."""
    couples, cert = Couples(mentors, managers), json.loads(certificate.read_text())
    made = {row["manager"]: row for row in _rows(pairs)}
    unit = round(cert["pair_value"] * POINT)
    prices = np.array(
        [round(cert["mentor_prices"][row["id"]] * POINT) for row in couples.mentors], np.int64
    )
    taken, total, found = np.zeros(len(prices), int), 0, []
    bound = int(sum(p * int(m["capacity"]) for p, m in zip(prices, couples.mentors, strict=True)))
    if (prices < 0).any() or not cert["optimal"]:
        found.append("a mentor's price is below zero, or it does not say that it is optimal")
    for row in couples.managers:
        able, points = couples.legal(row)
        price = round(cert["manager_prices"][row["id"]] * POINT)
        bound += price
        if price < 0 or (able & (price + prices < unit + points)).any():
            found.append(f"{row['id']}: a legal pair is worth more than its price")
        if (pair := made.pop(row["id"], None)) is not None:
            j = couples.place[pair["mentor"]]
            taken[j] += 1
            total += int(points[j])
            if not able[j] or round(float(pair["score"]) * POINT) != points[j]:
                found.append(f"{row['id']}: this pair is not legal, or its score is another")
    if made:
        found.append(f"nobody knows these managers: {', '.join(made)}")
    if (taken > [int(row["capacity"]) for row in couples.mentors]).any():
        found.append("a mentor has more managers than places")
    if unit <= total:
        found.append("a pair counts no more than points do")
    if bound != int(taken.sum()) * unit + total:
        found.append("the prices are not what the pairs are worth")
    return found


if __name__ == "__main__":
    wrong = findings(*map(Path, sys.argv[1:5]))
    print("\n".join(wrong) or "accepted: no legal pairing has more pairs, or as many points")  # noqa: T201
    sys.exit(bool(wrong))
