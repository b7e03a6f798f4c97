"""Programs that are no Python: whether they are here, and the packages that they need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kept import kept

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"


def needed(*programs: str) -> None:
    """Skip a test whose programs are not on this machine."""
    if missing := [name for name in programs if shutil.which(name) is None]:
        pytest.skip(f"not on this machine: {', '.join(missing)}")


def installed(project: Path, there: Path) -> Path:
    """A copy of a Node project, with the packages of its lock."""

    def packages(home: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(project / name, home)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ended = subprocess.run(
            install, cwd=home, check=False, timeout=300, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr

    lock = (project / "package-lock.json").read_bytes()
    modules = kept(f"node-{there.name}", lock, packages) / "node_modules"
    there.mkdir(parents=True, exist_ok=True)
    link = there / "node_modules"
    if not link.is_symlink() or link.readlink() != modules:
        shutil.rmtree(link, ignore_errors=True)
        link.unlink(missing_ok=True)
        link.symlink_to(modules)
    for file in (project / "package.json", *project.glob("*.mjs")):
        shutil.copy(file, there)
    return there
