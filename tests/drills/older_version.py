"""The tree as an older version had it: what an installation runs before it is upgraded.

Always holds: it is the last release, or what stands nearest to one: the last tag; without a tag
what was there before the last commit that added to the released contract, so that today's types are
new to it. `CONNECTE_DRILL_FROM` says another revision.
"""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("services", "schemas", "deploy")
RELEASED = "schemas/released.json"


class NoHistory(Exception):
    """This tree has no older versions, such as one that was downloaded or cloned without them."""


def older_revision() -> str:
    """The revision that an upgrade is tried from. Raises `NoHistory`."""
    if asked := os.environ.get("CONNECTE_DRILL_FROM"):
        return asked
    tags = _git("tag", "--list", "--sort=-v:refname", "--merged", "HEAD").split()
    found = tags or _git("log", "-1", "--format=%H^", "--", RELEASED).split()
    if not found:
        raise NoHistory("no tag, and no commit of the released contract: git fetch --unshallow")
    return found[0]


def write_older_version(directory: Path, revision: str) -> dict[str, str]:
    """Make the tree in a directory; the settings with which a process runs it."""
    archive = _git_bytes("archive", revision, *COPIED)
    with tarfile.open(fileobj=BytesIO(archive)) as tree:
        tree.extractall(directory, filter="data")
    return {"PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _git(*arguments: str) -> str:
    return _git_bytes(*arguments).decode()


def _git_bytes(*arguments: str) -> bytes:
    try:
        done = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"").decode().strip() or str(error)
        raise NoHistory(f"git {arguments[0]}: {told}") from None
    return done.stdout
