"""What is kept of forms before anybody knows who has typed them: so much, so many of one place."""

from datetime import timedelta

from services.portal.web.sessions import FORMS_PER_PLACE
from services.portal.web.site import DRAFT
from services.portal.web.visit import MOST_KEPT
from tests.portal.site import Town
from tests.portal.stories import GOING_ON
from tests.portal.test_routes import token_of

WEEK = "/mon-espace/c/semaine"


def kept(town: Town) -> int:
    return len([kind for kind, _ in town.kept._rows if kind == DRAFT])


async def test_what_nobody_types_is_kept_for_nobody_and_they_are_told_to_copy_it() -> None:
    town = Town().happens(*GOING_ON)
    stranger = await town.person().goes_to("/connexion")
    form = {"jeton": token_of(stranger), "heures": "lundi 9h-12h, " * (MOST_KEPT // 10)}
    stranger.answer = await stranger.client.post(WEEK, data=form)
    assert (stranger.status, kept(town)) == (401, 0)
    assert "trop long pour être gardé" in stranger.says
    assert stranger.page.all("main")[0].all("a")[0].get("href") == f"/connexion?vers={WEEK}"


async def test_who_joins_with_more_than_anybody_types_is_told_and_nothing_is_kept() -> None:
    town = Town().happens(*GOING_ON)
    lise = await town.person().goes_to("/inscription/c/mentor")
    given = {"nom": "Lise", "direction": "DGFiP", "site": "Bercy", "outil": ["linkedin"]}
    hours = "lundi 9h-12h, " * (MOST_KEPT // 10)
    address = "l.o@ministere.example"
    await lise.presses("M’inscrire", **given, heures=hours, adresse=address)
    assert (lise.status, kept(town), town.mails) == (422, 0, [])


async def test_of_one_place_so_many_forms_wait_for_a_sign_in_in_a_quarter_of_an_hour() -> None:
    town = Town().happens(*GOING_ON)
    stranger = await town.person().goes_to("/connexion")
    form = {"jeton": token_of(stranger), "heures": "lundi 9h-12h"}

    async def status() -> int:
        return (await stranger.client.post(WEEK, data=form)).status_code

    assert {await status() for _ in range(FORMS_PER_PLACE)} == {401}
    assert await status() == 429
    assert kept(town) == FORMS_PER_PLACE
    town.real += timedelta(minutes=16)
    assert await status() == 401
