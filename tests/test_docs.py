"""The documentation leads where it says: links, paths and trees are those that there are.

What is in tables is compared with the code; what is to be typed, by `tests/test_shell.py`. What it
cannot catch: a sentence that is not true any more.
"""

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest

from schemas.topics import COMMANDS, Service
from services.feedback.settings import FeedbackSettings
from services.notify.settings import NotifySettings
from services.portal.settings import PortalSettings

ROOT = Path(__file__).parents[1]
TOP = ("schemas", "services", "deploy", "tests", "docs")
NOT_OURS = {"__pycache__", "node_modules"}

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\[\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
OUTSIDE = re.compile(r"[a-z][a-z+]*:")
PATH = re.compile(rf"(?:{'|'.join(TOP)})/[\w./*-]*")
ENTRY = re.compile(r"^((?:  )*)([\w.-]+)/(?= |$)", re.MULTILINE)


def of_ours(path: Path) -> bool:
    return not NOT_OURS & set(path.relative_to(ROOT).parts)


def pages() -> list[str]:
    below = (page for top in TOP for page in (ROOT / top).rglob("*.md"))
    found = [page for page in (*ROOT.glob("*.md"), *below) if of_ours(page)]
    return sorted(page.relative_to(ROOT).as_posix() for page in found)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be linked by, as code hosts make it of them."""
    found: Counter[str] = Counter()
    names = set()
    for heading in HEADING.findall(prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def broken(page: Path) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    for target in LINK.findall(INLINE.sub("", prose(page))):
        if OUTSIDE.match(target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            yield f"{target}: no such file"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            yield f"{target}: no such heading"


def named(page: Path) -> set[str]:
    """The paths that a page names: in backticks, and in its commands."""
    spoken = [code for code in INLINE.findall(prose(page)) if PATH.match(code)]
    commands = [code for language, code in FENCE.findall(text_of(page)) if language == "sh"]
    words = [word for code in (*spoken, *commands) for word in code.split()]
    return {found[0].rstrip(".") for word in words if (found := PATH.match(word))}


def folders(of: Path) -> set[str]:
    """The folders in a folder that have a file of ours, however deep."""
    return {
        child.name
        for child in of.iterdir()
        if child.is_dir()
        and not child.name.startswith(".")
        and any(file.is_file() and of_ours(file) for file in child.rglob("*"))
    }


def printed(page: Path) -> dict[Path, set[str]]:
    """The tree that a page prints: each folder that is opened there, and the folders in it."""
    [tree] = [code for _, code in FENCE.findall(text_of(page)) if code.startswith("schemas/")]
    opened: dict[Path, set[str]] = {}
    way: list[str] = []
    for indent, name in ENTRY.findall(tree):
        del way[len(indent) // 2 :]
        opened.setdefault(ROOT.joinpath(*way), set()).add(name)
        way.append(name)
    return opened


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    assert list(broken(ROOT / page)) == []


@pytest.mark.parametrize("page", pages())
def test_every_path_that_is_named_exists(page: str) -> None:
    assert [path for path in sorted(named(ROOT / page)) if not any(ROOT.glob(path))] == []


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_tree_that_is_printed_is_that_of_the_repository(page: str) -> None:
    opened = printed(ROOT / page)
    assert opened[ROOT] == set(TOP)
    for folder, shown in opened.items():
        if folder != ROOT:
            assert shown == folders(folder), folder.relative_to(ROOT)


def test_every_setting_has_its_row() -> None:
    read_by_opentelemetry = {"OTEL_EXPORTER_OTLP_HEADERS"}
    lines = text_of(ROOT / "docs/operating/settings.md").splitlines()
    firsts = [line.split("|")[1] for line in lines if line.startswith("| ")]
    told = {name for first in firsts for name in INLINE.findall(first)}
    kinds = (FeedbackSettings, NotifySettings, PortalSettings)
    settings = {str(field.alias) for kind in kinds for field in kind.model_fields.values()}
    assert told == settings | read_by_opentelemetry


@pytest.mark.parametrize("service", COMMANDS)
def test_coordinators_are_told_every_collection(service: Service) -> None:
    [row] = [
        line
        for line in text_of(ROOT / "docs/coordinating.md").splitlines()
        if line.startswith(f"| {service} |")
    ]
    listed = import_module(f"services.{service}.views").LISTED
    assert set(INLINE.findall(row.split("|")[2])) == {kind.collection for kind in listed}


def threats() -> list[tuple[str, list[str]]]:
    """What the threat model is against, and the tests that each line names."""
    table = (ROOT / "SECURITY.md").read_text("utf-8").partition("| against |")[2].partition("\n\n")
    rows = [row.strip("| ").split(" | ") for row in table[0].splitlines()[2:]]
    return [(row[0], re.findall(r"`(tests/[\w/.:]+)`", row[-1])) for row in rows]


def test_every_line_of_the_threat_model_names_a_test_that_there_is() -> None:
    lines = threats()
    assert len(lines) >= 20
    for against, named in lines:
        assert named, against
        for one in named:
            file, _, test = one.partition("::")
            text = (ROOT / file).read_text("utf-8")
            assert re.search(rf"^(async )?def {test or 'test_'}", text, re.MULTILINE), one


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `page`, of ours\n\n## Twice\n\n## Twice\n\n```sh\n# [no](link.md)\n```\n"
        "[itself](#a-page-of-ours) [again](page.md#twice-1) [out](https://example.org/gone)\n"
        "`[quoted](gone.md)` [gone](gone.md) [unheard](#twice-2)\n"
    )
    assert list(broken(page)) == ["gone.md: no such file", "#twice-2: no such heading"]


def test_paths_are_found_in_backticks_and_in_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`docs/gone.md`, `tests/*/test_*.py`, `connecte`, docs/plain.md\n"
        "```sh\npython -m pytest tests/gone -q\n```\n```\ndeploy/not-a-command\n```\n"
    )
    assert named(page) == {"docs/gone.md", "tests/*/test_*.py", "tests/gone"}


def test_every_decision_stands_in_their_index_once_and_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\)", (folder / "README.md").read_text(), re.M)
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [(name[:4], name) for name in files] == listed
