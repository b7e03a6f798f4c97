"""What the gate finds, and what was agreed on.

Always holds: a finding names its place, what is other, what its author can do, and in one sentence
what those have to do who depend on it.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

AGREED = Path(__file__).parents[1] / "agreed.toml"

Agreed = Mapping[tuple[str, str], str]
"""Place and what was there to what may be there now."""


class NotReleased(Exception):
    """A file or a directory has nothing released, or something else; the text says which."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is broken, where, and what to do about it. `field` is `PairProposed.reasons.0.value`.

    With `was` and `now` it can be agreed on (`schemas/agreed.toml`); without, it cannot.
    """

    field: str
    what: str
    remedy: str
    others: str
    was: str | None = None
    now: str | None = None
    sealed_later: bool = False
    """Nothing is wrong but that it was not sealed yet, which releasing does."""

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.remedy}; {self.others}"


def agreed(path: Path = AGREED) -> dict[tuple[str, str], str]:
    """What was agreed on. Raises `NotReleased` if the file is not as it has to be."""
    if not path.exists():
        return {}
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("change", [])
        for row in rows:
            if set(row) != {"of", "was", "now", "because", "others"}:
                raise ValueError("a change has of, was, now, because and others")
            if not all(isinstance(text, str) and text.strip() for text in row.values()):
                raise ValueError("every word of a change is a text")
        return {(row["of"], row["was"]): row["now"] for row in rows}
    except (ValueError, AttributeError, TypeError) as error:
        raise NotReleased(f"{path}: {error}") from None


def still_open(findings: Iterable[Finding], words: Agreed) -> Iterator[Finding]:
    """The findings on which nobody agreed, each once."""
    met: set[Finding] = set()
    for finding in findings:
        if finding not in met and not _is_agreed(finding, words):
            met.add(finding)
            yield finding


def _is_agreed(finding: Finding, words: Agreed) -> bool:
    """Whether a way of agreed changes leads from what was to what is."""
    if finding.was is None or finding.now is None:
        return False
    at, met = finding.was, {finding.was}
    while (following := words.get((finding.field, at))) is not None:
        if following == finding.now:
            return True
        if following in met:
            return False
        at = following
        met.add(at)
    return False
