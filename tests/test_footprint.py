"""What a service's process does without until it is needed: memory, and time at its start."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

NOT_LOADED = {
    "matching": ("numpy", "ortools", "scipy"),
    "scheduling": ("numpy", "holidays"),
    "feedback": ("numpy", "holidays", "icalendar"),
    "notify": ("numpy",),
}
"""By service: a search's tools, tables of dates. A tool that only `connecte` needs is in none."""
OF_NOBODY = ("deploy", "rich", "openpyxl", "odf", "httpx", "jsonschema", "aiosmtpd")


@pytest.mark.parametrize("service", NOT_LOADED)
def test_a_service_starts_without_what_only_some_of_its_work_needs(service: str) -> None:
    code = f"import sys, services.{service}.app; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    loaded = set(done.stdout.splitlines())
    assert loaded.isdisjoint((*NOT_LOADED[service], *OF_NOBODY))
