"""Joining, from the public page to the services: what is asked, told, kept and sent."""

import pytest

from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.people import PersonContact
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, LISE, LISE_JOINS, OPENED
from tests.portal.test_routes import token_of

NEW = "nour.benali@ministere.example"
ABOUT = {"nom": "Nour Benali", "direction": "DGE", "site": "Lyon", "heures": "lundi 9h-12h"}


async def test_who_wants_to_coach_fills_a_form_confirms_the_address_and_is_in() -> None:
    town = Town().happens(OPENED)
    nour = town.person(NEW)
    await nour.goes_to("/")
    await nour.follows("Connecte ton manager")
    await nour.goes_to("/inscription/c")
    await nour.follows("Je veux accompagner")
    answers = {**ABOUT, "adresse": NEW, "outil": ["linkedin"], "niveau-linkedin": "5"}
    await nour.presses("M’inscrire", **answers)
    assert nour.heading == "Regardez vos courriels"
    assert town.sent == []
    await nour.opens_the_letter()
    assert nour.heading == "Confirmer mon inscription"
    await nour.presses("Confirmer mon inscription")
    assert "Votre inscription est enregistrée." in nour.says
    contact, command = town.sent
    assert isinstance(contact, PersonContact)
    assert isinstance(command, VolunteerAsMentor)
    assert (contact.name, contact.email) == ("Nour Benali", NEW)
    assert (command.skills, command.mentor_id) == ({"linkedin": 5}, contact.person_id)
    assert NEW.partition("@")[0] not in command.mentor_id


async def test_a_job_recommends_its_tools_with_reasons_already_ticked() -> None:
    nour = await Town().happens(OPENED).signed_in(NEW)
    await nour.goes_to("/inscription/c/manager")
    await nour.presses("Voir les outils conseillés", poste="public-procurement", nom="Nour")
    ticked = [
        one.get("value")
        for one in nour.page.all("input")
        if one.get("name") == "outil" and "checked" in one.attributes
    ]
    assert ticked == ["linkedin", "shared-documents"]
    assert "Conseillé pour votre métier, pour connaître les fournisseurs d’un marché" in nour.says
    (name,) = [one for one in nour.page.all("input") if one.get("name") == "nom"]
    assert name.get("value") == "Nour"


async def test_a_manager_who_is_signed_in_joins_at_once() -> None:
    town = Town().happens(OPENED)
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/manager")
    await nour.presses("M’inscrire", **ABOUT, poste="tax-audit", outil=["spreadsheets"])
    assert nour.heading == "Mon espace"
    _, command = town.sent
    assert isinstance(command, EnrolManager)
    assert (command.job_family, command.needs) == ("tax-audit", {"spreadsheets": 3})


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("adresse", "nour"),
        ("nom", ""),
        ("nom", "N" * 65),
        ("direction", ""),
        ("site", ""),
        ("heures", "lundi 12h-9h"),
        ("heures", ""),
        ("heures", ", ".join(f"lundi {n}h-{n + 1}h" for n in range(22))),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_everything_typed_stays(
    field: str, typed: str
) -> None:
    town = Town().happens(OPENED)
    nour = town.person(NEW)
    await nour.goes_to("/inscription/c/mentor")
    answers = {**ABOUT, "adresse": NEW, "outil": ["wiki"], "niveau-wiki": "4", field: typed}
    await nour.presses("M’inscrire", **answers)
    assert nour.status == 422
    shown = "semaine" if field == "heures" else field
    (summary,) = [one for one in nour.page.all("div") if one.get("role") == "alert"]
    assert [link.get("href") for link in summary.all("a")] == [f"#{shown}"]
    assert any(one.get("id") == shown for one in nour.page.all("input", "fieldset"))
    _, form = nour._button("M’inscrire")
    kept = nour._filled(form, {})
    assert {name: kept[name] for name in answers} == {
        name: value if isinstance(value, list) else [value] for name, value in answers.items()
    }
    assert (town.sent, town.mails) == ([], [])


@pytest.mark.parametrize(("field", "typed"), [("nom", "\u200b\u00ad"), ("site", "\ufb2c" * 64)])
async def test_what_nobody_sees_is_not_typed_and_length_is_of_what_is_kept(
    field: str, typed: str
) -> None:
    town = Town().happens(OPENED)
    nour = town.person(NEW)
    await nour.goes_to("/inscription/c/mentor")
    answers = {**ABOUT, "adresse": NEW, "outil": ["wiki"], "niveau-wiki": "4", field: typed}
    await nour.presses("M’inscrire", **answers)
    assert nour.status == 422
    (summary,) = [one for one in nour.page.all("div") if one.get("role") == "alert"]
    assert [link.get("href") for link in summary.all("a")] == [f"#{field}"]
    assert (town.sent, town.mails) == ([], [])


async def test_whoever_confirms_twice_or_goes_back_is_told_that_they_have_joined() -> None:
    town = Town().happens(OPENED)
    nour = town.person(NEW)
    await nour.goes_to("/inscription/c/mentor")
    await nour.presses("M’inscrire", **ABOUT, adresse=NEW, outil=["wiki"])
    await nour.goes_to((await nour.links_after(0))[-1])
    await nour.presses("Me connecter")
    assert nour.answer is not None
    confirming, data = nour.answer.url.path, {"jeton": token_of(nour)}
    await nour.presses("Confirmer mon inscription")
    joined = list(town.sent)
    again = await nour.client.post(confirming, data=data, follow_redirects=True)
    assert "Votre inscription est enregistrée." in again.text
    await nour.goes_to(confirming)
    assert (nour.heading, "inscription est enregistrée" in nour.says) == ("Mon espace", True)
    assert town.sent == joined


async def test_nobody_joins_with_somebody_else_s_draft() -> None:
    town = Town().happens(OPENED)
    nour, other = town.person(NEW), await town.signed_in("eve@ministere.example")
    await nour.goes_to("/inscription/c/mentor")
    await nour.presses("M’inscrire", **ABOUT, adresse=NEW, outil=["wiki"])
    await nour.goes_to((await nour.links_after(0))[-1])
    await nour.presses("Me connecter")
    assert nour.answer is not None
    await other.goes_to(nour.answer.url.path)
    assert other.status == 404


async def test_whoever_is_known_in_the_programme_keeps_their_id_on_the_other_side() -> None:
    town = Town().happens(OPENED, *LISE_JOINS)
    lise = await town.signed_in(LISE)
    await lise.goes_to("/inscription/c/manager")
    await lise.presses("M’inscrire", **ABOUT, poste="budget")
    assert [command.subject for command in town.sent] == ["m-1", "m-1"]


async def test_a_form_that_is_sent_twice_is_of_one_person() -> None:
    town = Town().happens(OPENED)
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/mentor")
    _, form = nour._button("M’inscrire")
    data = nour._filled(form, {**ABOUT, "outil": ["wiki"]})
    for _ in range(2):
        await nour.client.post("/inscription/c/mentor", data=data)
    assert len({command.subject for command in town.sent}) == 1


async def test_what_a_rule_does_not_allow_is_told_in_words() -> None:
    town = Town().happens(*GOING_ON)
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/mentor")
    town.rule = "already-volunteered"
    await nour.presses("M’inscrire", **ABOUT, outil=["wiki"])
    assert nour.status == 409
    assert "Vous êtes déjà inscrit·e comme mentor" in nour.says


async def test_what_somebody_types_is_never_part_of_the_page() -> None:
    town = Town().happens(OPENED)
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/mentor")
    evil = '"><script>alert(1)</script>'
    await nour.presses("M’inscrire", **ABOUT | {"site": evil + "x" * 64})
    assert nour.page.all("script") == []


async def test_an_age_or_a_rank_is_never_asked() -> None:
    for side in ("mentor", "manager"):
        nour = Town().happens(OPENED).person()
        await nour.goes_to(f"/inscription/c/{side}")
        for word in (" âge", "grade", "naissance", "corps "):
            assert word not in nour.says


async def test_the_page_is_english_for_whoever_asks_and_stays_so() -> None:
    nour = Town().happens(OPENED).person()
    await nour.goes_to("/inscription/c/mentor?langue=en")
    assert nour.heading == "I want to coach"
    assert nour.page.all("html")[0].get("lang") == "en"
    await nour.goes_to("/inscription/c")
    assert "I want to be coached" in nour.says
    await nour.goes_to("/inscription/c?langue=fr")
    assert "Je veux être accompagné·e" in nour.says


async def test_a_programme_that_there_is_not_is_not_there() -> None:
    nour = Town().person()
    await nour.goes_to("/inscription/c")
    assert (nour.status, nour.heading) == (404, "Cette page n’existe pas")


async def test_the_page_of_a_programme_has_its_address_as_a_qr_code() -> None:
    nour = Town().happens(OPENED).person()
    await nour.goes_to("/inscription/c")
    assert "http://portal.example/inscription/c" in nour.says
    (picture,) = nour.page.all("img")
    assert picture.get("alt") == "QR code qui mène à cette page"
    answer = await nour.client.get(picture.get("src"))
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b"http" not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")


async def test_what_is_known_of_somebody_need_not_be_typed_again() -> None:
    town = Town().happens(*GOING_ON)
    lise = await town.signed_in(LISE)
    await lise.goes_to("/inscription/c/manager")
    _, form = lise._button("M’inscrire")
    kept = lise._filled(form, {})
    assert (kept["nom"], kept["site"]) == (["Lise Œuvrard"], ["Paris Bercy"])
    assert kept["demi-journee"] == ["mon-am"]
