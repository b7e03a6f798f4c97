"""The table of docs/privacy.md: what is kept, where, and until when. From `schemas.retention`.

`python -m deploy.made.privacy_page` writes it; a test holds it to be current.
"""

from collections.abc import Iterator
from pathlib import Path

from schemas.retention import RETENTION

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
BEGIN = "<!-- generated: python -m deploy.made.privacy_page -->\n"
END = "<!-- end -->\n"


def page(old: str) -> str:
    """The whole page: what was written by hand, and the table as it is today."""
    before, _, rest = old.partition(BEGIN)
    return before + BEGIN + "".join(_table()) + END + rest.partition(END)[2]


def _table() -> Iterator[str]:
    yield "| kind | on topics | beside them | until |\n| --- | --- | --- | --- |\n"
    for kept in RETENTION:
        topics = ", ".join(f"`{name.removeprefix('mentoring.')}`" for name in kept.topics)
        yield f"| {kept.what.en} | {topics or '-'} | {kept.beside.en} | {kept.until.en} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
