"""`connecte` says what it does, does what it says, and names what is wrong in one line."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient
from typer.testing import CliRunner

from deploy import cli
from deploy.errors import BadInput, explained
from deploy.local.process import free_port
from deploy.local.stack import Stack, Terms, running_stack
from deploy.operating.platform import Platform
from deploy.operating.reach import domain_of
from deploy.operating.rosters import MANAGER_COLUMNS, MENTOR_COLUMNS, write_roster
from deploy.trial.pilot.generate import generate
from schemas.envelope import Record
from schemas.gate import generate as catalogue
from schemas.matching import RunRound
from schemas.topics import TOPICS, Service
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.log.kafka import KafkaLog
from tests.conftest import PATIENCE
from tests.deploy.operating.commands import ROOT, Done, connecte
from tests.deploy.operating.ministry import without

LEAVES = (
    *("demo", "up", "import", "round", "rebuild", "chaos", "match", "erase", "audit", "person"),
    *("letters preview", "letters list", "letters resend", "links revoke"),
    *("coordinators name", "coordinators remove", "roles list", "roles give", "roles take"),
    *("parked list", "parked show", "parked retry", "parked drop"),
    *("topics plan", "topics apply", "topics check", "topics access", "topics list"),
    *("schemas generate", "schemas list"),
    *("schemas check", "schemas release", "schemas sample", "schemas publish"),
)


def here(monkeypatch: pytest.MonkeyPatch, capfd: Any, *arguments: str) -> Done:
    """Run it in this process."""
    monkeypatch.setattr(sys, "argv", ["connecte", *arguments])
    code: int | str | None = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code
    out, err = capfd.readouterr()
    assert isinstance(code, int | None)
    return Done(code or 0, out, err)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CONNECTE_", "MONGODB_", "KAFKA_")):
            monkeypatch.delenv(name)


@pytest.fixture
def rosters(tmp_path: Path) -> Iterator[tuple[str, str]]:
    paths = tmp_path / "mentors.csv", tmp_path / "managers.csv"
    people = generate(9, 6, 5)
    for path, columns, rows in zip(paths, (MENTOR_COLUMNS, MANAGER_COLUMNS), people, strict=True):
        write_roster(path, columns, rows)
    yield str(paths[0]), str(paths[1])


# Help


@pytest.mark.parametrize("command", LEAVES)
def test_every_command_shows_an_example_and_can_speak_json(command: str) -> None:
    shown = CliRunner().invoke(cli.app, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert f"Example: connecte {command}" in " ".join(shown.output.split())
    assert "--json" in shown.output


def test_no_command_is_without_a_test_of_its_help() -> None:
    groups = {group.name: group.typer_instance for group in cli.app.registered_groups}
    found = [c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback]
    for name, group in groups.items():
        assert group is not None
        found += [f"{name} {command.name}" for command in group.registered_commands]
    assert sorted(found) == sorted(LEAVES)


def test_the_page_for_operators_has_every_command() -> None:
    page = (ROOT / "docs/operating/README.md").read_text(encoding="utf-8")
    table = page.partition("| command |")[2].partition("\n\n")[0].replace("\\|", "/")
    told: set[str] = set()
    for row in table.splitlines()[2:]:
        group = ""
        for code in re.findall(r"`([^`]+)`", row.split(" | ")[0]):
            *before, names = [word for word in code.split() if not word.isupper()]
            group = " ".join(before).removeprefix("connecte").strip() or group
            told |= {f"{group} {name}".strip() for name in names.split("/")}
    assert told == set(LEAVES)


# Bad input: one line, 2


BAD = {
    "a wrong id": (
        "import --cohort a/b --mentors m --managers n --matching http://x --notify http://x",
        "--cohort: 'a/b' is no id",
    ),
    "a wrong round": (
        "round --cohort a --round b~c --matching http://x",
        "--round: 'b~c' is no id",
    ),
    "a wrong address": ("round --cohort a --round b --matching x:80", "does not begin with http"),
    "half an address": ("round --cohort a --round b --matching http://[::1", "is no address"),
    "an address of nobody": ("round --cohort a --round b --matching http://", "names no host"),
    "a token of no header": (
        "round --cohort a --round b --matching http://x --token caf\u00e9",
        "the token (CONNECTE_HTTP_TOKEN): no header carries it",
    ),
    "a name too long": (
        f"import --cohort a --open {'x' * 121} --mentors deploy/trial/pilot/mentors.csv "
        f"--managers deploy/trial/pilot/managers.csv --matching http://x --notify http://x",
        "name: String should have at most 120 characters",
    ),
    "pilot with a scale": ("demo --scale 0.5", "--scale is for --scenario ministries"),
    "time that stands": ("demo --days-per-second 0", "--days-per-second is above 0"),
    "always killed": ("demo --kill-every=-1", "--kill-every is above 0"),
    "no coordinator": ("up --coordinator foo", "--coordinator: an e-mail address looks like"),
    "nobody to write to": ("letters preview build/x --contact foo", "--contact: an e-mail address"),
    "letters of no cohort": (
        "letters list --cohort a/b --notify http://x",
        "--cohort: 'a/b' is no id",
    ),
    "no letter named": (
        "letters resend --cohort a --notify http://x",
        "name either letters by their ids or a --cause",
    ),
    "no link and nobody": (
        "links revoke --matching http://x",
        "give PERSON and --cohort for all links of somebody, or --link for that one",
    ),
    "a link and somebody": (
        "links revoke m-1 --cohort a --link http://x/links/a.b.c --matching http://x",
        "give PERSON and --cohort for all links of somebody, or --link for that one",
    ),
    "no link of ours": (
        "links revoke --link http://x/links/a.e30.c --matching http://x",
        "--link: it is no link of a letter: give its whole address",
    ),
    "a coordinator of no cohort": (
        "coordinators name c-1 --cohort a/b --matching http://x --notify http://x",
        "--cohort: 'a/b' is no id",
    ),
    "nobody to remove": (
        "coordinators remove a/b --cohort a --matching http://x --notify http://x",
        "PERSON: 'a/b' is no id",
    ),
    "no policy": (
        "match --mentors nowhere.csv --managers nowhere.csv --policy pyproject.toml",
        "pyproject.toml: build-system: there is no such field",
    ),
    "no broker named": ("topics apply", "KAFKA_BOOTSTRAP_SERVERS is not set"),
    "a wrong subscriber": ("topics access --subscriber a.b", "--subscriber: 'a.b' is no name"),
    "no database named": ("parked list", "MONGODB_URI is not set"),
    "no record named": ("parked retry matching", "which ones?"),
    "a gap and a record": (
        "parked retry matching a/0/1 --accept-gap",
        "--accept-gap is for all records behind a gap",
    ),
    "two wishes at once": (
        "rebuild matching --verify --forget-old",
        "--forget-old and --verify are two different things",
    ),
    "nothing named": ("rebuild matching", "KAFKA_BOOTSTRAP_SERVERS is not set"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line_and_2(
    what: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command, line = BAD[what]
    monkeypatch.chdir(ROOT)
    done = here(monkeypatch, capfd, *command.split())
    assert done.code == 2
    assert line in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not done.out


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("CONNECTE_PARTITIONS", "many-secrets")
    done = here(monkeypatch, capfd, "topics", "apply")
    assert done.code == 2
    assert "CONNECTE_PARTITIONS" in done.err
    assert "many-secrets" not in done.err


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("KAFKA_SASL_PASSWORD", "hush", "KAFKA_SASL_PASSWORD: not used with"),
        ("CONNECTE_CLOCK_RATE", "hush", "CONNECTE_CLOCK_RATE: Input should be a valid number"),
    ],
)
def test_a_line_about_settings_begins_with_the_name_of_one(
    name: str,
    value: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv(name, value)
    done = here(monkeypatch, capfd, "topics", "plan")
    assert done.err.startswith(f"connecte: {line}")
    assert "hush" not in done.err


@pytest.mark.parametrize("uri", ["postgres://u:hush@h/d", "mongodb://u:hush@h:port"])
def test_an_address_that_is_none_of_a_mongodb_is_not_shown(
    uri: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MONGODB_URI", uri)
    done = here(monkeypatch, capfd, "parked", "list")
    assert done.code == 2
    assert "MONGODB_URI" in done.err
    assert "hush" not in done.err


def test_every_bad_row_is_told_at_once_and_nothing_is_sent(
    rosters: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in map(Path, rosters):
        header, first, second, *rest = path.read_text().splitlines()
        broken = [re.sub(r":\d;", ":9;", row, count=1) for row in (first, second)]
        path.write_text("\n".join([header, *broken, *rest]) + "\n")
    nowhere = f"http://127.0.0.1:{free_port()}"
    options = ["--matching", nowhere, "--notify", nowhere, "--json"]
    people = ["--mentors", rosters[0], "--managers", rosters[1]]
    done = here(monkeypatch, capfd, "import", "--cohort", "c", *people, *options)
    assert done.code == 2
    assert not done.out
    assert "4 things to correct" in done.err
    assert all(f"{path}, line {line}" in done.err for path in rosters for line in (2, 3))


# Failures: one line, 1


def test_parts_that_are_away_are_one_line_and_1(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", nowhere)
    monkeypatch.setenv(
        "MONGODB_URI",
        f"mongodb://u:hush@{nowhere}/?serverSelectionTimeoutMS=100&connectTimeoutMS=100",
    )
    monkeypatch.setenv("CONNECTE_MATCHING_URL", f"http://{nowhere}")
    for command, line in (
        ("topics plan", "the broker does not answer"),
        ("round --cohort a --round b", "matching does not answer"),
        ("parked list", "the database does not answer"),
    ):
        done = here(monkeypatch, capfd, *command.split())
        assert done.code == 1, command
        assert line in done.err
        assert len(done.err.strip().splitlines()) == 1
        assert "hush" not in done.err


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert explained(ZeroDivisionError()) is None
    assert explained(ExceptionGroup("", [BadInput("so")])) == ("so", 2)


async def test_a_service_that_is_older_is_told_nothing_of_a_field_that_nobody_has_given() -> None:
    bodies: list[bytes] = []

    async def service(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = re.search(rb"content-length: (\d+)", head)
        if size is not None:
            bodies.append(await reader.readexactly(int(size[1])))
        length = b"content-length: 14\r\nconnection: close\r\n\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b'{"done": true}')
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(service, "127.0.0.1", port := free_port())
    async with server, Platform({"matching": f"http://127.0.0.1:{port}"}, None) as platform:
        await platform.send("matching", RunRound(cohort_id="c", round_id="r"))
    assert [json.loads(body) for body in bodies] == [{"cohort_id": "c", "round_id": "r"}]


async def test_ctrl_c_ends_it_cleanly() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            reached.set()
        writer.close()
        await writer.wait_closed()
        left.set()

    reached, left = asyncio.Event(), asyncio.Event()
    port = free_port()
    server = await asyncio.start_server(silent, "127.0.0.1", port)
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "round", "--cohort", "a", "--round", "b"),
        *("--matching", url),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        await reached.wait()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        await left.wait()
    server.close()
    await server.wait_closed()
    assert (process.returncode, err.decode().strip()) == (130, "stopped")


# Topics and schemas


def test_the_table_of_topics_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    done = here(monkeypatch, capfd, "topics", "list", "--json")
    assert [row["name"] for row in done.document] == list(TOPICS)
    assert "mentoring.people" in here(monkeypatch, capfd, "topics", "list").out


def test_messages_are_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    done = here(monkeypatch, capfd, "schemas", "list", "--json")
    found = {row["name"]: row for row in done.document}
    assert found["PairFormed"]["audience"] == "public"
    assert found["CommandRefused"]["topics"] == [n for n in TOPICS if n.endswith(".private")]


def test_a_catalogue_that_is_not_current_is_1_and_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    catalogue.write(tmp_path)
    defaults = (tmp_path, None)
    monkeypatch.setattr(catalogue.differing, "__defaults__", defaults)
    monkeypatch.setattr(catalogue.write, "__defaults__", defaults[:1])
    assert here(monkeypatch, capfd, "schemas", "generate", "--check").code == 0
    (tmp_path / "topics.json").write_text("[]\n")
    done = here(monkeypatch, capfd, "schemas", "generate", "--check", "--json")
    assert (done.code, done.document["files"]) == (1, ["topics.json"])
    done = here(monkeypatch, capfd, "schemas", "generate")
    assert (done.code, done.out) == (0, "written: topics.json\n")


# The journey


@asynccontextmanager
async def kept(uri: str, name: str) -> Any:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri, document_class=RawBSONDocument)
    try:
        yield client[name]
    finally:
        client.close()


async def everything(database: Any, prefix: str = "") -> dict[tuple[str, Any], bytes]:
    """Every document of a generation as bytes."""
    kinds = (*domain_of("matching").documents, *CHASSIS_DOCUMENTS)
    names = ["places", "outbox", *(kind.collection for kind in kinds)]
    return {
        (name, row["_id"]): row.raw
        for name in names
        async for row in database[prefix + name].find({})
    }


async def poison(stack: Stack) -> None:
    """A record that is no message."""
    log = KafkaLog({"bootstrap_servers": stack.kafka}, idempotent=False)
    topic = "mentoring.matching.commands"
    await log.send(Record(topic, 0, b"c/x", b"{", [("ce_specversion", b"1.0")]))
    await log.stop()
    url = f"{stack.services['matching'].url}/parked"
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
        while not (await client.get(url)).json()["total"]:
            await asyncio.sleep(0.1)


@pytest.mark.journey
async def test_people_in_a_round_and_every_database_rebuilt_byte_for_byte(
    tmp_path: Path, rosters: tuple[str, str]
) -> None:
    services: tuple[Service, ...] = ("matching", "notify")
    terms = Terms(partitions=1, services=services, settings=without(services))
    async with running_stack(tmp_path / "stack", terms) as stack:

        async def run(*arguments: str, **others: str) -> Done:
            return await connecte(*arguments, **{**stack.settings, **others})

        people = ("--cohort", "c-1", "--mentors", rosters[0], "--managers", rosters[1])
        unopened, unknown = await asyncio.gather(
            run("import", *people, "--json"), run("round", "--cohort", "c-1", "--round", "r-1")
        )
        assert unopened.code == 1
        assert unopened.document["refused"] == {"unknown-cohort": 15}
        assert (unknown.code, unknown.err.strip()) == (2, "connecte: There is no cohort c-1.")

        entered, _ = await asyncio.gather(
            run("import", "--open", "A", *people, "--json"), poison(stack)
        )
        again, parked = await asyncio.gather(
            run("import", "--open", "A", *people, "--json"), run("parked", "list", "--json")
        )
        for done in (entered, again):  # again, it changes nothing
            assert done.code == 0, done.err
            counts = done.document
            assert (counts["mentors"], counts["managers"], counts["contacts"]) == (9, 6, 15)
        assert parked.document["total"] == 1
        assert parked.document["items"][0]["reason"] == "bad-headers"

        proposed = await run("round", "--cohort", "c-1", "--round", "r-1", "--json")
        assert proposed.code == 0, proposed.err
        pairs = proposed.document["pairs"]
        assert len(pairs) == proposed.document["round"]["proposed"] > 0
        await asyncio.gather(*(service.stop() for service in stack.services.values()))

        for command in ("rebuild matching --verify", "parked retry matching --all"):
            elsewhere = await run(*command.split(), CONNECTE_PARTITIONS="2")
            assert elsewhere.code == 1
            assert "has 1 partitions, not 2 (CONNECTE_PARTITIONS)" in elsewhere.err

        verified = await asyncio.gather(
            run("rebuild", "matching", "--verify", "--json"),
            run("rebuild", "notify", "--verify", "--json"),
        )
        for same in verified:
            assert same.code == 0, same.err + same.out
            assert same.document["differences"] == []
            assert same.document["events"] > 15

        pair = pairs[0]["id"]
        async with kept(stack.mongodb, "connecte_matching") as database:
            before = await everything(database)
            await database.pairs.update_one({"id": pair}, {"$set": {"state": "graduated"}})
            spoilt = await run("rebuild", "matching", "--verify", "--json")
            assert spoilt.code == 1
            assert spoilt.document["differences"] == [f"pairs/c-1/{pair}"]
            assert (await database.pairs.find_one({"id": pair}))["state"] == "graduated"

            rebuilt = await run("rebuild", "matching", "--json")
            assert (rebuilt.code, rebuilt.document["verified"]) == (0, False), rebuilt.err
            number = rebuilt.document["generation"]
            assert await everything(database, f"g{number}.") == before
            forgotten = await run("rebuild", "matching", "--forget-old", "--json")
            assert forgotten.document["dropped"] == [1]
            assert await everything(database) == {}, "of the first generation nothing is left"
            assert (await run("rebuild", "matching", "--verify")).code == 0
