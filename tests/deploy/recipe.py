"""The image's recipe, followed without Docker: what is let in, what is copied, the wheel."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from deploy.made.release import recipe

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / recipe.RECIPE).read_text()


def let_in(path: PurePosixPath) -> bool:
    return recipe.let_in(ROOT, path)


def copied() -> Iterator[tuple[list[str], str]]:
    return recipe.copied(ROOT)


def lay_out(stage: Path) -> None:
    recipe.lay_out(ROOT, stage)


def pip(*arguments: str | Path) -> None:
    """Without network: whatever is not at hand fails."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", *map(str, arguments)),
            *("--quiet", "--disable-pip-version-check", "--no-index"),
        ],
        check=True,
        timeout=300,
    )
