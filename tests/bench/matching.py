"""How fast `connecte match` is from files to pairs, against the bare solver on the same graph.

Bare: SciPy's sparse assignment on the pairs that were considered, which are given to it; it reads
nothing, knows no rules, proves nothing and explains nothing.
"""

import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from deploy.operating.match import match
from services.matching.search.assignment import Graph
from services.matching.search.fit import BEST
from tests.bench.peaks import peak

TOOLS = 30
CLUSTERS = 12
DAYS = ("mon", "tue", "wed", "thu", "fri")
HOURS = ("09:00-12:00", "10:00-12:00", "12:30-14:00", "14:00-17:00", "16:00-18:00")


def write_people(directory: Path, count: int, seed: int = 1) -> tuple[Path, Path]:
    """As many mentors as managers; what they master and need comes in clusters."""
    random = np.random.default_rng(seed)
    clusters = [random.choice(TOOLS, 6, replace=False) for _ in range(CLUSTERS)]
    windows = [f"{day} {hours}" for day in DAYS for hours in HOURS]

    def tools(low: int, most: int) -> str:
        cluster = clusters[random.integers(CLUSTERS)]
        some = random.choice(cluster, random.integers(2, most), replace=False)
        return ";".join(f"tool-{tool}:{random.integers(low, 6)}" for tool in some)

    def person(prefix: str, number: int) -> tuple[list[str], list[str]]:
        week = ";".join(random.choice(windows, random.integers(1, 4), replace=False))
        lead = f"{prefix}{random.integers(number // 2)}" if number >= 50 else ""
        place = [f"d{random.integers(15)}", f"s{random.integers(40)}"]
        return [f"{prefix}{number}", *place], [week, lead, ""]

    paths = directory / "mentors.csv", directory / "managers.csv"
    for path, prefix, columns in (
        (paths[0], "m", ("skills", "capacity")),
        (paths[1], "g", ("job_family", "needs")),
    ):
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            rest = ("availability", "line_manager", "excludes")
            writer.writerow(("id", "directorate", "site", *columns, *rest))
            for number in range(count):
                who, when = person(prefix, number)
                own = [tools(2, 6), "1"] if prefix == "m" else ["of-none", tools(1, 4)]
                writer.writerow([*who, *own, *when])
    return paths


def seconds(directory: Path, count: int) -> tuple[float, float, float]:
    """Ours end to end, the bare solver's on the same graph, and our memory (MB at most)."""
    mentors, managers = write_people(directory, count)
    command = (sys.executable, "-m", "tests.bench.matching", str(mentors), str(managers))
    start = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    ours = time.perf_counter() - start
    return ours, bare(match(mentors, managers).pairing.graph), float(told.stdout)


def bare(graph: Graph) -> float:
    """Seconds of SciPy's solver alone; whoever has nobody has a place of their own."""
    count, mentors = graph.managers, len(graph.capacities)
    everybody = np.arange(count)
    cost = np.concatenate([BEST + 1 - graph.points, np.full(count, BEST * (count + 1.0))])
    rows = np.concatenate([graph.rows, everybody])
    columns = np.concatenate([graph.mentor, mentors + everybody])
    table = csr_matrix((cost, (rows, columns)), shape=(count, mentors + count))
    start = time.perf_counter()
    min_weight_full_bipartite_matching(table)
    return time.perf_counter() - start


if __name__ == "__main__":
    match(Path(sys.argv[1]), Path(sys.argv[2]))
    print(peak())  # noqa: T201
