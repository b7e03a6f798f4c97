"""The forges' pipelines run what anybody can run: targets of the Makefile, nightly checks."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import KAFKA, LATER, PLAYED_OVER_A_REAL_ONE

ROOT = Path(__file__).parents[1]
PIPELINES = (".gitlab-ci.yml", ".github/workflows/ci.yml")
TARGETS = set(re.findall(r"^([.\w$()/-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def pipeline(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_runs_what_the_makefile_has(name: str) -> None:
    text = (ROOT / name).read_text()
    called = set(re.findall(r"\bmake ([\w-]+)", text))
    for list_ in re.findall(r"target: \[(.*)\]", text):
        called |= set(list_.split(", "))
    assert called >= {"lint", "test", "test-kafka", "release"}
    assert called <= TARGETS


def test_what_led_to_a_fault_in_the_fuzz_is_kept_wherever_it_is_played() -> None:
    """A new seed each time: whoever looks later plays it again from there."""
    gitlab = pipeline(".gitlab-ci.yml")
    kept = [gitlab[job]["artifacts"] for job in ("test", "test-kafka", "nightly")]
    assert all("build/fuzz/" in one["paths"] for one in kept)
    assert {one["when"] for one in kept} == {"on_failure", "always"}
    jobs = pipeline(".github/workflows/ci.yml")["jobs"]
    for job, when in (("check", "failure()"), ("nightly", "always()")):
        last = jobs[job]["steps"][-1]
        assert (last["if"], "build/fuzz/" in last["with"]["path"]) == (when, True)


def test_what_is_left_to_the_run_on_a_real_kafka_is_in_it() -> None:
    """But for what `make test` leaves to others, too."""
    (recipe,) = re.findall(
        r"^test-kafka:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    played = [ROOT / word for word in recipe.split() if word.startswith("tests/")]
    elsewhere = ("pytest.mark.drill", "pytest.mark.release")
    asking = 0
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if f"{PLAYED_OVER_A_REAL_ONE}: " in text and not any(mark in text for mark in elsewhere):
            assert any(path.is_relative_to(each) for each in played), path
            asking += 1
    assert asking >= 5
    run = (ROOT / ".ci/run").read_text()
    assert f"{KAFKA}={LATER} make test\n    make test-kafka\n" in run


def nightly(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.nightly", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def test_every_nightly_check_has_a_job_where_jobs_run_side_by_side() -> None:
    listed = nightly("--list").stdout.split()
    jobs = pipeline(".github/workflows/ci.yml")["jobs"]
    assert jobs["nightly"]["strategy"]["matrix"]["check"] == listed


def test_a_check_that_is_not_there_is_named_with_those_that_are() -> None:
    done = nightly("drils")
    assert done.returncode == 2
    assert "no such check: drils; there are simulate, " in done.stderr
