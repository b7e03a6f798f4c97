"""What people entrust to a running platform is nowhere in what it tells of itself, at any level.

Names, addresses, answers, tokens and links are sent where they belong and where they do not, with
`LOG_LEVEL=DEBUG`; then logs, metrics, traces and the bodies of errors are searched for them.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import SERVICES, Stack, Terms, running_stack
from schemas.topics import PEOPLE
from tests.conftest import PATIENCE, eventually
from tests.journeys.test_tracing import (
    MORNING,
    NAMES,
    a_proposal,
    collecting,
    link_in,
    template,
)

pytestmark = pytest.mark.journey

BEARER = "canary-of-a-bearer-token"
STRANGER, ADDRESS = "Hortense Canari", "hortense@canari.example"
SCORES = {"expectations": 2, "at_ease": 2, "choosing": 1}


def test_names_addresses_answers_tokens_and_links_are_in_nothing_that_is_told(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    with collecting() as collector, asyncio.Runner() as runner:
        settings = {
            "LOG_LEVEL": "DEBUG",
            "CONNECTE_HTTP_TOKEN": BEARER,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        links, told = runner.run(_journey(tmp_path, settings, kafka_if_real))
        told["traces"] = "\n".join(collector.texts)
    for service in SERVICES:
        told[f"log of {service}"] = (tmp_path / f"{service}.log").read_text()

    assert "spans" in told["traces"]
    assert "parked: " in told["log of notify"]
    assert '"wrong-answers"' in told["errors"]
    tokens = [link.removeprefix("/links/") for link in links]
    assert len(tokens) == 3
    secrets = [*NAMES.values(), "people.example", STRANGER, ADDRESS, BEARER, *tokens]
    secrets += [token.rpartition(".")[2] for token in tokens]
    found = [
        (where, secret) for where, text in told.items() for secret in secrets if secret in text
    ]
    assert found == []
    for where, text in told.items():
        if where != "errors":  # which name the questions that were not answered
            assert not [question for question in SCORES if question in text], where


async def _journey(
    directory: Path, settings: Mapping[str, str], kafka: str | None
) -> tuple[list[str], dict[str, str]]:
    """A pair forms, and its manager answers a survey; what the services tell meanwhile."""
    terms = Terms(start=MORNING, partitions=1, kafka=kafka, settings=settings)
    headers = {"authorization": f"Bearer {BEARER}"}
    async with (
        running_stack(directory, terms) as stack,
        httpx.AsyncClient(timeout=30, headers=headers) as client,
    ):
        links = await a_proposal(stack, client)
        for link in links.values():
            url = stack.services["matching"].url + link
            assert (await client.post(url, data={"answer": "accept"})).status_code == 200
        letters = stack.mailbox.letters()
        async with asyncio.timeout(PATIENCE):
            while True:
                letter = await anext(letters)
                person = str(letter["Delivered-To"]).partition("@")[0]
                if template(letter) == "SurveyOpened" and person == "ma":
                    break
        links["survey"] = link_in(letter)
        errors = await _errors(stack, client, links)
        url = stack.services["feedback"].url + links["survey"]
        answer = await client.post(url, json=SCORES)
        assert (answer.status_code, answer.json()["done"]) == (200, True)
        again = await client.post(url, json=SCORES)
        assert (again.status_code, again.json()["done"]) == (200, True)
        await _poison(stack, client)
        told = {"errors": "\n".join([*errors, again.text])}
        for name in SERVICES:
            told[f"metrics of {name}"] = (
                await client.get(f"{stack.services[name].url}/metrics")
            ).text
        assert 'route="/links/{token}"' in told["metrics of feedback"]
    return list(links.values()), told


async def _errors(stack: Stack, client: httpx.AsyncClient, links: Mapping[str, str]) -> list[str]:
    """What is answered to requests that are wrong."""
    notify, feedback = (stack.services[name].url for name in ("notify", "feedback"))
    contact: dict[str, Any] = {"cohort_id": "pilot", "person_id": "x", "name": STRANGER}
    path = f"{notify}/commands/PersonContact"
    survey = feedback + links["survey"]
    answers = [
        await client.post(path, json={**contact, "email": f"<{ADDRESS}>"}),
        await client.post(path, json={**contact, "name": [STRANGER], "email": ADDRESS}),
        await client.post(path, json={**contact, "email": ADDRESS, "cohort_id": STRANGER}),
        await client.post(path, content=f'{{"name": "{STRANGER}"', headers=_JSON),
        await client.post(path, content=STRANGER, headers={"content-type": "text/plain"}),
        await client.post(path, json={**contact, "email": ADDRESS}, headers=_NO_TOKEN),
        await client.get(f"{survey}/"),
        await client.delete(survey),
        await client.post(f"{survey}x", json=SCORES),
        await client.post(survey, json={"zz": 1}),
        await client.post(survey, content=b"x", headers={**_JSON, "content-encoding": "gzip"}),
        await client.get(f"{feedback}/cohorts/{ADDRESS}/pairs"),
        await client.post(f"{feedback}/commands/AnswerSurvey", json={"proof": links["survey"]}),
    ]
    assert [answer.status_code for answer in answers] == [
        *(422, 422, 422, 422, 415, 401, 404, 405, 403, 422, 415, 404, 404)
    ]
    return [answer.text for answer in answers]


_JSON = {"content-type": "application/json"}
_NO_TOKEN = {"authorization": "Bearer wrong"}


async def _poison(stack: Stack, client: httpx.AsyncClient) -> None:
    """A contact that cannot be read."""
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        value = f'{{"name": "{STRANGER}", "email": "{ADDRESS}"}}'.encode()
        await producer.send_and_wait(PEOPLE, value, key=ADDRESS.encode(), partition=0)

    async def parked() -> bool:
        answer = await client.get(f"{stack.services['notify'].url}/parked")
        return bool(answer.json()["total"])

    await eventually(parked)
