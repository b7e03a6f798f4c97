"""What was released stays as it was: a hash of each schema and of the rest, in a file of its own.

`schemas/released.sha256` has a line for each version of a type (`PairFormed.v1`), for the contract,
and for the golden records of each version. `connecte schemas release` alone writes it, and does not
where something is not as it is listed: who edits what was published, together with the code or
without, has to edit this file by hand too, which nobody overlooks. The last tag, where there is
one, is out of reach even then (`deploy/operating/tagged.py`).
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.gate.findings import Finding

SEAL = Path(__file__).parents[1] / "released.sha256"


def items(
    versions: Mapping[str, Mapping[int, Any]], contract: Any, golden: Mapping[str, str]
) -> dict[str, str]:
    """Each thing that was released to its hash."""
    found = {f"{name}.v{n}": _hash(of[n]) for name, of in versions.items() for n in of}
    found["contract"] = _hash(contract)
    for writer in sorted({name.partition("/")[0] for name in golden}):
        files = {name: digest for name, digest in golden.items() if name.startswith(f"{writer}/")}
        found[f"golden/{writer}"] = _hash(files)
    return found


def _hash(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def sealed(path: Path = SEAL) -> dict[str, str]:
    """What is listed, as `sha256sum` writes it."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = (line.split("  ", 1) for line in lines if line.strip())
    return {row[-1]: row[0] for row in rows}


def check(now: Mapping[str, str], listed: Mapping[str, str]) -> Iterator[Finding]:
    """What is not as it was released."""
    for name, digest in listed.items():
        if now.get(name) != digest:
            yield Finding(
                name,
                "was changed after it was released" if name in now else "was released and is gone",
                "take the change back: what was published is written by connecte schemas release",
                "nothing, once it is as they know it",
            )
    for name in sorted(now.keys() - listed.keys()):
        what, remedy = "is released and not sealed", "connecte schemas release"
        yield Finding(name, what, remedy, "nothing", sealed_later=True)


def write(now: Mapping[str, str], path: Path = SEAL) -> None:
    """Seal what is released."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(now.items()))
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
