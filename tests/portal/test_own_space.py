"""Mon espace: what somebody sees of their own, and what they can do with it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.base import Message
from schemas.charter import CHARTER
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    PairDissolved,
    PauseMentor,
    WithdrawManager,
)
from schemas.people import PersonContact
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    RescheduleSession,
    SessionPostponed,
    SessionRescheduled,
)
from tests.portal.site import Town
from tests.portal.stories import (
    ACCEPTED,
    FORMED,
    GOING_ON,
    JOINED,
    LISE,
    NO_DATE,
    PAIR,
    PAUL,
    PAUL_JOINS,
    PROPOSED,
    WAITLISTED,
    of_session,
    planned,
)
from tests.portal.test_accessibility import check
from tests.scenario import NOW


async def space(*happened: Message, address: str = PAUL, **town: Any) -> tuple[Town, Any]:
    place = Town(**town).happens(*happened)
    person = await place.signed_in(address)
    await person.goes_to("/mon-espace")
    return place, person


@pytest.mark.parametrize(
    ("happened", "says"),
    [
        ((), "Aucune inscription avec cette adresse."),
        (JOINED, "Pas encore de binôme. Nous vous écrirons dès qu’il y en a un."),
        ((*JOINED, WAITLISTED), "Vous êtes en attente : aucun mentor n’explique cet outil."),
        ((*JOINED, PROPOSED), "Répondez avant le jeudi 16 mars 2017 à 10 h (dans 10 jours)."),
        ((*JOINED, PROPOSED, FORMED, NO_DATE), "Vous n’avez pas d’heure libre en commun"),
        (GOING_ON, "lundi 13 mars 2017, 10 h – 11 h (dans 7 jours)"),
    ],
)
async def test_every_state_has_its_sentence(happened: tuple[Message, ...], says: str) -> None:
    _, paul = await space(*happened)
    assert says in paul.says


async def test_until_both_have_accepted_nobody_is_given_the_other_s_address() -> None:
    _, paul = await space(*JOINED, PROPOSED)
    assert LISE not in paul.answer.text
    _, paul = await space(*GOING_ON)
    assert LISE in paul.answer.text


async def test_a_proposal_is_accepted_or_declined() -> None:
    town, lise = await space(*JOINED, PROPOSED, address=LISE)
    assert CHARTER.fr in lise.says
    await lise.presses("Accepter ce binôme et la charte")
    [accepted] = town.sent
    assert isinstance(accepted, AcceptProposal)
    assert (accepted.charter, accepted.knowing_the_line) == (CHARTER.version, False)
    assert "L’autre personne n’a pas encore répondu." in lise.says
    town, paul = await space(*JOINED, PROPOSED)
    await paul.presses("Refuser")
    (command,) = town.sent
    assert command == DeclineProposal(cohort_id="c", pair_id="m-1~g-1", by="manager")
    assert "Vous avez refusé ce binôme." in paul.says


def proposed_too(manager_id: str, name: str, days: int) -> tuple[Message, ...]:
    """Somebody else that Lise may coach, in so many days more than Paul."""
    address, ends = f"{manager_id}@ministere.example", NOW + timedelta(days=10 + days)
    ids = {"pair_id": f"m-1~{manager_id}", "manager_id": manager_id}
    return (
        PersonContact(cohort_id="c", person_id=manager_id, name=name, email=address),
        PAUL_JOINS[1].model_copy(update={"manager_id": manager_id}),
        PROPOSED.model_copy(update={**ids, "expires_at": ends}),
    )


async def test_what_wants_an_answer_comes_first_and_of_it_what_ends_soonest() -> None:
    ada, bob = proposed_too("g-0", "Ada Bern", 1), proposed_too("g-2", "Bob Caen", -1)
    _, lise = await space(*JOINED, PROPOSED, ACCEPTED, *ada, *bob, address=LISE)
    cards = [card.all("h3")[0] for card in lise.page.all("article")]
    people = [heading.text.split("accompagner ")[1] for heading in cards]
    assert people == ["Bob Caen", "Ada Bern", "Paul Lenoir"]
    # Buttons of one name are told apart by whom their card is about.
    buttons = [b for b in lise.page.all("button") if b.text.startswith("Accepter ce binôme")]
    assert [b.get("aria-describedby") for b in buttons] == [c.get("id") for c in cards[:2]]


async def test_two_of_one_line_are_told_so_and_agree_to_it_in_particular() -> None:
    in_line = PROPOSED.model_copy(update={"reporting_line": "same-manager"})
    town, lise = await space(*JOINED, in_line, address=LISE)
    assert "vous avez tous les deux le même responsable" in lise.says
    await lise.presses("Accepter ce binôme et la charte ; ce lien hiérarchique me convient")
    [accepted] = town.sent
    assert isinstance(accepted, AcceptProposal) and accepted.knowing_the_line


async def test_a_session_is_confirmed_by_one_after_the_other() -> None:
    town, paul = await space(*GOING_ON)
    await paul.follows("Confirmer, déplacer ou annuler")
    await paul.presses("Confirmer cette date")
    lise = await town.signed_in(LISE)
    await lise.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await lise.presses("Confirmer cette date")
    assert "● confirmée" in lise.says


@pytest.mark.parametrize(
    "button",
    ["Confirmer cette date", "Prendre notre prochaine heure libre", "Annuler et replanifier"],
)
async def test_what_is_asked_of_a_session_is_asked_of_the_date_on_the_page(button: str) -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses(button)
    (command,) = town.sent
    assert isinstance(command, ConfirmSession | RescheduleSession | CancelSession)
    assert command.stands_at == planned().starts_at


@pytest.mark.parametrize("no_date", ["demain", "2017-03-13T10:00:00"])
async def test_a_date_that_no_page_has_is_none(no_date: str) -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Annuler et replanifier", vue=no_date)
    assert (paul.status, town.sent) == (404, [])


async def test_a_session_moves_to_a_time_in_paris() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer la séance", jour="2017-03-28", heure="09:30")
    (command,) = town.sent
    assert isinstance(command, RescheduleSession)
    assert command.starts_at is not None
    assert command.starts_at.isoformat() == "2017-03-28T07:30:00+00:00"  # summer time by then
    assert "mardi 28 mars 2017, 9 h 30 – 10 h 30" in paul.says


def offered(*days: int) -> list[tuple[datetime, datetime]]:
    """Hours that both have free, so many days from now."""
    starts = [NOW + timedelta(days=day, hours=hour) for day in days for hour in (0, 1)]
    return [(start, start + timedelta(hours=1)) for start in starts]


async def test_a_session_moves_to_an_hour_that_both_have_free_picked_from_its_day() -> None:
    town, paul = await space(*GOING_ON, slots=offered(8, 9))
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    days = [one for one in paul.page.all("div") if one.get("role") == "group"]
    told = [one.text.replace("\u00a0", " ") for one in days]
    assert told[0] == "mardi 14 mars 2017 10 h – 11 h 11 h – 12 h"
    assert len(days) == 2
    check(paul.page)
    await paul.presses("Déplacer à cette heure", creneau=offered(9)[1][0].isoformat())
    (command,) = town.sent
    assert isinstance(command, RescheduleSession)
    assert (command.starts_at, command.stands_at) == (offered(9)[1][0], planned().starts_at)


async def test_an_hour_that_nobody_picked_is_asked_for() -> None:
    town, paul = await space(*GOING_ON, slots=offered(8))
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer à cette heure")
    assert (paul.status, town.sent) == (422, [])
    assert "Choisissez une heure de la liste." in paul.says


async def test_where_scheduling_is_away_a_session_has_its_page_without_hours_to_pick() -> None:
    _, paul = await space(*GOING_ON, away=True, slots=offered(8))
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert paul.status == 200
    assert "Déplacer à cette heure" not in paul.says
    assert "Prendre notre prochaine heure libre commune" in paul.says


async def test_a_time_that_is_not_free_is_proposed_and_answered_by_the_other() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer la séance", jour="2017-03-16", heure="19:00")
    assert "La date est proposée à l’autre personne." in paul.says
    lise = await town.signed_in(LISE)
    await lise.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert "jeudi 16 mars 2017, 19 h – 20 h" in lise.says
    await lise.presses("Accepter la date proposée")
    (_, accepted) = town.sent
    assert isinstance(accepted, AcceptMove)
    assert accepted.by == "mentor"
    assert "jeudi 16 mars 2017" in lise.says


async def test_who_has_proposed_a_date_can_take_it_back() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer la séance", jour="2017-03-16", heure="19:00")
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert "Accepter la date proposée" not in paul.says
    await paul.presses("Retirer ma proposition")
    assert isinstance(town.sent[-1], DeclineMove)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert "Autre date proposée" not in paul.says


async def test_a_session_that_gave_up_its_date_shows_none() -> None:
    _, paul = await space(*GOING_ON, of_session(SessionPostponed, cause="absence"))
    assert "en attente d’une date" in paul.says
    assert "13 mars 2017" not in paul.says.replace("\u00a0", " ")
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert "13 mars 2017" not in paul.says.replace("\u00a0", " ")


async def test_a_day_that_is_none_is_told_and_nothing_is_sent() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer la séance", jour="", heure="09:30")
    assert (paul.status, town.sent) == (422, [])
    (time,) = [one for one in paul.page.all("input") if one.get("name") == "heure"]
    assert time.get("value") == "09:30"


@pytest.mark.parametrize(
    ("button", "state"), [("Oui, elle a eu lieu", "tenue"), ("Non", "manquée")]
)
async def test_a_session_that_has_begun_is_reported_and_nothing_else(
    button: str, state: str
) -> None:
    _, paul = await space(*GOING_ON, now=NOW + timedelta(days=8))
    await paul.follows("Dire si elle a eu lieu")
    assert [b.text for b in paul.page.all("button")] == [
        "Se déconnecter",
        "Oui, elle a eu lieu",
        "Non",
    ]
    await paul.presses(button)
    assert state in paul.says


async def test_a_refusal_is_a_sentence_and_a_way_back() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    town.rule = "slot-taken"
    await paul.presses("Déplacer la séance", jour="2017-03-28", heure="09:30")
    assert paul.status == 409
    assert "est déjà en séance à cette heure" in paul.says
    await paul.follows("Revenir à mon espace")
    assert paul.heading == "Mon espace"


@pytest.mark.parametrize(
    ("since", "stands"),
    [
        ((ACCEPTED,), "L’autre personne n’a pas encore répondu."),
        ((ACCEPTED, FORMED, planned()), "lundi 13 mars 2017, 10 h – 11 h"),
    ],
)
async def test_a_yes_that_had_come_through_already_is_told_with_how_the_pair_stands(
    since: tuple[Message, ...], stands: str
) -> None:
    town, lise = await space(*JOINED, PROPOSED, address=LISE)
    town.happens(*since)  # the answer to the first press was cut off
    town.rule = "already-answered"
    await lise.presses("Accepter ce binôme et la charte")
    assert lise.status == 200
    assert "Vous aviez déjà accepté ce binôme ; voici où il en est." in lise.says
    assert stands in lise.says


async def test_a_no_after_both_have_accepted_is_told_what_can_still_be_done() -> None:
    town, lise = await space(*JOINED, PROPOSED, address=LISE)
    town.happens(ACCEPTED, FORMED)
    town.rule = "already-answered"
    await lise.presses("Refuser")
    assert lise.status == 409
    assert "Vous pouvez demander un autre binôme" in lise.says


async def test_a_yes_to_a_pair_that_has_ended_is_told_so() -> None:
    town, lise = await space(*JOINED, PROPOSED, address=LISE)
    town.happens(ACCEPTED, FORMED, PairDissolved(**PAIR, cause="request"))
    town.rule = "already-answered"
    await lise.presses("Accepter ce binôme et la charte")
    assert (lise.status, "Ce binôme a pris fin." in lise.says) == (409, True)


async def test_whoever_speaks_of_a_date_that_has_gone_is_told_which_one_holds() -> None:
    town, paul = await space(*GOING_ON)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    moved = {"previously_at": planned().starts_at, "by": "mentor"}
    town.happens(of_session(SessionRescheduled, 1, 10, **moved))
    town.rule = "outdated-answer"
    await paul.presses("Confirmer cette date")
    assert paul.status == 409
    assert "séance 1 : jeudi 16 mars 2017, de 10 h à 11 h (heure de Paris)" in paul.says


async def test_the_sessions_can_be_read_as_a_list() -> None:
    _, paul = await space(*GOING_ON, planned(2, 21))
    (stations,) = paul.page.all("ol")
    told = [one.text.replace("\u00a0", " ") for one in stations.all("li")]
    assert told[0] == "Séance 1◔ à confirmer lundi 13 mars 2017"
    assert told[1] == "Séance 2◔ à confirmer lundi 27 mars 2017"
    assert told[2] == "Séance 3○ à venir"
    assert len(told) == 5


@pytest.mark.parametrize(
    ("typed", "week"),
    [
        ({"demi-journee": ["tue-am", "fri-pm"]}, [("tue", "09:00"), ("fri", "14:00")]),
        ({"heures": "jeudi 8h30-10h"}, [("thu", "08:30")]),
        ({}, [("mon", "09:00")]),
    ],
)
async def test_a_week_is_changed_by_half_days_or_by_hours(
    typed: dict[str, Any], week: list[tuple[str, str]]
) -> None:
    town, paul = await space(*GOING_ON)
    await paul.follows("Changer ma semaine")
    await paul.presses("Enregistrer ma semaine", **typed)
    (command,) = town.sent
    assert [(w.day, w.start) for w in command.availability] == week  # type: ignore[attr-defined]


async def test_who_pauses_or_leaves_reads_first_what_it_does() -> None:
    town, lise = await space(*GOING_ON, address=LISE)
    await lise.follows("Faire une pause, revenir ou quitter")
    assert "Ceux que vous avez continuent." in lise.says
    await lise.presses("Faire une pause")
    assert town.sent == [PauseMentor(cohort_id="c", mentor_id="m-1")]
    paul = await town.signed_in(PAUL)
    await paul.goes_to("/mon-espace/c/participation")
    assert "l’autre personne est prévenue, sans la raison" in paul.says
    await paul.presses("Ne plus être accompagné·e")
    assert town.sent[1:] == [WithdrawManager(cohort_id="c", manager_id="g-1")]


async def test_no_id_is_shown_to_anybody() -> None:
    _, paul = await space(*GOING_ON)
    for path in ("/mon-espace", "/mon-espace/c/seances/m-1~g-1~1", "/mon-espace/c/semaine"):
        await paul.goes_to(path)
        assert "m-1" not in paul.says
        assert "g-1" not in paul.says
