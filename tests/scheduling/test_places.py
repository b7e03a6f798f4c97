"""Where a pair meets."""

import pytest
from pydantic import ValidationError

from schemas.matching import OpenCohort
from schemas.meeting import MeetingPlaceSet, SessionRelocated, SetMeetingPlace
from schemas.places import MeetingPlace, chosen, where
from schemas.scheduling import SessionEvent
from schemas.values import CohortPolicy, Side
from services.scheduling.handlers import DOMAIN, with_rooms
from tests.scenario import Scenario, kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    PAIR,
    after_start,
    cancel,
    dissolved,
    formed,
    opened,
    report,
    standing,
    the_pair,
    the_session,
)

VISIO = MeetingPlace(at="link", link="https://visio.example/{room}")
ROOM_214 = MeetingPlace(at="text", text="Salle 214")


def meet_at(place: MeetingPlace = ROOM_214, by: Side = "mentor") -> SetMeetingPlace:
    return SetMeetingPlace(cohort_id=COHORT, pair_id=PAIR, by=by, place=place)


def pair_in_a_room(key: bytes) -> str:
    scenario = Scenario(with_rooms(key))
    scenario.when(opened(CohortPolicy(where=VISIO)))
    scenario.when(formed(mentor=ANY_DAY, manager=ANY_DAY))
    place = the_pair(scenario).place
    assert place is not None and place.link is not None
    return place.link


def test_a_cohort_that_says_nothing_of_places_has_none() -> None:
    scenario = standing()
    assert the_pair(scenario).place is None
    assert not any(isinstance(event, MeetingPlaceSet) for event in scenario.events)


def test_a_pair_gets_a_room_of_its_own_which_nobody_can_guess_without_the_key() -> None:
    link = pair_in_a_room(b"one key")
    assert link.startswith("https://visio.example/")
    assert len(link.rpartition("/")[2]) == 32
    assert pair_in_a_room(b"one key") == link
    assert pair_in_a_room(b"another key") != link


def test_a_rebuild_knows_the_room_without_the_key() -> None:
    live = Scenario(with_rooms(b"one key"))
    live.when(opened(CohortPolicy(where=VISIO)))
    live.when(formed())
    learned = (opened(CohortPolicy(where=VISIO)), formed())
    rebuilt = Scenario(DOMAIN).given(*learned, *live.events)
    assert the_pair(rebuilt) == the_pair(live)


def test_an_office_is_a_place_without_any_link() -> None:
    scenario = standing(CohortPolicy(where=MeetingPlace(at="manager_office")))
    place = the_pair(scenario).place
    assert place is not None and where(place, "fr") == "au bureau du manager"


def test_either_side_can_choose_another_place_and_the_next_session_tells_it() -> None:
    scenario = standing(CohortPolicy(where=VISIO))
    before = the_session(scenario, 1)
    told = scenario.when(meet_at(by="manager"))
    assert kinds(told) == ["MeetingPlaceSet", "SessionRelocated"]
    assert the_pair(scenario).place == ROOM_214
    after = the_session(scenario, 1)
    assert (after.starts_at, after.revision) == (before.starts_at, before.revision + 1)
    assert kinds(scenario.when(meet_at())) == []


def test_only_a_session_to_come_is_told_of_the_place() -> None:
    scenario = after_start(standing(mentor=ANY_DAY, manager=ANY_DAY), 1)
    decision = scenario.when(meet_at())
    assert isinstance(decision, list)
    [relocated] = [event for event in decision if isinstance(event, SessionRelocated)]
    assert relocated.number == 2


def test_changes_of_a_session_are_counted_on_after_its_place_has_changed() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    scenario.when(meet_at())
    decision = scenario.when(cancel(1))
    assert isinstance(decision, list)
    revisions = [e.revision for e in decision if isinstance(e, SessionEvent) and e.number == 1]
    assert revisions[0] == 2


def test_a_pair_that_has_ended_meets_no_more() -> None:
    scenario = standing()
    scenario.when(dissolved())
    assert refusal(scenario.when(meet_at())) == "pair-ended"


def test_the_place_stays_what_it_was_when_sessions_are_held() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    scenario.when(meet_at())
    after_start(scenario, 1).when(report(1))
    assert the_pair(scenario).place == ROOM_214


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://visio.example/meet", "has {room} in it"),
        ("https://visio.example/{room}/{room}", "has {room} in it"),
        ("https://visio.example/{room}?k={key}", "has {room} in it"),
        ("http://visio.example/{room}", "pattern"),
    ],
)
def test_a_policy_with_a_link_that_gives_no_room_is_refused_by_name(link: str, said: str) -> None:
    asked = {"cohort_id": COHORT, "name": "P", "policy": {"where": {"at": "link", "link": link}}}
    with pytest.raises(ValidationError) as wrong:
        OpenCohort.model_validate(asked)
    [error] = wrong.value.errors()
    assert error["loc"][:2] == ("policy", "where") and said in error["msg"]


@pytest.mark.parametrize(
    "words", ["", "   ", "https://", "https://visio.example/{room}", "x" * 201]
)
def test_what_is_no_place_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"text|link"):
        chosen(words)


def test_what_begins_like_a_link_is_one_and_all_else_is_words() -> None:
    assert chosen(" https://visio.example/a ").link == "https://visio.example/a"
    assert chosen("Salle 214,  Bercy").text == "Salle 214, Bercy"
