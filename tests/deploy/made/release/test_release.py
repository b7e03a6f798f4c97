"""A release of this revision: everything is there, and the image runs by itself.

It fetches packages and takes minutes: `make nightly`.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import helm_python
import pytest

from deploy.made.release import papers
from deploy.made.release.__main__ import LIMIT
from deploy.made.release.source import version

pytestmark = pytest.mark.release
ROOT = Path(__file__).parents[4]


def make(into: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.made.release", "--without-docker", "--output", into],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def root(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's file system."""
    work = tmp_path_factory.mktemp("image")
    [archive] = release.glob("*.image.oci.tar")
    with tarfile.open(archive) as tar:
        tar.extractall(work / "layout", filter="fully_trusted")
    blobs = work / "layout/blobs"
    [entry] = json.loads((work / "layout/index.json").read_text())["manifests"]
    manifest = json.loads((blobs / entry["digest"].replace(":", "/")).read_text())
    for one in manifest["layers"]:
        with tarfile.open(blobs / one["digest"].replace(":", "/")) as tar:
            tar.extractall(work / "root", filter="fully_trusted")
    return work / "root"


def within(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the image's file system: without network, or anything of this machine."""
    own = () if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user")
    path = {"PATH": "/opt/connecte/bin:/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*own, shutil.which("chroot") or "chroot", root, *command],
        check=False,
        capture_output=True,
        text=True,
        env=path,
    )


def test_all_files_of_a_release_are_there_and_are_what_the_checksums_say(release: Path) -> None:
    names = {path.name.replace(version(ROOT), "V") for path in release.iterdir()}
    assert names == {
        *("connecte_ton_manager-V.tar.gz", "connecte_ton_manager-V-py3-none-any.whl"),
        *("connecte-ton-manager-V.image.oci.tar", "connecte-ton-manager-V.tgz"),
        *("connecte-ton-manager-V.oci.tar", "schemas-V.tar.gz"),
        *("sbom.cdx.json", "NOTES.md", "SHA256SUMS", "provenance.json"),
    }
    subprocess.run(["sha256sum", "--check", "--strict", papers.SUMS], cwd=release, check=True)


def test_the_image_is_small(release: Path) -> None:
    [archive] = release.glob("*.image.oci.tar")
    assert archive.stat().st_size < LIMIT


def test_the_chart_of_the_release_is_one_that_helm_takes(release: Path) -> None:
    with helm_python.Chart.load(str(next(release.glob("*.tgz")))) as chart:
        assert chart.version == version(ROOT)


@pytest.mark.parametrize(
    "command",
    [
        ("connecte", "schemas", "list", "--json"),
        ("connecte", "topics", "list", "--json"),
        ("python", "-m", "deploy.cli", "schemas", "sample", "PairFormed", "--json"),
    ],
)
def test_the_operator_s_command_runs_in_the_image_alone(root: Path, command: Sequence[str]) -> None:
    done = within(root, *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


@pytest.mark.parametrize("service", ["matching", "scheduling", "feedback", "notify"])
def test_a_service_of_the_image_starts_as_far_as_its_settings(root: Path, service: str) -> None:
    done = within(root, "python", "-m", f"services.{service}.app")
    assert done.returncode != 0
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr + done.stdout


def test_nothing_in_the_image_names_a_folder_of_the_machine_that_built_it(root: Path) -> None:
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--fixed-strings", str(ROOT), root],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.stdout == ""


def test_there_is_no_shell_in_the_image(root: Path) -> None:
    assert not [name for name in ("sh", "bash", "dash") if (root / "usr/bin" / name).exists()]


def test_the_same_revision_gives_the_same_image(
    release: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = make(tmp_path_factory.mktemp("again"))
    [first], [second] = release.glob("*.image.oci.tar"), again.glob("*.image.oci.tar")
    assert first.read_bytes() == second.read_bytes()
