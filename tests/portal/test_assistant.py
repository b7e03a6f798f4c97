"""A person names an assistant, and takes that back."""

import pytest

from schemas.people import PersonContact
from tests.portal.stories import GOING_ON, PAUL
from tests.portal.test_own_words import HERE, at

DOMINIQUE = "dominique.petit@example.org"


async def test_an_assistant_is_named_and_taken_back_and_nothing_else_of_the_contact_changes() -> (
    None
):
    town, paul = await at("assistant", *GOING_ON)
    await paul.presses("Enregistrer mon assistant·e", nom="Dominique Petit", adresse=DOMINIQUE)
    assert "votre assistant·e reçoit une copie" in paul.says
    await paul.goes_to(f"{HERE}/assistant")
    await paul.presses("Retirer mon assistant·e")
    named, taken_back = town.sent
    assert isinstance(named, PersonContact)
    assert isinstance(taken_back, PersonContact)
    assert named.assistant is not None
    assert (named.assistant.name, named.assistant.email) == ("Dominique Petit", DOMINIQUE)
    assert taken_back == named.model_copy(update={"assistant": None})
    assert (named.email, named.person_id) == (PAUL, "g-1")


async def test_a_new_way_of_saying_who_one_is_keeps_the_assistant() -> None:
    town, paul = await at("assistant", *GOING_ON)
    await paul.presses("Enregistrer mon assistant·e", nom="Dominique Petit", adresse=DOMINIQUE)
    await paul.goes_to(f"{HERE}/modifier")
    await paul.presses("Enregistrer", intitule="Acheteur")
    named, changed = town.sent
    assert isinstance(named, PersonContact)
    assert isinstance(changed, PersonContact)
    assert changed.assistant == named.assistant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"nom": "", "adresse": DOMINIQUE}, "Écrivez son nom."),
        ({"nom": "x" * 65, "adresse": DOMINIQUE}, "De 1 à 64 caractères."),
        ({"nom": "Dominique", "adresse": "dominique"}, "Écrivez une adresse"),
        ({"nom": "Dominique", "adresse": PAUL.upper()}, "C’est votre propre adresse"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_sent(typed: dict[str, str], said: str) -> None:
    town, paul = await at("assistant", *GOING_ON)
    await paul.presses("Enregistrer mon assistant·e", **typed)
    assert (paul.status, town.sent) == (422, [])
    assert said in paul.says
