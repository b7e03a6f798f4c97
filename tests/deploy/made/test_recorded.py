"""A whole programme that a real Prometheus watches: what dashboards and alerts make of it.

Always holds: it is run once, for all that is asked of it.
"""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from deploy.local.prometheus import program
from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.coordinator import Plan
from deploy.trial.pilot.generate import generate
from schemas.values import CohortPolicy
from services.portal.web.mailing import Mailing
from tests.conftest import in_its_own_loop
from tests.deploy.alerts.alerting import alerts, rules, selected
from tests.deploy.made.dashboard_pictures import pictures
from tests.deploy.made.recorded import Object, Recording, dashboard, panels, recorded

pytestmark = pytest.mark.journey

NAMES = ("programme", "machine")
DASHBOARDS = {name: dashboard(name) for name in NAMES}
MEASURES_DESCRIBED = Path(__file__).parents[3] / "docs" / "operating" / "watch.md"
MENTORS, MANAGERS, SESSIONS, SEED = 18, 12, 3, 3

# Time enough to answer that a slow machine changes nothing of the story.
POLICY = CohortPolicy(
    sessions=SESSIONS,
    cadence_days=7,
    proposal_days=20,
    report_days=20,
    survey_days=20,
    smallest_group=3,
)

TARGETS = [
    pytest.param(name, panel, target, id=f"{name}: {panel['title']} {target['refId']}")
    for name in NAMES
    for panel in panels(DASHBOARDS[name])
    for target in panel["targets"]
]


# --- the run ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    directory = tmp_path_factory.mktemp("recording")
    plan = Plan(
        rosters={"pilot": _roster(directory)},
        names={"pilot": "Pilot"},
        policy=POLICY,
        seed=SEED,
        limit=900,
    )
    with in_its_own_loop(recorded(directory, plan)) as run:
        yield run


def _roster(directory: Path) -> Roster:
    mentors, managers = generate(MENTORS, MANAGERS, SEED)
    write_roster(directory / "mentors.csv", MENTOR_COLUMNS, mentors)
    write_roster(directory / "managers.csv", MANAGER_COLUMNS, managers)
    return read_rosters(directory / "mentors.csv", directory / "managers.csv", "pilot")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as found:
        yield found


@pytest.mark.parametrize(("name", "panel", "target"), TARGETS)
def test_a_panel_shows_something_after_a_programme(
    recording: Recording, client: httpx.Client, name: str, panel: Object, target: Object
) -> None:
    series = recording.ask(client, target, DASHBOARDS[name])
    assert series
    assert any(math.isfinite(value) for one in series for _, value in one.points)


@pytest.mark.parametrize("name", NAMES)
def test_a_choice_above_the_dashboard_offers_what_there_is(
    recording: Recording, client: httpx.Client, name: str
) -> None:
    offered = {}
    for variable in DASHBOARDS[name]["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert asked
            selector = recording.filled(asked[1], DASHBOARDS[name])
            offered[variable["name"]] = recording.values_of(client, selector, asked[2])
    assert offered.pop("job") == ["connecte"]
    assert offered in (
        {"cohort": ["pilot"]},
        {"service": ["feedback", "matching", "notify", "scheduling"]},
    )


def shown(recording: Recording, client: httpx.Client, title: str, ref: str = "A") -> Any:
    """The newest values of a panel of the programme, by their labels' values."""
    (panel,) = [p for p in panels(DASHBOARDS["programme"]) if p["title"] == title]
    (target,) = [t for t in panel["targets"] if t["refId"] == ref]
    series = recording.ask(client, target, DASHBOARDS["programme"])
    values = {" ".join(one.labels.values()): one.points[-1][1] for one in series}
    return values.get("", values)


def test_the_figures_of_the_programme_are_those_of_the_projections(
    recording: Recording, client: httpx.Client
) -> None:
    def now(title: str, ref: str = "A") -> Any:
        return shown(recording, client, title, ref)

    count = recording.progress.sum
    graduated = count("matching", "pairs", "graduated")
    assert graduated > 0
    assert now("Parcours terminés") == graduated
    assert now("Volontaires") == MENTORS
    assert now("Managers inscrits") == MANAGERS
    assert now("Sans binôme") == count("matching", "managers", "waiting")
    assert now("Séances tenues") == count("scheduling", "sessions", "completed")
    least, most = recording.letters
    assert least <= now("Lettres par état")["sent"] <= most

    funnel = [now("Du volontariat au parcours terminé", ref) for ref in "ABCDEFGHI"]
    pairs = recording.progress.overview["pilot"]["matching"]["pairs"]
    formed = pairs["graduated"] + pairs.get("dissolved", 0)
    assert funnel[:3] == [MENTORS, sum(pairs.values()), formed]
    assert funnel[3:6] == sorted(funnel[3:6], reverse=True)
    assert funnel[5:] == [graduated, 0, 0, graduated], "they have three sessions"


def test_the_sessions_of_a_week_that_is_the_whole_programme_are_all_sessions(
    recording: Recording, client: httpx.Client
) -> None:
    whole = replace(recording, week=recording.end - recording.start)
    sessions = recording.progress.sum("scheduling", "sessions", "completed")
    (target,) = weekly()["targets"]
    query = whole.filled(target["expr"], DASHBOARDS["programme"])
    series = whole.at(client, query, whole.end)
    assert {one.labels["outcome"]: one.points[-1][1] for one in series}["completed"] == sessions


def weekly() -> Object:
    (panel,) = [p for p in panels(DASHBOARDS["programme"]) if p["title"] == "Séances par semaine"]
    return panel


def test_the_gate_says_what_feedback_says(recording: Recording, client: httpx.Client) -> None:
    measured = shown(recording, client, "Critères, mesurés et demandés", "A")
    asked = shown(recording, client, "Critères, mesurés et demandés", "B")
    met = shown(recording, client, "Critères, mesurés et demandés", "C")
    assert asked == {
        f"pilot {name}": float(threshold) for name, threshold in POLICY.rollout.model_dump().items()
    }
    assert {name for name, is_met in met.items() if not is_met} == {
        name for name, threshold in asked.items() if measured[name] < threshold
    }
    assert "pilot pairs_graduated" not in {name for name, is_met in met.items() if is_met}
    assert shown(recording, client, "Rodé ?") == 0, "too few pairs to tell"


def test_both_dashboards_can_be_drawn_from_what_was_recorded(recording: Recording) -> None:
    drawings = pictures(recording)
    assert drawings.keys() == {f"dashboard-{name}.svg" for name in NAMES}
    for name in NAMES:
        svg = drawings[f"dashboard-{name}.svg"]
        assert len(svg.encode()) < 400_000
        texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        words = {text.text for text in texts}
        assert {p["title"] for p in DASHBOARDS[name]["panels"] if p["type"] == "row"} <= words


# --- measures and alerts ------------------------------------------------------------------------

TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum")}


def test_no_alert_holds_where_nothing_went_wrong(
    recording: Recording, client: httpx.Client
) -> None:
    holding = {
        rule["alert"]: [one.labels for one in recording.at(client, rule["expr"], recording.end)]
        for rule in alerts()
    }
    assert {name: series for name, series in holding.items() if series} == {}


async def test_promtool_finds_nothing_wrong_with_the_measures(
    recording: Recording, tmp_path: Path
) -> None:
    promtool = await program("promtool", tmp_path)
    for name, text in recording.metrics.items():
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, ""), name


def test_no_counter_fell_and_no_gauge_is_named_as_one(
    recording: Recording, client: httpx.Client
) -> None:
    kinds = {found for text in recording.metrics.values() for found in TYPE.findall(text)}
    counters = {name for name, kind in kinds if kind == "counter"}
    assert {name for name, kind in kinds if name.endswith("_total") != (kind == "counter")} == set()
    seconds = math.ceil(recording.end - recording.start)
    for name in counters:
        fell = f"resets({name}[{seconds}s]) > 0"
        assert [one.labels for one in recording.at(client, fell, recording.end)] == [], name


def test_rules_select_only_series_that_there_are(recording: Recording) -> None:
    known = {found for text in recording.metrics.values() for found in _series_of(text)} | {"up"}
    known |= {rule["record"] for rule in rules() if "record" in rule}
    known |= _series_of(_of_the_portal())
    for rule in rules():
        assert selected(rule) <= known, rule


def test_every_measure_is_described(recording: Recording) -> None:
    described = MEASURES_DESCRIBED.read_text(encoding="utf-8")
    families = {name for text in recording.metrics.values() for name, _ in TYPE.findall(text)}
    families |= {name for name, _ in TYPE.findall(_of_the_portal())}
    assert {name for name in families if f"`{name}" not in described} == set()


async def _to_nobody(_: EmailMessage) -> None:
    """Send nothing."""


def _of_the_portal() -> str:
    """What it alone tells of: the recorded programme is run without it."""
    registry = CollectorRegistry()
    registry.register(Mailing("connecte@ministere.example", _to_nobody).counted)
    return generate_latest(registry).decode()


def _series_of(text: str) -> set[str]:
    """The series that a service tells of, or may."""
    found = set()
    for name, kind in TYPE.findall(text):
        found.update(name + suffix for suffix in SUFFIXES.get(kind, ("",)))
    return found


# --- on figures that we make up -----------------------------------------------------------------


async def test_sessions_whose_partition_changes_hands_within_a_week_are_not_counted_again(
    tmp_path: Path,
) -> None:
    """Ten sessions that one process told of are told of by another, and two are held."""
    (target,) = weekly()["targets"]
    query = target["expr"].replace("$week", "1w").replace("$job", ".*").replace("$cohort", ".*")
    told = 'mentoring_sessions{job="j",cohort="c",outcome="completed",instance="%s"}'
    case = {
        "interval": "1d",
        "input_series": [
            {"series": told % "a", "values": "10x9 stale"},
            {"series": told % "b", "values": "_x9 12x10"},
        ],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": "14d",
                "exp_samples": [{"labels": '{outcome="completed"}', "value": 2}],
            }
        ],
    }
    tests = tmp_path / "tests.json"  # which is YAML too
    tests.write_text(json.dumps({"rule_files": [], "tests": [case]}))
    command = [await program("promtool", tmp_path), "test", "rules", tests]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
