"""The image's recipe, followed without Docker: what is let in, what is copied, the wheel."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "deploy" / "Dockerfile").read_text()
LATER = {"requirements.service.lock"}
"""What need not be there: a checkout that has made no lock can still be built and tried."""


@lru_cache
def _rules() -> list[tuple[bool, re.Pattern[str]]]:
    """Of `.dockerignore`, in order: whether it lets in, and the paths that it is about.

    Of Docker's patterns those that the file has: whole paths, `*` within a name, `**/`. A rule
    about a folder is about everything below it.
    """
    found = []
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        text = line.strip().removeprefix("!").rstrip("/")
        if not text or text.startswith("#"):
            continue
        signs = {"**/": "(?:.*/)?", "*": "[^/]*"}
        parts = re.split(r"(\*\*/|\*)", text)
        pattern = "".join(signs.get(part, re.escape(part)) for part in parts)
        found.append((line.startswith("!"), re.compile(f"{pattern}(?:/.*)?")))
    return found


def let_in(path: PurePosixPath) -> bool:
    """Whether Docker gets to see a file of the checkout: the last rule about it decides."""
    verdicts = [lets for lets, pattern in _rules() if pattern.fullmatch(str(path))]
    return verdicts[-1] if verdicts else True


def copied() -> Iterator[tuple[list[str], str]]:
    """Sources and target of each COPY from the checkout, in order."""
    for line in re.findall(r"^COPY (?!--from)(.*)$", RECIPE, re.MULTILINE):
        *sources, target = line.split()
        yield sources, target


def lay_out(stage: Path) -> None:
    """Put into a folder what the building stage has in its own."""
    for sources, target in copied():
        for source in sources:
            begin = ROOT / source
            if not begin.exists() and source in LATER:
                continue
            files = [f for f in begin.rglob("*") if f.is_file()] if begin.is_dir() else [begin]
            for file in files:
                if let_in(PurePosixPath(file.relative_to(ROOT).as_posix())):
                    inner = file.relative_to(begin) if begin.is_dir() else Path(file.name)
                    place = stage / target / inner
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, place)


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
