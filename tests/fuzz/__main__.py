"""`python -m tests.fuzz`: anything, to the real parts, for a while; 1 if something is wrong then.

A round that found something is kept in `build/fuzz/`; `--replay` plays it input by input.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console

from tests.fuzz.campaign import campaign, fresh_seed, replay

_OUT = Console(highlight=False, markup=False, soft_wrap=True)
_ERR = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    options = _options()
    if options.replay is not None:
        found = asyncio.run(replay(options.replay, _ERR.print, options.kafka))
    else:
        seed = fresh_seed() if options.seed is None else options.seed
        told = asyncio.run(campaign(seed, options.minutes * 60, _ERR.print, options.kafka))
        found = told.found
        _OUT.print(f"seed {seed}: {told.inputs} inputs in {told.rounds} rounds")
        _OUT.print(", ".join(f"{count} {what}" for what, count in sorted(told.answers.items())))
        if told.file is not None:
            _OUT.print(f"kept: {told.file}")
    for what in found:
        _OUT.print(what)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--seed", type=int, help="a fresh one, if none is given")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="a round that was kept")
    parser.add_argument("--kafka", help="the address of a broker without any of the topics")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
