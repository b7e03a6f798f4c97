"""Réglages: what may change, what cannot and why, somebody else's change, and the end."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.base import recast
from schemas.charter import CHARTER
from schemas.cohorts import ChangePolicy, CloseCohort, CohortClosed, PolicyChanged
from schemas.letter_rules import LetterRules
from schemas.values import CohortPolicy
from tests.portal.site import COORDINATOR, OF_C, Town
from tests.portal.stories import GOING_ON, JOINED, OPENED
from tests.portal.test_coordinating import office

HERE = "/coordonner/c/reglages"
OTHER = CohortPolicy(cadence_days=7)
CHANGED = PolicyChanged(cohort_id="c", before=CohortPolicy(), after=OTHER)


async def test_rules_change_for_those_to_come_and_all_others_stay() -> None:
    town, anne = await office(HERE, *JOINED)
    assert "promises aux binômes formés" in anne.says
    await anne.presses("Enregistrer les règles", proposal_days="5", bridge="30,5", start="21:00")
    (command,) = town.sent
    assert isinstance(command, ChangePolicy)
    known = CohortPolicy()
    weights = known.weights.model_copy(update={"bridge": 30.5})
    quiet = known.quiet_hours.model_copy(update={"start": "21:00"})
    fields = {"proposal_days": 5, "weights": weights, "quiet_hours": quiet}
    assert command.policy == known.model_copy(update=fields)
    assert "Les règles sont enregistrées, pour la suite." in anne.says


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("proposal_days", "0"),
        ("bridge", "beaucoup"),
        ("start", "25:00"),
        ("stalled_days", ""),
        ("gather_minutes", "1441"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field(field: str, typed: str) -> None:
    town, anne = await office(HERE, OPENED)
    await anne.presses("Enregistrer les règles", **{field: typed})
    assert (anne.status, town.sent) == (422, [])
    (wrong,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert (wrong.get("id"), wrong.get("value")) == (field, typed)


async def test_letters_and_charter_change_and_another_text_has_another_version() -> None:
    town, anne = await office(HERE, OPENED)
    ours = "Nous nous\r\nécoutons."
    await anne.presses(
        "Enregistrer les règles", gather_minutes="0", urgent_at_night=["oui"], charte_fr=ours
    )
    (command,) = town.sent
    assert isinstance(command, ChangePolicy)
    assert command.policy.letters == LetterRules(gather_minutes=0, urgent_at_night=True)
    charter = command.policy.charter
    assert charter is not None
    assert (charter.fr, charter.en) == ("Nous nous écoutons.", CHARTER.en)
    assert charter.version != CHARTER.version
    await anne.presses("Enregistrer les règles", charte_fr=CHARTER.fr)
    assert isinstance(back := town.sent[-1], ChangePolicy)
    assert back.policy.charter is None
    assert back.policy.letters == command.policy.letters


async def test_nothing_counting_is_no_rule() -> None:
    _, anne = await office(HERE, OPENED)
    nothing = dict.fromkeys(("coverage", "job", "availability", "bridge", "proximity"), "0")
    await anne.presses("Enregistrer les règles", **nothing)
    assert "Un critère au moins doit compter." in anne.says


async def test_rules_that_somebody_else_has_changed_are_not_written_over() -> None:
    town, anne = await office(HERE, OPENED)
    town.happens(CHANGED)
    await anne.presses("Enregistrer les règles", proposal_days="5")
    assert (anne.status, town.sent) == (409, [])
    assert "Les règles ont changé entre-temps" in anne.says


async def test_what_stays_as_it_was_is_not_sent() -> None:
    town, anne = await office(HERE, OPENED)
    await anne.presses("Enregistrer les règles")
    assert town.sent == []


async def test_a_programme_is_closed_and_nobody_finds_it_to_join() -> None:
    town, anne = await office(HERE, *JOINED)
    await anne.presses("Fermer ce programme")
    assert [type(one) for one in town.sent] == [CloseCohort]
    assert "Le programme est fermé." in anne.says
    assert not [b for b in anne.page.all("button") if "Enregistrer" in b.text]
    await anne.goes_to("/")
    assert "Aucun programme n’est ouvert pour le moment." in anne.says
    await anne.goes_to("/inscription/c")
    assert "Ce programme est fermé" in anne.says
    assert recast(CohortClosed, town.sent[0]).cohort_id == "c"


async def test_of_a_closed_programme_it_is_said_how_long_its_people_are_kept() -> None:
    until = datetime(2018, 3, 6, 9, 0, tzinfo=UTC)
    closed = CohortClosed(cohort_id="c", closed_at=until - timedelta(days=365), kept_until=until)
    _, anne = await office(HERE, *JOINED, closed)
    assert "gardés jusqu’à cette date : mardi 6 mars 2018." in anne.says


@pytest.mark.parametrize(("who", "leads"), [(COORDINATOR, True), (OF_C, False)])
async def test_the_page_says_where_the_rest_is_set_and_leads_there_whoever_may_go(
    who: str, leads: bool
) -> None:
    town = Town().happens(*GOING_ON)
    person = await (await town.signed_in(who)).goes_to(HERE)
    ways = {one.get("href") for one in person.page.all("main")[0].all("a")}
    assert ("/administrer?programme=c" in ways) is leads
    assert "/coordonner/c/communaute" in ways
    for way in ways & {"/administrer?programme=c", "/coordonner/c/communaute"}:
        assert (await person.goes_to(way)).status == 200
