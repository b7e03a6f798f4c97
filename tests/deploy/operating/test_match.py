"""`connecte match`: two files in, pairs and their proof out; or every reason why not."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.errors import BadInput
from deploy.operating.match import certificate_json, match, pairs_csv
from schemas.known.jobs import recommended
from tests.bench.matching import write_people
from tests.deploy.operating.certificates import findings
from tests.deploy.operating.commands import connecte

MENTORS = "id,directorate,site,skills,capacity,availability,line_manager,excludes"
MANAGERS = "id,directorate,site,job_family,needs,availability,line_manager,excludes"
VOLUNTEERS = (
    "m1,DGFiP,Bercy,linkedin:4;matrix:2,1,mon 09:00-12:00,,",
    "m2,INSEE,Lyon,linkedin:5,2,mon 10:00-12:00;tue 14:00-16:00,,g3",
    "m3,DGE,Bercy,tiktok:3,1,fri 09:00-11:00,,",
)
WAITING = (
    "g1,INSEE,Bercy,press-office,linkedin:3,mon 09:00-11:00,,",
    "g2,DGFiP,Lyon,statistics,linkedin:4;matrix:1,mon 10:00-12:00,,",
    "g3,DGFiP,Lyon,statistics,linkedin:2,tue 14:00-16:00,,",
    "g4,DGFiP,Lyon,statistics,tiktok:5,fri 09:00-12:00,,",
    "g5,DGFiP,Lyon,statistics,tiktok:2,mon 09:00-12:00,,",
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path, VOLUNTEERS, WAITING)


def written(directory: Path, *rows: tuple[str, ...]) -> tuple[Path, Path]:
    paths = directory / "mentors.csv", directory / "managers.csv"
    for path, header, lines in zip(paths, (MENTORS, MANAGERS), rows, strict=True):
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return paths


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def pairs(document: dict[str, Any]) -> dict[str, str]:
    return {row["manager"]: row["mentor"] for row in document["pairs"]}


def test_two_files_make_pairs_with_reasons_and_whoever_stays_alone_learns_why(
    files: tuple[Path, Path],
) -> None:
    document = match(*files).document
    assert pairs(document) == {"g1": "m1", "g2": "m2"}
    for row in document["pairs"]:
        assert round(sum(r["contribution"] for r in row["reasons"]), 4) == row["score"]
        assert row["tools"] == ["linkedin"] or row["tools"] == ["linkedin", "matrix"]
    causes = {row["manager"]: row["reason"]["cause"] for row in document["unmatched"]}
    assert causes == {"g3": "no-common-hour", "g4": "no-skill", "g5": "no-common-hour"}
    assert document["objective"]["pairs"] == 2
    assert document["graph"] == {"mentors": 3, "managers": 5, "edges": 4, "legal": 4}


async def test_the_certificate_proves_the_result_to_whoever_adds_it_up(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    mentors, managers = files
    proof, edges, out = (tmp_path / name for name in ("cert.json", "edges.csv", "pairs.csv"))
    given = ("match", "--mentors", str(mentors), "--managers", str(managers), "--json")
    files_out = ("--certificate", str(proof), "--edges", str(edges), "--out", str(out))
    done = await connecte(*given, *files_out)
    assert done.code == 0, done.err
    document = done.document
    told = json.loads(proof.read_text())
    assert told["optimal"] is True
    capacity = {"m1": 1, "m2": 2, "m3": 1}
    for row in rows_of(edges):
        price = told["manager_prices"][row["manager"]] + told["mentor_prices"][row["mentor"]]
        assert price >= told["pair_value"] + float(row["score"]) - 1e-6
    total = sum(told["manager_prices"].values())
    total += sum(price * capacity[mentor] for mentor, price in told["mentor_prices"].items())
    made = told["objective"]
    assert total == pytest.approx(made["pairs"] * told["pair_value"] + made["score"], abs=1e-6)
    assert {r["manager"]: r["mentor"] for r in rows_of(out)} == pairs(document)
    parts = {"pairs", "unmatched", "competitions", "objective", "certificate", "seconds", "graph"}
    assert set(document) == parts


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, files: tuple[Path, Path]) -> None:
    first = match(*files).document
    for seed in range(5):
        random = Random(seed)
        rows = [random.sample(lines, len(lines)) for lines in (VOLUNTEERS, WAITING)]
        again = match(*written(tmp_path, *map(tuple, rows))).document
        assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_a_manager_who_states_no_needs_gets_those_of_the_job(tmp_path: Path) -> None:
    needed = recommended("press-office")["twitter"]
    files = written(
        tmp_path,
        (f"m1,DGFiP,Bercy,twitter:{needed.level},1,mon 09:00-12:00,,",),
        ("g1,INSEE,Bercy,press-office,,mon 09:00-12:00,,",),
    )
    [row] = match(*files).document["pairs"]
    assert row["tools"] == ["twitter"]


def test_a_policy_changes_what_counts_and_a_wrong_one_names_its_field(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[weights]\ncoverage = 1\navailability = 0\nbridge = 0\nproximity = 0\njob = 0\n"
    )
    document = match(*files, policy).document
    assert {row["score"] for row in document["pairs"]} == {100.0}
    policy.write_text("[weights]\ncoverage = -1\n")
    with pytest.raises(BadInput, match=r"weights\.coverage: .*greater than or equal to 0"):
        match(*files, policy)


async def test_every_broken_row_is_named_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    mentors, managers = written(
        tmp_path,
        (*VOLUNTEERS, "m1,DGE,Bercy,linkedin:9,1,mon 09:00-12:00,nobody,"),
        (*WAITING, "g9,DGE,Bercy,of-no-table,,mon 12:00-09:00,,"),
    )
    out = tmp_path / "pairs.csv"
    given = ("--mentors", str(mentors), "--managers", str(managers), "--out", str(out))
    done = await connecte("match", *given)
    assert done.code == 2
    for finding in (
        "mentors.csv, line 5, column id: 'm1'",
        "mentors.csv, line 5, column skills: 'linkedin:9'",
        "mentors.csv, line 5, column line_manager: 'nobody'",
        "managers.csv, line 7, column availability: 'mon 12:00-09:00'",
    ):
        assert finding in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["managers.csv", "mentors.csv"]


def test_a_circle_in_the_reporting_line_is_named(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        ("m1,DGFiP,Bercy,linkedin:4,1,mon 09:00-12:00,g1,",),
        ("g1,INSEE,Bercy,press-office,linkedin:3,mon 09:00-11:00,m1,",),
    )
    with pytest.raises(BadInput, match="without a circle, and there is m1 → g1 → m1"):
        match(*files)


# The proof, to whoever shares nothing with us


Tampering = Callable[[dict[str, Any], list[dict[str, str]]], None]


def proven(directory: Path, seed: int, people: int = 60) -> list[Path]:
    """Files of people, their pairs and the certificate."""
    files = write_people(directory, people, seed)
    found = match(*files)
    out, proof = directory / "pairs.csv", directory / "cert.json"
    out.write_text(pairs_csv(found.document))
    proof.write_text(certificate_json(found.document))
    return [*files, out, proof]


@pytest.mark.parametrize("seed", range(4))
def test_an_independent_checker_accepts_the_certificate(tmp_path: Path, seed: int) -> None:
    assert findings(*proven(tmp_path, seed)) == []


def cheaper_mentor(cert: dict[str, Any], _: list[dict[str, str]]) -> None:
    dearest = max(cert["mentor_prices"], key=cert["mentor_prices"].__getitem__)
    cert["mentor_prices"][dearest] -= 1


def dearer_manager(cert: dict[str, Any], _: list[dict[str, str]]) -> None:
    cert["manager_prices"][next(iter(cert["manager_prices"]))] += 0.0001


def smaller_pair(cert: dict[str, Any], _: list[dict[str, str]]) -> None:
    cert["pair_value"] = 1.0


def one_pair_fewer(_: dict[str, Any], rows: list[dict[str, str]]) -> None:
    rows.pop()


def two_swapped(_: dict[str, Any], rows: list[dict[str, str]]) -> None:
    rows[0]["mentor"], rows[1]["mentor"] = rows[1]["mentor"], rows[0]["mentor"]


def one_mentor_for_two(_: dict[str, Any], rows: list[dict[str, str]]) -> None:
    rows[1]["mentor"] = rows[0]["mentor"]


def better_score(_: dict[str, Any], rows: list[dict[str, str]]) -> None:
    rows[0]["score"] = str(float(rows[0]["score"]) + 0.0001)


def not_optimal(cert: dict[str, Any], _: list[dict[str, str]]) -> None:
    cert["optimal"] = False


@pytest.mark.parametrize(
    "tamper",
    [
        *(cheaper_mentor, dearer_manager, smaller_pair, not_optimal),
        *(one_pair_fewer, two_swapped, one_mentor_for_two, better_score),
    ],
)
def test_a_certificate_or_pairs_that_were_tampered_with_are_refused(
    tmp_path: Path, tamper: Tampering
) -> None:
    *files, out, proof = proven(tmp_path, 1)
    cert, rows = json.loads(proof.read_text()), rows_of(out)
    tamper(cert, rows)
    proof.write_text(json.dumps(cert))
    lines = [",".join(row.values()) for row in rows]
    out.write_text("\n".join([",".join(rows[0]), *lines, ""]))
    assert findings(*files, out, proof) != []
