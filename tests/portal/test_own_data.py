"""What is held about somebody: their letters, everything as a page and as JSON, and its end."""

import json

import pytest

from schemas.links import RevokeLinks
from schemas.matching import WithdrawManager, WithdrawMentor
from schemas.people import PersonContact, PersonErased
from services.notify.letters import TEMPLATES
from services.portal.letters import SUBJECTS
from services.portal.views import Participant
from services.portal.web.handling import contact_of
from tests.portal.site import Town
from tests.portal.stories import (
    ASKED,
    FORMED,
    GOING_ON,
    JOINED,
    LETTERS,
    LISE,
    PAUL,
    SENT,
    WITH_REASONS,
)
from tests.portal.test_own_words import at


def test_every_letter_has_its_words_here() -> None:
    assert set(TEMPLATES) <= set(SUBJECTS)


async def test_letters_are_listed_with_what_they_are_about_and_when() -> None:
    _, paul = await at("lettres", *GOING_ON, *LETTERS, *SENT[:1])
    rows = [one.text.replace("\u00a0", " ") for one in paul.page.all("tr")[1:]]
    assert rows == [
        "Votre avislundi 6 mars 2017en route",
        "Un binôme vous est proposélundi 6 mars 2017envoyée",
    ]


async def test_an_open_survey_says_until_when_and_where_its_link_is() -> None:
    _, paul = await at("lettres", *GOING_ON, *LETTERS, *SENT)
    assert "Jusqu’au lundi 20 mars 2017 à 10 h" in paul.says
    assert "ouvrez la lettre du lundi 6 mars 2017" in paul.says


async def test_nobody_sees_the_letters_of_somebody_else() -> None:
    _, lise = await at("lettres", *GOING_ON, *LETTERS, *SENT, address=LISE)
    assert "Aucune lettre pour le moment." in lise.says


async def test_everything_that_is_held_can_be_read_with_the_calculation_of_each_match() -> None:
    _, paul = await at("donnees", *JOINED, WITH_REASONS, FORMED)
    assert PAUL in paul.says
    assert "DGFiP et DAE" in paul.says
    for one in ("g-1", "m-1"):
        assert one not in paul.says


async def test_the_same_is_there_as_json() -> None:
    _, paul = await at("donnees.json", *JOINED, WITH_REASONS, FORMED, *LETTERS)
    found = json.loads(paul.answer.text)
    assert found["person"]["email"] == PAUL
    assert found["pairs"][0]["reasons"][0]["contribution"] == 20
    assert len(found["letters"]) == 2
    assert LISE not in paul.answer.text


async def test_what_the_other_asked_for_in_confidence_is_not_among_it() -> None:
    _, lise = await at("donnees.json", *GOING_ON, ASKED, address=LISE)
    assert "D’autres horaires" not in lise.answer.text
    _, paul = await at("donnees.json", *GOING_ON, ASKED)
    assert "D’autres horaires" in paul.answer.text


@pytest.mark.parametrize(("address", "id"), [(PAUL, "g-1"), (LISE, "m-1")])
async def test_whoever_has_passed_a_letter_on_switches_its_links_off(address: str, id: str) -> None:
    town, person = await at("lettres", *GOING_ON, *LETTERS, address=address)
    assert "ceux de votre assistant·e compris" in person.says
    await person.presses("Désactiver ces liens")
    assert town.sent == [RevokeLinks(cohort_id="c", person_id=id)]
    assert town.behind == [(f"participant {id}", "portal")]
    assert "les liens de vos lettres reçues jusqu’ici n’ouvrent plus rien" in person.says


# --- to be forgotten --------------------------------------------------------------------------


async def test_who_wants_to_be_forgotten_reads_first_what_happens_and_says_so() -> None:
    town, paul = await at("donnees", *GOING_ON)
    await paul.follows("Effacer mes données")
    assert "Cela ne peut pas être annulé." in paul.says
    await paul.presses("Effacer mes données")
    assert (paul.status, town.sent) == (422, [])
    assert paul.page.all("input")[-1].get("aria-invalid") == "true"


@pytest.mark.parametrize(
    ("address", "id", "leaves"),
    [
        (PAUL, "g-1", WithdrawManager(cohort_id="c", manager_id="g-1")),
        (LISE, "m-1", WithdrawMentor(cohort_id="c", mentor_id="m-1")),
    ],
)
async def test_whoever_is_forgotten_leaves_first_and_is_signed_out_everywhere(
    address: str, id: str, leaves: WithdrawManager | WithdrawMentor
) -> None:
    town, person = await at("effacer", *GOING_ON, address=address)
    phone = await town.signed_in(address)
    await person.presses("Effacer mes données", compris="oui")
    assert town.sent == [leaves, PersonErased(cohort_id="c", person_id=id)]
    assert person.heading == "Vous êtes oublié·e"
    for one in (person, phone):
        await one.goes_to("/mon-espace")
        assert one.status == 401


async def test_whoever_is_erased_by_whomever_leaves_nothing_behind_in_what_is_kept() -> None:
    town, paul = await at("agenda", *GOING_ON)
    sessions = town.site.sessions
    link = await sessions.make_link(PAUL, "/mon-espace", "a-subject", "his browser")
    await sessions.use_link(link, "his browser")
    await sessions.make_link(PAUL, "/mon-espace")
    await paul.presses("Obtenir une nouvelle adresse")
    await town.site.keep_draft({"nom": "Paul"}, PAUL)
    lise = await town.signed_in(LISE)
    kinds = {kind for kind, _ in town.kept._rows}
    assert kinds >= {"session", "link", "confirmed", "feed", "draft"}
    town.happens(PersonErased(cohort_id="c", person_id="g-1"))
    assert await sessions.confirmed("a-subject") == ""
    assert {kind for kind, _ in town.kept._rows} <= {"session", "visit", "tries"}
    await lise.goes_to("/mon-espace")
    assert lise.status == 200
    await paul.goes_to("/mon-espace")
    assert paul.status == 401


async def test_whoever_is_erased_and_comes_back_is_somebody_new() -> None:
    nour = PersonContact(
        cohort_id="c", person_id="p-0", name="Nour", email="nour@ministere.example"
    )
    town = Town().happens(*GOING_ON)
    before = await town.site.person_id("c", nour.email)
    town.happens(nour.model_copy(update={"person_id": before}))
    town.happens(PersonErased(cohort_id="c", person_id=before))
    assert await town.site.person_id("c", nour.email) != before


async def test_an_address_that_is_not_theirs_any_more_confirms_nobody() -> None:
    town = Town().happens(*GOING_ON)
    link = await town.site.sessions.make_link(PAUL, "/", "a-subject", "his browser")
    await town.site.sessions.use_link(link, "his browser")
    paul = town.scenario.state.get(Participant, "c", "g-1")
    assert paul is not None
    town.happens(contact_of(paul, post="Chef de bureau"))
    assert await town.site.sessions.confirmed("a-subject") == PAUL
    town.happens(contact_of(paul, email="paul.autre@ministere.example"))
    assert await town.site.sessions.confirmed("a-subject") == ""


async def test_whoever_joins_again_after_that_is_somebody_new() -> None:
    town = Town().happens(*GOING_ON)
    before = await town.site.person_id("c", "nour@ministere.example")
    await town.site.forget_person("c", "nour@ministere.example")
    assert await town.site.person_id("c", "nour@ministere.example") != before


async def test_whoever_asks_for_it_again_is_told_that_nothing_is_held() -> None:
    """A second press comes after the session has ended, and is taken up after signing in."""
    town, paul = await at("effacer", *GOING_ON)
    other = await town.signed_in(PAUL)
    await other.goes_to("/mon-espace/c/effacer")
    await paul.presses("Effacer mes données", compris="oui")
    await other.presses("Effacer mes données", compris="oui")
    assert other.status == 401
    await other.follows("Me connecter")
    await other.presses("Recevoir mon lien", adresse=PAUL)
    await other.opens_the_letter()
    sent = list(town.sent)
    await other.presses("Envoyer maintenant")
    assert (other.status, other.heading) == (200, "Rien n’est gardé de vous ici")
    assert town.sent == sent


async def test_a_service_that_is_away_loses_nothing_of_it() -> None:
    town, paul = await at("effacer", *GOING_ON)
    town.away = True
    await paul.presses("Effacer mes données", compris="oui")
    assert paul.status == 503
    town.away = False
    await paul.goes_to("/mon-espace/c/effacer")
    await paul.presses("Effacer mes données", compris="oui")
    assert paul.heading == "Vous êtes oublié·e"
