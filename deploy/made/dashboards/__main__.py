"""Writes the dashboards that the chart brings: `python -m deploy.made.dashboards [--check]`.

`programme.json` and `machine.json` are generated and committed. Always holds: the same code gives
the same bytes.
"""

import argparse
import sys
from collections.abc import Sequence

from deploy.made.dashboards import WRITTEN, machine, programme


def files() -> dict[str, str]:
    """Name to content, as it has to be."""
    return {"programme.json": programme.dashboard(), "machine.json": machine.dashboard()}


def differing() -> list[str]:
    """Names of the files that are missing or not current."""
    return [
        name
        for name, content in files().items()
        if not (WRITTEN / name).exists() or (WRITTEN / name).read_bytes() != content.encode()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; with --check only say which are not current (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m deploy.made.dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    wrong = differing()
    for name in wrong:
        if not check:
            (WRITTEN / name).write_text(files()[name], encoding="utf-8", newline="\n")
        sys.stdout.write(
            f"{'not current' if check else 'written'}: deploy/chart/files/dashboards/{name}\n"
        )
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
