"""The image as an OCI layout: by `docker buildx` where it works, else by the recipe's own steps.

Without Docker the steps of the building stage are taken one after the other, by the Python that
runs this, into a folder that becomes a layer over `base`. Always holds: the image has the packages
of `requirements.service.lock`, by their hashes, the wheel of this revision, the bill of materials
and the last stage's settings, and nothing else; a recipe with a step that is not known here is not
built.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.made.release import base, oci, recipe
from deploy.made.release.source import Source

NAME = "connecte-ton-manager"
PLACE = "opt/connecte"
SITE = f"{PLACE}/lib/python3.11/site-packages"
BILL = "usr/share/doc/connecte/sbom.cdx.json"
STEPS = (
    "python -m venv /opt/connecte",
    "python -m pip install --no-deps --require-hashes --only-binary :all: "
    "-r requirements.service.lock",
    "python -m pip install --no-deps --no-build-isolation . "
    "&& python -m deploy.made.sbom --output /opt/sbom.cdx.json "
    "&& python -m pip uninstall --yes setuptools pip",
)
"""The recipe's RUN lines, in order: what `_installed` does. A test holds the two together."""
BUILDS = ("setuptools", "pip", "_distutils_hack")
PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
)
"""What the C library of the base takes."""

ANSWER_SECONDS = 30.0
"""That an engine has to say whether it is there: one that hangs never does."""

Say = Callable[[str], None]


class Unlike(Exception):
    """The recipe has changed, and what replays it has not."""


def replayed(source: Source, work: Path, output: Path, say: Say) -> list[str]:
    """Write the layout without Docker; Debian's packages in it, as `name=version`."""
    say("a root file system with Python, from Debian's packages")
    system = work / "system"
    system.mkdir()
    packages = base.make(system, work)
    say("the packages of the lock, by their hashes")
    tree = work / "tree"
    _installed(source, work, tree)
    say("the image, from both")
    words = {"VERSION": source.version, "REVISION": source.revision}
    config = recipe.configuration(source.root, words)
    layout = oci.Layout()
    manifest = layout.image(
        config,
        [
            (oci.layer(system, source.seconds), "Debian's packages: " + " ".join(base.WANTED)),
            (oci.layer(tree, source.seconds), "COPY --from=build /opt/connecte /opt/connecte"),
        ],
        source.created,
    )
    layout.write(output, manifest, source.version, source.seconds)
    return packages


def docker() -> bool:
    """Whether there is an engine that answers, not only the command."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "buildx", "version"])
    try:
        return not any(
            subprocess.run(one, capture_output=True, check=False, timeout=ANSWER_SECONDS).returncode
            for one in asked
        )
    except subprocess.TimeoutExpired:
        return False


def by_docker(source: Source, output: Path) -> None:
    subprocess.run(
        [
            *("docker", "buildx", "build", "--file", source.root / recipe.RECIPE),
            *("--build-arg", f"VERSION={source.version}"),
            *("--build-arg", f"REVISION={source.revision}"),
            *("--output", f"type=oci,dest={output},name={NAME}:{source.version}"),
            source.root,
        ],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(source.seconds)},
    )


def _installed(source: Source, work: Path, tree: Path) -> None:
    """What the building stage leaves in `/opt`, as the last stage copies it."""
    runs = [one.text for one in recipe.stages(source.root)[0] if one.name == "RUN"]
    if tuple(" ".join(run.split()) for run in runs) != STEPS:
        raise Unlike(f"{recipe.RECIPE}: its RUN lines are not those that are replayed: {runs}")
    stage = work / "stage"
    recipe.lay_out(source.root, stage)
    _environment(tree)
    lock = stage / "requirements.service.lock"
    platforms = [word for one in PLATFORMS for word in ("--platform", one)]
    _pip(
        *("install", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"),
        *("--python-version", "3.11", "--implementation", "cp", *platforms),
        *("--target", tree / SITE, "-r", lock),
    )
    wheels = work / "wheels"
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, stage)
    (wheel,) = wheels.glob("*.whl")
    own = work / "own"
    _pip("install", "--no-deps", "--no-compile", "--target", own, wheel)
    shutil.copytree(own, tree / SITE, dirs_exist_ok=True)
    _tidy(tree)
    bill = tree / BILL
    _run(sys.executable, "-m", "deploy.made.sbom", "--output", bill, cwd=stage)


def _environment(tree: Path) -> None:
    """What `python -m venv` makes, over the Python of the base."""
    (tree / PLACE / "bin").mkdir(parents=True)
    (tree / PLACE / "bin/python").symlink_to("/usr/bin/python3.11")
    (tree / PLACE / "bin/python3").symlink_to("python")
    settings = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n"
    (tree / PLACE / "pyvenv.cfg").write_text(settings)


def _tidy(tree: Path) -> None:
    """What builds goes; nothing that is left names a folder of this machine."""
    site = tree / SITE
    for name in BUILDS:
        shutil.rmtree(site / name, ignore_errors=True)
        for described in site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(described)
    (site / "distutils-precedence.pth").unlink(missing_ok=True)
    programs = site / "bin"
    for program in sorted(programs.iterdir()):
        _, _, rest = program.read_bytes().partition(b"\n")
        place = tree / PLACE / "bin" / program.name
        place.write_bytes(b"#!/opt/connecte/bin/python\n" + rest)
        place.chmod(0o755)
    shutil.rmtree(programs)
    for written in site.glob("*.dist-info/direct_url.json"):  # it names the folder of the build
        written.unlink()
        record = written.with_name("RECORD")
        kept = [line for line in record.read_text().splitlines(True) if written.name not in line]
        record.write_text("".join(kept))
    # Sets are compiled in the order of their hashes, which chance decides in every process.
    _run(
        *(sys.executable, "-m", "compileall", "-qq", "-s", tree, "-p", "/"),
        *("--invalidation-mode", "unchecked-hash", site),
        PYTHONHASHSEED="0",
    )


def _pip(*arguments: str | Path) -> None:
    _run(sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")


def _run(*command: str | Path, cwd: Path | None = None, **settings: str) -> None:
    subprocess.run(
        command, check=True, cwd=cwd, stdout=subprocess.DEVNULL, env={**os.environ, **settings}
    )
