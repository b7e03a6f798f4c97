"""A real Prometheus for tests and for looking at a run: fetched whole, started, ended."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.local.process import PartError, accepts
from deploy.local.prometheus import program, prometheus
from tests.conftest import eventually

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def target() -> AsyncIterator[str]:
    """The URL of a service that has one measure, and a label of its own that says the same."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n"
            b'# TYPE letters gauge\nletters{service="notify"} 42\n'
        )
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(url: str, expression: str) -> list[tuple[dict[str, str], str]]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/api/v1/query", params={"query": expression})
    return [(row["metric"], row["value"][1]) for row in answer.json()["data"]["result"]]


async def test_what_a_target_tells_can_be_asked_for_by_job_and_service(
    tmp_path: Path, target: str
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        json.dumps(
            {"groups": [{"name": "g", "rules": [{"record": "twice", "expr": "letters * 2"}]}]}
        )
    )
    async with prometheus(tmp_path, {"notify": target}, rules=[rules]) as url:
        [(labels, value)] = await eventually(lambda: asked(url, "letters"))
        assert (labels["job"], labels["service"], value) == ("connecte", "notify", "42")
        assert "exported_service" not in labels
        [(_, twice)] = await eventually(lambda: asked(url, "twice"))
        assert twice == "84"
    assert not await accepts(int(url.rpartition(":")[2]))


async def test_a_rule_that_is_none_keeps_prometheus_from_starting_and_is_named(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "broken.yaml"
    rules.write_text('{"groups": [{"name": "g", "rules": [{"record": "x", "expr": "sum("}]}]}')
    with pytest.raises(PartError, match=r"broken\.yaml"):
        async with prometheus(tmp_path, {}, rules=[rules]):
            pass


async def test_promtool_is_of_the_same_prometheus(tmp_path: Path) -> None:
    versions = {
        subprocess.run(
            [await program(name, tmp_path), "--version"], capture_output=True, text=True, check=True
        )
        .stdout.split("version ")[1]
        .split()[0]
        for name in ("prometheus", "promtool")
    }
    assert len(versions) == 1


async def test_it_is_fetched_once_and_whole_where_it_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a package manager of our own, that counts: the real one asks the network each time."""
    tools, cache = tmp_path / "tools", tmp_path / "cache"
    tools.mkdir()
    _script(tools / "apt-get", 'echo "$1" >> ../../../fetched; touch prometheus_1_amd64.deb')
    _script(tools / "dpkg", 'mkdir -p "$3/usr/bin"; touch "$3/usr/bin/promtool"')
    monkeypatch.setenv("PATH", f"{tools}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for _ in range(2):
        found = await program("promtool", tmp_path)
        assert found.is_file()
        assert found.is_relative_to(cache)
    assert (tmp_path / "fetched").read_text() == "download\n"
    assert [path.name for path in (cache / "connecte").iterdir()] == ["prometheus-debian"]


async def test_what_was_fetched_by_halves_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, cache = tmp_path / "tools", tmp_path / "cache"
    tools.mkdir()
    _script(tools / "apt-get", "touch prometheus_1_amd64.deb")
    _script(tools / "dpkg", 'mkdir -p "$3/usr/bin"; echo the disk is full; exit 2')
    monkeypatch.setenv("PATH", f"{tools}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    with pytest.raises(PartError, match="the disk is full"):
        await program("promtool", tmp_path)
    assert list((cache / "connecte").iterdir()) == []


async def test_where_it_cannot_be_had_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(PartError, match=r"^no Prometheus: put prometheus and promtool[^\n]*$"):
        await program("prometheus", tmp_path)


def _script(path: Path, what: str) -> None:
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{what}\n")
    path.chmod(0o755)
