"""`python -m tests.mutants`: each mutant in a copy of the tree; 1 if one survives.

Always holds: the tree as it is passes first; a mutant counts as found only by what is to find it,
which has run and has said what is wrong.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.mutants.table import MUTANTS, SIMULATION, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("services", "schemas", "deploy", "tests", "pyproject.toml")
AT_A_TIME = 2
WORLDS = 40
SEED = 1
LIMIT = 600.0
"""Seconds for the worlds of one mutant; its tests have twice as many."""
HANGING = 240
"""Seconds after which a test hangs, which is a finding."""
_OUT = Console(highlight=False, markup=False, soft_wrap=True)
_ERR = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


@dataclass(frozen=True, slots=True)
class MutantOutcome:
    """What became of a mutant. `finding`: the first line of what was found; empty: it survived."""

    mutant: str
    promise: str
    what: str
    found_by: str
    seconds: float
    finding: str


class Broken(Exception):
    """The run of the mutants itself is at fault; the text says how."""


def main() -> int:
    options = _options()
    wanted = set(options.only or (mutant.name for mutant in MUTANTS))
    if unknown := wanted - {mutant.name for mutant in MUTANTS}:
        _ERR.print(f"no mutant is called {', '.join(sorted(unknown))}")
        return 2
    chosen = [mutant for mutant in MUTANTS if mutant.name in wanted]
    started = time.monotonic()
    with TemporaryDirectory(prefix="mutants-") as name:
        try:
            outcomes = _run(Path(name), chosen, as_it_is=not options.only)
        except Broken as error:
            _ERR.print(str(error))
            return 2
    survived = [outcome.mutant for outcome in outcomes if not outcome.finding]
    seconds = round(time.monotonic() - started, 1)
    if options.json:
        rows = [asdict(outcome) for outcome in outcomes]
        print(json.dumps({"mutants": rows, "survived": survived, "seconds": seconds}))  # noqa: T201
    else:
        _tell(outcomes)
        _OUT.print(f"{len(outcomes) - len(survived)} of {len(outcomes)} found in {seconds} s")
    return 1 if survived else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--only", metavar="NAME", action="append", help="this one; can be repeated")
    return parser.parse_args()


def _run(directory: Path, mutants: Sequence[Mutant], *, as_it_is: bool) -> list[MutantOutcome]:
    for mutant in mutants:
        _mutated(mutant)  # before anything is run: every text is where it has to be
    if as_it_is:
        _passes(directory / "as-it-is", {mutant.by for mutant in mutants})
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return list(threads.map(lambda mutant: _outcome(directory, mutant), mutants))


def _mutated(mutant: Mutant) -> str:
    text = (ROOT / mutant.file).read_text()
    if (times := text.count(mutant.before)) != 1:
        raise Broken(f"{mutant.name}: its text stands {times} times in {mutant.file}")
    return text.replace(mutant.before, mutant.after)


def _copy(directory: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            unwanted = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, directory / name, ignore=unwanted)
        else:
            shutil.copy(source, directory / name)


def _passes(directory: Path, finders: set[str]) -> None:
    """Nothing is found in the tree as it is."""
    _copy(directory)
    for by in sorted(finders):
        if finding := _finding(directory, by):
            raise Broken(f"without any mutant, {by} finds: {finding}")
    _ERR.print("the tree as it is passes")
    shutil.rmtree(directory)


def _outcome(parent: Path, mutant: Mutant) -> MutantOutcome:
    directory, started = parent / mutant.name, time.monotonic()
    _copy(directory)
    (directory / mutant.file).write_text(_mutated(mutant))
    finding = _finding(directory, mutant.by)
    seconds = round(time.monotonic() - started, 1)
    shutil.rmtree(directory)
    _ERR.print(f"{mutant.name}: {'found' if finding else 'SURVIVED'}, {seconds} s")
    return MutantOutcome(mutant.name, mutant.promise, mutant.what, mutant.by, seconds, finding)


# --- what finds them ----------------------------------------------------------------------------


def _finding(directory: Path, by: str) -> str:
    """The first line of what is found; empty if nothing is."""
    if by == SIMULATION:
        worlds = ("--seed", str(SEED), "--worlds", str(WORLDS), "--seconds", str(LIMIT))
        command: tuple[str, ...] = ("-m", "tests.simulation", *worlds, "--as-it-is", "--json")
    else:
        quiet = ("-x", "-q", "-p", "no:cacheprovider", "--no-header")
        command = ("-m", "pytest", *quiet, "--timeout", str(HANGING), by)
    environment = os.environ | {"PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            (sys.executable, *command),
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT * 2,
            check=False,
        )
    except subprocess.TimeoutExpired:
        if by == SIMULATION:  # which says itself what does not end
            raise Broken(f"{by} did not end within {LIMIT * 2:g} s") from None
        return f"it does not end within {LIMIT * 2:g} s"
    return (_simulated if by == SIMULATION else _tested)(done)


def _simulated(done: "subprocess.CompletedProcess[str]") -> str:
    try:
        document = json.loads(done.stdout)
    except ValueError:
        raise Broken(f"the simulation did not run:\n{done.stderr[-2000:]}") from None
    failures = document["failures"]
    return f"seed {failures[0]['seed']}: {failures[0]['found'][0]}" if failures else ""


def _tested(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED (.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 1 or failed is None:
        raise Broken(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[1]


def _tell(outcomes: Sequence[MutantOutcome]) -> None:
    for outcome in outcomes:
        head = f"{outcome.promise}  {outcome.mutant}  ({outcome.what})"
        _OUT.print(f"{head}\n    {outcome.found_by}, {outcome.seconds} s: {_line(outcome.finding)}")


def _line(finding: str) -> str:
    return finding.splitlines()[0][:160] if finding else "SURVIVED"


if __name__ == "__main__":
    sys.exit(main())
