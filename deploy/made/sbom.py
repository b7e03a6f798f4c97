"""Writes the bill of materials of the image's Python packages (CycloneDX 1.6, JSON).

Names, versions and hashes are those of `requirements.service.lock`, licences and dependencies those
of the packages as they are installed. Always holds: the same lock gives the same bytes on the same
version of Python, and no address of a package index is in them. What the base image brings is not
listed.
"""

import argparse
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([\w.-]+)==(\S+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("5f0ad2b4-4f0c-4f39-9d0f-3c1b6d1a7a0e")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock; `hashes` are those of all files that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(lock: str) -> dict[str, Pin]:
    """Every package of a lock file by its canonical name, in order."""
    found = (
        Pin(canonicalize_name(name), version, tuple(sorted(_HASH.findall(rest))))
        for name, version, rest in _PIN.findall(lock)
    )
    return dict(sorted((pin.name, pin) for pin in found))


def bill(lock: str, project: Object) -> Object:
    """The document; `project` is `pyproject.toml`.

    Raises ValueError when what is installed is not what is locked.
    """
    locked = pins(lock)
    installed = {name: distribution(name) for name in locked}
    for name, pin in locked.items():
        if installed[name].version != pin.version:
            raise ValueError(f"{name}: {pin.version} is locked, {installed[name].version} is here")
    about = project["project"]
    needed = [Requirement(text) for text in about["dependencies"]]
    needs = _graph(needed, installed)
    root = f"{about['name']}@{about['version']}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": about["name"],
                "version": about["version"],
                "description": about["description"],
                "licenses": [{"license": {"id": about["license"]}}],
            }
        },
        "components": [_component(pin, installed[pin.name], needs) for pin in locked.values()],
        "dependencies": [
            {"ref": root, "dependsOn": _purls((one.name for one in needed), locked)},
            *(
                {"ref": pin.purl, "dependsOn": _purls(needs.get(pin.name, ()), locked)}
                for pin in locked.values()
            ),
        ],
    }
    # Of the content, so that two documents that say the same are the same.
    serial = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    return {**document, "serialNumber": f"urn:uuid:{serial}"}


def _purls(names: Iterable[str], locked: dict[str, Pin]) -> list[str]:
    """Of those that are locked: what the lock leaves out on purpose is not in the image."""
    return sorted(pin.purl for name in names if (pin := locked.get(canonicalize_name(name))))


def _component(pin: Pin, installed: Distribution, needs: dict[str, set[str]]) -> Object:
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        # What only builds is taken away again before the image is done.
        "scope": "required" if pin.name in needs else "excluded",
        "licenses": [_licence(installed)],
        "hashes": [{"alg": "SHA-256", "content": content} for content in pin.hashes],
        "purl": pin.purl,
    }


def _licence(installed: Distribution) -> Object:
    """As the package declares it: an SPDX expression, or else the words of its authors."""

    def said(field: str) -> list[str]:
        return installed.metadata.get_all(field) or []

    for expression in said("License-Expression"):
        return {"expression": expression}
    lines = "\n".join(said("License")).strip().splitlines()
    classified = [c.split(" :: ")[-1] for c in said("Classifier") if c.startswith("License :: ")]
    return {"license": {"name": [*lines, *classified, "unknown"][0].strip()}}


def _graph(
    needed: Sequence[Requirement], installed: dict[str, Distribution]
) -> dict[str, set[str]]:
    """What each package needs, by name, from those that are `needed`, with the extras asked for."""
    found: dict[str, set[str]] = {}
    done: set[tuple[str, str]] = set()
    waiting = list(needed)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in done:
                continue
            done.add((name, extra))
            if name not in installed:
                continue
            for text in installed[name].requires or ():
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    found.setdefault(name, set()).add(canonicalize_name(inner.name))
                    waiting.append(inner)
        if name in installed:
            found.setdefault(name, set())
    return found


def text() -> str:
    """The document of this checkout, as it is written."""
    lock = (ROOT / "requirements.service.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return json.dumps(bill(lock, project), indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the document, and make its folder."""
    parser = argparse.ArgumentParser(prog="python -m deploy.made.sbom", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    output: Path = parser.parse_args(arguments).output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
