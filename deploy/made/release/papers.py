"""What goes with a release's files: notes, checksums, and where they come from.

The provenance is an in-toto statement (SLSA 1.0) over the checksums, unsigned: who publishes signs
it, with `cosign attest-blob` or with what their forge has.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.made.release.source import NotReleasable, Source

SUMS = "SHA256SUMS"


def notes(source: Source) -> str:
    """What changes: the version's part of CHANGELOG, and what its chart asks for (Markdown)."""
    changes = _part(source.root / "CHANGELOG.md", f"[{source.version}]")
    chart = _part(source.root / "deploy/chart/UPGRADING.md", source.version)
    return (
        f"# Connecte ton manager {source.version}\n\nRevision {source.revision}.\n\n"
        f"{changes}\n\n## Upgrading the chart\n\n{chart}\n"
    )


def _part(file: Path, version: str) -> str:
    """What stands under the heading of a version."""
    pattern = rf"^## {re.escape(version)}[^\n]*\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, file.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise NotReleasable(f"{file.name} has no part for {version}: begin it with `## {version}`")
    return found[1].strip()


def sums(files: Iterable[Path]) -> str:
    """As `sha256sum --check` reads it."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)
    )


def provenance(source: Source, checksums: str, packages: Iterable[str]) -> str:
    """Who made what from what: `packages` are Debian's in the image, as `name=version`."""
    locks = ("requirements.service.lock", "deploy/Dockerfile")
    materials: list[dict[str, Any]] = [
        {"uri": "git+" + _home(source.root), "digest": {"gitCommit": source.revision}},
        *({"uri": name, "digest": {"sha256": _sha256(source.root / name)}} for name in locks),
        *({"uri": "pkg:deb/debian/" + one.replace("=", "@", 1)} for one in packages),
    ]
    subjects = [line.split("  ", 1) for line in checksums.splitlines()]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha}} for sha, name in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": _home(source.root) + "/make-release/v1",
                "externalParameters": {"version": source.version, "revision": source.revision},
                "resolvedDependencies": materials,
            },
            "runDetails": {"builder": {"id": _home(source.root) + "/make-release"}},
        },
    }
    return json.dumps(statement, indent=2, sort_keys=True) + "\n"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _home(root: Path) -> str:
    """The project's own address, as `publiccode.yml` has it."""
    (found,) = re.findall(r'^url: "(.*)"$', (root / "publiccode.yml").read_text(), re.MULTILINE)
    return str(found)
