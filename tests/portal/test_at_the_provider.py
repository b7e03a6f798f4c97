"""Signing in at an identity provider: who is let in, and whom nothing lets in."""

import asyncio
import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.chassis.http.discovery import ASKED_EVERY, KEPT_SECONDS
from services.chassis.settings import Issuer
from services.portal.web.sessions import CONFIRMED, SESSION, WAY
from tests.portal.browser import Person
from tests.portal.provider import CLIENT, PROCONNECT, Provider, served, town_of
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LISE
from tests.portal.test_accessibility import check


@dataclass
class Hour:
    """The real time, which a test moves on."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


BUTTON = "S’identifier avec ProConnect"


async def at_the_door(town: Town, way: str = "/connexion") -> Person:
    """Somebody who has pressed the button, and is about to go to the provider."""
    somebody = town.person(LISE)
    await somebody.goes_to(way)
    return await somebody.presses(BUTTON)


async def comes(town: Town, way: str = "/connexion") -> Person:
    """Somebody who goes there and comes back."""
    return await (await at_the_door(town, way)).follows("Continuer")


def is_signed_in(somebody: Person) -> bool:
    return "__Host-session" in somebody.client.cookies


def is_nobody(somebody: Person, status: int = 400) -> bool:
    """Whether they are told so, with a way back, and are signed in as nobody."""
    ways = [link.get("href") for link in somebody.page.all("main")[0].all("a")]
    assert any(way.startswith("/connexion") for way in ways)
    assert somebody.status == status
    return not is_signed_in(somebody)


def way_of(somebody: Person) -> dict[str, str]:
    """What the page's link to the provider asks for."""
    (link,) = [one for one in somebody.page.all("a") if one.text == "Continuer"]
    found = parse_qs(urlsplit(link.get("href")).query)
    return {name: value for name, (value,) in found.items()}


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


@pytest.mark.parametrize("error", ["access_denied", "server_error", "<script>"])
async def test_who_is_not_let_in_there_is_told_so_and_can_try_again(error: str) -> None:
    async with served(Provider(refuses=error)) as provider:
        somebody = await comes(town_of(provider), "/connexion?vers=/mon-espace/c/semaine")
        assert is_nobody(somebody)
        assert error not in somebody.says
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


def _written(told: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def unsigned(provider: Provider, claims: Mapping[str, Any]) -> str:
    return f"{_written({'alg': 'none', 'kid': provider.key.kid})}.{_written(claims)}."


def by_hmac_with_the_public_key(provider: Provider, claims: Mapping[str, Any]) -> str:
    told = f"{_written({'alg': 'HS256', 'kid': provider.key.kid})}.{_written(claims)}"
    made = hmac.digest(provider.key.as_pem(private=False), told.encode(), "sha256")
    return f"{told}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def by_an_unknown_key(provider: Provider, claims: Mapping[str, Any]) -> str:
    return provider.sign(claims, {"kid": "nobody's"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another sign-in"},
        {"claims": {"aud": "another client"}},
        {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
        {"claims": {"iss": "https://other.example"}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"sub": ""}},
        {"claims": {"acr": "eidas0"}},
        {"forge": unsigned},
        {"forge": by_hmac_with_the_public_key},
        {"forge": by_an_unknown_key},
        {"userinfo": {"sub": "somebody else"}},
        {"userinfo": {"sub": "somebody else"}, "signs_userinfo": True},
        {"userinfo": {"aud": "another client"}, "signs_userinfo": True},
        {"userinfo": {"iss": "https://other.example"}, "signs_userinfo": True},
    ],
    ids=str,
)
async def test_whatever_does_not_hold_signs_nobody_in(
    wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(**{"claims": {"acr": "eidas1"}, **wrong})
    async with served(provider):
        with caplog.at_level(logging.INFO, logger="services"):
            somebody = await comes(town_of(provider, acr=("eidas1",)))
    assert is_nobody(somebody)
    (told,) = [one for one in caplog.messages if "vouched for nobody" in one]
    assert LISE not in told


@pytest.mark.parametrize("forge", [unsigned, by_hmac_with_the_public_key, by_an_unknown_key])
async def test_signed_userinfo_has_to_be_signed(forge: Callable[..., str]) -> None:
    def userinfo_alone(provider: Provider, claims: Mapping[str, Any]) -> str:
        return provider.sign(claims) if "nonce" in claims else forge(provider, claims)

    async with served(Provider(signs_userinfo=True, forge=userinfo_alone)) as provider:
        assert is_nobody(await comes(town_of(provider)))


async def test_keys_that_were_rotated_are_found() -> None:
    async with served(Provider()) as provider:
        hour = Hour()
        town = town_of(provider, now=hour)
        assert is_signed_in(await comes(town))
        provider.rotate()
        hour.ahead = ASKED_EVERY + 1
        assert is_signed_in(await comes(town))
    assert provider.asked["/keys"] == 2


@pytest.mark.parametrize(
    ("said", "confirmed", "counts"),
    [
        ({"email_verified": True}, False, True),
        ({"email_verified": False}, False, False),
        ({"email_verified": False}, True, False),
        ({"email_verified": "true"}, True, False),
        ({}, True, True),
        ({}, False, False),
    ],
)
async def test_an_address_counts_that_the_provider_confirms_or_is_set_to_have_confirmed(
    said: dict[str, Any], confirmed: bool, counts: bool
) -> None:
    provider = Provider(person={"sub": "lise", "email": LISE, **said})
    async with served(provider):
        somebody = await comes(town_of(provider, confirmed=confirmed))
    assert is_signed_in(somebody) is counts
    if not counts:
        assert is_nobody(somebody, 403)
        assert "ne confirme aucune adresse" in somebody.says


async def test_an_address_that_is_not_confirmed_is_confirmed_once_by_a_link_if_allowed() -> None:
    async with served(Provider(person={"sub": "lise", "email": LISE})) as provider:
        town = town_of(provider, by_link=True).happens(*GOING_ON)
        lise = await comes(town)
        assert not is_signed_in(lise)
        await lise.presses("Recevoir mon lien")  # to the address that the provider told
        await lise.opens_the_letter()
        assert lise.heading == "Mon espace"
        (kept,) = [row for (kind, _), row in town.kept._rows.items() if kind == CONFIRMED]
        assert LISE not in str(kept)
        again = await comes(town)
        assert again.heading == "Mon espace", "from then on by the account alone"
        await again.presses("Me déconnecter de tous mes appareils")
        assert not is_signed_in(await comes(town)), "until they sign out everywhere"
        assert not is_signed_in(await comes(town))


async def test_nobody_confirms_an_address_for_the_account_of_somebody_else() -> None:
    """Who opens a letter's link elsewhere signs in, and gives away nothing."""
    async with served(Provider(person={"sub": "somebody", "email": LISE})) as provider:
        town = town_of(provider, by_link=True).happens(*GOING_ON)
        somebody = await comes(town)
        await somebody.presses("Recevoir mon lien")
        lise = town.person(LISE)
        await lise.opens_the_letter()
        assert lise.heading == "Mon espace"
        assert not is_signed_in(await comes(town))
        lise = await town.person(LISE).goes_to("/connexion")
        await lise.presses("Recevoir mon lien", adresse=LISE)  # of no account
        await lise.opens_the_letter(1)
        assert not is_signed_in(await comes(town))


async def test_an_address_of_a_domain_that_is_not_allowed_opens_nothing() -> None:
    person = {"sub": "x", "email": "x@elsewhere.example", "email_verified": True}
    async with served(Provider(person=person)) as provider:
        somebody = await comes(town_of(provider))
    assert (somebody.status, is_signed_in(somebody)) == (403, False)


def entry(provider: Provider, **more: Any) -> Issuer:
    told = {
        "issuer": provider.url,
        "audience": "the services",
        "role_claim": "groups",
        "roles": {"coordination": "coordinator", "direction": "administrator"},
        "cohorts_claim": "cohorts",
    }
    return Issuer.model_validate(told | more)


@pytest.mark.parametrize(
    ("groups", "cohorts", "programme", "settings", "opening"),
    [
        (["coordination"], ["c"], 200, 404, 404),
        (["coordination"], ["d"], 404, 404, 404),
        (["coordination"], ["*"], 200, 404, 404),
        (["direction"], ["c"], 200, 422, 404),
        (["direction"], ["*"], 200, 422, 422),
        (["others"], ["*"], 404, 404, 404),
    ],
)
async def test_roles_and_their_programmes_are_those_that_the_platform_reads_from_claims(
    groups: list[str], cohorts: list[str], programme: int, settings: int, opening: int
) -> None:
    claims = {"groups": groups, "cohorts": cohorts}
    provider = Provider(claims=claims)
    async with served(provider):
        town = town_of(provider, known=(entry(provider),)).happens(*GOING_ON)
        somebody = await comes(town)
        assert (await somebody.goes_to("/coordonner/c/participants")).status == programme
        await somebody.goes_to("/mon-espace")
        token = somebody.page.all("input")[0].get("value")
        found = []
        for path in ("/coordonner/c/reglages", "/coordonner/ouvrir"):
            answer = await somebody.client.post(path, data={"jeton": token})
            found.append(answer.status_code)
    assert found == [settings, opening]


async def test_who_coordinates_by_settings_does_so_by_the_provider_too() -> None:
    person = {"sub": "x", "email": COORDINATOR, "email_verified": True}
    async with served(Provider(person=person)) as provider:
        somebody = await comes(town_of(provider).happens(*GOING_ON))
        assert somebody.heading == "Programmes"


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_provider_that_does_not_answer_is_waited_for_so_long_and_no_longer(
    by_link: bool,
) -> None:
    async with served(Provider()) as provider:
        town = town_of(provider, wait=0.3, by_link=by_link)
        somebody = await at_the_door(town)
        provider.late = asyncio.Event()
        (link,) = [one for one in somebody.page.all("a") if one.text == "Continuer"]
        state = way_of(somebody)["state"]
        await somebody.goes_to(f"/connexion/retour?code=c&state={state}")
        assert is_nobody(somebody, 503)
        assert somebody.heading == "ProConnect ne répond pas"
        assert ("recevoir un lien" in somebody.says) is by_link
        assert somebody.answer is not None
        assert somebody.answer.headers["retry-after"] == "60"
        del link


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
