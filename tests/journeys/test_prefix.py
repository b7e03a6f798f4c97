"""Two installations on one broker, each with names of its own: neither sees the other."""

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from deploy.local.broker import embedded_broker
from deploy.local.stack import Stack, Terms, running_stack
from schemas.access import group_of
from schemas.topics import named
from tests.conftest import admin_of, eventually
from tests.deploy.operating.commands import connecte

pytestmark = pytest.mark.journey

EMBEDDED = {"CONNECTE_KAFKA_IDEMPOTENT": "false", "CONNECTE_FETCH_WAIT_MS": "40"}
COHORT = "pilot-2026"


async def opened(client: httpx.AsyncClient, stack: Stack, name: str) -> None:
    """A cohort, by the whole way: command, event, and the projection of whoever reads that."""
    body = {"cohort_id": COHORT, "name": name}
    url = stack.services["matching"].url
    answer = await client.post(f"{url}/commands/OpenCohort?wait=20", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text

    async def known() -> bool:
        return await seen(client, stack)

    await eventually(known)


async def seen(client: httpx.AsyncClient, stack: Stack) -> bool:
    """Whether scheduling, which reads what matching publishes, knows the cohort."""
    url = stack.services["scheduling"].url
    return (await client.get(f"{url}/cohorts/{COHORT}")).is_success


async def test_two_installations_with_prefixes_on_one_broker_do_not_see_each_other(
    tmp_path: Path,
) -> None:
    """The second opens the same cohort later; what each has is a fold of its own topics alone."""
    prefixes = ("Bercy_1.", "justice-")
    async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=60) as client:
        kafka = await stack.enter_async_context(embedded_broker(tmp_path))
        stacks = []
        for prefix in prefixes:
            directory = tmp_path / prefix
            directory.mkdir()
            terms = Terms(
                partitions=2,
                kafka=kafka,
                settings={**EMBEDDED, "CONNECTE_TOPIC_PREFIX": prefix},
                services=("matching", "scheduling"),
            )
            stacks.append(await stack.enter_async_context(running_stack(directory, terms)))
        first, second = stacks

        async with admin_of(kafka) as admin:
            topics = set(await admin.list_topics())
            reading = (group_of("matching"), group_of("scheduling"))
            wanted = {prefix + group for prefix in prefixes for group in reading}

            async def reading_apart() -> bool:
                return {row[0] for row in await admin.list_consumer_groups()} >= wanted

            await eventually(reading_apart)
        assert topics == {name for prefix in prefixes for name in named(prefix)}

        await opened(client, first, "Bercy")
        assert not await seen(client, second)
        await opened(client, second, "Justice")
        reads = (await client.get(f"{first.services['scheduling'].url}/asyncapi")).text
        assert "Bercy_1.mentoring.matching.events" in reads
        metrics = (await client.get(f"{first.services['scheduling'].url}/metrics")).text
        assert 'mentoring_consumer_lag{partition="0",topic="mentoring.matching.events"}' in metrics

        for one, prefix in zip(stacks, prefixes, strict=True):
            settings = {
                "KAFKA_BOOTSTRAP_SERVERS": kafka,
                "MONGODB_URI": one.mongodb,
                "CONNECTE_TOPIC_PREFIX": prefix,
                "CONNECTE_PARTITIONS": "2",
                "CONNECTE_KAFKA_IDEMPOTENT": "false",
            }
            same = await connecte("topics", "check", "--json", **settings)
            assert (same.code, same.document["differences"]) == (0, [])
            folded = await connecte("rebuild", "scheduling", "--verify", "--json", **settings)
            assert folded.code == 0, folded.err
