"""The tables of docs/reliability.md: what the runs that are published there have answered.

`python -m deploy.trial.chaos.published` writes them; a test holds them to be current. To publish a
run, put what `connecte chaos --json` says into `docs/reliability/chaos-seed-N.json`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.trial.chaos.faults import KINDS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "reliability.md"
MARK = "<!-- generated: python -m deploy.trial.chaos.published -->\n"
END = "<!-- generated up to here -->\n"

Answer = Mapping[str, Any]
"""What `connecte chaos --json` says at its end."""

ROWS: Mapping[str, str] = {
    "minutes of load and faults": "{minutes:g}",
    "faults (kinds)": "{faults_total} ({kinds})",
    "events": "{events:,}",
    "programmes: pairs formed, graduated": "{programmes}: {pairs_formed}, {pairs_graduated}",
    "commands accepted (refused by a rule)": "{commands_accepted:,} ({commands_refused})",
    "letters (handed over again)": "{letters:,} ({letters_redelivered:,})",
    "letters handed over again after": "{after}",
    "published again, passed over by readers": "{republished:,}",
    "starts of processes; ended with an error": "{starts}; {ended}",
    "poison in the log; parked": "{poison_in_log}; {parked}",
    "**lost**": "**{lost}**",
    "**doubled**": "**{doubled}**",
    "**rebuilt equal**": "**{equal}**",
}


def published() -> list[Answer]:
    """The runs under docs/reliability, by their seed."""
    files = (DOCS / "reliability").glob("chaos-seed-*.json")
    return sorted((json.loads(file.read_text(encoding="utf-8")) for file in files), key=_seed)


def page(old: str, answers: Sequence[Answer]) -> str:
    """The whole page: what was written by hand, and the tables of these runs."""
    before, _, rest = old.partition(MARK)
    return before + MARK + "".join(_tables(answers)) + END + rest.partition(END)[2]


def _tables(answers: Sequence[Answer]) -> Iterator[str]:
    seeds = [f"seed {_seed(answer)}" for answer in answers]
    yield from _head("", *seeds)
    for name, form in ROWS.items():
        yield _row(name, *(form.format_map(_told(answer)) for answer in answers))
    yield from _head("fault", "what happens", *seeds)
    for name, kind in sorted(KINDS.items()):
        counts = (str(answer["faults"].get(name, 0)) for answer in answers)
        yield _row(f"`{name}`", kind.about, *counts)
    yield "\n"


def _told(answer: Answer) -> dict[str, Any]:
    equal = "yes" if answer["rebuilt_equal"] else "no"
    after = ", ".join(f"{name} {n}" for name, n in answer.get("letters_again", {}).items() if n)
    told = {"ended": len(answer["exits"]), "equal": equal, "after": after or "not told apart"}
    return {**answer, **told}


def _head(*names: str) -> Iterator[str]:
    yield "\n" + _row(*names) + _row(*["---"] * len(names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _seed(answer: Answer) -> int:
    return int(answer["seed"])


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.trial.chaos.published", description=__doc__
    )
    parser.parse_args()
    old = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(old, published()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
