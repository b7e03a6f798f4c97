"""`connecte up --demo`: a programme whose past has leapt by, and whose present goes on."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import WITH_PORTAL, Terms, running_stack
from deploy.trial.coordinator import Plan
from deploy.trial.half_way import at_real_speed, beginning, lived_until_now
from schemas.values import CohortPolicy
from tests.conftest import eventually
from tests.journeys.test_at_the_portal import roster
from tests.portal.browser import Person

pytestmark = [pytest.mark.journey, pytest.mark.drill]


async def test_visitors_find_a_pair_half_way_and_time_goes_on(tmp_path: Path) -> None:
    settings = {"CONNECTE_COORDINATORS": "anne@m.example", "CONNECTE_SIGN_IN_DOMAINS": "*"}
    terms = Terms(rate=float("inf"), services=WITH_PORTAL, settings=settings)
    terms = replace(terms, start=beginning(datetime.now(UTC)))
    plan = Plan(
        rosters={"journey": roster(tmp_path)},
        names={"journey": "Journey"},
        policy=CohortPolicy(cadence_days=7),
        seed=3,
    )
    async with running_stack(tmp_path, terms) as stack:
        visitors = await lived_until_now(stack, plan, lambda _: None)
        assert stack.hand is not None
        assert abs((stack.hand.now() - datetime.now(UTC)).total_seconds()) < 3600
        async with at_real_speed(stack.hand):
            before = stack.hand.now()
            for address in (visitors.mentor, visitors.manager):
                url = stack.services["portal"].url
                async with httpx.AsyncClient(base_url=url, timeout=60) as client:
                    person = Person(client, address, stack.mailbox.held)
                    await person.signs_in()
                    assert "tenue" in person.says  # behind them
                    asked = ("Confirmer, déplacer ou annuler", "Dire si elle a eu lieu")
                    assert any(words in person.says for words in asked)

            async def goes_on() -> bool:
                assert stack.hand is not None
                return stack.hand.now() > before

            await eventually(goes_on)
