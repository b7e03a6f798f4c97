"""What a process does without until it is needed: memory, and time at its start."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

NOT_LOADED = {
    "matching": ("numpy", "ortools", "scipy", "holidays"),
    "scheduling": ("numpy", "holidays"),
    "feedback": ("numpy", "holidays", "icalendar"),
    "notify": ("numpy", "holidays"),
}
"""By service: a search's tools, tables of dates. A tool that only `connecte` needs is in none."""
OF_NOBODY = ("deploy", "rich", "openpyxl", "odf", "httpx", "jsonschema", "aiosmtpd")

TELLS = """
import atexit, gc, json, sys

def tell():
    print(json.dumps({"loaded": list(sys.modules), "collected": gc.get_stats()[2]["collections"]}))

atexit.register(tell)
"""


@pytest.fixture(params=NOT_LOADED)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def started(service: str, tmp_path: Path) -> Any:
    """What its process has loaded, and how often it has looked through all of it for garbage.

    It ends where it reads its settings, for there are none.
    """
    (tmp_path / "sitecustomize.py").write_text(TELLS)
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTE_", "KAFKA_"))}
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}.app"],
        env={**ours, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    return json.loads(done.stdout)


def test_a_service_starts_without_what_only_some_of_its_work_needs(
    service: str, started: Any
) -> None:
    assert set(started["loaded"]).isdisjoint((*NOT_LOADED[service], *OF_NOBODY))
    assert started["collected"] == 0


def test_connecte_reaches_log_and_database_without_what_serves() -> None:
    """A fifth of the time until it begins would be that."""
    reached = "import json, sys, deploy.cli, deploy.operating.reach, deploy.operating.rebuilding"
    told = subprocess.run(
        [sys.executable, "-c", f"{reached}; print(json.dumps(list(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert set(json.loads(told.stdout)).isdisjoint(("faststream", "fastapi", "uvicorn", "numpy"))
