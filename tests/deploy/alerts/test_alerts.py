"""Every alert says what is wrong, leads to a runbook, and fires when it should and only then."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.local import prometheus
from tests.deploy.alerts.alerting import (
    CASES,
    CASES_OF_OUTAGES,
    JOB,
    ROOT,
    RULES,
    RUNBOOKS,
    Rule,
    alerts,
    cases,
    groups,
    page_of,
    promtool,
    rules,
    selected,
)
from tests.deploy.chart.rendering import changed, objects, of_kind, render, values
from tests.outages.outages import OUTAGES

BASE = "https://example.org/connecte-ton-manager/docs/runbooks/"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _id(found: Rule | Path) -> str:
    if isinstance(found, Path):
        return found.stem
    return f"{found['alert']}-{found['labels']['severity']}"


SEEN = sorted(CASES_OF_OUTAGES.glob("*.yaml"))

# The rules


async def test_promtool_finds_nothing_wrong_with_the_rules(tmp_path: Path) -> None:
    checked = await promtool(tmp_path, "check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", [*CASES, *SEEN], ids=_id)
async def test_alerts_fire_when_they_should_and_only_then(path: Path, tmp_path: Path) -> None:
    tested = await promtool(tmp_path, "test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_outage_of_which_somebody_is_told_has_been_played_and_its_case_is_kept() -> None:
    told = {outage.name for outage in OUTAGES if outage.expected}
    assert {path.stem for path in SEEN} == told


async def test_an_alert_that_does_not_fire_when_it_should_is_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    broken = RULES.read_text().replace("mentoring:parked:sum" + JOB + "} > 0", "vector(0) > 0")
    assert broken != RULES.read_text()
    (tmp_path / RULES.name).write_text(broken)
    (path,) = (path for path in CASES if path.stem == "parked")
    (tmp_path / "tests" / path.name).write_text(path.read_text())
    tested = await promtool(tmp_path, "test", "rules", tmp_path / "tests" / path.name)
    assert tested.returncode == 1
    assert "MentoringRecordsParked" in tested.stderr


@pytest.mark.parametrize("rule", alerts(), ids=_id)
def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(rule: Rule) -> None:
    told = [case for path in CASES for case in cases(path) if case.alert == rule["alert"]]
    severity = rule["labels"]["severity"]
    assert any(severity in case.fires for case in told)
    assert any(severity not in case.fires for case in told)


@pytest.mark.parametrize("path", CASES, ids=_id)
def test_cases_evaluate_the_groups_in_the_order_in_which_they_build_on_each_other(
    path: Path,
) -> None:
    order = yaml.safe_load(path.read_text())["group_eval_order"]
    assert order == [group["name"] for group in groups()]


@pytest.mark.parametrize("rule", alerts(), ids=_id)
def test_every_alert_says_what_is_wrong_how_bad_it_is_and_what_to_read(rule: Rule) -> None:
    assert rule["alert"].startswith("Mentoring")
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in ("critical", "warning")
    texts = rule["annotations"]
    assert texts.keys() == {"summary", "description", "runbook_url"}
    assert "{{" in texts["description"], "the figure, or whose it is"
    assert texts["runbook_url"].startswith(BASE)
    assert page_of(rule).is_file()
    assert f"`{rule['alert']}`" in page_of(rule).read_text()


def test_an_alert_with_two_severities_leads_to_one_runbook() -> None:
    pages: dict[str, Path] = {}
    for rule in alerts():
        assert pages.setdefault(rule["alert"], page_of(rule)) == page_of(rule)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_series_is_selected_by_its_job_so_that_releases_do_not_see_each_other(
    rule: Rule,
) -> None:
    assert rule["expr"].count("{") == rule["expr"].count(JOB) > 0
    recorded = {found["record"] for found in rules() if "record" in found}
    ours = {name for name in selected(rule) if ":" in name}
    assert ours <= recorded
    # What a sum leaves away cannot tell releases apart any more.
    for by in re.findall(r"(?:by|on) \(([^)]*)\)", rule["expr"]):
        assert {"namespace", "job"} <= set(by.split(", "))


# Where they are used


async def test_compose_scrapes_as_the_local_run_does_and_obeys_the_rules(tmp_path: Path) -> None:
    compose = ROOT / "deploy" / "compose"
    (tmp_path / "prometheus.yml").write_text((compose / "prometheus.yml").read_text())
    (tmp_path / RULES.name).write_text(RULES.read_text())
    checked = await promtool(tmp_path, "check", "config", tmp_path / "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    assert "1 rule files found" in checked.stdout
    (job,) = yaml.safe_load((compose / "prometheus.yml").read_text())["scrape_configs"]
    assert job["job_name"] == prometheus.JOB
    assert job["honor_labels"] is True
    mounts = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["prometheus"]
    assert f"./chart/files/{RULES.name}:/etc/prometheus/{RULES.name}:ro" in mounts["volumes"]


async def test_a_release_sees_itself_alone_and_leads_to_its_own_runbooks(tmp_path: Path) -> None:
    (one,) = of_kind(objects("production"), "PrometheusRule")
    assert one["metadata"]["labels"]["release"] == "prometheus"
    assert JOB not in str(one["spec"])
    base = "https://docs.ministry.example/mentorat/runbooks/"

    def released(text: str) -> str:
        return text.replace(JOB, '{job="here/mentorat"').replace(BASE, base)

    assert one["spec"] == yaml.safe_load(released(RULES.read_text()))
    rendered = tmp_path / "rules.yaml"
    rendered.write_text(yaml.safe_dump(one["spec"]))
    checked = await promtool(tmp_path, "check", "rules", rendered)
    assert checked.returncode == 0, checked.stderr


def test_releases_side_by_side_do_not_see_each_other() -> None:
    found = [
        of_kind(render(values(f"ministry-{name}"), name, "shared"), "PrometheusRule", "PodMonitor")
        for name in "ab"
    ]
    for name, both in zip("ab", found, strict=True):
        # Prometheus' operator calls the scrape of a PodMonitor by its namespace and its name.
        monitor, rule = sorted(both, key=lambda one: str(one["kind"]))
        job = f"{monitor['metadata']['namespace']}/{monitor['metadata']['name']}"
        assert job == f"shared/{name}"
        expressions = [rule["expr"] for group in rule["spec"]["groups"] for rule in group["rules"]]
        assert all(f'job="{job}"' in expression for expression in expressions)
        assert "jobLabel" not in monitor["spec"]
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert endpoint["relabelings"] == [
            {
                "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
                "targetLabel": "service",
            }
        ]


def test_a_service_that_is_switched_off_is_not_called_gone() -> None:
    given = changed("production", {"services.feedback.enabled": False})
    (one,) = of_kind(render(given), "PrometheusRule")
    (gone,) = [
        rule
        for group in one["spec"]["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "MentoringServiceGone"
    ]
    assert 'service!~"feedback"' in gone["expr"]
    assert "service!~" not in str(of_kind(objects("production"), "PrometheusRule"))


def test_a_release_that_is_scraped_otherwise_says_how() -> None:
    (one,) = of_kind(render(changed("production", {"prometheusRule.job": "own"})), "PrometheusRule")
    assert '{job="own"' in one["spec"]["groups"][0]["rules"][0]["expr"]
    assert of_kind(objects("minimal"), "PrometheusRule") == []


# The runbooks


def test_every_runbook_is_in_the_index_and_belongs_to_an_alert() -> None:
    pages = {path for path in RUNBOOKS.glob("*.md") if path.name != "README.md"}
    assert pages == {page_of(rule) for rule in alerts()}
    index = (RUNBOOKS / "README.md").read_text()
    assert set(re.findall(r"\]\(([a-z-]+\.md)\)", index)) == {path.name for path in pages}
    for rule in alerts():
        assert f"`{rule['alert']}`" in index


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=_id)
def test_every_link_of_a_runbook_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=_id)
async def test_every_query_of_the_runbooks_is_one(path: Path, tmp_path: Path) -> None:
    queries = [text for language, text in BLOCK.findall(path.read_text()) if language == "promql"]
    lines = [line for text in queries for line in text.splitlines() if line]
    rule_file = tmp_path / "queries.yaml"
    found = [{"record": f"query:{number}", "expr": line} for number, line in enumerate(lines)]
    rule_file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": found}]}))
    checked = await promtool(tmp_path, "check", "rules", rule_file)
    assert checked.returncode == 0, checked.stderr
