"""What is released: a revision as it was committed, laid out in a folder of its own.

Always holds: nothing that is not committed is in a release.
"""

import subprocess
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Source:
    """What is built: a laid-out revision, its version, its commit and when that was made."""

    root: Path
    version: str
    revision: str
    seconds: int  # since 1970

    @property
    def created(self) -> str:
        """When it was committed, as RFC 3339."""
        return datetime.fromtimestamp(self.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class NotReleasable(Exception):
    """The revision contradicts itself; the text says where."""


def committed(checkout: Path, into: Path, revision: str = "HEAD") -> Source:
    """Lay a revision of a checkout out under `into`."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(
            ["git", "-C", checkout, *arguments], check=True, capture_output=True
        ).stdout

    into.mkdir(parents=True)
    archive = git("archive", "--format=tar", revision)
    subprocess.run(["tar", "--extract", "--directory", into], input=archive, check=True)
    commit = git("rev-parse", f"{revision}^{{commit}}").decode().strip()
    seconds = int(git("show", "--no-patch", "--format=%ct", commit))
    return Source(into, version(into), commit, seconds)


def version(root: Path) -> str:
    """That of `pyproject.toml`; raises NotReleasable where another file says another one."""
    found = str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])
    about = yaml.safe_load((root / "deploy/chart/Chart.yaml").read_text())
    public = yaml.safe_load((root / "publiccode.yml").read_text())
    said = {
        "deploy/chart/Chart.yaml (version)": about["version"],
        "deploy/chart/Chart.yaml (appVersion)": about["appVersion"],
        "publiccode.yml (softwareVersion)": public["softwareVersion"],
    }
    for place, other in said.items():
        if str(other) != found:
            raise NotReleasable(f"{place} says {other}, and pyproject.toml {found}")
    return found
