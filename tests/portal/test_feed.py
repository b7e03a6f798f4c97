"""The private address of somebody's sessions, for calendar programs."""

import pytest
from icalendar import Calendar

from schemas.people import PersonErased
from schemas.scheduling import SessionCancelled, SessionConfirmed
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, LISE, PAUL, of_session

COHORT = "c"


async def address_of(place: Town, person: object) -> str:
    await person.goes_to(f"/mon-espace/{COHORT}/agenda")  # type: ignore[attr-defined]
    await person.presses("Obtenir une nouvelle adresse")  # type: ignore[attr-defined]
    fields = person.page.all("input")  # type: ignore[attr-defined]
    found = [one.get("value") for one in fields if one.get("id") == "adresse"]
    return str(found[0]).removeprefix(place.url)


async def test_a_calendar_program_sees_every_session_with_its_state_without_signing_in() -> None:
    place = Town().happens(*GOING_ON)
    path = await address_of(place, await place.signed_in(PAUL))
    program = place.person()
    await program.goes_to(path)
    assert program.status == 200
    assert program.answer.headers["content-type"] == "text/calendar; charset=utf-8"
    [entry] = Calendar.from_ical(program.answer.text).walk("VEVENT")
    assert str(entry["UID"]).endswith("~1@ministere.example")
    assert "à confirmer" in entry["SUMMARY"] and "Lise" in entry["SUMMARY"]
    assert entry["STATUS"] == "TENTATIVE"


async def test_what_both_have_confirmed_is_confirmed_and_what_fell_through_is_cancelled() -> None:
    both = (of_session(SessionConfirmed, by="mentor"), of_session(SessionConfirmed, by="manager"))
    for more, status in ((both, "CONFIRMED"), ((_CANCELLED,), "CANCELLED")):
        place = Town().happens(*GOING_ON, *more)
        path = await address_of(place, await place.signed_in(PAUL))
        program = place.person()
        await program.goes_to(path)
        [entry] = Calendar.from_ical(program.answer.text).walk("VEVENT")
        assert entry["STATUS"] == status


_CANCELLED = of_session(SessionCancelled, cause="request", by="mentor")


async def test_a_program_that_has_it_already_is_told_so() -> None:
    place = Town().happens(*GOING_ON)
    path = await address_of(place, await place.signed_in(PAUL))
    client = place.person().client
    first = await client.get(path)
    same = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=same)).status_code == 304
    since = {"If-Modified-Since": first.headers["last-modified"]}
    assert (await client.get(path, headers=since)).status_code == 304
    assert (await client.get(path)).content == first.content
    place.happens(_CANCELLED)
    assert (await client.get(path, headers=same)).status_code == 200


@pytest.mark.parametrize("since", ["", "1 Jan 2017 00:00:00 +99999999999", "1 Jan 99999999999 0:0"])
async def test_a_program_that_tells_no_date_is_given_the_calendar(since: str) -> None:
    place = Town().happens(*GOING_ON)
    path = await address_of(place, await place.signed_in(PAUL))
    answer = await place.person().client.get(path, headers={"If-Modified-Since": since})
    assert answer.status_code == 200


async def test_a_new_address_ends_the_one_before_and_sharing_can_stop() -> None:
    place = Town().happens(*GOING_ON)
    paul, client = await place.signed_in(PAUL), place.person().client
    first = await address_of(place, paul)
    second = await address_of(place, paul)
    assert first != second
    assert (await client.get(first)).status_code == 404
    assert (await client.get(second)).status_code == 200
    await paul.presses("Ne plus partager mon agenda")
    assert (await client.get(second)).status_code == 404


async def test_each_has_their_own_and_whoever_is_erased_has_none() -> None:
    place = Town().happens(*GOING_ON)
    client = place.person().client
    lise = await address_of(place, await place.signed_in(LISE))
    paul = await address_of(place, await place.signed_in(PAUL))
    assert (await client.get(lise)).text != (await client.get(paul)).text
    place.happens(PersonErased(cohort_id=COHORT, person_id="g-1"))
    assert (await client.get(paul)).status_code == 404
    assert (await client.get(lise)).status_code == 200


async def test_an_address_that_nobody_was_given_shows_nothing() -> None:
    place = Town().happens(*GOING_ON)
    program = place.person()
    await program.goes_to("/agenda/" + "x" * 43)
    assert program.status == 404
