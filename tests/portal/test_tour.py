"""For coordinators: a round is simulated, changed by hand, published, and called off in time."""

import pytest

from schemas.base import Message
from schemas.matching import KeepApart, ProposePair, RunRound
from schemas.rounds import CallOffRound
from tests.portal.browser import Person
from tests.portal.site import Town
from tests.portal.stories import JOINED, PUBLISHED_SOON, SIMULATED, WAITLISTED
from tests.portal.test_coordinating import office
from tests.scenario import NOW

REASON = "les deux l’ont demandé"


async def tour(*happened: Message) -> tuple[Town, Person]:
    return await office("/coordonner/c/tour", *JOINED, *happened)


def rows(anne: Person) -> list[list[str]]:
    return [
        [c.text.replace("\u00a0", " ").replace("\u202f", " ") for c in row.all("th", "td")]
        for row in anne.page.all("tbody")[0].all("tr")
    ]


async def test_a_round_is_simulated_looked_at_by_name_and_published_at_once() -> None:
    town, anne = await tour()
    assert "1 manager attend, 1 mentor est disponible." in anne.says
    await anne.presses("Simuler un tour")
    assert anne.heading == "Tour simulé"
    (row,) = rows(anne)
    assert row[0].startswith("Paul Lenoir")
    assert row[1].startswith("Lise Œuvrard")
    assert row[2] == "LinkedIn (je sais l’expliquer) ; à distance ; DGFiP et DAE se rencontrent"
    await anne.presses("Publier sans attendre")
    simulated, published = town.sent
    assert isinstance(simulated, RunRound)
    assert isinstance(published, RunRound)
    assert (simulated.mode, published.mode) == ("simulate", "publish")
    assert simulated.round_id == published.round_id
    assert anne.heading == "Tour publié"


async def test_a_double_click_simulates_one_round() -> None:
    town, anne = await tour()
    _, form = anne._button("Simuler un tour")
    data = anne._filled(form, {}) | {"action": "simuler"}
    for _ in range(2):
        await anne.client.post("/coordonner/c/tour", data=data)
    assert len({command.subject for command in town.sent}) == 1


async def test_what_is_published_waits_a_while_and_can_be_called_off_until_then() -> None:
    town, anne = await tour()
    await anne.presses("Simuler un tour")
    await anne.presses("Publier ce tour")
    published = town.sent[-1]
    assert isinstance(published, RunRound)
    assert published.in_minutes == 15
    assert anne.heading == "Tour sur le point d’être publié"
    assert "lundi 6 mars 2017 à 10 h 15" in anne.says
    assert len(rows(anne)) == 1
    await anne.presses("Annuler la publication")
    assert isinstance(town.sent[-1], CallOffRound)
    assert "La publication est annulée : personne n’a été prévenu." in anne.says
    assert anne.heading == "Tour simulé"


async def test_what_has_begun_cannot_be_called_off_and_the_page_says_so() -> None:
    town, anne = await tour()
    await anne.presses("Simuler un tour")
    await anne.presses("Publier ce tour")
    town.rule = "round-begun"
    await anne.presses("Annuler la publication")
    assert "des personnes sont prévenues" in anne.says


async def test_a_round_that_is_being_searched_offers_nothing_to_call_off() -> None:
    begun = PUBLISHED_SOON.model_copy(update={"begins_at": NOW})
    _, anne = await office("/coordonner/c/tour/tour-1", *JOINED, *SIMULATED, begun)
    assert anne.heading == "Tour en cours de calcul"
    assert not [b for b in anne.page.all("button") if "Annuler" in b.text]


async def test_a_pair_is_left_out_of_this_round_which_is_simulated_again() -> None:
    town, anne = await tour()
    await anne.presses("Simuler un tour")
    await anne.follows("Écarter")
    assert anne.heading == "Écarter Paul Lenoir et Lise Œuvrard"
    await anne.presses("Écarter ce binôme")
    first, again = town.sent
    assert isinstance(again, RunRound)
    assert again.besides == ("m-1~g-1",)
    assert again.round_id != first.subject
    assert "1 binôme écarté de ce tour." in anne.says
    assert "Paul Lenoir – aucun mentor n’explique cet outil" in anne.says


async def test_a_round_without_a_pair_is_published_for_those_who_wait() -> None:
    town, anne = await tour()
    await anne.presses("Simuler un tour")
    await anne.follows("Écarter")
    await anne.presses("Écarter ce binôme")
    assert "puis qui attend apprend pourquoi." in anne.says
    await anne.presses("Publier sans attendre")
    published = town.sent[-1]
    assert isinstance(published, RunRound)
    assert published.mode == "publish"
    assert anne.heading == "Tour publié"


async def test_for_good_it_is_left_out_with_a_reason_alone() -> None:
    town, anne = await tour()
    await anne.presses("Simuler un tour")
    await anne.follows("Écarter")
    await anne.presses("Écarter ce binôme", duree="toujours")
    assert (anne.status, len(town.sent)) == (422, 1)
    assert "Dites pourquoi" in anne.says
    await anne.presses("Écarter ce binôme", raison=REASON)
    assert isinstance(town.sent[1], KeepApart)
    assert isinstance(town.sent[2], RunRound)
    await anne.goes_to("/coordonner/c/tour")
    assert REASON in anne.says


async def test_a_pair_is_formed_by_hand_with_a_reason_that_is_seen() -> None:
    town, anne = await tour(WAITLISTED)
    await anne.follows("Former un binôme à la main")
    assert "aucun mentor n’explique cet outil" in anne.says
    await anne.follows("Paul Lenoir")
    await anne.presses("Proposer ce binôme")
    assert (anne.status, town.sent) == (422, [])
    assert {"Choisissez un mentor.", "Dites pourquoi, en 3 à 200 caractères."} <= {
        link.text for link in anne.page.all("main")[0].all("a")
    }
    await anne.presses("Proposer ce binôme", mentor="m-1", raison=REASON)
    (command,) = town.sent
    assert isinstance(command, ProposePair)
    assert (command.pair_id, command.reason) == ("m-1~g-1", REASON)
    assert "les deux personnes reçoivent une lettre, avec votre raison" in anne.says
    assert REASON in anne.says


async def test_what_was_typed_stays_when_something_is_missing() -> None:
    _, anne = await tour()
    await anne.goes_to("/coordonner/c/tour/a-la-main?manager=g-1")
    await anne.presses("Proposer ce binôme", raison=REASON)
    (field,) = [one for one in anne.page.all("input") if one.get("name") == "raison"]
    assert field.get("value") == REASON


async def test_two_people_are_kept_apart_and_stand_on_the_page_of_rounds() -> None:
    town, anne = await tour()
    await anne.follows("Séparer deux personnes")
    await anne.follows("Paul Lenoir")
    await anne.presses("Séparer ces deux personnes", mentor="m-1", raison=REASON)
    assert [type(one) for one in town.sent] == [KeepApart]
    assert "aucun tour ne formera ce binôme" in anne.says
    assert rows(anne) == [["Paul Lenoir", "Lise Œuvrard", REASON]]


@pytest.mark.parametrize(
    "path",
    [
        "tour/a-la-main?manager=g-9",
        "tour/separer?manager=g-9",
        "tour/no-round",
        "tour/no-round/ecarter?binome=m-1~g-1",
    ],
)
async def test_what_is_not_there_is_not_there(path: str) -> None:
    _, anne = await office(f"/coordonner/c/{path}", *JOINED)
    assert anne.status == 404


async def test_whom_a_rule_keeps_apart_is_told_in_words() -> None:
    town, anne = await tour()
    await anne.goes_to("/coordonner/c/tour/a-la-main?manager=g-1")
    town.rule = "no-place"
    await anne.presses("Proposer ce binôme", mentor="m-1", raison=REASON)
    assert "Ce mentor n’a plus de place." in anne.says
