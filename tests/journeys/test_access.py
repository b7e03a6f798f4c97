"""Roles on a real process: tokens of a provider, keys that change, and who did what."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.broker import embedded_broker
from deploy.local.mongodb import mongod
from deploy.local.process import free_port
from deploy.local.stack import ServiceProcess, Terms, environment
from deploy.operating.topics import create_topics
from schemas.actors import pseudonym
from tests.chassis.http.issuer import AUDIENCE, LocalIssuer
from tests.conftest import PATIENCE, eventually
from tests.deploy.operating.commands import connecte

pytestmark = pytest.mark.journey

KEY = "what pseudonyms are made with"
TOKEN, NARROW = "the token of machines, of a trial", "the token of those who administer"
AUDITORS = "the token of those who look"


def settings(issuer: LocalIssuer) -> dict[str, str]:
    known = {
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "role_claim": "groups",
        "roles": {"coordination": "coordinator"},
        "cohorts_claim": "cohorts",
    }
    narrow = {"name": "opener", "role": "administrator", "cohorts": ["*"], "token": NARROW}
    looks = {"name": "looks", "role": "auditor", "cohorts": ["ours"], "token": AUDITORS}
    return {
        "CONNECTE_HTTP_TOKEN": TOKEN,
        "CONNECTE_HTTP_TOKENS": json.dumps([narrow, looks]),
        "CONNECTE_OIDC_ISSUERS": json.dumps([known]),
        "CONNECTE_PSEUDONYM_KEY": KEY,
    }


async def test_a_coordinator_of_a_provider_works_in_their_cohort_and_it_is_known_who_did_what(
    tmp_path: Path,
) -> None:
    terms = Terms()
    async with embedded_broker(tmp_path) as kafka, mongod(tmp_path) as database:
        await create_topics(
            {"bootstrap_servers": kafka}, partitions=terms.partitions, replication=1
        )
        env = environment(terms, kafka, database.uri, free_port(), {}, datetime.now(UTC))
        with LocalIssuer() as issuer:
            service = ServiceProcess("matching", tmp_path, env | settings(issuer), free_port())
            service.start()
            try:
                await service.ready()
                async with httpx.AsyncClient(base_url=service.url, timeout=40) as client:
                    await _worked(client, issuer)
                    heads = {"authorization": f"Bearer {AUDITORS}"}
                    looked = await client.get("/cohorts/ours/acts", headers=heads)
            finally:
                await service.stop()
        log = (tmp_path / "matching.log").read_text()
        told = await connecte(
            *("audit", "ours", "--json"),
            KAFKA_BOOTSTRAP_SERVERS=kafka,
            CONNECTE_PARTITIONS=str(terms.partitions),
        )
    assert told.code == 0, told.err
    lise = pseudonym(KEY, issuer.url, "lise")
    shown = ("actor", "role", "via", "what", "refused")
    acts = [tuple(act[name] for name in shown) for act in told.document["acts"]]
    assert acts == [tuple(act[name] for name in shown) for act in looked.json()["items"]]
    assert acts == [
        ("opener", "administrator", "api", "CohortOpened", None),
        (lise, "coordinator", "api", "CallOffRound", "unknown-round"),
        ("m-017", "participant", "portal", "WithdrawMentor", "unknown-person"),
    ]
    assert "lise" not in log
    assert TOKEN not in log


async def _worked(client: httpx.AsyncClient, issuer: LocalIssuer) -> None:
    async def ask(token: str, name: str, body: dict[str, Any], **heads: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **heads}
        return await client.post(f"/commands/{name}?wait=20", json=body, headers=headers)

    opened = await ask(NARROW, "OpenCohort", {"cohort_id": "ours", "name": "Ours"})
    assert opened.status_code == 200, opened.text
    pause = {"cohort_id": "ours", "mentor_id": "m-017"}
    claims = {"groups": ["coordination"], "cohorts": ["ours"]}
    before = issuer.token(**claims)
    back = {"cohort_id": "ours", "round_id": "round-1"}
    assert (await ask(before, "CallOffRound", back)).status_code == 404
    assert (await ask(before, "CallOffRound", back | {"cohort_id": "x"})).status_code == 403
    behind_the_wall = await ask(before, "PauseMentor", pause)
    assert (behind_the_wall.status_code, behind_the_wall.json()["rule"]) == (403, "in-the-portal")
    assert (await ask(before, "OpenCohort", {"cohort_id": "y", "name": "Y"})).status_code == 403
    for path, status in (("/cohorts/ours", 200), ("/cohorts/x", 403), ("/parked", 403)):
        answer = await client.get(path, headers={"authorization": f"Bearer {before}"})
        assert answer.status_code == status

    issuer.rotate()

    async def known_again() -> bool:
        heads = {"authorization": f"Bearer {issuer.token(**claims)}"}
        return (await client.get("/cohorts/ours", headers=heads)).status_code == 200

    assert await eventually(known_again, PATIENCE)
    old = await client.get("/cohorts/ours", headers={"authorization": f"Bearer {before}"})
    assert old.status_code == 401
    behalf = {"connecte-on-behalf-of": "participant m-017", "connecte-via": "portal"}
    assert (await ask(TOKEN, "WithdrawMentor", pause, **behalf)).status_code == 404
