"""The wheel that the image installs has what operates and nothing that tests, and works alone."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from tests.conftest import PATIENCE
from tests.deploy.recipe import ROOT, lay_out, let_in, pip

ELSEWHERE = ("local", "trial", "made", "chart", "compose")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image is built in."""
    found = tmp_path_factory.mktemp("stage")
    lay_out(found)
    return found


@pytest.fixture(scope="module")
def wheel(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", into, stage)
    (found,) = into.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as file:
        return set(file.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", into, wheel)
    return into


def files(folder: str, *endings: str) -> set[str]:
    """The files of a folder of the checkout, as a wheel names them."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in endings
    }


def connecte(installed: Path, *arguments: str) -> tuple[int, str, str]:
    """The command of the installed wheel, away from the checkout: exit code, output, errors.

    The libraries are those of the tests.
    """
    # Only what sits where it was installed is found: `-S` leaves out the editable checkout.
    libraries = [path for path in sys.path if path.endswith(("site-packages", "_vendor"))]
    code = "import deploy.cli; print(deploy.cli.__file__); deploy.cli.main()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=installed,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(installed), *libraries]),
            "COLUMNS": "200",
        },
    )
    where, _, output = done.stdout.partition("\n")
    assert where == str(installed / "deploy" / "cli.py"), done.stderr
    return done.returncode, output, done.stderr


def test_it_has_the_schemas_the_services_and_what_operates_them(names: set[str]) -> None:
    wanted = {"deploy/__init__.py", "deploy/cli.py", "deploy/errors.py"}
    wanted |= files("deploy/operating", ".py") | files("schemas", ".py") | files("services", ".py")
    assert wanted <= names


def test_it_has_the_files_that_they_read(names: set[str]) -> None:
    endings = (".json", ".toml", ".html", ".jinja", ".css", ".js", ".txt", ".csv")
    wanted = files("schemas", *endings) | files("services", *endings)
    assert wanted
    assert wanted | files("deploy/operating", *endings) <= names


def test_it_has_nothing_that_tests_tries_or_generates(names: set[str]) -> None:
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in inside} == {"schemas", "services", "deploy"}
    deployed = {name.split("/")[1] for name in inside if name.startswith("deploy/")}
    assert deployed == {"__init__.py", "cli.py", "errors.py", "operating"}
    assert not {word for name in inside for word in name.split("/")} & {*ELSEWHERE, "tests"}


def test_not_even_the_building_stage_sees_what_tests_or_tries(stage: Path) -> None:
    built = {path.relative_to(stage).as_posix() for path in (stage / "deploy").rglob("*.py")}
    assert {name for name in built if name.startswith("deploy/made/")} == {
        "deploy/made/__init__.py",
        "deploy/made/sbom.py",
    }
    assert not (stage / "tests").exists()
    for folder in ("deploy/trial", "deploy/local", "deploy/chart", "tests"):
        assert not let_in(PurePosixPath(folder) / "x.py"), folder


@pytest.mark.parametrize("secret", [".env", "services/.env.local", "deploy/operating/a.key"])
def test_no_secret_is_let_in(secret: str) -> None:
    assert not let_in(PurePosixPath(secret))


def test_the_bill_of_materials_is_made_from_what_the_stage_has(stage: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.made.sbom", "--help"],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=stage,
    )
    assert done.returncode == 0, done.stderr
    assert "--output" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "list"),
        ("topics", "access"),
        ("schemas", "list"),
        ("schemas", "sample", "PairFormed"),
    ],
)
def test_what_needs_no_broker_works_from_the_wheel_alone(
    installed: Path, arguments: Sequence[str]
) -> None:
    code, output, errors = connecte(installed, *arguments, "--json")
    assert (code, errors) == (0, "")
    assert json.loads(output)


@pytest.mark.parametrize(
    "arguments", [("demo",), ("demo", "--seed", "7"), ("up", "--json"), ("chaos",)]
)
def test_what_needs_a_checkout_says_so_in_one_line(
    installed: Path, arguments: Sequence[str]
) -> None:
    code, output, errors = connecte(installed, *arguments)
    assert (code, output) == (2, "")
    line = "connecte: this command needs a checkout of the project, and here is none: "
    assert errors == f"{line}{arguments[0]}\n"


def test_help_says_what_needs_a_checkout_and_shows_the_rest(installed: Path) -> None:
    code, output, errors = connecte(installed, "--help")
    assert (code, errors) == (0, "")
    lines = {line.split()[0]: line for line in output.splitlines() if line.startswith("  ")}
    assert {"import", "match", "round", "rebuild", "topics", "schemas", "parked"} <= lines.keys()
    absent = {name for name, line in lines.items() if "needs a checkout" in line}
    assert absent == {"demo", "chaos", "up"}


def test_the_gate_is_for_developers_and_says_what_the_wheel_has_not(installed: Path) -> None:
    code, output, errors = connecte(installed, "schemas", "check")
    assert (code, output) == (2, "")
    assert errors.endswith("golden records are in a checkout only\n")
