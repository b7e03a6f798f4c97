"""Roles that are given in the portal: who gives which, what they open, and when they end."""

from typing import Any

import pytest

from schemas.appointments import GiveRole, RoleGiven, RoleTaken, TakeRole
from schemas.base import Message
from schemas.people import PersonContact
from services.chassis.settings import Issuer
from services.portal.views import HeldRole
from tests.portal.browser import Person
from tests.portal.provider import Provider, served, town_of
from tests.portal.site import BANK, COORDINATOR, OF_C, OF_OTHERS, Town
from tests.portal.stories import GOING_ON, LISE, OPENED, PAUL

CLARA = "clara.adm@ministere.example"
OUTSIDE = "ines@banque.example"
OTHER = OPENED.model_copy(update={"cohort_id": "d", "name": "Autre programme"})


def given(town: Town, address: str, role: str, cohort: str = "c", **more: Any) -> list[Message]:
    """Somebody has a role, and nothing else, in a cohort."""
    person = address.partition("@")[0]
    who = {"cohort_id": cohort, "person_id": person}
    held = {"role": role, "holder": town.site.pseudonym(address), "given_at": town.now, **more}
    contact = PersonContact.model_validate({**who, "name": f"Nom de {person}", "email": address})
    return [contact, RoleGiven.model_validate({**who, **held})]


def town() -> Town:
    return Town().happens(*GOING_ON, OTHER)


async def opens(somebody: Person, *paths: str) -> list[int]:
    return [(await somebody.goes_to(path)).status for path in paths]


def rows(somebody: Person) -> list[list[str]]:
    return [[cell.text for cell in row.all("th", "td")] for row in somebody.page.all("tr")[1:]]


PAGES = ("/coordonner/c", "/coordonner/c/participants", "/administrer", "/coordonner/ouvrir")


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("coordinator", [200, 200, 404, 404]),
        ("administrator", [200, 200, 200, 404]),
        ("partner", [404, 200, 404, 404]),
    ],
)
async def test_a_role_that_is_given_opens_its_pages_in_a_session_that_goes_on_and_closes_them(
    role: str, found: list[int]
) -> None:
    place = town()
    clara = await place.signed_in(CLARA)
    assert await opens(clara, *PAGES) == [404] * 4
    more = {"organisations": (BANK,)} if role == "partner" else {}
    place.happens(*given(place, CLARA, role, **more))
    assert await opens(clara, *PAGES) == found
    assert await opens(clara, "/coordonner/d", "/coordonner/d/participants") == [404, 404]
    who = {"cohort_id": "c", "person_id": "clara.adm", "role": role, "because": "asked"}
    place.happens(RoleTaken.model_validate(who))
    assert await opens(clara, *PAGES) == [404] * 4


async def test_a_role_is_the_address_s_to_which_it_was_given_whoever_s_contact_changes() -> None:
    place = town()
    contact, role = given(place, CLARA, "administrator")
    assert isinstance(contact, PersonContact)
    place.happens(contact, role, contact.model_copy(update={"email": PAUL}))
    assert await opens(await place.signed_in(PAUL), "/coordonner/c") == [404]
    assert await opens(await place.signed_in(CLARA), "/coordonner/c") == [200]
    anne = await place.signed_in(COORDINATOR)
    await anne.goes_to("/administrer")
    assert "son adresse a changé depuis" in anne.says


async def test_whoever_was_given_a_role_signs_in_from_whatever_domain_and_else_does_not() -> None:
    place = town()
    for told, letters in (([], 0), (given(place, OUTSIDE, "coordinator"), 1)):
        place.happens(*told)
        ines = await place.person(OUTSIDE).goes_to("/connexion")
        await ines.presses("Recevoir mon lien", adresse=OUTSIDE)
        await place.site.mailing.settle()
        assert len(place.mails) == letters


async def test_an_administrator_gives_a_role_to_somebody_new_and_to_somebody_known() -> None:
    place = town()
    anne = await place.signed_in(COORDINATOR)
    await anne.goes_to("/administrer")
    fields = {"adresse": CLARA, "nom": "Clara Vidal", "role": "coordinator"}
    await anne.presses("Donner ce rôle", **fields, programme=["c", "d"])
    assert "Le rôle est donné." in anne.says
    kinds = [type(one) for one in place.sent]
    assert kinds == [PersonContact, GiveRole, PersonContact, GiveRole]
    assert {who for who, _ in place.behind} == {f"administrator {anne_id(place)}"}
    row = ["Clara Vidal" + CLARA, "coordination", "Connecte ton manager", "–"]
    [mine] = [cells for cells in rows(anne) if cells[:4] == row]
    assert mine[4].startswith("donné le lundi 6 mars 2017 par vous")

    place.sent.clear()
    await anne.presses(
        "Donner ce rôle", adresse=LISE, nom="Une autre", role="administrator", programme=["c"]
    )
    assert [type(one) for one in place.sent] == [GiveRole], "what is known of her stays"
    assert any(cells[0].startswith("Lise Œuvrard") for cells in rows(anne))


def anne_id(place: Town) -> str:
    return place.site.pseudonym(COORDINATOR)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"adresse": "clara"}, "adresse"),
        ({"nom": ""}, "nom"),
        ({"nom": "x" * 90}, "nom"),
        ({"role": "participant"}, "role"),
        ({"role": "partner"}, "organismes"),
        ({"organismes": BANK}, "organismes"),
        ({"role": "partner", "organismes": "x" * 65}, "organismes"),
        ({"programme": []}, "programme"),
        ({"programme": ["no-such"]}, "programme"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field_and_what_was_typed_stays(
    typed: dict[str, Any], field: str
) -> None:
    place = town()
    anne = await place.signed_in(COORDINATOR)
    await anne.goes_to("/administrer")
    fields = {"adresse": CLARA, "nom": "Clara", "role": "coordinator", "programme": ["c"], **typed}
    await anne.presses("Donner ce rôle", **fields)
    assert (anne.status, place.sent) == (422, [])
    assert f"#{field}" in [one.get("href") for one in anne.page.all("a")]
    [name] = [one for one in anne.page.all("input") if one.get("name") == "nom"]
    assert name.get("value") == fields["nom"]


async def test_who_administers_one_programme_sees_and_gives_there_alone() -> None:
    place = town()
    place.happens(*given(place, CLARA, "administrator"), *given(place, OUTSIDE, "auditor", "d"))
    clara = await place.signed_in(CLARA)
    await clara.goes_to("/administrer")
    assert OF_C in clara.says
    assert OF_OTHERS not in clara.says
    assert "ines" not in clara.says
    token = next(one.get("value") for one in clara.page.all("input") if one.get("name") == "jeton")
    fields = {"jeton": token, "adresse": PAUL, "nom": "P", "role": "auditor", "programme": "d"}
    clara.answer = await clara.client.post("/administrer", data=fields)
    assert (clara.status, place.sent) == (422, [])
    assert await opens(clara, "/administrer/d/ines~auditor") == [404]
    clara.answer = await clara.client.post("/administrer/d/ines~auditor", data={"jeton": token})
    assert (clara.status, place.sent) == (404, [])


async def test_a_role_is_taken_after_a_page_that_says_what_it_means() -> None:
    place = town()
    place.happens(*given(place, CLARA, "coordinator"))
    anne = await place.signed_in(COORDINATOR)
    await anne.goes_to("/administrer")
    await anne.follows("Retirer")
    assert "fermées dès maintenant" in anne.says
    await anne.presses("Retirer ce rôle")
    assert "Le rôle est retiré." in anne.says
    assert [type(one) for one in place.sent] == [TakeRole]
    assert "clara" not in anne.says
    await anne.goes_to("/administrer/c/clara.adm~coordinator")  # back to the page from before
    assert (anne.heading, "C’était déjà réglé." in anne.says) == ("Qui a quel rôle", True)


async def test_a_role_whose_button_is_pressed_twice_is_taken_once() -> None:
    place = town()
    place.happens(*given(place, CLARA, "coordinator"))
    anne, other = await place.signed_in(COORDINATOR), await place.signed_in(COORDINATOR)
    for tab in (anne, other):
        await tab.goes_to("/administrer/c/clara.adm~coordinator")
    await anne.presses("Retirer ce rôle")
    await other.presses("Retirer ce rôle")
    assert [type(one) for one in place.sent] == [TakeRole]
    assert "C’était déjà réglé." in other.says


async def test_whoever_takes_their_own_role_is_led_to_where_they_may_be() -> None:
    place = town()
    place.happens(*given(place, CLARA, "administrator"))
    clara = await place.signed_in(CLARA)
    await clara.goes_to("/administrer/c/clara.adm~administrator")
    place.rule = "last-administrator"
    await clara.presses("Retirer ce rôle")
    assert clara.status == 409
    assert "Donnez-la d’abord à quelqu’un d’autre" in clara.says
    place.rule = None
    await clara.goes_to("/administrer/c/clara.adm~administrator")
    await clara.presses("Retirer ce rôle")
    assert clara.answer is not None
    assert (clara.status, clara.answer.url.path) == (200, "/mon-espace")


async def test_a_role_that_somebody_else_has_just_taken_is_not_missed() -> None:
    place = town()
    place.happens(*given(place, CLARA, "coordinator"))
    anne = await place.signed_in(COORDINATOR)
    await anne.goes_to("/administrer/c/clara.adm~coordinator")
    place.rule = "unknown-role"  # it is gone there, and shown here
    await anne.presses("Retirer ce rôle")
    assert (anne.status, anne.heading) == (200, "Qui a quel rôle")


async def test_each_role_says_where_it_comes_from() -> None:
    provider = Provider()
    claims = {"role_claim": "groups", "roles": {"ctm-direction": "administrator"}, "cohorts": ["*"]}
    issuer = Issuer.model_validate({"issuer": provider.url, "audience": "a", **claims})
    async with served(provider):
        place = town_of(provider, known=[issuer]).happens(*GOING_ON)
        contact = PersonContact(
            cohort_id="c", person_id="c-1", name="Zoé", email="z@x.example", role="coordinator"
        )
        place.happens(contact, *given(place, CLARA, "auditor", asker="token"))
        anne = await place.signed_in(COORDINATOR)
        await anne.goes_to("/administrer")
    told = {cells[0]: (cells[1], cells[4]) for cells in rows(anne)}
    assert told["ctm-direction"] == ("administration", "ProConnect")
    assert told["Zoéz@x.example"][1].startswith("liste de personnes")
    assert "par un outil d’exploitation" in told[f"Nom de clara.adm{CLARA}"][1]
    assert told[COORDINATOR] == ("administration", "réglages du site")


async def test_whoever_has_a_role_finds_it_among_what_is_held_about_them() -> None:
    place = town()
    who = {"cohort_id": "c", "person_id": "m-1", "role": "coordinator"}
    held = {"holder": place.site.pseudonym(LISE), "given_at": place.now}
    place.happens(RoleGiven.model_validate({**who, **held}))
    lise = await place.signed_in(LISE)
    await lise.goes_to("/mon-espace/c/donnees")
    assert "coordination, donné le lundi 6 mars 2017" in lise.says
    answer = await lise.client.get("/mon-espace/c/donnees.json")
    assert [one["role"] for one in answer.json()["roles"]] == ["coordinator"]


def test_what_is_kept_of_a_role_has_no_address() -> None:
    place = town()
    place.happens(*given(place, CLARA, "auditor"))
    [(_, held)] = place.store.rows[HeldRole].values()
    assert CLARA not in held.model_dump_json()
