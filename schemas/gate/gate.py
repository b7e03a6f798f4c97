"""The gate: all that a change of the contract would break, against what was released.

Always holds: what is published is asked after in this order. Is it as it was released (`seal`)? Do
today's schemas, topics, headers, ids, partitions and words keep it (`compatibility`, `contract`)?
Would what was written then be written so today (`golden`)?
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.gate import compatibility, contract, generate, golden, seal
from schemas.gate.findings import Finding, agreed, still_open


@dataclass(frozen=True, slots=True)
class Release:
    """What was released: schemas, contract, and the hash of every golden file."""

    versions: compatibility.Versions
    contract: contract.Contract | None
    golden: Mapping[str, str]


def here() -> Release:
    """The release that this tree says it stands on. Raises `NotReleased`."""
    return Release(
        compatibility.released(),
        contract.released(),
        golden.listed_here(),
    )


def sealable(release: Release) -> dict[str, str]:
    """What of a release is sealed, with its hash."""
    return seal.items(release.versions, release.contract, release.golden)


def check(*tags: tuple[str, Release]) -> list[Finding]:
    """Everything that would break if today's contract were released, and on which nobody agreed.

    Against what this tree says was released, and against what these tags had. Raises `NotReleased`.
    """
    now = here()
    found = [*_of_this_tree(now), *(one for tag in tags for one in _of_a_tag(*tag, now))]
    return list(still_open(found, agreed()))


def _of_this_tree(release: Release) -> Iterator[Finding]:
    yield from seal.check(sealable(release), seal.sealed())
    yield from golden.edited(release.golden, golden.sums(), golden.SUMS)
    yield from _broken(release)
    yield from golden.check(golden.written())


def _of_a_tag(tag: str, tagged: Release, now: Release) -> Iterator[Finding]:
    """Within a version a schema may have grown since; golden records stay as they are."""
    for name, versions in tagged.versions.items():
        for n in versions:
            if n not in now.versions.get(name, {}):
                what = f"was released with {tag} and is gone"
                yield Finding(f"{name}.v{n}", what, "put it back", "nothing, once it is there")
    yield from golden.edited(tagged.golden, golden.sums(), tag)
    yield from _broken(tagged)


def schemas_broken(versions: compatibility.Versions) -> Iterator[Finding]:
    """What would break of these schemas, and what is told otherwise."""
    yield from compatibility.check(versions)
    yield from compatibility.told_otherwise(versions)


def _broken(release: Release) -> Iterator[Finding]:
    yield from schemas_broken(release.versions)
    if release.contract is not None:
        yield from contract.check(release.contract)


def publish() -> list[str]:
    """Release today's language; what was not released as it is. The gate must have passed."""
    names = compatibility.release()
    today: Any = contract.today()
    text = generate.text(today)
    if not contract.CONTRACT.exists() or contract.CONTRACT.read_text(encoding="utf-8") != text:
        contract.CONTRACT.write_text(text, encoding="utf-8", newline="\n")
        names.append("contract")
    seal.write(sealable(here()))
    return names
