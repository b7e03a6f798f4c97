"""One person's sheet: what is on it, what is corrected, and what somebody else did meanwhile."""

from typing import Any

import pytest

from schemas.base import Message
from schemas.links import RevokeLinks
from schemas.matching import ChangeAvailability, PauseMentor
from schemas.people import PersonContact
from schemas.taking_part import ChangeManager, ChangeMentor
from services.portal.letters import SUBJECTS
from tests.portal.browser import Person
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, JOINED, LETTERS, LISE
from tests.portal.test_coordinating import office

SHEET = "/coordonner/c/participants/m-1"
WITH_WORDS = PersonContact(
    cohort_id="c",
    person_id="m-1",
    name="Lise Œuvrard",
    email=LISE,
    post="Cheffe de projet",
    presentation="J’aime expliquer.",
)


async def lise(*more: Message) -> tuple[Town, Person]:
    return await office(SHEET, *JOINED, *more)


async def test_an_address_is_corrected_and_all_else_of_the_contact_stays() -> None:
    town, anne = await lise(WITH_WORDS)
    await anne.presses("Enregistrer", adresse="lise@")
    assert (anne.status, town.sent) == (422, [])
    await anne.presses("Enregistrer", adresse="lise@ministere.example")
    (contact,) = town.sent
    assert contact == WITH_WORDS.model_copy(update={"email": "lise@ministere.example"})
    assert "C’est corrigé." in anne.says


async def test_what_was_not_changed_is_not_sent() -> None:
    town, anne = await lise()
    await anne.presses("Enregistrer")
    assert town.sent == []
    assert "C’est corrigé." in anne.says


async def test_everything_that_somebody_said_can_be_corrected() -> None:
    town, anne = await lise()
    said = {"outils-mentor": "LinkedIn:5, Tableur", "places": "2", "heures": "mardi 9h-12h"}
    await anne.presses("Enregistrer", site="Lyon", **said)
    week, mentor = town.sent
    assert isinstance(week, ChangeAvailability)
    assert isinstance(mentor, ChangeMentor)
    assert (mentor.site, mentor.directorate, mentor.capacity) == ("Lyon", None, 2)
    assert mentor.skills == {"linkedin": 5, "spreadsheets": 3}


async def test_a_manager_s_job_is_corrected_by_its_name() -> None:
    town, anne = await office("/coordonner/c/participants/g-1", *JOINED)
    await anne.presses("Enregistrer", poste="Contrôle fiscal")
    (command,) = town.sent
    assert isinstance(command, ChangeManager)
    assert command.job_family == "tax-audit"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("nom", ""),
        ("adresse", "lise"),
        ("direction", ""),
        ("heures", "lundi 9h-8h"),
        ("outils-mentor", "LinkedIn:9"),
        ("outils-mentor", ""),
        ("places", "6"),
        ("presentation", "écrivez à moi@example.org"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field_and_what_was_typed_stays(
    field: str, typed: str
) -> None:
    town, anne = await lise()
    await anne.presses("Enregistrer", **{field: typed})
    assert (anne.status, town.sent) == (422, [])
    (wrong,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert (wrong.get("id"), wrong.get("value")) == (field, typed)


async def test_a_sheet_that_somebody_else_changed_is_shown_and_not_written_over() -> None:
    town, anne = await lise()
    town.happens(WITH_WORDS)
    await anne.presses("Enregistrer", nom="Lise O.")
    assert (anne.status, town.sent) == (409, [])
    assert "Cette fiche a changé entre-temps" in anne.says
    assert "Cheffe de projet" in anne.says
    (name,) = [one for one in anne.page.all("input") if one.get("name") == "nom"]
    assert name.get("value") == "Lise O."
    await anne.presses("Enregistrer", fonction="Cheffe de projet", presentation="J’aime expliquer.")
    (contact,) = town.sent
    assert isinstance(contact, PersonContact)
    assert (contact.name, contact.post) == ("Lise O.", "Cheffe de projet")


async def test_a_double_click_pauses_once_and_says_that_it_is_done() -> None:
    town, anne = await lise()
    _, form = anne._button("Mettre en pause")
    data: dict[str, Any] = anne._filled(form, {}) | {"action": "pause"}
    for _ in range(2):
        answer = await anne.client.post(SHEET, data=data, follow_redirects=True)
    assert [type(one) for one in town.sent] == [PauseMentor]
    assert "Cette personne est en pause" in answer.text


async def test_somebody_is_paused_made_available_withdrawn_and_brought_back() -> None:
    town, anne = await lise()
    for button, state in [
        ("Mettre en pause", "‖ en pause"),
        ("Rendre disponible", "● disponible"),
        ("Retirer des mentors", "✕ parti·e"),
        ("Réinscrire comme mentor", "● disponible"),
    ]:
        await anne.presses(button)
        assert state in anne.says
    assert len(town.sent) == 4


async def test_the_letters_that_were_sent_are_named_newest_first() -> None:
    _, anne = await office(SHEET, *GOING_ON)
    assert "Aucune lettre." in anne.says
    _, anne = await office("/coordonner/c/participants/g-1", *GOING_ON, *LETTERS)
    named = [row.all("th")[0].text for row in anne.page.all("tbody")[0].all("tr")]
    assert named
    assert set(named) <= {said["fr"] for said in SUBJECTS.values()}


async def test_a_coordinator_switches_the_links_of_somebody_s_letters_off_each_time_anew() -> None:
    town, anne = await lise()
    for _ in range(2):
        await anne.presses("Désactiver ces liens")
        assert "les prochaines lettres en auront de nouveaux" in anne.says
    assert town.sent == [RevokeLinks(cohort_id="c", person_id="m-1")] * 2
