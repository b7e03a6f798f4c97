"""Programs that are no Python: whether they are here, and packages for them below build/."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"


def needed(*programs: str) -> None:
    """Skip a test whose programs are not on this machine."""
    if missing := [name for name in programs if shutil.which(name) is None]:
        pytest.skip(f"not on this machine: {', '.join(missing)}")


def installed(project: Path, there: Path) -> Path:
    """A copy of a Node project with its packages, made anew when its lock has changed."""
    there.mkdir(parents=True, exist_ok=True)
    lock = (project / "package-lock.json").read_bytes()
    done = there / "installed.json"
    if not done.is_file() or done.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(project / name, there)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        install += ["--cache", str(BUILD / "npm")]
        ended = subprocess.run(
            install, cwd=there, check=False, timeout=300, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        done.write_bytes(lock)
    for script in project.glob("*.mjs"):
        shutil.copy(script, there)
    return there
