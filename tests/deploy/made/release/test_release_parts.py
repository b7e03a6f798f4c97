"""What a release is made of: the recipe that is replayed, layouts, notes, checksums, origins."""

import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from deploy.made.release import image, oci, papers, recipe
from deploy.made.release.__main__ import contract
from deploy.made.release.source import NotReleasable, Source, committed, version
from tests.test_docs import LINK, broken

ROOT = Path(__file__).parents[4]
SECONDS = 1_700_000_000


def tree(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "program").write_text("#!/bin/python\n")
    (root / "bin" / "program").chmod(0o755)
    (root / "bin" / "other").symlink_to("program")
    (root / "data.txt").write_text("é")
    return root


def source(root: Path = ROOT) -> Source:
    return Source(root, version(root), "0" * 40, SECONDS)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that say a version, in a repository of their own."""
    root = tmp_path / "checkout"
    for name in ("pyproject.toml", "publiccode.yml", "deploy/chart/Chart.yaml", "CHANGELOG.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "all")):
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        subprocess.run(["git", *who, *command], cwd=root, check=True)
    return root


# --- the recipe ------------------------------------------------------------------------------


def test_the_steps_that_are_replayed_are_those_of_the_recipe() -> None:
    runs = [one.text for one in recipe.stages(ROOT)[0] if one.name == "RUN"]
    assert tuple(" ".join(run.split()) for run in runs) == image.STEPS


def test_what_the_image_is_set_to_is_what_the_recipe_says() -> None:
    found = recipe.configuration(ROOT, {"VERSION": "9.9.9", "REVISION": "abc"})
    assert found["Entrypoint"] == ["python", "-m"]
    assert found["Cmd"] == ["services.matching.app"]
    assert found["User"] == "10001:10001"
    assert found["WorkingDir"] == "/tmp"
    assert found["ExposedPorts"] == {"8080/tcp": {}}
    assert "PYTHONUNBUFFERED=1" in found["Env"]
    assert found["Env"][0] == f"PATH=/opt/connecte/bin:{recipe.SEARCHED}"
    assert found["Labels"]["org.opencontainers.image.version"] == "9.9.9"
    assert found["Labels"]["org.opencontainers.image.revision"] == "abc"
    assert found["Healthcheck"]["Interval"] == 15 * 10**9
    assert found["Healthcheck"]["Test"][:2] == ["CMD", "python"]


def test_what_is_not_understood_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / recipe.RECIPE).write_text("FROM a\nSTOPSIGNAL SIGINT\n")
    with pytest.raises(ValueError, match="STOPSIGNAL is not understood"):
        recipe.configuration(tmp_path, {})
    (tmp_path / recipe.RECIPE).write_text("FROM a\nENV HERE=$SOMEWHERE\n")
    with pytest.raises(ValueError, match="HERE=\\$SOMEWHERE is of something that is not known"):
        recipe.configuration(tmp_path, {})


def test_pages_of_the_contract_lead_to_what_is_packed_with_them(tmp_path: Path) -> None:
    contract(source(), tmp_path)
    with tarfile.open(tmp_path / f"schemas-{version(ROOT)}.tar.gz") as packed:
        packed.extractall(tmp_path / "here", filter="data")
    for page in (tmp_path / "here").rglob("*.md"):
        assert list(broken(page)) == [], page
    readme = (tmp_path / "here" / "README.md").read_text("utf-8")
    assert {"public", "asyncapi.json", "examples/README.md"} <= set(LINK.findall(readme))


# --- layouts ---------------------------------------------------------------------------------


def test_the_same_files_give_the_same_layer_whenever_they_were_written(tmp_path: Path) -> None:
    first = oci.layer(tree(tmp_path / "a"), SECONDS)
    second = oci.layer(tree(tmp_path / "b"), SECONDS)
    assert first == second


def test_a_layer_keeps_modes_and_links_and_no_owner(tmp_path: Path) -> None:
    made = oci.layer(tree(tmp_path / "a"), SECONDS)
    (tmp_path / "layer.tar.gz").write_bytes(made.data)
    with tarfile.open(tmp_path / "layer.tar.gz") as tar:
        members = {member.name: member for member in tar}
    assert members["bin/program"].mode == 0o755
    assert members["bin/other"].linkname == "program"
    assert {(m.uid, m.gid, m.uname, m.mtime) for m in members.values()} == {(0, 0, "", SECONDS)}


def test_every_blob_of_a_layout_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    layout = oci.Layout()
    made = oci.layer(tree(tmp_path / "tree"), SECONDS)
    manifest = layout.image({"Labels": {"a": "b"}}, [(made, "files")], "2026-01-01T00:00:00Z")
    layout.write(tmp_path / "image.tar", manifest, "1.0", SECONDS)
    files: dict[str, bytes] = {}
    with tarfile.open(tmp_path / "image.tar") as tar:
        for member in tar:
            held = tar.extractfile(member)
            assert held is not None
            files[member.name] = held.read()
    for name, data in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"
    [entry] = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "1.0"}
    found = json.loads(files[f"blobs/{entry['digest'].replace(':', '/')}"])
    config = json.loads(files[f"blobs/{found['config']['digest'].replace(':', '/')}"])
    assert config["rootfs"]["diff_ids"] == [made.diff_id]
    assert [one["size"] for one in found["layers"]] == [len(made.data)]


# --- what is released ------------------------------------------------------------------------


def test_what_is_not_committed_is_not_released(checkout: Path, tmp_path: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("something else")
    (checkout / "secret.key").write_text("a key")
    laid_out = committed(checkout, tmp_path / "out")
    assert (laid_out.root / "CHANGELOG.md").read_bytes() == (ROOT / "CHANGELOG.md").read_bytes()
    assert not (laid_out.root / "secret.key").exists()
    assert re.fullmatch(r"[0-9a-f]{40}", laid_out.revision)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("deploy/chart/Chart.yaml", "appVersion: "),
        ("deploy/chart/Chart.yaml", "\nversion: "),
        ("publiccode.yml", 'softwareVersion: "'),
    ],
)
def test_a_version_that_one_file_says_otherwise_is_not_released(
    checkout: Path, file: str, said: str
) -> None:
    text = (checkout / file).read_text()
    assert said in text
    (checkout / file).write_text(text.replace(said, f"{said}9"))
    with pytest.raises(NotReleasable, match=f"{file}.* says 9"):
        version(checkout)


def test_the_image_s_own_version_is_that_of_the_project() -> None:
    labels = recipe.configuration(ROOT, {})["Labels"]
    assert labels["org.opencontainers.image.version"] == version(ROOT)


# --- papers ----------------------------------------------------------------------------------


def test_the_notes_are_what_the_changelog_and_the_chart_say_of_the_version() -> None:
    found = papers.notes(source())
    assert found.startswith(f"# Connecte ton manager {version(ROOT)}\n")
    assert "### Changed" in found
    assert "## Upgrading the chart" in found


def test_a_version_without_a_part_in_the_changelog_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [0.0.1]\n")
    with pytest.raises(NotReleasable, match=r"CHANGELOG.md has no part for \[1.2.3\]"):
        papers.notes(Source(tmp_path, "1.2.3", "0" * 40, SECONDS))


def test_checksums_are_what_sha256sum_takes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    text = papers.sums(tmp_path.iterdir())
    (tmp_path / papers.SUMS).write_text(text)
    subprocess.run(["sha256sum", "--check", "--strict", papers.SUMS], cwd=tmp_path, check=True)


def test_the_provenance_names_every_file_the_commit_and_what_went_in() -> None:
    checksums = f"{'a' * 64}  one.tar\n{'b' * 64}  two.tgz\n"
    found = json.loads(papers.provenance(source(), checksums, ["libc6=2.36-9"]))
    assert found["subject"] == [
        {"name": "one.tar", "digest": {"sha256": "a" * 64}},
        {"name": "two.tgz", "digest": {"sha256": "b" * 64}},
    ]
    materials = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert materials[0]["digest"] == {"gitCommit": "0" * 40}
    assert {"uri": "pkg:deb/debian/libc6@2.36-9"} in materials
    lock = hashlib.sha256((ROOT / "requirements.service.lock").read_bytes()).hexdigest()
    assert {"uri": "requirements.service.lock", "digest": {"sha256": lock}} in materials
