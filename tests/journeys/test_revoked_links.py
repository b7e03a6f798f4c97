"""Links that are revoked, on a running platform: refused by every service, also after a rebuild,
while the next letter's work."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack, Terms, running_stack
from tests.conftest import PATIENCE, eventually
from tests.deploy.operating.commands import Done, connecte
from tests.journeys.test_tracing import MORNING, a_proposal, link_in, template

pytestmark = pytest.mark.journey


async def test_a_link_that_was_revoked_is_dead_everywhere_and_the_next_letter_s_works(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    terms = Terms(start=MORNING, partitions=1, kafka=kafka_if_real)
    async with running_stack(tmp_path, terms) as stack, httpx.AsyncClient(timeout=30) as client:
        site = Site(stack, client)
        mine, others = await site.proposed()
        await site.command("links", "revoke", "mo", "--cohort", "pilot")
        assert await eventually(lambda: site.is_(410, mine))
        assert (await client.post(mine, data={"answer": "accept"})).status_code == 410
        page = (await client.get(mine, headers={"accept": "text/html"})).text
        assert "Votre prochain courriel du programme aura un lien valable." in page
        assert await site.is_(200, others)

        accepted = await client.post(others, data={"answer": "accept"})
        assert accepted.status_code == 200
        await site.accept_as_the_mentor()
        sessions = await site.sessions()
        assert await site.is_(200, sessions["mo"]), "written after the revocation"
        await site.command("links", "revoke", "--link", sessions["ma"])
        assert await eventually(lambda: site.is_(410, sessions["ma"]))
        assert await site.is_(200, sessions["mo"])

        for service in ("matching", "scheduling", "feedback", "notify"):
            same = await site.command("rebuild", service, "--verify", "--json")
            assert same.document["differences"] == []
        await site.command("rebuild", "scheduling")
        assert await eventually(lambda: site.is_(410, sessions["ma"]))
        assert await site.is_(200, sessions["mo"])

        for service in ("matching", "scheduling", "notify"):
            told = await client.get(f"{stack.services[service].url}/cohorts/pilot/people/mo")  # type: ignore[index]
            assert '"every":1' in told.text, service


class Site:
    """A platform, and what people and operators do there."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self.stack = stack
        self.client = client

    async def proposed(self) -> tuple[str, str]:
        """The mentor's link and the manager's, to the same proposal."""
        found = await a_proposal(self.stack, self.client)
        url = self.stack.services["matching"].url
        return url + found["mo"], url + found["ma"]

    async def command(self, *arguments: str) -> Done:
        done = await connecte(*arguments, **self.stack.settings)
        assert done.code == 0, done.err
        return done

    async def is_(self, status: int, link: str) -> bool:
        return (await self.client.get(link)).status_code == status

    async def accept_as_the_mentor(self) -> None:
        body: dict[str, Any] = {"cohort_id": "pilot", "pair_id": "mo~ma", "by": "mentor"}
        url = self.stack.services["matching"].url
        answer = await self.client.post(f"{url}/commands/AcceptProposal?wait=20", json=body)
        assert answer.status_code == 200, answer.text

    async def sessions(self) -> dict[str, str]:
        """Each one's link to the first session."""
        found: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            letters = self.stack.mailbox.letters()
            while len(found) < 2:
                letter = await anext(letters)
                if template(letter) == "SessionPlanned":
                    who = str(letter["Delivered-To"]).partition("@")[0]
                    url = self.stack.services["scheduling"].url
                    found.setdefault(who, url + link_in(letter))
        return found
