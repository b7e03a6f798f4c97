"""Of which organisation somebody is: asked where a programme names any, entered, shown, changed."""

import pytest

from schemas.cohorts import ChangePolicy
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.taking_part import ChangeManager, ChangeMentor
from schemas.values import CohortPolicy
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LISE, LISE_JOINS, OPENED, PAUL

BANK = "Natixis"
NAMED = OPENED.model_copy(update={"policy": CohortPolicy(organisations=(BANK, "Insee"))})
OF_THE_BANK = (
    NAMED,
    LISE_JOINS[0],
    LISE_JOINS[1].model_copy(update={"organisation": BANK}),
    *GOING_ON[3:],
)
ABOUT = {"nom": "Nour Benali", "direction": "DGE", "site": "Lyon", "heures": "lundi 9h-12h"}
NEW = "nour.benali@ministere.example"


async def test_whoever_joins_picks_one_of_those_that_the_programme_names() -> None:
    town = Town().happens(NAMED)
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/mentor")
    await nour.presses("M’inscrire", **ABOUT, outil=["wiki"], organisme=BANK)
    command = town.sent[-1]
    assert isinstance(command, VolunteerAsMentor)
    assert command.organisation == BANK
    assert BANK in (await nour.goes_to("/mon-espace")).says
    assert BANK in (await nour.goes_to("/mon-espace/c/donnees")).says
    assert BANK in (await nour.goes_to("/mon-espace/c/donnees.json")).answer.text  # type: ignore[union-attr]


@pytest.mark.parametrize("opened", [OPENED, NAMED])
async def test_nobody_becomes_of_an_organisation_that_the_programme_does_not_name(
    opened: object,
) -> None:
    town = Town().happens(opened)  # type: ignore[arg-type]
    nour = await town.signed_in(NEW)
    await nour.goes_to("/inscription/c/manager")
    assert ("organisme" in [one.get("id") for one in nour.page.all("select")]) == (opened is NAMED)
    await nour.presses("M’inscrire", **ABOUT, poste="tax-audit")
    command = town.sent[-1]
    assert isinstance(command, EnrolManager)
    assert command.organisation is None


async def test_somebody_says_that_they_are_of_another_one_and_of_none() -> None:
    town = Town().happens(*OF_THE_BANK)
    lise = await town.signed_in(LISE)
    about = {"cohort_id": "c", "mentor_id": "m-1"}
    await lise.goes_to("/mon-espace/c/modifier")
    await lise.presses("Enregistrer", organisme="Insee")
    assert town.sent == [ChangeMentor.model_validate({**about, "organisation": "Insee"})]
    await lise.goes_to("/mon-espace/c/modifier")
    await lise.presses("Enregistrer", organisme="")
    assert town.sent[1:] == [ChangeMentor.model_validate({**about, "organisation": ""})]
    assert "Organisme" not in (await lise.goes_to("/mon-espace")).says


async def test_who_coordinates_corrects_it_and_takes_it_away_in_a_table() -> None:
    town = Town().happens(*OF_THE_BANK)
    anne = await town.signed_in(COORDINATOR)
    assert BANK in (await anne.goes_to("/coordonner/c/participants")).says
    await anne.goes_to("/coordonner/c/participants/g-1")
    await anne.presses("Enregistrer", organisme="Insee")
    change = {"cohort_id": "c", "manager_id": "g-1", "organisation": "Insee"}
    assert town.sent == [ChangeManager.model_validate(change)]
    await anne.goes_to("/coordonner/c/participants/g-1")
    await anne.presses("Enregistrer", organisme="")
    assert "Insee" not in (await anne.goes_to("/coordonner/c/participants/g-1")).says
    table = (await anne.goes_to("/coordonner/c/suivi/export?quoi=participants&format=csv")).answer
    assert table is not None
    assert BANK in table.text


async def test_a_list_says_who_is_of_which() -> None:
    town = Town().happens(OPENED)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c/importer")
    title = "role;nom;adresse;direction;organisme;site;outils;disponibilités"
    rows = [
        f"mentor;{name};{name.lower()}@m.example;D;{of};S;LinkedIn:4;lundi matin"
        for name, of in (("Ada", f" {BANK}\u00a0"), ("Bob", ""))
    ]
    await anne.presses("Vérifier la liste", files={}, cellules="\n".join([title, *rows]), role="")
    assert "Organisme" in anne.says
    await anne.presses("Inscrire ces personnes")
    told = [one.organisation for one in town.sent if isinstance(one, VolunteerAsMentor)]
    assert told == [BANK, None]


async def test_an_administrator_names_them_one_a_line_and_each_once() -> None:
    town = Town().happens(OPENED)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c/reglages")
    await anne.presses("Enregistrer les règles", organismes=f"{BANK}\r\nnatixis")
    assert (anne.status, town.sent) == (422, [])
    await anne.presses("Enregistrer les règles", organismes=f" {BANK} \r\n\r\nInsee\r\n")
    command = town.sent[-1]
    assert isinstance(command, ChangePolicy)
    assert command.policy.organisations == (BANK, "Insee")
    await anne.goes_to("/coordonner/c/reglages")
    await anne.presses("Enregistrer les règles", organismes="")
    assert isinstance(last := town.sent[-1], ChangePolicy)
    assert last.policy == CohortPolicy()


async def test_nobody_else_is_told_of_which_somebody_is() -> None:
    town = Town().happens(*OF_THE_BANK)
    paul = await town.signed_in(PAUL)
    assert BANK not in (await paul.goes_to("/mon-espace")).says
