"""Whom a provider vouches for: what its tokens are, whose address counts, who has which role."""

import base64
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from schemas.lines import LineManagerNamed
from services.chassis.http.discovery import ASKED_EVERY, LARGEST
from services.chassis.settings import Issuer
from services.portal.web.sessions import CONFIRMED
from tests.portal.provider import (
    CLIENT,
    Hour,
    Provider,
    comes,
    is_nobody,
    is_signed_in,
    served,
    town_of,
)
from tests.portal.site import BANK, COORDINATOR
from tests.portal.stories import GOING_ON, LISE


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
    ids=lambda lie: ", ".join(
        f"{what} {getattr(how, '__name__', how)}" for what, how in lie.items()
    ),
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


async def test_of_an_answer_without_end_so_much_is_read_and_no_more() -> None:
    async with served(Provider(userinfo={"more": "x" * LARGEST})) as provider:
        assert is_nobody(await comes(town_of(provider)), 503)


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


OF_A_BANK = {"organisation_claim": "siret", "organisations": {"542097902": f" {BANK}\u00a0"}}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"groups": ["partenaires"], "cohorts": ["c"], "siret": "542097902"}, 200),
        ({"groups": ["partenaires"], "cohorts": ["*"], "siret": "542097902"}, 200),
        ({"groups": ["partenaires"], "cohorts": ["d"], "siret": "542097902"}, 404),
        ({"groups": ["partenaires"], "cohorts": ["c"], "siret": "another"}, 404),
        ({"groups": ["partenaires"], "cohorts": ["c"]}, 404),
        ({"groups": ["others"], "cohorts": ["c"], "siret": "542097902"}, 404),
    ],
)
async def test_a_partner_by_claims_sees_the_people_of_the_organisation_that_these_name(
    claims: dict[str, Any], status: int
) -> None:
    paul = GOING_ON[4].model_copy(update={"organisation": BANK})
    async with served(Provider(claims=claims)) as provider:
        one = entry(provider, roles={"partenaires": "partner"}, **OF_A_BANK)
        town = town_of(provider, known=(one,)).happens(*GOING_ON[:4], paul, *GOING_ON[5:])
        somebody = await comes(town)
        assert (await somebody.goes_to("/coordonner/c/participants")).status == status
        assert ("Paul Lenoir" in somebody.says) is (status == 200)
        assert (await somebody.goes_to("/coordonner/c/participants/m-1")).status == 404
        assert (await somebody.goes_to("/coordonner/c")).status == 404


async def test_who_coordinates_by_settings_does_so_by_the_provider_too() -> None:
    person = {"sub": "x", "email": COORDINATOR, "email_verified": True}
    async with served(Provider(person=person)) as provider:
        somebody = await comes(town_of(provider).happens(*GOING_ON))
        assert somebody.heading == "Programmes"


async def test_the_wall_stands_before_who_coordinates_by_claims_too() -> None:
    """Lise, who coordinates by what her provider says, sees Paul until he reports to her."""
    claims = {"groups": ["coordination"], "cohorts": ["c"]}
    line = LineManagerNamed(cohort_id="c", person_id="g-1", line_manager="m-1")
    async with served(Provider(claims=claims)) as provider:
        town = town_of(provider, known=(entry(provider),)).happens(*GOING_ON)
        lise = await comes(town, "/connexion?vers=/coordonner/c/participants")
        assert "Paul Lenoir" in lise.says
        town.happens(line)
        await lise.goes_to("/coordonner/c/participants")
        assert "Paul Lenoir" not in lise.says
        assert (await lise.goes_to("/coordonner/c/participants/g-1")).status == 404
