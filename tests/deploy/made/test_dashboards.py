"""The dashboards are current, and are what Grafana takes."""

import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.made.dashboards.__main__ import differing, files, main
from tests.deploy.made.recorded import RULES, Object, dashboard, panels

NAMES = ("programme", "machine")
DASHBOARDS = {name: dashboard(name) for name in NAMES}
EVERY = [pytest.param(panel, id=panel["title"]) for d in DASHBOARDS.values() for panel in panels(d)]


def test_the_files_are_what_the_code_writes() -> None:
    assert differing() == [], "python -m deploy.made.dashboards"
    assert files() == files()


def test_a_file_that_was_changed_by_hand_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.made.dashboards.__main__.WRITTEN", tmp_path)
    assert main([]) == 0
    assert main(["--check"]) == 0
    capsys.readouterr()
    (tmp_path / "machine.json").write_text("{}")
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "not current: deploy/chart/files/dashboards/machine.json\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_has_what_grafana_needs_to_know_it_again(name: str) -> None:
    found = DASHBOARDS[name]
    assert found["uid"] == f"connecte-{name}"
    assert "id" not in found, "Grafana gives it, and takes one from outside for another's"
    assert found["schemaVersion"] >= 39
    assert found["tags"][0] == "connecte-ton-manager"
    assert re.fullmatch(r"\d+[sm]", found["refresh"])
    assert found["time"]["to"] == "now"


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_a_number_of_their_own_and_a_place_that_no_other_covers(name: str) -> None:
    placed = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    taken: set[tuple[int, int]] = set()
    for panel in placed:
        grid = panel["gridPos"]
        across = range(grid["x"], grid["x"] + grid["w"])
        down = range(grid["y"], grid["y"] + grid["h"])
        assert across[-1] < 24, panel["title"]
        cells = set(itertools.product(across, down))
        assert cells
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", EVERY)
def test_a_panel_says_what_it_shows_in_which_unit_and_asks_the_chosen_source(panel: Object) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == source
    assert all(target["datasource"] == source for target in panel["targets"])
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert len(panel["description"]) > 20
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEFGHIJ")[
        : len(panel["targets"])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_titles_are_told_apart_within_a_section(name: str) -> None:
    seen: set[str] = set()
    for panel in DASHBOARDS[name]["panels"]:
        seen = set() if panel["type"] == "row" else seen
        assert panel["title"] not in seen
        seen.add(panel["title"])


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_used_and_every_one_that_is_used_is_there(name: str) -> None:
    found = DASHBOARDS[name]
    variables = found["templating"]["list"]
    names = {variable["name"] for variable in variables}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps([found["panels"], variables])))
    assert used == names
    for variable in variables:
        if variable["type"] == "query":
            assert variable["includeAll"]
            assert variable["allValue"] == ".*", "or it leaves out what has no such label"


def test_a_runbook_that_a_panel_leads_to_is_one_that_an_alert_leads_to() -> None:
    rules = yaml.safe_load(RULES.read_text())
    known = {
        rule["annotations"]["runbook_url"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    (base,) = [
        variable["query"]
        for variable in DASHBOARDS["machine"]["templating"]["list"]
        if variable["name"] == "runbooks"
    ]
    links = {
        link["url"].replace("${runbooks}", base)
        for panel in panels(DASHBOARDS["machine"])
        for link in panel.get("links") or ()
    }
    assert links
    assert links <= known
    pages = Path(__file__).parents[3] / "docs" / "runbooks"
    assert all((pages / link.rpartition("/")[2]).exists() for link in links)


def test_every_objective_has_a_panel_and_its_alert_leads_there() -> None:
    charts = RULES.parent
    leads = yaml.safe_load((charts / "panels.yaml").read_text())
    tuned = yaml.safe_load((charts / "thresholds.yaml").read_text())
    rules: dict[str, str] = {}
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in (rule for rule in group["rules"] if "alert" in rule):  # one of each severity
            rules[rule["alert"]] = rules.get(rule["alert"], "") + rule["expr"]
    budgets = {name: expr for name, expr in rules.items() if name.endswith("BudgetBurn")}
    assert len(budgets) == 4
    by_number = {panel["id"]: panel for panel in panels(DASHBOARDS["machine"])}
    for name, expr in budgets.items():
        panel = by_number[leads[name]]
        assert panel["title"].startswith("Burn rate: "), name
        asked = [target["expr"] for target in panel["targets"]]
        for query in asked:
            (record,) = re.findall(r"mentoring:\w+:ratio_rate\w+", query)
            assert record in expr, "a window that the alert asks about"
            assert f" / {tuned[name]['text'].removeprefix('* ')}" in query, "its allowance"
    others = {name: leads[name] for name in rules if name not in budgets and leads[name]}
    assert not {n for n in others if by_number[others[n]]["title"].startswith("Burn rate: ")}
