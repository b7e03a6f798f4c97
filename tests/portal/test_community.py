"""Beside the pair: who takes a question, where people talk, when they meet; and who tells it."""

import pytest

from schemas.community import StandInDirectory, TellCommunity
from schemas.matching import MentorWithdrew
from schemas.people import PersonErased
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, JOINED, LISE, LISTED, MANAGER_LEFT, OPENED, PAUL, TOLD
from tests.portal.test_own_words import at


async def test_nobody_stands_in_the_directory_who_has_not_agreed() -> None:
    town, paul = await at("communaute", *JOINED)
    assert "Lise" not in paul.says
    lise = await town.signed_in(LISE)
    await lise.goes_to("/mon-espace/c/communaute")
    assert "Si vous l’acceptez" in lise.says
    await lise.presses("J’accepte d’y figurer")
    assert town.sent == [StandInDirectory(cohort_id="c", mentor_id="m-1", listed=True)]
    await paul.goes_to("/mon-espace/c/communaute")
    assert "LinkedIn Lise Œuvrard · Paris Bercy" in paul.says
    await lise.goes_to("/mon-espace/c/communaute")
    await lise.presses("Ne plus y figurer")
    await paul.goes_to("/mon-espace/c/communaute")
    assert "Lise" not in paul.says


@pytest.mark.parametrize(
    "gone",
    [
        MentorWithdrew(cohort_id="c", mentor_id="m-1"),
        PersonErased(cohort_id="c", person_id="m-1"),
    ],
)
async def test_whoever_has_left_or_is_forgotten_stands_there_no_more(
    gone: MentorWithdrew | PersonErased,
) -> None:
    _, paul = await at("communaute", *JOINED, LISTED, gone)
    assert LISE not in paul.answer.text
    assert "Personne pour le moment." in paul.says


async def test_it_is_for_whoever_takes_part_and_for_nobody_else() -> None:
    _, paul = await at("communaute", *JOINED, LISTED, MANAGER_LEFT)
    assert paul.status == 404
    eve = await Town().happens(*JOINED, LISTED).signed_in("eve@ministere.example")
    await eve.goes_to("/mon-espace/c/communaute")
    assert eve.status == 404


async def test_a_meeting_that_coordinators_announce_is_read_and_goes_into_a_calendar() -> None:
    town = Town().happens(*GOING_ON)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c/communaute")
    about = {"titre": "Retours", "jour": "2017-03-15", "heure": "10:00", "ou": "Bercy"}
    await anne.presses("Annoncer", salon="https://tchap.example/a", **about)
    (told,) = town.sent
    assert isinstance(told, TellCommunity)
    paul = await town.signed_in(PAUL)
    await paul.goes_to("/mon-espace/c/communaute")
    assert "Retoursmercredi 15 mars 2017 à 10 h (dans 9 jours)" in paul.says
    answer = await paul.client.get("/mon-espace/c/communaute/rencontre.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert b"DTSTART:20170315T090000Z" in answer.content


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"salon": "tchap"}, "salon"),
        ({"titre": "Retours"}, "jour"),
        ({"titre": "", "jour": "2017-03-15", "heure": "10:00", "ou": "Bercy"}, "titre"),
        ({"titre": "R", "jour": "2017-03-01", "heure": "10:00", "ou": "Bercy"}, "jour"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(typed: dict[str, str], field: str) -> None:
    town = Town().happens(OPENED)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c/communaute")
    await anne.presses("Annoncer", **typed)
    assert (anne.status, town.sent) == (422, [])
    (summary,) = [one for one in anne.page.all("div") if one.get("role") == "alert"]
    assert f"#{field}" in [link.get("href") for link in summary.all("a")]


async def test_a_meeting_that_is_over_is_not_shown() -> None:
    past = TOLD.model_copy(
        update={
            "meeting": TOLD.meeting.model_copy(
                update={"starts_at": TOLD.meeting.starts_at.replace(year=2016)}
            )
        }  # type: ignore[union-attr]
    )
    _, paul = await at("communaute", *JOINED, past)
    assert "Aucune rencontre n’est annoncée" in paul.says
