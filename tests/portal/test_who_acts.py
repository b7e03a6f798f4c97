"""What the portal asks of the services bears the name of whoever asked, and no address."""

import re

from schemas.actors import pseudonym
from services.portal.app import coordinators_of
from tests.portal.site import COORDINATOR, OF_C, SECRET, Town
from tests.portal.stories import GOING_ON, PAUL


async def test_a_participant_acts_by_their_id_in_the_programme() -> None:
    place = Town().happens(*GOING_ON)
    paul = await place.signed_in(PAUL)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Confirmer cette date")
    [(who, via)] = place.behind
    assert re.fullmatch(r"participant [mg]-1", who)
    assert via == "portal"


async def test_who_coordinates_acts_by_a_pseudonym_that_stays_in_the_role_they_have() -> None:
    for address, role in ((OF_C, "coordinator"), (COORDINATOR, "administrator")):
        place = Town().happens(*GOING_ON)
        somebody = await place.signed_in(address)
        await somebody.goes_to("/coordonner/c/tour")
        await somebody.presses("Simuler un tour")
        known = pseudonym(SECRET, "address", address)
        assert set(place.behind) == {(f"{role} {known}", "portal")}


def test_coordinators_are_named_with_their_programmes_or_for_all() -> None:
    text = " Lise@Ministere.example , zoe@ministere.example bercy-2017 dgfip-1,, "
    assert coordinators_of(text) == {
        "lise@ministere.example": None,
        "zoe@ministere.example": frozenset({"bercy-2017", "dgfip-1"}),
    }
