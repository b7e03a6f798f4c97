"""checkov finds nothing in the chart and the image's recipe but what is listed, with a reason."""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.made.chart_files import CHART
from tests.deploy.chart.rendering import CI, render, values
from tests.own_environment import environment

LOCK = Path(__file__).with_name("checkov.lock")
LISTED = CHART / ".checkov.yaml"
DOCKERFILE = CHART.parent / "Dockerfile"


def listed() -> dict[str, str]:
    """Identifier and reason of what is meant to be so."""
    return dict(re.findall(r"^ +- (CKV\w+) +# (.+)$", LISTED.read_text(), re.MULTILINE))


def checkov(framework: str, paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What it says against the files, nothing being skipped."""
    files = [argument for path in paths for argument in ("--file", str(path))]
    options = ("--framework", framework, "--skip-download", "--output", "json")
    done = subprocess.run(
        (environment(LOCK) / "checkov", *files, *options),
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    found: list[dict[str, Any]] = report["results"]["failed_checks"]
    return found


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names of the values in whose objects a check fails, by its identifier."""
    folder = tmp_path_factory.mktemp("rendered")
    paths = []
    for name in CI:
        # Each in a namespace of its own, or the policies of one would count for another.
        rendered = yaml.safe_dump_all(render(values(name), name, name))
        paths.append(folder / f"{name}.yaml")
        paths[-1].write_text(rendered)
    found = defaultdict(set)
    for one in checkov("kubernetes", paths):
        found[one["check_id"]].add(Path(one["file_path"]).stem)
    return dict(found)


def test_what_checkov_finds_is_listed_and_what_is_listed_it_finds(
    failed: dict[str, set[str]],
) -> None:
    assert failed.keys() == listed().keys()


def test_everything_that_is_listed_has_a_reason() -> None:
    assert [*listed()] == yaml.safe_load(LISTED.read_text())["skip-check"]


def test_what_is_for_a_trial_only_is_not_found_in_production(failed: dict[str, set[str]]) -> None:
    for identifier in ("CKV_K8S_15", "CKV_K8S_43", "CKV2_K8S_6"):
        assert "production" not in failed[identifier]


def test_checkov_has_nothing_to_say_against_the_image_s_recipe() -> None:
    assert checkov("dockerfile", [DOCKERFILE]) == []
