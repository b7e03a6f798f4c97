"""What was released, as the last tag has it: out of reach of whoever edits the tree.

Reads git by its command, and only where there is one: an archive of the sources has no tags.
"""

import subprocess
from pathlib import Path

from schemas.gate import compatibility, contract, golden
from schemas.gate.findings import NotReleased
from schemas.gate.gate import Release

ROOT = Path(__file__).parents[2]
ANSWER_SECONDS = 60.0


def last_tag(root: Path = ROOT) -> str | None:
    """The newest tag `v…` behind what is checked out; nothing if there is none, or no git."""
    return _git(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")


def release_at(ref: str, root: Path = ROOT) -> Release:
    """What was released at a tag or a commit; what had no file then is left out.

    Raises `NotReleased` if nothing was.
    """
    schemas = _at(root, ref, compatibility.RELEASED)
    if schemas is None:
        raise NotReleased(f"{ref} has no {compatibility.RELEASED.name}, or is not known to git")
    rest = _at(root, ref, contract.CONTRACT)
    sums = _at(root, ref, golden.GOLDEN / golden.SUMS)
    try:
        return Release(
            compatibility.read(schemas),
            contract.read(rest) if rest else None,
            golden.listed(sums or ""),
        )
    except ValueError:
        raise NotReleased(f"{ref} has released files that cannot be read") from None


def _at(root: Path, ref: str, path: Path) -> str | None:
    return _git(root, "show", f"{ref}:{path.relative_to(ROOT).as_posix()}")


def _git(root: Path, *words: str) -> str | None:
    try:
        said = subprocess.run(
            ("git", "-C", root, *words), capture_output=True, check=True, timeout=ANSWER_SECONDS
        )
    except subprocess.TimeoutExpired:  # not "nothing was released": the gate would stand open
        raise NotReleased(f"git did not answer within {ANSWER_SECONDS:g} s") from None
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.decode().strip("\n") or None
