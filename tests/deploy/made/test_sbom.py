"""The bill of materials is valid, lists what is locked, and gives away no package index."""

import json
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.made import sbom

ROOT = Path(__file__).parents[3]
LOCK = (ROOT / "requirements.service.lock").read_text()
RECIPE = (ROOT / "deploy" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@lru_cache
def text() -> str:
    return sbom.text()


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text())
    return found


def problems(bom: str) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom)


def test_it_is_valid_cyclonedx() -> None:
    assert problems(text()) is None


def test_a_wrong_one_would_be_refused() -> None:
    wrong = document()
    wrong["components"][0]["hashes"][0]["content"] = "none"
    assert problems(json.dumps(wrong)) is not None


def test_it_lists_exactly_the_packages_of_the_lock_with_their_hashes() -> None:
    listed = {one["name"]: one for one in document()["components"]}
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
    assert {name: one["version"] for name, one in listed.items()} == pinned
    hashes = [h["content"] for one in listed.values() for h in one["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:(\w+)", LOCK))
    assert all(one["hashes"] for one in listed.values())


def test_its_root_is_the_project_and_leads_to_all_that_is_in_the_image() -> None:
    root = document()["metadata"]["component"]
    about = PROJECT["project"]
    assert (root["name"], root["version"]) == (about["name"], about["version"])
    assert root["licenses"] == [{"license": {"id": "MIT"}}]
    needs = {one["ref"]: one["dependsOn"] for one in document()["dependencies"]}
    reached: set[str] = set()
    waiting = [root["bom-ref"]]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += needs[one]
    components = document()["components"]
    required = {one["bom-ref"] for one in components if one["scope"] == "required"}
    assert reached - {root["bom-ref"]} == required
    left_out = {one["name"] for one in components if one["scope"] == "excluded"}
    (uninstalled,) = re.findall(r"pip uninstall --yes (.*)", RECIPE)
    assert left_out == set(uninstalled.split()) - {"pip"}


def test_every_package_says_its_licence() -> None:
    for one in document()["components"]:
        (licence,) = one["licenses"]
        assert (licence.get("expression") or licence["license"]["name"]) != "unknown", one["name"]


def test_no_package_index_is_in_it() -> None:
    addresses = re.findall(r"\w+://[^\"]*", text())
    assert addresses == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
    assert not re.search(r"[?&](repository|download|vcs)_url=", text())


def test_the_same_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert sbom.main(["--output", str(tmp_path / name / "sbom.json")]) == 0
    assert (tmp_path / "one" / "sbom.json").read_bytes() == text().encode()
    assert (tmp_path / "other" / "sbom.json").read_bytes() == text().encode()


def test_what_is_installed_and_not_locked_is_refused_by_name() -> None:
    wrong = re.sub(r"^httpx==\S+", "httpx==0.0.1", LOCK, flags=re.MULTILINE)
    with pytest.raises(ValueError, match=r"httpx: 0\.0\.1 is locked"):
        sbom.bill(wrong, PROJECT)


def test_the_image_has_the_one_of_its_own_packages() -> None:
    made, copied = (
        re.search(pattern, RECIPE)
        for pattern in (
            r"deploy\.made\.sbom --output (\S+)",
            r"COPY --from=build (\S+) /usr/share/doc/",
        )
    )
    assert made
    assert copied
    assert made[1] == copied[1]
    # While what it looks at is still there.
    assert RECIPE.index("deploy.made.sbom") < RECIPE.index("pip uninstall")
