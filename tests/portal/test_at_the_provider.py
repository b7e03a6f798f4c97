"""Signing in at an identity provider: who is let in, and whom nothing lets in."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from services.chassis.http.discovery import KEPT_SECONDS
from services.portal.web.sessions import SESSION, WAY
from tests.portal.provider import (
    BUTTON,
    PROCONNECT,
    Hour,
    Provider,
    at_the_door,
    comes,
    is_nobody,
    is_signed_in,
    served,
    town_of,
    way_of,
)
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, LISE
from tests.portal.test_accessibility import check


async def test_whoever_the_provider_vouches_for_is_signed_in_by_their_address() -> None:
    async with served(Provider()) as provider:
        lise = await comes(town_of(provider).happens(*GOING_ON))
    assert lise.heading == "Mon espace"
    assert "Paul Lenoir" in lise.says
    assert provider.asked["/token"] == 1


@pytest.mark.parametrize("signs", [False, True])
@pytest.mark.parametrize("methods", [("client_secret_post",), ("client_secret_basic",)])
async def test_proconnect_s_shape_is_understood_signed_or_not(
    signs: bool, methods: tuple[str, ...]
) -> None:
    provider = Provider(
        person=PROCONNECT, signs_userinfo=signs, methods=methods, claims={"acr": "eidas1"}
    )
    scopes = "openid given_name usual_name email uid siret"
    async with served(provider):
        town = town_of(provider, scopes=scopes, acr=("eidas1",), confirmed=True)
        lise = await at_the_door(town.happens(*GOING_ON))
        asked = way_of(lise)
        await lise.follows("Continuer")
    assert (asked["scope"], asked["acr_values"]) == (scopes, "eidas1")
    assert lise.heading == "Mon espace"


async def test_the_page_has_the_provider_first_and_a_link_only_where_it_is_allowed() -> None:
    provider = Provider()
    for by_link in (False, True):
        somebody = await town_of(provider, by_link=by_link).person().goes_to("/connexion")
        buttons = [one.text for one in somebody.page.all("main")[0].all("button")]
        assert buttons == [BUTTON, *(["Recevoir mon lien"] if by_link else [])]
        assert "Qu’est-ce que ProConnect ?" in somebody.says
    other = await town_of(provider, name="Passage").person().goes_to("/connexion")
    assert "S’identifier avec Passage" in other.says
    assert "ProConnect" not in other.says


async def test_no_link_is_sent_where_it_is_not_allowed() -> None:
    town = town_of(Provider())
    somebody = await town.person().goes_to("/connexion")
    token = somebody.page.all("input")[0].get("value")
    answer = await somebody.client.post("/connexion", data={"jeton": token, "adresse": LISE})
    await town.site.mailing.settle()
    assert (answer.status_code, town.mails) == (404, [])


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_its_pages_have_their_headings_landmarks_and_labels(language: str) -> None:
    async with served(Provider()) as provider:
        town = town_of(provider, by_link=True)
        somebody = await town.person().goes_to(f"/connexion?langue={language}")
        check(somebody.page)
        button = BUTTON if language == "fr" else "Sign in with ProConnect"
        await somebody.presses(button)
        check(somebody.page)
        provider.refuses = "access_denied"
        await somebody.follows("Continuer" if language == "fr" else "Go on")
        check(somebody.page)
        assert somebody.page.all("html")[0].get("lang") == language


async def test_no_form_of_any_page_may_lead_out_of_the_portal() -> None:
    async with served(Provider()) as provider:
        for somebody in (await at_the_door(town_of(provider)), await comes(town_of(provider))):
            assert somebody.answer is not None
            policy = somebody.answer.headers["content-security-policy"]
            assert "form-action 'self';" in policy


async def test_where_one_wanted_to_go_is_gone_to() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise = await town.person().goes_to("/mon-espace/c/semaine")
        await lise.follows("Me connecter")
        await (await lise.presses(BUTTON)).follows("Continuer")
    assert lise.answer is not None
    assert lise.answer.url.path == "/mon-espace/c/semaine"


async def test_what_was_typed_when_a_session_ended_is_taken_up_after_the_provider() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise = await comes(town)
        await lise.goes_to("/mon-espace/c/semaine")
        town.real += timedelta(hours=3)
        await lise.presses("Enregistrer ma semaine", heures="vendredi matin")
        assert lise.status == 401
        await lise.follows("Me connecter")
        await (await lise.presses(BUTTON)).follows("Continuer")
        assert lise.heading == "Reprendre où vous en étiez"
        await lise.presses("Envoyer maintenant")
    assert "Votre semaine est enregistrée" in lise.says


@pytest.mark.parametrize("by_link", [False, True])
async def test_who_joins_signs_in_last_and_is_who_the_provider_says(by_link: bool) -> None:
    typed = {"adresse": "l.o@ministere.example"} if by_link else {}
    async with served(Provider()) as provider:
        town = town_of(provider, by_link=by_link).happens(*GOING_ON[:1])
        lise = await town.person().goes_to("/inscription/c/mentor")
        given = {"nom": "Lise Œuvrard", "direction": "DGFiP", "site": "Bercy", "heures": "lundi"}
        await lise.presses("M’inscrire", **typed, **given, outil=["linkedin"])
        await (await lise.presses(BUTTON)).follows("Continuer")
        await lise.presses("Confirmer mon inscription")
    contact = town.sent[0]
    assert contact.email == LISE  # type: ignore[attr-defined]


async def test_a_session_of_before_ends_and_the_new_one_has_another_name() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        planted = await town.site.sessions.begin("somebody@ministere.example")
        lise = await at_the_door(town)
        lise.client.cookies.set("__Host-session", planted, domain="portal.example", path="/")
        await lise.follows("Continuer")
    tokens = [one.value for one in lise.client.cookies.jar if one.name == "__Host-session"]
    assert planted not in tokens
    assert await town.site.sessions.find(planted) is None
    assert await town.site.sessions.find(str(tokens[0])) is not None


async def test_a_way_back_that_was_walked_signs_nobody_in() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        lise = await comes(town)
        assert lise.answer is not None
        walked = str(lise.answer.history[-1].url)
        await lise.goes_to(walked)
        assert (lise.status, lise.heading) == (409, "Vous êtes déjà connecté·e")
        lise.client.cookies.delete("__Host-session")
        await lise.goes_to(walked)
        assert is_nobody(lise)
    assert provider.asked["/token"] == 1


async def test_a_way_that_another_browser_set_out_on_signs_nobody_in() -> None:
    """Else somebody could be led to sign in as somebody else, and type there what is theirs."""
    async with served(Provider()) as provider:
        town = town_of(provider)
        attacker = await at_the_door(town)
        (link,) = [one for one in attacker.page.all("a") if one.text == "Continuer"]
        answer = await attacker.client.get(link.get("href"))
        victim = await town.person().goes_to("/")
        await victim.goes_to(answer.headers["location"])
        assert is_nobody(victim)
        await attacker.goes_to(answer.headers["location"])
        assert is_nobody(attacker), "it is of no use to them either any more"
    assert provider.asked["/token"] == 0


@pytest.mark.parametrize("query", ["", "?code=c", "?state=made-up&code=c", "?error=access_denied"])
async def test_who_comes_back_without_having_set_out_is_nobody(query: str) -> None:
    somebody = await town_of(Provider()).person().goes_to(f"/connexion/retour{query}")
    assert is_nobody(somebody)


async def test_who_takes_too_long_begins_again() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        somebody = await at_the_door(town)
        town.real += timedelta(minutes=11)
        assert is_nobody(await somebody.follows("Continuer"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied", "vous a refusé l’accès"),
        ("server_error", "a rencontré un incident"),
        ("invalid_scope", "n’a pas pu vous identifier"),
        ("<script>", "n’a pas pu vous identifier"),
    ],
)
async def test_who_is_not_let_in_there_is_told_why_and_comes_back_to_where_they_were(
    error: str, told: str
) -> None:
    async with served(Provider(refuses=error)) as provider:
        somebody = await comes(town_of(provider), "/connexion?vers=/mon-espace/c/semaine")
        assert is_nobody(somebody)
        assert error not in somebody.says
        assert told in somebody.says
        assert "vous reprenez là où vous étiez" in somebody.says
        provider.refuses = None
        await somebody.follows("Recommencer")
        await (await somebody.presses(BUTTON)).follows("Continuer")
    assert is_signed_in(somebody)


async def test_an_answer_in_the_name_of_another_issuer_signs_nobody_in() -> None:
    async with served(Provider()) as provider:
        somebody = await at_the_door(town_of(provider))
        state = way_of(somebody)["state"]
        await somebody.goes_to(f"/connexion/retour?code=c&state={state}&iss=https://other.example")
        assert is_nobody(somebody)


async def test_a_code_of_another_way_signs_nobody_in() -> None:
    """The provider gives it for one challenge, whose secret this way does not have."""
    async with served(Provider()) as provider:
        town = town_of(provider)
        other = await at_the_door(town)
        (link,) = [one for one in other.page.all("a") if one.text == "Continuer"]
        answer = await other.client.get(link.get("href"))
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        somebody = await at_the_door(town)
        state = way_of(somebody)["state"]
        await somebody.goes_to(f"/connexion/retour?code={code}&state={state}")
        assert is_nobody(somebody)


async def test_a_code_counts_once() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        lise = await comes(town)
        assert lise.answer is not None
        used = parse_qs(lise.answer.history[-1].url.query.decode())["code"][0]
        somebody = await at_the_door(town)
        state = way_of(somebody)["state"]
        await somebody.goes_to(f"/connexion/retour?code={used}&state={state}")
        assert is_nobody(somebody)


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_provider_that_does_not_answer_is_waited_for_so_long_and_no_longer(
    by_link: bool,
) -> None:
    async with served(Provider()) as provider:
        town = town_of(provider, by_link=by_link)
        somebody = await at_the_door(town)
        assert town.provider is not None
        provider.late, town.provider.wait = asyncio.Event(), 0.2
        state = way_of(somebody)["state"]
        await somebody.goes_to(f"/connexion/retour?code=c&state={state}")
        assert is_nobody(somebody, 503)
        assert somebody.heading == "ProConnect ne répond pas"
        assert ("recevoir un lien" in somebody.says) is by_link
        assert somebody.answer is not None
        assert somebody.answer.headers["retry-after"] == "60"


async def test_a_provider_that_is_away_before_anybody_sets_out_is_said_to_be() -> None:
    async with served(Provider(away=True)) as provider:
        somebody = await at_the_door(town_of(provider))
        assert is_nobody(somebody, 503)


async def test_what_is_kept_of_a_way_or_a_session_names_no_token_that_opens_anything() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        somebody = await at_the_door(town)
        state = way_of(somebody)["state"]
        assert [kind for kind, _ in town.kept._rows] == [WAY]
        assert state not in str(town.kept._rows)
        await somebody.follows("Continuer")
    assert [kind for kind, _ in town.kept._rows] == [SESSION]
    assert "eyJhbGciOiJSUzI1NiI" not in str(town.kept._rows), "the ID token is sealed"


async def test_who_signs_out_signs_out_there_too_and_is_back() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        lise = await comes(town)
        await lise.presses("Se déconnecter")
        assert not is_signed_in(lise)
        await lise.follows("Continuer")
        assert "Vous êtes déconnecté·e." in lise.says
        (told,) = provider.ended
        assert told["post_logout_redirect_uri"] == "https://portal.example/deconnexion/retour"
        assert told["id_token_hint"].count(".") == 2
        assert lise.answer is not None
        await lise.goes_to(str(lise.answer.history[0].url))  # once more
        assert "Vous êtes déconnecté·e." not in lise.says
    assert town.kept._rows == {}


async def test_where_the_provider_is_away_one_is_signed_out_here() -> None:
    async with served(Provider()) as provider:
        hour = Hour()
        town = town_of(provider, now=hour)
        lise = await comes(town)
        hour.ahead, provider.away = KEPT_SECONDS + 60, True
        await lise.presses("Se déconnecter")
        assert "vous y êtes peut-être encore connecté·e" in lise.says
        assert not is_signed_in(lise)
    assert SESSION not in [kind for kind, _ in town.kept._rows]


async def test_without_a_provider_there_is_nothing_of_it() -> None:
    somebody = await Town().person().goes_to("/connexion")
    assert "S’identifier avec" not in somebody.says
    for path in ("/connexion/retour?state=s&code=c", "/deconnexion/retour?state=s"):
        assert (await somebody.goes_to(path)).status == 404
