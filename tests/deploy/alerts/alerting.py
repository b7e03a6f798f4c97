"""The alerts, their cases and their runbooks, as the tests look at them."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.local.prometheus import program

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "chart" / "files" / "alerts.yaml"
CASES = sorted((ROOT / "tests" / "deploy" / "alerts").glob("*.yaml"))
CASES_OF_OUTAGES = ROOT / "tests" / "deploy" / "alerts" / "outages"
"""Series that were seen in outages, made by `python -m tests.outages`."""
RUNBOOKS = ROOT / "docs" / "runbooks"

JOB = '{job="connecte"'
_SELECTED = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{")

Rule = Mapping[str, Any]


def groups() -> Sequence[Rule]:
    found: Sequence[Rule] = yaml.safe_load(RULES.read_text())["groups"]
    return found


def rules() -> Sequence[Rule]:
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> Sequence[Rule]:
    return [rule for rule in rules() if "alert" in rule]


def selected(rule: Rule) -> set[str]:
    """The names of the series that a rule is computed from."""
    return set(_SELECTED.findall(rule["expr"]))


@dataclass(frozen=True, slots=True)
class Case:
    """What a test says of one alert at one moment: the severities with which it fires."""

    alert: str
    fires: frozenset[str]


def cases(path: Path) -> Iterator[Case]:
    for test in yaml.safe_load(path.read_text())["tests"]:
        for case in test.get("alert_rule_test", ()):
            severities = (alert["exp_labels"]["severity"] for alert in case["exp_alerts"])
            yield Case(case["alertname"], frozenset(severities))


def page_of(rule: Rule) -> Path:
    """The runbook that an alert leads to."""
    return RUNBOOKS / str(rule["annotations"]["runbook_url"]).rpartition("/")[2]


async def promtool(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Prometheus' own judge of rules, run to its end; what it needs is in `directory`."""
    command = [str(await program("promtool", directory)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
