"""For coordinators: a programme is opened, people entered, a round published, knots untied."""

from datetime import timedelta
from io import BytesIO

import pytest

from schemas.base import Message
from schemas.matching import (
    MentorPaused,
    MentorVolunteered,
    OpenCohort,
    VolunteerAsMentor,
)
from schemas.people import PersonContact
from services.portal.web import entering, importing
from services.portal.web.entering import Entering, Entry
from tests.conftest import eventually
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import (
    GOING_ON,
    JOINED,
    LISE,
    LISE_JOINS,
    MONDAYS,
    NO_DATE,
    OPENED,
)
from tests.portal.test_roster import PEOPLE, as_csv, as_xlsx


async def office(path: str, *happened: Message) -> tuple[Town, Person]:
    town = Town().happens(*happened)
    coordinator = await town.signed_in(COORDINATOR)
    await coordinator.goes_to(path)
    return town, coordinator


# --- programmes ---------------------------------------------------------------------------------


async def test_without_any_programme_the_page_says_what_to_do() -> None:
    _, anne = await office("/coordonner")
    assert "Aucun programme pour le moment. Ouvrez le premier." in anne.says


async def test_a_programme_is_opened_with_the_rules_that_the_form_shows() -> None:
    town, anne = await office("/coordonner/ouvrir")
    await anne.presses("Ouvrir ce programme", nom="Été 2027 à Bercy", cadence_days="7")
    (command,) = town.sent
    assert isinstance(command, OpenCohort)
    assert command.cohort_id == "ete-2027-a-bercy"
    assert (command.policy.cadence_days, command.policy.sessions) == (7, 5)
    assert anne.heading == "Importer une liste"
    assert "Le programme est ouvert." in anne.says


@pytest.mark.parametrize(
    ("field", "typed"),
    [("nom", ""), ("id", "été !"), ("sessions", "0"), ("sessions", "cinq"), ("cadence_days", "91")],
)
async def test_a_rule_that_cannot_be_is_told_at_its_field(field: str, typed: str) -> None:
    town, anne = await office("/coordonner/ouvrir")
    await anne.presses("Ouvrir ce programme", **{"nom": "Été", field: typed})
    assert (anne.status, town.sent) == (422, [])
    (wrong,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert (wrong.get("id"), wrong.get("value")) == (field, typed)


async def test_a_programme_is_not_called_what_a_page_is_called() -> None:
    town, anne = await office("/coordonner/ouvrir")
    await anne.presses("Ouvrir ce programme", nom="Ouvrir !")
    assert (anne.status, town.sent) == (422, [])
    assert "choisissez-en un autre" in anne.says


async def test_a_programme_that_is_open_with_other_rules_is_told() -> None:
    town, anne = await office("/coordonner/ouvrir")
    town.rule = "cohort-exists"
    await anne.presses("Ouvrir ce programme", nom="Été")
    assert "déjà ouvert, avec d’autres règles" in anne.says


# --- participants -------------------------------------------------------------------------------


def crowd(size: int) -> list[Message]:
    found: list[Message] = []
    for n in range(size):
        found.append(
            PersonContact(
                cohort_id="c",
                person_id=f"m-{n}",
                name=f"Zoé Durand{n:03d}",
                email=f"z{n}@m.example",
            )
        )
        found.append(
            MentorVolunteered(
                cohort_id="c",
                mentor_id=f"m-{n}",
                directorate="DGE",
                site="Lyon",
                skills={"wiki": 3},
                capacity=1,
                availability=MONDAYS,
            )
        )
    return found


def listed_names(person: Person) -> list[str]:
    return [row.all("th")[0].text for row in person.page.all("tbody")[0].all("tr")]


async def test_everybody_is_listed_by_name_fifty_at_a_time() -> None:
    _, anne = await office("/coordonner/c/participants", OPENED, *crowd(120))
    seen = listed_names(anne)
    while any("50 suivants" in link.text for link in anne.page.all("a")):
        await anne.follows("50 suivants")
        seen += listed_names(anne)
    assert seen == [f"Zoé Durand{n:03d}" for n in range(120)]
    await anne.follows("Première page")
    assert listed_names(anne)[0] == "Zoé Durand000"


@pytest.mark.parametrize("search", ["oeuv", "Œuvrard", "lise", "LISE OEUV", "œuvrard l"])
async def test_a_name_is_found_by_its_beginnings_without_accents_or_case(search: str) -> None:
    _, anne = await office(f"/coordonner/c/participants?q={search}", *JOINED)
    assert listed_names(anne) == ["Lise Œuvrard"]


async def test_a_filter_shows_those_in_that_state_and_nobody_is_told_when_nobody_is() -> None:
    _, anne = await office("/coordonner/c/participants?etat=manager-waiting", *JOINED)
    assert listed_names(anne) == ["Paul Lenoir"]
    await anne.goes_to("/coordonner/c/participants?q=nobody")
    assert "Personne ne correspond." in anne.says


# --- entering people ----------------------------------------------------------------------------


async def test_a_file_with_a_fault_is_corrected_in_its_cell_and_entered_whole() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    rows = [PEOPLE[0], [*PEOPLE[1][:-1], "lundi 9h-8h"], PEOPLE[2]]
    file = {"fichier": ("liste.xlsx", BytesIO(as_xlsx(rows)))}
    await anne.presses("Vérifier la liste", files=file, role="")
    assert anne.heading == "1 ligne à corriger sur 2"
    assert "Il faut une fin après le début" in anne.says
    (field,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert field.get("value") == "lundi 9h-8h"
    await anne.presses("Vérifier à nouveau", **{field.get("name"): "lundi 9h-18h"})
    assert (anne.heading, town.sent) == ("2 personnes, aucune faute", [])
    await anne.presses("Inscrire ces personnes")
    assert "Tout le monde est inscrit." in anne.says
    assert listed_names(anne) == ["Lise Œuvrard", "Paul L’Hôte"]


async def test_cells_can_be_pasted() -> None:
    _, anne = await office("/coordonner/c/importer", OPENED)
    pasted = as_csv(PEOPLE, "\t", "utf-8").decode()
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    assert anne.heading == "2 personnes, aucune faute"


async def test_while_there_is_a_fault_nobody_is_entered_whatever_is_pressed() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    pasted = as_csv([PEOPLE[0], [*PEOPLE[1][:-1], ""], PEOPLE[2]], ";", "utf-8").decode()
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    _, form = anne._button("Vérifier à nouveau")
    data = anne._filled(form, {}) | {"action": ["inscrire"]}
    assert anne.answer is not None
    await anne.client.post(str(anne.answer.url), data=data)
    assert town.sent == []


async def test_the_same_list_again_asks_for_the_same_people() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    pasted = as_csv(PEOPLE, ";", "utf-8").decode()
    for _ in range(2):
        await anne.goes_to("/coordonner/c/importer")
        await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
        await anne.presses("Inscrire ces personnes")
    first, again = town.sent[:4], town.sent[4:]
    assert sorted(map(repr, first)) == sorted(map(repr, again))


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("", "Le fichier est vide."),
        ("Lise;lise@m.example", "Il manque des colonnes."),
        ("Nom;Adresse\nLise;lise@m.example", "Ajoutez une ligne de titres avec : Direction, Site"),
        (";".join(PEOPLE[0]), "Il n’y a personne sous les titres."),
    ],
)
async def test_what_is_no_list_is_told_and_what_was_pasted_stays(pasted: str, says: str) -> None:
    _, anne = await office("/coordonner/c/importer", OPENED)
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="manager")
    assert anne.status == 422
    assert says in anne.says
    (area,) = anne.page.all("textarea")
    assert area.text == " ".join(pasted.split())


async def test_whoever_a_rule_refuses_is_named_by_row_and_the_list_stays() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED, *LISE_JOINS)
    pasted = as_csv(PEOPLE, ";", "utf-8").decode()
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    town.rule = "already-volunteered"
    await anne.presses("Inscrire ces personnes")
    assert anne.heading == "2 lignes non inscrites sur 2"
    town.rule = None
    await anne.presses("Inscrire ces personnes")
    assert "Tout le monde est inscrit." in anne.says


def with_id(address: str) -> str:
    """A list of one person, who has Lise's id and this address."""
    row = [address if cell == PEOPLE[1][3] else cell for cell in PEOPLE[1]]
    return as_csv([["Identifiant", *PEOPLE[0]], ["m-1", *row]], ";", "utf-8").decode()


async def test_an_id_that_somebody_else_has_is_told_in_its_cell_and_overwrites_nobody() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED, *LISE_JOINS)
    pasted = with_id("autre@ministere.example")
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    assert anne.heading == "1 ligne à corriger sur 1"
    assert "celui-ci est à quelqu’un d’inscrit avec une autre adresse" in anne.says
    assert town.sent == []


async def test_an_id_that_somebody_has_taken_since_the_preview_overwrites_nobody() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    pasted = with_id("autre@ministere.example")
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    state, row = Entering(1), (0, (contact_of_example("autre@ministere.example"), OPENS))
    town.happens(*LISE_JOINS)
    assert await Entry(town.site)._of_their_own("c", [row], state) == []
    assert state.refused == {0: "id-of-another"}


async def test_whoever_is_there_keeps_what_they_have_said_when_they_are_entered_again() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED, *LISE_JOINS)
    own = {"post": "Cheffe de bureau", "presentation": "Sans jargon."}
    town.happens(contact_of_example(LISE).model_copy(update=own))
    await anne.presses("Vérifier la liste", files={}, cellules=with_id(LISE), role="")
    await anne.presses("Inscrire ces personnes")
    (contact,) = [one for one in town.sent if isinstance(one, PersonContact)]
    assert (contact.post, contact.presentation) == ("Cheffe de bureau", "Sans jargon.")


def contact_of_example(address: str) -> PersonContact:
    return PersonContact(cohort_id="c", person_id="m-1", name="Lise Œuvrard", email=address)


OPENS = OpenCohort(cohort_id="c", name="C")


async def test_a_service_that_is_away_loses_no_list() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    await anne.presses(
        "Vérifier la liste", files={}, cellules=as_csv(PEOPLE, ";", "utf-8").decode(), role=""
    )
    assert anne.answer is not None
    here = anne.answer.url.path
    town.away = True
    await anne.presses("Inscrire ces personnes")
    assert "le même bouton la reprend" in anne.says
    town.away = False
    await anne.goes_to(here)
    await anne.presses("Inscrire ces personnes")
    assert "Tout le monde est inscrit." in anne.says
    assert sum(isinstance(one, VolunteerAsMentor) for one in town.sent) == 1


async def test_a_list_that_takes_long_goes_on_while_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "PATIENCE", 0.0)
    town, anne = await office("/coordonner/c/importer", OPENED)
    town.open_.clear()
    await anne.presses(
        "Vérifier la liste", files={}, cellules=as_csv(PEOPLE, ";", "utf-8").decode(), role=""
    )
    assert anne.answer is not None
    here = anne.answer.url.path
    await anne.presses("Inscrire ces personnes")
    assert anne.heading == "Inscription en cours"
    assert "0 personne sur 2" in anne.says
    town.open_.set()

    async def is_over() -> bool:
        await anne.goes_to(here)
        return anne.heading == "Participants"

    await eventually(is_over)
    assert len(town.sent) == 4


async def test_a_list_that_takes_long_is_not_taken_for_one_whose_process_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entering, "TOLD_EVERY", 0.01)
    monkeypatch.setattr(importing, "PATIENCE", 0.01)
    town, anne = await office("/coordonner/c/importer", OPENED)
    cells = as_csv(PEOPLE, ";", "utf-8").decode()
    await anne.presses("Vérifier la liste", files={}, cellules=cells, role="")
    assert anne.answer is not None
    draft = anne.answer.url.path.rpartition("/")[2]
    town.open_.clear()
    await anne.presses("Inscrire ces personnes")
    town.real += timedelta(minutes=5)

    async def is_told() -> bool:
        seen = await Entry(town.site).seen(draft)
        return seen is not None and seen.stage == "going-on"

    await eventually(is_told)
    town.open_.set()

    async def is_over() -> bool:
        seen = await Entry(town.site).seen(draft)
        return seen is not None and seen.stage == "over"

    await eventually(is_over)


async def test_a_list_whose_process_ended_is_taken_up_by_the_same_button() -> None:
    town, anne = await office("/coordonner/c/importer", OPENED)
    await anne.presses(
        "Vérifier la liste", files={}, cellules=as_csv(PEOPLE, ";", "utf-8").decode(), role=""
    )
    assert anne.answer is not None
    here = anne.answer.url.path
    await Entry(town.site)._tell(here.rpartition("/")[2], Entering(2))  # and then it was killed
    await anne.goes_to(here)
    assert anne.heading == "Inscription en cours"
    town.real += timedelta(seconds=20)
    await anne.goes_to(here)
    await anne.presses("Inscrire ces personnes")
    assert "Tout le monde est inscrit." in anne.says


async def test_no_id_of_a_person_is_shown_to_coordinators() -> None:
    paused = MentorPaused(cohort_id="c", mentor_id="m-1")
    _, anne = await office("/coordonner/c", *GOING_ON, NO_DATE, paused)
    for path in ("", "/participants", "/participants/m-1"):
        await anne.goes_to(f"/coordonner/c{path}")
        assert "m-1" not in anne.says
        assert "g-1" not in anne.says
