"""Somebody looks at a page of a running portal while things happen, and while it is rolled out."""

import random

import pytest

from tests.bench.news import PAGE, change, looking
from tests.conftest import eventually

pytestmark = pytest.mark.journey


async def test_what_happens_is_told_to_an_open_page_and_a_roll_out_signs_nobody_out() -> None:
    async with looking() as (stack, platform, person):
        phases = random.Random(2)
        answered, told, shown = await change(platform, person, phases, paused=True)
        assert answered > 0, "the service has committed it"
        assert 0 < told < shown

        await person.goes_to(f"{PAGE}/bench/semaine")
        portal = stack.services["portal"]
        before, starts = portal.child, portal.starts
        assert before is not None
        await before.stop()  # as a roll-out ends a pod: asked to, it finishes what it is at

        async def another() -> bool:
            return portal.starts == starts + 1

        await eventually(another)
        await portal.ready()
        await person.presses("Enregistrer ma semaine", heures="jeudi 9h-12h")
        assert "Votre semaine est enregistrée" in person.says
        await person.goes_to(f"{PAGE}/bench/semaine")
        hours = [one for one in person.page.all("input") if one.get("id") == "heures"]
        assert [one.get("value") for one in hours] == ["jeudi 9h-12h"]
        await change(platform, person, phases, paused=False)
