"""Signing in by a link: for whom, how often, until when."""

from datetime import timedelta

import pytest

from services.chassis.http.rates import Rate, Rates
from services.portal.web.sessions import LINKS_PER_ADDRESS, PRESSED_LASTS
from services.portal.web.signing_in import own_way
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LISE
from tests.portal.test_routes import token_of


async def asked(town: Town, address: str) -> str:
    """What somebody is told who asks for a link, without the address."""
    somebody = town.person(address)
    await somebody.goes_to("/connexion")
    await somebody.presses("Recevoir mon lien", adresse=address)
    await town.site.mailing.settle()
    assert somebody.status == 200
    return somebody.says.replace(address, "…")


async def test_a_link_signs_in_whoever_has_the_address() -> None:
    town = Town().happens(*GOING_ON)
    lise = town.person(LISE)
    await lise.signs_in()
    assert lise.heading == "Mon espace"
    assert "Paul Lenoir" in lise.says


async def test_who_is_known_who_is_not_and_who_may_not_sign_in_are_told_the_same() -> None:
    town = Town().happens(*GOING_ON)
    known = await asked(town, LISE)
    assert await asked(town, "nobody@ministere.example") == known
    assert await asked(town, "somebody@elsewhere.example") == known
    assert [mail["To"] for mail in town.mails] == [LISE, "nobody@ministere.example"]


async def test_who_asks_too_often_is_told_the_same_and_sent_nothing_more() -> None:
    town = Town()
    first = await asked(town, LISE)
    for _ in range(LINKS_PER_ADDRESS + 3):
        assert await asked(town, LISE) == first
    assert len(town.mails) == LINKS_PER_ADDRESS
    town.real += timedelta(minutes=16)
    await asked(town, LISE)
    assert len(town.mails) == LINKS_PER_ADDRESS + 1


async def test_who_sends_forms_without_end_is_told_to_come_back() -> None:
    town = Town(rates=Rates(Rate(5), Rate(3))).happens(*GOING_ON)
    somebody = town.person()
    await somebody.goes_to("/connexion")
    for _ in range(3):
        await somebody.goes_to("/connexion")
        await somebody.presses("Recevoir mon lien", adresse="nobody@ministere.example")
        assert somebody.status == 200
    await somebody.goes_to("/connexion")  # looking is not counted
    assert somebody.status == 200
    await somebody.presses("Recevoir mon lien", adresse="nobody@ministere.example")
    assert somebody.status == 429
    assert "réessayez dans une minute" in somebody.says
    lise = await town.signed_in(LISE)  # at the same address
    for _ in range(5):
        await lise.goes_to("/mon-espace")
        assert lise.status == 200
    await lise.goes_to("/mon-espace")
    assert lise.status == 429


async def test_the_letter_holds_the_link_and_no_name() -> None:
    town = Town().happens(*GOING_ON)
    await asked(town, LISE)
    (mail,) = town.mails
    text = mail.get_content()
    assert "http://portal.example/connexion/" in text
    assert "Lise" not in text
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_opening_a_link_changes_nothing_and_its_button_works_once() -> None:
    town = Town()
    await asked(town, LISE)
    lise, other = town.person(LISE), town.person(LISE)
    (link,) = lise._links()
    for _ in range(3):
        await lise.goes_to(link)
        assert lise.heading == "Se connecter"
    await other.goes_to(link)
    await lise.presses("Me connecter")
    assert lise.heading == "Mon espace"
    await other.presses("Me connecter")
    assert (other.status, other.heading) == (410, "Ce lien ne sert plus")
    assert "session" not in other.client.cookies


async def test_a_button_that_is_pressed_twice_signs_in_and_so_for_a_moment_and_here_alone() -> None:
    """A browser shows the answer to the second press, and has nothing of the first."""
    town = Town()
    await asked(town, LISE)
    lise, other = town.person(LISE), town.person(LISE)
    (link,) = lise._links()
    for one in (lise, other):
        await one.goes_to(link)
    data = {"jeton": token_of(lise)}
    first, second = [await lise.client.post(link, data=data) for _ in range(2)]
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.headers["location"] == first.headers["location"]
    assert "session=" in second.headers["set-cookie"]
    await other.presses("Me connecter")
    assert other.status == 410, "another browser"
    town.real += PRESSED_LASTS
    assert (await lise.client.post(link, data=data)).status_code == 410


async def test_after_signing_out_everywhere_no_second_press_signs_in() -> None:
    town = Town()
    await asked(town, LISE)
    lise = town.person(LISE)
    (link,) = lise._links()
    await lise.goes_to(link)
    data = {"jeton": token_of(lise)}
    await lise.presses("Me connecter")
    await lise.presses("Me déconnecter de tous mes appareils")
    assert (await lise.client.post(link, data=data)).status_code == 410


async def test_a_link_that_is_too_old_does_not_sign_in() -> None:
    town = Town()
    await asked(town, LISE)
    town.real += timedelta(minutes=31)
    lise = town.person(LISE)
    await lise.goes_to(lise._links()[0])
    assert lise.status == 410


async def test_a_session_ends_after_silence_and_after_its_longest_time() -> None:
    town = Town()
    lise = await town.signed_in(LISE)
    for _ in range(7):
        town.real += timedelta(minutes=100)
        await lise.goes_to("/mon-espace")
        assert lise.status == 200
    town.real += timedelta(minutes=100)  # 13 hours in all
    await lise.goes_to("/mon-espace")
    assert lise.status == 401
    silent = await town.signed_in(LISE)
    town.real += timedelta(minutes=121)
    await silent.goes_to("/mon-espace")
    assert silent.status == 401


async def test_signing_out_everywhere_ends_every_session_and_link_of_the_address() -> None:
    town = Town()
    here, there = await town.signed_in(LISE), await town.signed_in(LISE)
    other = await town.signed_in(COORDINATOR)
    await asked(town, LISE)
    await here.goes_to("/mon-espace")
    await here.presses("Me déconnecter de tous mes appareils")
    for one in (here, there):
        await one.goes_to("/mon-espace")
        assert one.status == 401
    await other.goes_to("/mon-espace")
    assert other.status == 200
    await there.goes_to(there._links()[0])
    assert there.status == 410


async def test_what_was_typed_when_a_session_ended_is_taken_up_after_signing_in() -> None:
    town = Town().happens(*GOING_ON)
    lise = await town.signed_in(LISE)
    await lise.goes_to("/mon-espace/c/semaine")
    town.real += timedelta(hours=3)
    await lise.presses("Enregistrer ma semaine", heures="vendredi matin")
    assert lise.status == 401
    await lise.follows("Me connecter")
    await lise.presses("Recevoir mon lien", adresse=LISE)
    await lise.opens_the_letter()
    assert lise.heading == "Reprendre où vous en étiez"
    await lise.presses("Envoyer maintenant")
    assert "Votre semaine est enregistrée" in lise.says
    (command,) = town.sent
    assert [(w.day, w.start) for w in command.availability] == [("fri", "09:00")]  # type: ignore[attr-defined]


async def test_cookies_are_for_the_server_alone_and_by_https_for_this_very_host() -> None:
    for url, prefix, secure in (("http://here", "", False), ("https://here", "__Host-", True)):
        town = Town(url=url)
        await asked(town, LISE)
        lise = town.person(LISE)
        await lise.goes_to(lise._links()[0].replace("http://portal.example", url))
        button, form = lise._button("Me connecter")
        assert lise.answer is not None
        data = lise._filled(form, {})
        answer = await lise.client.post(str(lise.answer.url), data=data)
        (cookie,) = [
            one for one in answer.headers.get_list("set-cookie") if f"{prefix}session=" in one
        ]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert ("Secure" in cookie) is secure
        assert "Domain" not in cookie
        del button


@pytest.mark.parametrize(
    "way",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/%2f/evil.example",
        "////evil.example",
        "/\\evil.example",
        "evil",
        "javascript:x",
        "",
        "/%0d%0aSet-Cookie:x",
    ],
)
def test_no_way_leads_out_of_the_portal(way: str) -> None:
    assert own_way(way) == "/mon-espace"


def test_a_way_within_the_portal_is_kept() -> None:
    assert own_way("/coordonner/c/participants?q=a") == "/coordonner/c/participants?q=a"


async def test_an_address_to_which_no_letter_can_be_sent_is_told_at_its_field() -> None:
    somebody = Town().person()
    await somebody.goes_to("/connexion")
    await somebody.presses("Recevoir mon lien", adresse="lise at home")
    assert somebody.status == 422
    (field,) = [one for one in somebody.page.all("input") if one.get("name") == "adresse"]
    assert field.get("value") == "lise at home"
    assert field.get("aria-invalid") == "true"


async def test_a_coordinator_lands_among_the_programmes() -> None:
    town = Town().happens(*GOING_ON)
    coordinator = town.person(COORDINATOR)
    await coordinator.signs_in()
    assert coordinator.heading == "Programmes"
    assert "Vous êtes connecté·e." in coordinator.says
