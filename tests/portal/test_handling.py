"""For coordinators: what is stuck is told with who, since when and why, and gone once settled."""

import asyncio
from datetime import timedelta

import pytest

from schemas.base import Message
from schemas.matching import DissolvePair
from schemas.notify import LetterFailed, RetryLetter
from schemas.people import PersonContact
from schemas.scheduling import CorrectAttendance
from tests.portal.browser import Element, Person
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import (
    ASKED,
    DISPUTED,
    GOING_ON,
    JOINED,
    LETTER_FAILED,
    MISSED,
    NO_DATE,
    OPENED,
    PAIR,
    PAUL_JOINS,
    PROPOSED,
    STALLED,
    WAITLISTED,
    planned,
)
from tests.portal.test_coordinating import office


def cards(anne: Person) -> list[Element]:
    return [one for one in anne.page.all("li") if one.get("class") == "card"]


def said(card: Element) -> str:
    return card.text.replace("\u00a0", " ").replace("\u202f", " ")


async def later(days: int, *happened: Message) -> tuple[Town, Person]:
    """The page, some days after it happened."""
    town, anne = await office("/coordonner/c", *happened)
    town.site.clock._start += timedelta(days=days)
    await anne.goes_to("/coordonner/c")
    return town, anne


@pytest.mark.parametrize(
    ("days", "happened", "what", "why"),
    [
        (
            0,
            (*GOING_ON, LETTER_FAILED),
            "Lettre non remise",
            "La messagerie refuse l’adresse (smtp 550).",
        ),
        (
            0,
            (*GOING_ON, MISSED, DISPUTED),
            "Présence en désaccord",
            "Lise Œuvrard et Paul Lenoir · séance 1, lundi 13 mars 2017, 10 h – 11 h",
        ),
        (0, (*GOING_ON, ASKED), "Demande un autre binôme, en confidence", "D’autres horaires"),
        (0, (*GOING_ON, NO_DATE), "Aucune heure commune", "2 séances attendent une date."),
        (0, (*GOING_ON, STALLED), "Binôme à accompagner", "depuis le lundi 6 mars 2017"),
        (0, (*GOING_ON, *[MISSED] * 3), "Binôme à accompagner", "3 séances manquées."),
        (5, (*JOINED, PROPOSED), "Pas encore de réponse", "expire dans 5 jours"),
        (8, (*JOINED, PROPOSED), "Proposition bientôt expirée", "expire dans 2 jours"),
        (0, (*JOINED, WAITLISTED), "Attend sans mentor en vue", "Aucun mentor n’explique"),
    ],
)
async def test_what_is_stuck_is_told_with_who_why_and_one_button(
    days: int, happened: tuple[Message, ...], what: str, why: str
) -> None:
    _, anne = await later(days, *happened)
    (card,) = cards(anne)
    assert card.all("h3")[0].text == what
    assert why in said(card)
    (other,) = card.all("details")
    mailed = [a for a in card.all("a") if a.get("class") == "button"]
    assert mailed or len(card.all("button")) > len(other.all("button"))


async def test_a_proposal_that_was_just_made_is_nothing_to_handle() -> None:
    _, anne = await office("/coordonner/c", *JOINED, PROPOSED)
    assert cards(anne) == []
    assert "Rien à traiter. Tout avance." in anne.says


async def test_only_whoever_has_not_answered_is_to_be_reminded() -> None:
    _, anne = await later(8, *GOING_ON[:-2])  # Lise has accepted
    (card,) = cards(anne)
    assert "Paul Lenoir" in card.text
    assert "Lise" not in card.text


async def test_two_missed_sessions_are_nothing_to_handle_yet() -> None:
    _, anne = await office("/coordonner/c", *GOING_ON, *[MISSED] * 2)
    assert cards(anne) == []


async def test_a_letter_is_sent_again_to_the_address_as_it_is_corrected() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, LETTER_FAILED)
    await anne.presses("Corriger et renvoyer", adresse="lise.oeuvrard")
    assert (anne.status, town.sent) == (422, [])
    (wrong,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert wrong.get("value") == "lise.oeuvrard"
    await anne.presses("Corriger et renvoyer", adresse="lise@ministere.example")
    contact, retried = town.sent
    assert isinstance(contact, PersonContact)
    assert (contact.name, contact.email) == ("Lise Œuvrard", "lise@ministere.example")
    assert retried == RetryLetter(cohort_id="c", letter_id=LETTER_FAILED.letter_id)
    assert "Rien à traiter. Tout avance." in anne.says


async def test_to_the_address_that_it_had_it_is_sent_again_alone() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, LETTER_FAILED)
    await anne.presses("Corriger et renvoyer")
    assert town.sent == [RetryLetter(cohort_id="c", letter_id=LETTER_FAILED.letter_id)]


@pytest.mark.parametrize(
    ("button", "held"), [("Elle a eu lieu", True), ("Elle n’a pas eu lieu", False)]
)
async def test_a_dispute_is_settled_and_is_no_longer_to_be_handled(button: str, held: bool) -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, MISSED, DISPUTED)
    await anne.presses(button)
    about = {"cohort_id": "c", "session_id": DISPUTED.session_id, "attempt": 1}
    assert town.sent == [CorrectAttendance(**about, held=held)]
    assert "Présence en désaccord" not in anne.says
    assert "les deux personnes reçoivent une lettre" in anne.says


async def test_a_double_click_settles_once_and_says_so() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, MISSED, DISPUTED)
    _, form = anne._button("Elle a eu lieu")
    data = anne._filled(form, {}) | {"action": "tenue"}
    for _ in range(2):
        answer = await anne.client.post(form.get("action"), data=data, follow_redirects=True)
    assert answer.status_code == 200
    assert len(town.sent) == 1
    assert "C’était déjà réglé." in answer.text


async def test_a_pair_that_cannot_go_on_is_ended() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, ASKED)
    town.rule = "pair-not-standing"
    await anne.presses("Arrêter ce binôme")
    assert anne.status == 409
    town.rule = None
    await anne.goes_to("/coordonner/c")
    await anne.presses("Arrêter ce binôme")
    assert town.sent == [DissolvePair(cohort_id="c", pair_id=PAIR["pair_id"], reason="")]


async def test_what_is_put_away_comes_back_after_a_week_or_when_there_is_news() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, STALLED)
    await anne.presses("C’est traité")
    assert cards(anne) == []
    assert "1 point mis de côté." in anne.says
    assert "À traiter (0)" in anne.page.all("nav")[0].text
    town.happens(MISSED)
    await anne.goes_to("/coordonner/c")
    assert len(cards(anne)) == 1
    await anne.presses("C’est traité")
    town.real += timedelta(days=8)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c")
    assert len(cards(anne)) == 1


async def test_what_two_coordinators_put_away_at_once_is_put_away_both() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, STALLED, NO_DATE)
    before = cards(anne)
    forms = [card.all("details")[0].all("form")[-1] for card in before]
    sent = [
        anne.client.post(form.get("action"), data=anne._filled(form, {}), follow_redirects=True)
        for form in forms
    ]
    await asyncio.gather(*sent)
    await anne.goes_to("/coordonner/c")
    assert (len(before), cards(anne)) == (2, [])
    assert "2 points mis de côté." in anne.says
    assert town.sent == []


async def test_what_was_put_away_can_be_shown_again() -> None:
    _, anne = await office("/coordonner/c", *GOING_ON, STALLED)
    await anne.presses("C’est traité")
    await anne.presses("Tout revoir")
    assert len(cards(anne)) == 1


async def test_of_what_has_been_settled_no_mark_remains() -> None:
    town, anne = await office("/coordonner/c", *GOING_ON, NO_DATE)
    await anne.presses("C’est traité")
    town.happens(planned(2, 21), planned(3, 35))
    await anne.goes_to("/coordonner/c")
    assert "mis de côté" not in anne.says


# --- more than a page of one kind -----------------------------------------------------------------


def letters(many: int) -> list[LetterFailed]:
    return [
        LETTER_FAILED.model_copy(update={"letter_id": f"matching.events.0.{n:03d}:m-1"})
        for n in range(many)
    ]


def addressed(anne: Person) -> list[str]:
    """The letters that the page shows."""
    return [one.get("value") for one in anne.page.all("input") if one.get("name") == "lettre"]


async def test_of_many_of_a_kind_the_page_says_how_many_more_and_offers_the_next() -> None:
    happened = letters(120)
    _, anne = await office("/coordonner/c", *GOING_ON, NO_DATE, *happened)
    assert "Bloqué (121)" in anne.says
    assert "Aucune heure commune" in anne.says
    seen = []
    for more in ("Lettre non remise : 70 autres.", "Lettre non remise : 20 autres."):
        assert more in anne.says
        seen += addressed(anne)
        await anne.follows("Voir la suite")
        assert "Lettre non remise (120)" in anne.says
        assert "Aucune heure commune" not in anne.says
    assert "Voir la suite" not in anne.says
    assert [*seen, *addressed(anne)] == [one.letter_id for one in happened]
    await anne.follows("Voir tout ce qui est à traiter")
    assert "Bloqué (121)" in anne.says


async def test_what_is_put_away_takes_no_place_of_what_is_not() -> None:
    happened = letters(52)
    _, anne = await office("/coordonner/c", *GOING_ON, *happened)
    for _ in range(2):
        await anne.presses("C’est traité")
    assert addressed(anne) == [one.letter_id for one in happened[2:]]
    assert "Voir la suite" not in anne.says
    assert "2 points mis de côté." in anne.says
    assert "À traiter (50)" in anne.page.all("nav")[0].text


async def test_whoever_handles_what_is_further_down_stays_there_and_finds_it_put_away() -> None:
    happened = letters(53)
    _, anne = await office("/coordonner/c", *GOING_ON, *happened)
    await anne.follows("Voir la suite")
    await anne.presses("Corriger et renvoyer", adresse="lise.oeuvrard")
    (wrong,) = [one for one in anne.page.all("input") if one.get("aria-invalid")]
    assert wrong.get("value") == "lise.oeuvrard"
    await anne.presses("C’est traité")
    assert addressed(anne) == [one.letter_id for one in happened[51:]]
    await anne.goes_to("/coordonner/c")
    assert "1 point mis de côté." in anne.says
    assert "Lettre non remise : 2 autres." in anne.says


async def test_when_the_last_of_a_kind_are_handled_the_page_goes_back_to_the_first() -> None:
    happened = letters(51)
    _, anne = await office("/coordonner/c", *GOING_ON, *happened)
    await anne.follows("Voir la suite")
    await anne.presses("C’est traité")
    assert addressed(anne) == [one.letter_id for one in happened[:50]]
    _, anne = await office("/coordonner/c?genre=letter", *GOING_ON)
    assert "Plus rien de ce genre." in anne.says


async def test_a_pair_that_stands_still_and_often_missed_is_one_thing_to_handle() -> None:
    _, anne = await office("/coordonner/c", *GOING_ON, *[MISSED] * 3, STALLED)
    assert len(cards(anne)) == 1
    assert "À traiter (1)" in anne.page.all("nav")[0].text


async def test_all_who_wait_for_a_first_round_are_counted() -> None:
    enrolled = PAUL_JOINS[1]
    many = [enrolled.model_copy(update={"manager_id": f"g-{n}"}) for n in range(60)]
    _, anne = await office("/coordonner/c", OPENED, *many)
    assert "60 personnes attendent un premier tour." in anne.says
