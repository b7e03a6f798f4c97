"""The series of a real outage as a case for promtool: who was told stays told, and nobody else.

Kept is what the alerts that were expected are computed from, and so no other alerts can be held to
it than those that need no more.
"""

import math
from collections.abc import Set
from typing import Any

import yaml

from tests.deploy.alerts.alerting import CASES_OF_OUTAGES, JOB, alerts, groups, selected
from tests.outages.outages import Outage
from tests.outages.site import Site

STEP = 30.0
OURS = ("service", "type", "topic", "partition", "error", "reason", "route", "status", "command")
OURS += ("part", "channel", "outcome", "cause", "le", "instance", "handler", "method")


async def kept(
    site: Site, outage: Outage, began: float, told: dict[tuple[str, str], float], until: float
) -> None:
    """Write what the alerts that fired were computed from, from before it until it was over."""
    start = began - 240
    expected = {alert for alert, _ in outage.expected}
    wanted = sorted({name for rule in alerts() if rule["alert"] in expected for name in _raw(rule)})
    series = []
    for name in wanted:
        for row in await site.range(name + JOB + "}", start, until, STEP):
            labels = {k: v for k, v in row["metric"].items() if k in OURS}
            if set(row["metric"]) - set(OURS) - {"__name__", "job"}:
                continue
            shown = ",".join(f'{k}="{v}"' for k, v in sorted({"job": "connecte", **labels}.items()))
            values = _values(row["values"], start, until)
            series.append({"series": f"{name}{{{shown}}}", "values": values})
    if not expected:
        return
    case = {
        "name": outage.about,
        "interval": "30s",
        "input_series": series,
        "promql_expr_test": [
            _told(alert, sorted(s for a, s in told if a == alert), began, start, told)
            for alert in sorted({alert for alert, _ in outage.expected & told.keys()})
        ]
        + _nothing_else(set(wanted), expected | outage.allowed, until - start),
    }
    document = {
        "rule_files": ["../../../../deploy/chart/files/alerts.yaml"],
        "evaluation_interval": "30s",
        "group_eval_order": [group["name"] for group in groups()],
        "tests": [case],
    }
    CASES_OF_OUTAGES.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(document, sort_keys=False, width=1_000_000)
    (CASES_OF_OUTAGES / f"{outage.name}.yaml").write_text(
        f"# Made by `python -m tests.outages {outage.name}` on real parts. {outage.about}\n{text}"
    )


def _raw(rule: Any) -> set[str]:
    """The scraped series that a rule is computed from, through the sums that it uses."""
    found: set[str] = set()
    recorded = {r["record"]: r for group in groups() for r in group["rules"] if "record" in r}
    for name in selected(rule):
        found |= _raw(recorded[name]) if name in recorded else {name}
    return found


def _values(rows: list[Any], start: float, until: float) -> str:
    """As promtool reads them: a value for each step, `_` where there was none."""
    known = {round((float(at) - start) / STEP): float(value) for at, value in rows}
    values = [known.get(step) for step in range(math.floor((until - start) / STEP) + 1)]
    return " ".join("_" if v is None else f"{v:.12g}" for v in values)


def _told(
    alert: str, services: list[str], began: float, start: float, told: dict[tuple[str, str], float]
) -> dict[str, Any]:
    """Who was told of it, until a minute after the last of them was."""
    last = max(told[alert, service] for service in services)
    return {
        "expr": f"group by (service) (max_over_time({_firing(alert)}[1h]))",
        "eval_time": _time(began - start + last + 2 * STEP),
        "exp_samples": [
            {"labels": "{" + (f'service="{s}"' if s else "") + "}", "value": 1} for s in services
        ],
    }


def _nothing_else(kept: set[str], meant: Set[str], seconds: float) -> list[dict[str, Any]]:
    others = {rule["alert"] for rule in alerts() if _raw(rule) <= kept} - meant
    if not others:
        return []
    firing = f"ALERTS{{alertname=~'{'|'.join(sorted(others))}',alertstate='firing'}}"
    return [
        {
            "expr": f"count(max_over_time({firing}[2h]))",
            "eval_time": _time(seconds),
            "exp_samples": [],
        }
    ]


def _firing(alert: str) -> str:
    return f"ALERTS{{alertname='{alert}',alertstate='firing'}}"


def _time(seconds: float) -> str:
    return f"{round(seconds / STEP) * STEP:.0f}s"
