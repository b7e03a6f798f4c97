"""The AsyncAPI document is one for AsyncAPI's own parser too."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from schemas.gate.generate import CATALOGUE
from schemas.topics import TOPICS
from tests.conftest import PATIENCE
from tests.examples.tools import BUILD, installed, needed

PROJECT = Path(__file__).parent / "asyncapi"


@cache
def committed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CATALOGUE / "asyncapi.json").read_text("utf-8"))
    return document


def parsed(document: dict[str, Any]) -> dict[str, Any]:
    """What the parser makes of it: `channels` (None if it is refused), and what was `found`."""
    needed("node", "npm")
    there = installed(PROJECT, BUILD / "asyncapi")
    ended = subprocess.run(
        ["node", "parse.mjs"],
        cwd=there,
        input=json.dumps(document),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_the_parser_finds_every_public_topic_and_nothing_wrong() -> None:
    result = parsed(committed())
    assert [f for f in result["found"] if f["severity"] in ("error", "warning")] == []
    public = [topic.name for topic in TOPICS.values() if topic.audience == "public"]
    assert sorted(result["channels"]) == sorted(public)


def test_the_parser_refuses_a_reference_that_leads_nowhere() -> None:
    operations = {"lost": {"action": "receive", "channel": {"$ref": "#/channels/nowhere"}}}
    result = parsed({**committed(), "operations": operations})
    assert result["channels"] is None
    assert "error" in {f["severity"] for f in result["found"]}
