"""What somebody said is changed; their absences, pauses, returns and wishes are their own."""

from typing import Any

import pytest

from schemas.base import Message
from schemas.calendars import DeclareAbsence, WithdrawAbsence
from schemas.matching import (
    ManagerWithdrew,
    MentorPaused,
    MentorWithdrew,
    PairDissolved,
    PauseMentor,
)
from schemas.people import PersonContact
from schemas.taking_part import (
    AskForAnotherPartner,
    ChangeManager,
    ChangeMentor,
    KeepPartner,
    MentorChanged,
    PauseManager,
    ResumeManager,
    ReturnManager,
    ReturnMentor,
)
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, JOINED, LISE, PAIR, PAUL
from tests.portal.test_own_space import space

HERE = "/mon-espace/c"
PAUSED = MentorPaused(cohort_id="c", mentor_id="m-1")


async def at(path: str, *happened: Message, address: str = PAUL) -> tuple[Town, Any]:
    town, person = await space(*happened, address=address)
    await person.goes_to(f"{HERE}/{path}")
    return town, person


# --- what I said ------------------------------------------------------------------------------


async def test_a_mentor_changes_what_they_said_and_no_more_is_sent_than_is_new() -> None:
    town, lise = await at("modifier", *GOING_ON, address=LISE)
    await lise.presses("Enregistrer", competence=["linkedin", "wiki"], site="Lyon")
    skills = {"linkedin": 4, "wiki": 3}
    assert town.sent == [ChangeMentor(cohort_id="c", mentor_id="m-1", site="Lyon", skills=skills)]
    assert "C’est enregistré." in lise.says


async def test_who_one_is_and_what_one_needs_go_where_they_belong() -> None:
    town, paul = await at("modifier", *GOING_ON)
    sentence = "Je veux trouver des fournisseurs."
    await paul.presses("Enregistrer", intitule="Acheteur", presentation=sentence, poste="budget")
    contact, change = town.sent
    assert isinstance(contact, PersonContact)
    assert (contact.post, contact.presentation, contact.email) == ("Acheteur", sentence, PAUL)
    assert change == ChangeManager(cohort_id="c", manager_id="g-1", job_family="budget")
    assert sentence in paul.says


async def test_what_is_not_changed_is_not_sent() -> None:
    town, paul = await at("modifier", *GOING_ON)
    await paul.presses("Enregistrer")
    assert town.sent == []
    assert "Rien n’a changé." in paul.says


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("nom", ""),
        ("direction", "x" * 65),
        ("presentation", "Appelez-moi au 01 23 45 67 89"),
        ("intitule", "x" * 65),
        ("competence", []),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_sent(
    field: str, typed: Any
) -> None:
    town, lise = await at("modifier", *GOING_ON, address=LISE)
    await lise.presses("Enregistrer", **{field: typed})
    assert (lise.status, town.sent) == (422, [])
    (summary,) = [one for one in lise.page.all("div") if one.get("role") == "alert"]
    assert [link.get("href") for link in summary.all("a")] == [f"#{field}"]


async def test_what_somebody_else_changed_meanwhile_is_shown_and_not_overwritten() -> None:
    town, lise = await at("modifier", *GOING_ON, address=LISE)
    told = {"directorate": "DGE", "site": "Metz", "skills": {"linkedin": 4}, "capacity": 1}
    town.happens(MentorChanged.model_validate({"cohort_id": "c", "mentor_id": "m-1", **told}))
    await lise.presses("Enregistrer", site="Lyon")
    assert (lise.status, town.sent) == (422, [])
    assert "Enregistré : « Metz »." in lise.says
    await lise.presses("Enregistrer", direction="DGE")
    assert town.sent == [ChangeMentor(cohort_id="c", mentor_id="m-1", site="Lyon")]


async def test_the_tools_of_another_job_are_shown_with_their_reasons_before_anything_is_sent() -> (
    None
):
    town, paul = await at("modifier", *GOING_ON)
    await paul.presses("Voir les outils conseillés", poste="press")
    assert "Conseillé pour votre métier, pour" in paul.says
    assert town.sent == []


# --- absences ---------------------------------------------------------------------------------


async def test_an_absence_is_told_and_taken_back() -> None:
    town, paul = await at("absences", *GOING_ON)
    await paul.presses("Ajouter cette absence", premier="2017-04-03", dernier="2017-04-07")
    about = {"cohort_id": "c", "person_id": "g-1", "first_day": "2017-04-03"}
    assert town.sent == [DeclareAbsence(**about, last_day="2017-04-07")]
    await paul.goes_to(f"{HERE}/absences")
    assert "du lundi 3 avril 2017 au vendredi 7 avril 2017" in paul.says
    await paul.presses("Je suis finalement là")
    assert town.sent[1:] == [WithdrawAbsence(**about)]
    await paul.goes_to(f"{HERE}/absences")
    assert "Aucune absence à venir." in paul.says


async def test_an_absence_that_is_told_or_taken_back_twice_is_so_once() -> None:
    town, paul = await at("absences", *GOING_ON)
    other = await town.signed_in(PAUL)
    await other.goes_to(f"{HERE}/absences")
    for tab in (paul, other):
        await tab.presses("Ajouter cette absence", premier="2017-04-03")
        assert "Votre absence est enregistrée." in tab.says
    for tab in (paul, other):
        await tab.goes_to(f"{HERE}/absences")
    for tab in (paul, other):
        await tab.presses("Je suis finalement là")
        assert "C’est noté : vous êtes là." in tab.says
    assert [type(one) for one in town.sent] == [DeclareAbsence, WithdrawAbsence]


async def test_some_hours_of_a_day_are_an_absence_too() -> None:
    _, paul = await at("absences", *GOING_ON)
    await paul.presses("Ajouter cette absence", premier="2017-04-04", de="09:00", a="12:00")
    await paul.goes_to(f"{HERE}/absences")
    assert "mardi 4 avril 2017, 9 h – 12 h" in paul.says


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "premier"),
        ({"premier": "2017-04-04", "dernier": "2017-04-03"}, "dernier"),
        ({"premier": "2017-04-04", "de": "09:00"}, "de"),
        ({"premier": "2017-04-04", "de": "12:00", "a": "09:00"}, "de"),
        ({"premier": "2017-04-04", "dernier": "2017-04-05", "de": "09:00", "a": "10:00"}, "de"),
        ({"premier": "2017-02-30"}, "premier"),
    ],
)
async def test_an_absence_that_is_none_is_told_at_its_field(
    typed: dict[str, str], field: str
) -> None:
    town, paul = await at("absences", *GOING_ON)
    await paul.presses("Ajouter cette absence", **typed)
    assert (paul.status, town.sent) == (422, [])
    (summary,) = [one for one in paul.page.all("div") if one.get("role") == "alert"]
    assert [link.get("href") for link in summary.all("a")] == [f"#{field}"]


# --- pause, coming back -------------------------------------------------------------------------


async def test_a_manager_pauses_and_is_there_again() -> None:
    town, paul = await at("participation", *JOINED)
    await paul.presses("Faire une pause")
    assert "Vous êtes en pause." in paul.says
    await paul.goes_to(f"{HERE}/participation")
    await paul.presses("Je suis à nouveau disponible")
    about = {"cohort_id": "c", "manager_id": "g-1"}
    assert town.sent == [PauseManager(**about), ResumeManager(**about)]


@pytest.mark.parametrize(
    ("address", "left", "command"),
    [
        (
            LISE,
            MentorWithdrew(cohort_id="c", mentor_id="m-1"),
            ReturnMentor(cohort_id="c", mentor_id="m-1"),
        ),
        (
            PAUL,
            ManagerWithdrew(cohort_id="c", manager_id="g-1"),
            ReturnManager(cohort_id="c", manager_id="g-1"),
        ),
    ],
)
async def test_whoever_has_left_comes_back_with_what_they_said(
    address: str, left: Message, command: Message
) -> None:
    town, person = await space(*JOINED, left, address=address)
    assert "Vous avez quitté ce programme." in person.says
    await person.follows("Faire une pause, revenir ou quitter")
    await person.presses("Revenir dans le programme")
    assert town.sent == [command]
    assert "Bon retour !" in person.says


async def test_whoever_has_left_meanwhile_is_not_told_that_they_are_available_again() -> None:
    town, lise = await at("participation", *JOINED, PAUSED, address=LISE)
    town.happens(MentorWithdrew(cohort_id="c", mentor_id="m-1"))
    town.rule = "withdrawn"
    await lise.presses("Je suis à nouveau disponible")
    assert (lise.status, "Cette personne a quitté le programme." in lise.says) == (409, True)


async def test_who_is_on_both_sides_pauses_on_one() -> None:
    both = [*JOINED, *(m for m in JOINED if type(m).__name__ == "ManagerEnrolled")]
    enrolled = both[-1].model_copy(update={"manager_id": "m-1"})
    town, lise = await at("participation", *JOINED, enrolled, address=LISE)
    await lise.presses("Faire une pause")
    assert town.sent == [PauseMentor(cohort_id="c", mentor_id="m-1")]


# --- another partner ----------------------------------------------------------------------------


async def test_another_partner_is_asked_for_in_confidence() -> None:
    town, paul = await space(*GOING_ON)
    await paul.follows("Demander un autre binôme")
    assert "n’est pas prévenu·e" in paul.says
    await paul.presses("Demander en confidence", raison="D’autres horaires")
    pair = {"cohort_id": "c", "pair_id": "m-1~g-1", "by": "manager"}
    asked = AskForAnotherPartner.model_validate({**pair, "reason": "D’autres horaires"})
    assert town.sent == [asked]
    lise = await town.signed_in(LISE)
    for path in ("/mon-espace", f"{HERE}/binomes/m-1~g-1/autre"):
        await lise.goes_to(path)
        assert "D’autres horaires" not in lise.says
        assert "votre demande est" not in lise.says.casefold()
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c")
    assert "Demande un autre binôme, en confidence" in anne.says
    assert "Demandé par Paul Lenoir : « D’autres horaires »" in anne.says
    await paul.goes_to(f"{HERE}/binomes/m-1~g-1/autre")
    await paul.presses("Finalement, garder mon binôme")
    assert town.sent[1:] == [KeepPartner.model_validate(pair)]
    await anne.goes_to("/coordonner/c")
    assert "en confidence" not in anne.says


async def test_a_wish_about_a_pair_that_has_ended_meanwhile_is_told_so() -> None:
    town, paul = await at("binomes/m-1~g-1/autre", *GOING_ON)
    town.happens(PairDissolved(**PAIR, cause="request"))
    await paul.presses("Demander en confidence")
    assert (paul.status, "Ce binôme a pris fin." in paul.says) == (409, True)
    assert town.sent == []


async def test_a_coordinator_closes_a_wish_that_was_talked_over() -> None:
    town, paul = await at("binomes/m-1~g-1/autre", *GOING_ON)
    await paul.presses("Demander en confidence")
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c")
    await anne.presses("Ils continuent ensemble")
    assert isinstance(town.sent[-1], KeepPartner)
    assert "C’est noté : ce binôme continue." in anne.says
    await paul.goes_to(f"{HERE}/binomes/m-1~g-1/autre")
    await paul.presses("Demander en confidence")
    await anne.goes_to("/coordonner/c")
    await anne.presses("Ils continuent ensemble")
    assert "en confidence" not in anne.says


async def test_a_pair_of_others_is_not_there() -> None:
    _, paul = await at("binomes/m-9~g-9/autre", *GOING_ON)
    assert paul.status == 404
