"""Every alert can be switched off, tuned and labelled by its name, and stays an alert."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from deploy.made import chart_schema
from deploy.made.chart_files import CHART
from tests.deploy.alerts.alerting import RULES, promtool
from tests.deploy.alerts.alerting import alerts as in_the_file
from tests.deploy.chart.rendering import Object, changed, of_kind, render

ALERTS = dict(chart_schema.alerts())
TUNED = chart_schema.thresholds()


def shaped(**values: Any) -> list[Object]:
    """The rules of a release, with changes to `prometheusRule`."""
    changes = {f"prometheusRule.{name}": value for name, value in values.items()}
    (one,) = of_kind(render(changed("production", changes)), "PrometheusRule")
    return [rule for group in one["spec"]["groups"] for rule in group["rules"]]


@cache
def as_it_is() -> list[Object]:
    """Without any change; not to be changed here either."""
    return shaped(alerts={})


def called(name: str, rules: list[Object]) -> list[Object]:
    return [rule for rule in rules if rule.get("alert") == name]


def test_every_alert_can_be_switched_off_and_what_is_recorded_stays() -> None:
    off = shaped(alerts={name: {"enabled": False} for name in ALERTS})
    assert off
    assert all("record" in rule for rule in off)
    for name in ("MentoringLagRising", "MentoringHttpBudgetBurn"):
        left = {rule.get("alert") for rule in shaped(alerts={name: {"enabled": False}})}
        assert left - {None} == ALERTS.keys() - {name, "MentoringWatchdog"}


@pytest.mark.parametrize("name", TUNED)
async def test_a_threshold_is_the_figure_of_the_expression_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    plain = called(name, as_it_is())
    tuned = called(name, shaped(alerts={name: {"threshold": 0.0425}}))
    text, _, figure = TUNED[name]["text"].rpartition(" ")
    for before, after in zip(plain, tuned, strict=True):
        assert before["expr"] != after["expr"]
        assert before["expr"].split() == [
            word if (was, word) != (text, "0.0425") else figure
            for was, word in zip(["", *after["expr"].split()], after["expr"].split(), strict=False)
        ]
        share = TUNED[name].get("share")
        assert ("4.25 %" in after["annotations"]["description"]) == bool(share)
        if share:
            assert share in before["annotations"]["description"]
            assert share not in after["annotations"]["description"]
    checked = await promtool(tmp_path, "check", "rules", written(tmp_path, tuned))
    assert checked.returncode == 0, checked.stderr


def written(directory: Path, rules: list[Object]) -> Path:
    path = directory / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "mentoring", "rules": rules}]}))
    return path


async def test_an_alert_is_given_its_shape_by_name(tmp_path: Path) -> None:
    rules = shaped(
        additionalRuleLabels={"team": "mentorat", "tier": "2"},
        alerts={
            "MentoringLagRising": {
                "for": "1h30m",
                "keepFiringFor": "5m",
                "severity": "P3",
                "labels": {"tier": "1"},
                "annotations": {"dashboard": "https://grafana.example/d/x", "summary": "late"},
            }
        },
    )
    (one,) = called("MentoringLagRising", rules)
    assert one["labels"] == {"severity": "P3", "team": "mentorat", "tier": "1"}
    assert (one["for"], one["keep_firing_for"]) == ("1h30m", "5m")
    assert one["annotations"]["dashboard"] == "https://grafana.example/d/x"
    assert one["annotations"]["summary"] == "late"
    assert one["annotations"]["runbook_url"].endswith("/runbooks/lag-rising.md")
    (other,) = called("MentoringNotReady", rules)
    assert other["labels"] == {"severity": "warning", "team": "mentorat", "tier": "2"}
    checked = await promtool(tmp_path, "check", "rules", written(tmp_path, rules))
    assert checked.returncode == 0, checked.stderr


def test_every_alert_leads_to_its_panel_where_grafana_is_named() -> None:
    board = json.loads((CHART / "files/dashboards/machine.json").read_text())
    rows = (panel for row in board["panels"] for panel in (row, *row.get("panels", ())))
    runbooks = {
        panel["id"]: {link["url"].rpartition("/")[2] for link in panel.get("links") or ()}
        for panel in rows
    }
    rules = [rule for rule in shaped(grafanaUrl="https://grafana.example/") if "alert" in rule]
    without: set[str] = set()
    for rule in rules:
        url = urlsplit(rule["annotations"]["dashboard_url"])
        asked = parse_qs(url.query)
        assert (url.netloc, url.path) == ("grafana.example", f"/d/{board['uid']}")
        assert asked["var-job"] == ["here/mentorat"]
        if "viewPanel" in asked:
            page = rule["annotations"]["runbook_url"].rpartition("/")[2]
            assert page in runbooks[int(asked["viewPanel"][0])], rule["alert"]
        else:
            without.add(rule["alert"])
    assert without == {"MentoringCertificateExpiring", "MentoringHeartbeatMissing"}
    assert not any("dashboard_url" in rule.get("annotations", {}) for rule in as_it_is())


def test_without_a_word_the_rules_are_those_of_the_file() -> None:
    alerts = [rule["alert"] for rule in shaped() if "alert" in rule]
    assert alerts == [rule["alert"] for rule in in_the_file()]


async def test_the_watchdog_fires_while_something_is_scraped_and_falls_silent_with_it(
    tmp_path: Path,
) -> None:
    (dog,) = called("MentoringWatchdog", shaped(alerts={"MentoringWatchdog": {"enabled": True}}))
    labels = {"namespace": "here", "job": "here/mentorat"}
    fires = {"exp_labels": {"severity": "none", **labels}, "exp_annotations": dog["annotations"]}
    for text in ("summary", "description"):
        dog["annotations"][text] = "told"
    cases = [
        {"alertname": dog["alert"], "eval_time": "10m", "exp_alerts": [fires]},
        {"alertname": dog["alert"], "eval_time": "30m", "exp_alerts": []},
    ]
    series = 'up{namespace="here",job="here/mentorat"}'
    tests = {
        "rule_files": [written(tmp_path, [dog]).name],
        "tests": [
            {
                # Down is seen, too: nobody being there any more is what silences it.
                "interval": "1m",
                "input_series": [{"series": series, "values": "1x5 0x10 stale"}],
                "alert_rule_test": cases,
            }
        ],
    }
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump(tests))
    tested = await promtool(tmp_path, "test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


async def test_the_shortest_window_still_sees_enough_at_a_scrape_a_minute(tmp_path: Path) -> None:
    """What the chart permits of `podMonitor.interval` beside the alerts."""
    (tmp_path / "alerts.yaml").write_text(RULES.read_text())
    labels = 'namespace="here",job="connecte",service="matching"'
    told = {"exp_labels": {"severity": "critical", "namespace": "here", "job": "connecte"}}
    told["exp_labels"]["service"] = "matching"
    (rule,) = called("MentoringProjectionStale", list(in_the_file()))
    series = {
        f"mentoring_consumer_lag{{{labels}}}": "0x10 7x20",
        f"faststream_received_processed_messages_total{{{labels}}}": "0+60x10 600x20",
    }
    tests = {
        "rule_files": ["alerts.yaml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": v} for name, v in series.items()],
                "alert_rule_test": [
                    {"alertname": rule["alert"], "eval_time": "9m", "exp_alerts": []},
                    {
                        "alertname": rule["alert"],
                        "eval_time": "20m",
                        "exp_alerts": [{**told, "exp_annotations": spoken(rule)}],
                    },
                ],
            }
        ],
    }
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump(tests))
    tested = await promtool(tmp_path, "test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def spoken(rule: Any) -> dict[str, str]:
    """The annotations of an alert of matching whose value is 7."""
    return {
        name: text.replace("{{ $labels.service }}", "matching").replace(
            '{{ printf "%.0f" $value }}', "7"
        )
        for name, text in rule["annotations"].items()
    }
