"""What the documentation has people type can be typed as it stands there.

Every block of shell is one; `connecte` takes every command of it with its own parser, which runs
none; every request of a service has a route, the token where that asks for one, and a body that is
the command. What stands for something (`SERVICE`, `$service`, `…`) is filled in with one that is.

What it cannot catch: a command of others (`openssl`, `docker`) that is wrong; of those `kubectl`
and `helm` are held by `tests/deploy/chart/test_documented.py`.
"""

import argparse
import contextlib
import io
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module, util
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from typer.main import get_command

from deploy.cli import app
from schemas.people import PersonErased
from schemas.topics import COMMANDS, TYPES, Service
from services.chassis.http.links import generate_keys
from tests.conftest import PATIENCE
from tests.test_docs import FENCE, INLINE, ROOT, pages, prose, text_of

FILLED = {
    "SERVICE": "matching",
    "ORIGIN": "mentoring.matching.commands/1/102",
    "TYPE": "PairFormed",
    "COHORT": "bercy-2017",
    "LETTER": "m-1~g-1~proposal",
    "service": "matching",
    "letter": "m-1~g-1~proposal",
    "by": "mentor",
}
STANDS_FOR = re.compile(r"\$\{?(\w+)\}?|\b([A-Z]+)\b")
CHOICE = re.compile(r"[a-z]+(/[a-z]+)+")
ADDRESSES = {f"CONNECTE_{name.upper()}_URL": "https://example.org" for name in COMMANDS}


class _Lines(io.StringIO):
    """Of a comment the newline stays: it ends the command."""

    def readline(self, size: int | None = -1, /) -> str:
        line = super().readline(-1 if size is None else size)
        if line.endswith("\n"):
            self.seek(self.tell() - 1)
        return line


def simple_commands(shell: str) -> list[list[str]]:
    """The words of every command between `;`, `|`, `&`, parentheses and ends of lines."""
    lines = _Lines(shell.replace("\\\n", " "))
    lexer = shlex.shlex(lines, posix=True, punctuation_chars=";&|()<>\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";&|()\n"):
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


@dataclass(frozen=True)
class Typed:
    """A command of a page; `spoken` of in its text, it may leave out what has to be given."""

    page: str
    words: tuple[str, ...]
    spoken: bool = False

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"[:90]

    def after(self, program: str) -> list[str] | None:
        """What it gives to a program, be it behind another: `kubectl exec POD -- connecte …`,
        `docker run --entrypoint connecte "$IMAGE" …`. It ends where it is redirected.
        """
        names = [word.rpartition("/")[2] for word in self.words]
        if program not in names:
            return None
        given = list(self.words[names.index(program) + 1 :])
        if given[:1] == ["$IMAGE"]:
            del given[0]
        ends = (n for n, word in enumerate(given) if set(word) <= set("<>"))
        given = given[: next(ends, None)]
        rest = given[-1:] == ["…"] and not given[-2:-1][0].startswith("-")
        return given[:-1] if rest else given


def blocks() -> list[tuple[str, str]]:
    """Every page with every block of shell in it."""
    found = [(page, FENCE.findall(text_of(ROOT / page))) for page in pages()]
    return [(page, text) for page, codes in found for kind, text in codes if kind == "sh"]


def typed() -> Iterator[Typed]:
    for page, text in blocks():
        for words in simple_commands(text):
            yield Typed(page, tuple(words))
    for page in pages():
        for code in INLINE.findall(prose(ROOT / page)):
            if re.search(r"\bconnecte [a-z]", code):
                yield from spoken(page, code.replace("\\|", "|"))
    for names, command in subcommands(get_command(app), ("connecte",)):
        for example in re.findall(r"Example: (.+)", command.help or ""):
            yield Typed(f"{' '.join(names)} --help", tuple(shlex.split(example)))


def spoken(page: str, code: str) -> Iterator[Typed]:
    """`connecte parked list|show SERVICE` is two of them."""
    for words in simple_commands(re.sub(r"(?<=\w)\|(?=\w)", "/", code)):
        either = [word.split("/") if CHOICE.fullmatch(word) else [word] for word in words]
        for chosen in itertools.product(*either):
            yield Typed(page, chosen, spoken=True)


def subcommands(command: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of `connecte` that can be run."""
    if not hasattr(command, "commands"):
        yield names, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from subcommands(inner, (*names, name))


def filled(word: str) -> str:
    """A word in which everything that stands for something is something."""
    return STANDS_FOR.sub(lambda found: FILLED.get(found[1] or found[2], found[0]), word)


def refused(words: list[str]) -> str | None:
    """What `connecte` has against a command; it is parsed, and not run."""
    command = get_command(app)
    for _, one in subcommands(command, ()):
        one.callback = None
    said = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as environment,
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        for name, value in ADDRESSES.items():
            environment.setenv(name, value)
        command.main([filled(word) for word in words], "connecte")
    found = re.search(r"^Error: (.*)", said.getvalue(), re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else None


# Requests


class _Curl(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


@dataclass(frozen=True)
class Request:
    """What `curl` is asked to send to a service."""

    service: Service
    method: str
    path: str
    headers: dict[str, str]
    body: str | None


def requested(words: list[str]) -> Request | None:
    """The request to one of the services, or nothing; ValueError for an option nobody knows."""
    parser = _Curl(add_help=False, allow_abbrev=False)
    for flag in "sSG":
        parser.add_argument(f"-{flag}", action="store_true")
    for option in ("-m", "-X", "-d", "--data-urlencode", "--max-time"):
        parser.add_argument(option)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("--fail-with-body", action="store_true")
    parser.add_argument("url")
    given = parser.parse_args(words)
    name, _, rest = given.url.removeprefix("$").partition("/")
    if name.lower() not in COMMANDS:
        return None
    headers = (header.split(":", 1) for header in given.H)
    return Request(
        name.lower(),
        (given.X or ("POST" if given.d else "GET")).lower(),
        urlsplit(f"/{filled(rest)}").path,
        {key.strip().lower(): value.strip() for key, value in headers},
        given.d and filled(given.d),
    )


KINDS = {**TYPES, "PersonErased": PersonErased}
"""What HTTP takes: an erasure is a record without a value, and no type of a topic."""


@cache
def openapi(service: Service) -> dict[str, Any]:
    """What a service says that it can be asked."""
    private, public = generate_keys()
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "MONGODB_URI": "mongodb://127.0.0.1:1/",
        "SMTP_HOST": "127.0.0.1",
        "CONNECTE_LINK_SIGNING_KEY": private,
        "CONNECTE_LINK_VERIFY_KEY": public,
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (settings | ADDRESSES).items():
            environment.setenv(name, value)
        document: dict[str, Any] = import_module(f"services.{service}.app").build().http.openapi()
    return document


def operations(request: Request) -> Iterator[dict[str, Any]]:
    """What a request asks for, where a service can be asked it."""
    for path, methods in openapi(request.service)["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        if request.method in methods and re.fullmatch(pattern, request.path):
            yield methods[request.method]


def wrong_with(request: Request) -> str | None:
    """Why a service would not do what is asked of it."""
    operation = next(operations(request), None)
    if operation is None:
        return f"{request.service} has no {request.method.upper()} {request.path}"
    bearer = request.headers.get("authorization")
    if ("401" in operation["responses"]) is not (bearer == "Bearer $CONNECTE_HTTP_TOKEN"):
        return "the token is missing, or is not asked for"
    if request.method == "post":
        if request.headers.get("content-type") != "application/json":
            return "the body does not say that it is JSON"
        try:
            kind = KINDS[request.path.rpartition("/")[2]]
            kind.model_validate(json.loads(request.body or ""), context="record")
        except (ValidationError, ValueError) as error:
            return str(error)
    return None


TYPED = list(typed())
GIVEN = [one for one in TYPED if one.after("connecte") is not None]
SENT = [one for one in TYPED if one.after("curl") is not None]
MADE = [one for one in TYPED if one.after("make") or one.after("python")]


@pytest.mark.parametrize(("page", "shell"), blocks())
def test_every_block_of_shell_is_one(page: str, shell: str) -> None:
    read = subprocess.run(
        ["bash", "-n"], input=shell, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (read.returncode, read.stderr) == (0, ""), page


@pytest.mark.parametrize("one", GIVEN, ids=str)
def test_every_command_is_one_that_connecte_takes(one: Typed) -> None:
    wrong = refused(one.after("connecte") or [])
    if one.spoken and wrong is not None and wrong.startswith("Missing"):
        return
    assert wrong is None


@pytest.mark.parametrize("one", SENT, ids=str)
def test_every_request_has_its_route_its_token_and_a_body_that_is_taken(one: Typed) -> None:
    request = requested(one.after("curl") or [])
    assert request is None or wrong_with(request) is None


@pytest.mark.parametrize("one", MADE, ids=str)
def test_every_target_and_every_module_exists(one: Typed) -> None:
    if (module := one.after("python")) and module[0] == "-m":
        assert util.find_spec(module[1])
    for target in one.after("make") or ():
        dry = ["make", "--dry-run", "--directory", str(ROOT), target]
        assert subprocess.run(dry, capture_output=True, check=False).returncode == 0, target


def test_the_pages_that_have_most_of_them_are_read() -> None:
    assert len(GIVEN) > 60
    assert len(SENT) > 15
    assert len(MADE) > 5
    folders = {str(Path(one.page).parent) for one in GIVEN}
    assert {"docs/runbooks", "docs/operating", "docs"} <= folders


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("parked list matching", "extra argument"),
        ("parked list --service elsewhere", "elsewhere"),
        ("parked list --all", "--all"),
        ("parked shed SERVICE", "shed"),
        ("rebuild", "Missing"),
        ("topics plan --partitions twelve", "valid integer"),
        ("parked list --service SERVICE --limit 3", None),
        ("rebuild $service --verify", None),
    ],
)
def test_what_connecte_does_not_take_is_found(line: str, wrong: str | None) -> None:
    said = refused(line.split())
    assert said == wrong or (said and wrong and wrong in said)


WITH_TOKEN = '-H "Authorization: Bearer $CONNECTE_HTTP_TOKEN"'
AS_JSON = "-H 'content-type: application/json'"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('curl -s "$MATCHING/health/ready"', None),
        (f'curl -s {WITH_TOKEN} "$MATCHING/health/ready"', "is not asked for"),
        ('curl -s "$NOTIFY/cohorts/COHORT/letters?limit=2"', "the token is missing"),
        (f'curl -s {WITH_TOKEN} "$NOTIFY/cohorts/COHORT/letters?limit=2"', None),
        (f'curl -s {WITH_TOKEN} "$NOTIFY/cohorts/COHORT/sessions"', "has no GET"),
        (f'curl -s {WITH_TOKEN} "$NOTIFY/letters"', "has no GET /letters"),
        (f"curl {WITH_TOKEN} $NOTIFY/commands/RetryLetter -d '{{}}'", "say that it is JSON"),
        (f"curl {WITH_TOKEN} {AS_JSON} $NOTIFY/commands/RetryLetter -d '{{}}'", "letter_id"),
    ],
)
def test_a_request_that_a_service_does_not_take_is_found(line: str, wrong: str | None) -> None:
    [words] = simple_commands(line)
    request = requested(words[1:])
    assert request
    said = wrong_with(request)
    assert said == wrong or (said and wrong and wrong in said)


def test_a_block_is_read_as_a_shell_reads_it() -> None:
    block = """\
for one in a b; do connecte rebuild $one; done  # one's
curl -d '{"a":
  1}' \\
    "$X/y" | python3 -c 'print(1); [2]' > out.json
"""
    assert simple_commands(block) == [
        ["for", "one", "in", "a", "b"],
        ["do", "connecte", "rebuild", "$one"],
        ["done"],
        ["curl", "-d", '{"a":\n  1}', "$X/y"],
        ["python3", "-c", "print(1); [2]", ">", "out.json"],
    ]
