"""One person in several cohorts: who is told their hours, when, and that it is taken back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.base import Event, Message, pair_of, session_of
from schemas.calendars import HoursElsewhereNoted, NoteHoursElsewhere
from schemas.envelope import attributes, decode
from schemas.matching import CohortOpened, PairFormed, PairProposed
from schemas.meeting import SessionRelocated
from schemas.notify import HoursTold
from schemas.people import PersonContact, PersonErased
from schemas.places import MeetingPlace
from schemas.scheduling import (
    SessionCancelled,
    SessionPlanned,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.topics import commands_topic
from schemas.values import CohortPolicy, QuietHours
from services.chassis.domain import Due, Refusal
from services.chassis.log.memory import MemoryLog
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.notify.app import telling_hours
from services.notify.elsewhere import MOST, Known, hearers_of
from services.notify.handlers import DOMAIN
from services.notify.views import Elsewhere, Person, Tray
from tests.scenario import NOW, Scenario, kinds

HERE, THERE = "c", "d"
STARTS = NOW + timedelta(days=7)
SHARED = "camille@people.example"
AWAKE = CohortPolicy(quiet_hours=QuietHours(start="03:00", end="03:00"))


def contact(
    cohort_id: str, person_id: str = "m", email: str = SHARED, **more: Any
) -> PersonContact:
    about = {"cohort_id": cohort_id, "person_id": person_id, "name": person_id, "email": email}
    return PersonContact.model_validate(about | more)


def of_pair(cohort_id: str) -> dict[str, Any]:
    people = {"mentor_id": "m", "manager_id": "g"}
    return {"cohort_id": cohort_id, "pair_id": pair_of("m", "g"), **people}


def formed(cohort_id: str) -> PairFormed:
    weeks = {"mentor_availability": (), "manager_availability": ()}
    return PairFormed.model_validate({**of_pair(cohort_id), "tools": ("linkedin",), **weeks})


def session(
    kind: type[Message], cohort_id: str = HERE, at: datetime = STARTS, **more: Any
) -> Message:
    names = {"session_id": session_of(pair_of("m", "g"), 1), "number": 1, "attempt": 1}
    when = {"starts_at": at, "ends_at": at + timedelta(hours=1)}
    if "given_at" in kind.model_fields:
        when["given_at"] = NOW
    return kind.model_validate({**of_pair(cohort_id), **names, **when, "revision": 0} | more)


def notified(*messages: Message) -> Scenario:
    found = Scenario(DOMAIN)
    for cohort_id in (HERE, THERE):
        found.when(CohortOpened(cohort_id=cohort_id, name=cohort_id, policy=AWAKE))
    happens(found, *messages)
    return found


def happens(found: Scenario, *messages: Message) -> None:
    """These are handled; records of the people topic are mirrored, as the chassis does."""
    for message in messages:
        assert not isinstance(found.when(message), Refusal)
        if isinstance(message, PersonContact | PersonErased):
            found.given(message)


def waiting(found: Scenario) -> list[Elsewhere]:
    kept = [one for c in (HERE, THERE) for one in found.state.whole(Elsewhere, c)]
    return [one for one in kept if one.due_at is not None]


def worked(found: Scenario) -> list[NoteHoursElsewhere]:
    """What waits is told by the real worker, and its reports are decided on; what it sent."""

    async def work() -> tuple[Sequence[Message], list[NoteHoursElsewhere]]:
        store, log = MemoryStore(), MemoryLog()
        for kind in (Person, Tray, Elsewhere):
            await store.fill(
                Place(0), [d for c in (HERE, THERE) for d in found.state.whole(kind, c)]
            )
        due = waiting(found)
        reports = await telling_hours(store, log, 1, "a secret")(due, found.now, asyncio.Event())
        rows = log.records.get((commands_topic("scheduling"), 0), ())
        read = [decode(attributes(row.headers), row.value) for row in rows]
        return reports, [one for one in read if isinstance(one, NoteHoursElsewhere)]

    reports, sent = asyncio.run(work())
    for report in reports:
        assert kinds(found.when(report)) == ["HoursTold"]
    assert waiting(found) == []
    return sent


def noted(command: NoteHoursElsewhere) -> HoursElsewhereNoted:
    """What scheduling says of it."""
    fields = command.model_dump() | {"said_on": "2017-03-06"}
    return HoursElsewhereNoted.model_validate(fields)


def both_known() -> Scenario:
    """In a pair here with a date, in a pair there without; and both have told each other."""
    found = notified(contact(HERE), contact(THERE), formed(HERE), session(SessionPlanned))
    happens(found, *map(noted, worked(found)))
    happens(found, formed(THERE))
    happens(found, *map(noted, worked(found)))
    assert worked(found) == []
    return found


def test_who_takes_part_in_one_cohort_alone_is_told_to_nobody() -> None:
    found = notified(contact(HERE), contact(THERE, "other", "other@people.example"))
    happens(found, formed(HERE), session(SessionPlanned))
    assert worked(found) == []
    happens(found, session(SessionShifted, previously_at=STARTS, cause="absence", revision=1))
    assert waiting(found) == [], "nor is anybody looked for again when a date changes"


def test_the_same_address_in_another_cohort_hears_of_the_hours_and_not_of_whose_they_are() -> None:
    found = notified(contact(HERE), contact(THERE, "x", SHARED.upper()), formed(HERE))
    happens(found, session(SessionPlanned))
    (told,) = worked(found)
    assert (told.cohort_id, told.person_id) == (THERE, "x")
    (hours,) = told.hours
    assert (hours.starts_at, hours.given_at) == (STARTS, NOW)
    assert told.goes_first, "of two dates of one moment that of the smaller cohort's id"
    said = told.model_dump_json()
    assert SHARED not in said
    assert '"m"' not in said
    assert f'"{HERE}"' not in said


def test_it_is_looked_before_the_first_date_when_a_pair_is_proposed() -> None:
    about = {"round_id": "r1", "score": 1.0, "reasons": (), "tools": ("linkedin",)}
    said = {"expires_at": STARTS, "reporting_line": None}
    proposed = PairProposed.model_validate(of_pair(HERE) | about | said)
    found = notified(contact(HERE), contact(THERE), proposed)
    (told,) = worked(found)
    assert (told.cohort_id, told.hours) == (THERE, ())


def test_who_hears_for_the_first_time_tells_their_own_hours_and_then_it_is_still() -> None:
    found = notified(contact(HERE), formed(HERE), session(SessionPlanned))
    assert worked(found) == []
    happens(found, contact(THERE), formed(THERE))
    (first,) = worked(found)
    assert (first.cohort_id, first.hours) == (HERE, ())
    happens(found, noted(first))
    (answer,) = worked(found)
    assert (answer.cohort_id, len(answer.hours)) == (THERE, 1)
    happens(found, noted(answer))
    assert waiting(found) == []


def test_every_change_of_a_date_is_told_with_a_higher_number() -> None:
    found = both_known()
    why = {"previously_at": STARTS, "cause": "absence"}
    happens(found, session(SessionShifted, at=STARTS + timedelta(days=1), revision=1, **why))
    (told,) = worked(found)
    assert [hours.starts_at for hours in told.hours] == [STARTS + timedelta(days=1)]
    happens(
        found, session(SessionCancelled, at=told.hours[0].starts_at, cause="request", revision=2)
    )
    (again,) = worked(found)
    assert (again.hours, again.calendar) == ((), told.calendar)
    assert again.revision > told.revision


def test_what_is_over_is_not_told_any_more() -> None:
    found = both_known()
    found.now = STARTS + timedelta(hours=1)
    happens(found, session(SessionPlanned, at=STARTS + timedelta(days=9), revision=1))
    (told,) = worked(found)
    assert [hours.starts_at for hours in told.hours] == [STARTS + timedelta(days=9)]


def relocated() -> Message:
    """The place has changed before anything else has: the first date is named, revision 1."""
    place = MeetingPlace(at="text", text="Bercy, 3.12")
    return session(SessionRelocated, place=place, revision=1, by="manager")


def test_another_place_is_no_other_date() -> None:
    found = both_known()
    happens(found, relocated())
    tray = found.state.get(Tray, HERE, "m")
    assert tray is not None
    assert [date.given_at for date in tray.dates] == [NOW]
    assert waiting(found) == []


def test_another_place_that_is_read_late_brings_no_date_back_that_has_changed_since() -> None:
    found = both_known()
    later = STARTS + timedelta(days=7)
    happens(
        found,
        session(SessionShifted, at=later, previously_at=STARTS, cause="absence", revision=2),
        relocated(),
    )
    (told,) = worked(found)
    assert [hours.starts_at for hours in told.hours] == [later]


def test_another_place_that_is_read_late_takes_no_hour_of_a_session_that_is_cancelled() -> None:
    found = both_known()
    happens(found, session(SessionCancelled, cause="request", revision=2), relocated())
    (told,) = worked(found)
    assert told.hours == ()


def test_what_waited_for_the_morning_takes_no_date_back_that_was_given_since() -> None:
    found = both_known()
    due = Due(cohort_id=HERE, collection=Tray.collection, id="m")
    found.given(CohortOpened(cohort_id=HERE, name=HERE, policy=CohortPolicy()))
    happens(found.later(hours=1), due)
    found.now = NOW.replace(hour=22)
    happens(found, session(SessionWithdrawn, revision=1))
    assert [told.hours for told in worked(found)] == [()]
    tray = found.state.get(Tray, HERE, "m")
    assert tray is not None
    assert tray.due_at is not None
    assert tray.due_at > found.now, "its letter waits for the end of the quiet hours"
    found.now = tray.due_at
    again = STARTS + timedelta(days=7)
    happens(found, session(SessionPlanned, at=again, attempt=2, revision=2))
    happens(found, due)
    (told,) = worked(found)
    assert [hours.starts_at for hours in told.hours] == [again]


def test_what_changes_while_it_is_told_is_told_again() -> None:
    found = both_known()
    happens(found, session(SessionCancelled, cause="request", revision=1))
    (told,) = waiting(found)
    happens(found, session(SessionPlanned, at=STARTS + timedelta(days=3), revision=2))
    rows = [{"person_id": "m", "revision": told.changes, "hearers": told.hearers}]
    found.given(HoursTold.model_validate({"cohort_id": HERE, "told": rows}))
    assert [one.id for one in waiting(found)] == ["m"]


def test_who_is_erased_is_taken_back_on_both_sides() -> None:
    found = both_known()
    happens(found, PersonErased(cohort_id=HERE, person_id="m"))
    (gone,) = worked(found)
    assert (gone.cohort_id, gone.gone, gone.hours) == (THERE, True, ())
    happens(found, noted(gone))
    (theirs,) = worked(found)
    assert (theirs.cohort_id, theirs.gone) == (HERE, True)
    happens(found, noted(theirs))
    assert waiting(found) == []
    assert [
        one.hearers
        for c in (HERE, THERE)
        for one in found.state.whole(Elsewhere, c)
        if one.id == "m"
    ] == [(), ()]


def test_who_is_erased_while_their_hours_are_told_is_taken_back_afterwards() -> None:
    found = notified(contact(HERE), contact(THERE), formed(HERE), session(SessionPlanned))
    (before,) = [one for one in waiting(found) if one.id == "m"]
    happens(found, PersonErased(cohort_id=HERE, person_id="m"))
    hearer = {"cohort_id": THERE, "person_id": "m", "calendar": "0" * 8, "heard_as": "1" * 8}
    rows = [{"person_id": "m", "revision": before.changes, "hearers": [hearer]}]
    found.given(HoursTold.model_validate({"cohort_id": HERE, "told": rows}))
    assert [one.gone for one in worked(found)] == [True]


def test_who_had_nobody_to_tell_leaves_without_a_word() -> None:
    found = notified(contact(HERE), formed(HERE))
    worked(found)
    assert found.when(PersonErased(cohort_id=HERE, person_id="m")) == []


def test_who_gets_another_address_is_another_person_and_a_corrected_one_is_found() -> None:
    found = both_known()
    happens(found, contact(HERE, email="somebody@people.example"))
    (gone,) = worked(found)
    assert gone.gone
    happens(found, noted(gone))
    worked(found)
    happens(found, contact(HERE))
    (told,) = worked(found)
    assert (told.cohort_id, len(told.hours)) == (THERE, 1)


def test_an_address_that_is_back_while_its_hours_are_taken_back_is_told_them_again() -> None:
    found = both_known()
    happens(found, contact(HERE, email="somebody@people.example"))
    (gone,) = worked(found)
    happens(found, noted(gone))
    (before,) = [one for one in waiting(found) if one.cohort_id == THERE]
    happens(found, contact(HERE))
    back = {"gone": False, "revision": gone.revision + 1}
    happens(found, noted(gone.model_copy(update=back)))
    rows = [{"person_id": "m", "revision": before.changes, "hearers": ()}]
    found.given(HoursTold.model_validate({"cohort_id": THERE, "told": rows}))
    assert {told.cohort_id for told in worked(found)} == {HERE, THERE}


def test_a_contact_that_comes_after_the_dates_is_looked_for_and_one_told_again_is_not() -> None:
    found = notified(contact(THERE), formed(HERE), session(SessionPlanned))
    worked(found)
    assert kinds(found.when(contact(HERE))) == ["AddressChanged"]
    found.given(contact(HERE))
    assert [told.cohort_id for told in worked(found)] == [THERE]
    assert found.when(contact(HERE, post="Cheffe de bureau")) == []


def test_an_address_that_two_of_a_cohort_have_is_nobody_s_own() -> None:
    found = notified(contact(HERE), contact(THERE, "one"), contact(THERE, "two"), formed(HERE))
    assert worked(found) == []


def test_who_coordinates_has_no_hours_and_does_not_stand_in_the_way() -> None:
    found = notified(contact(HERE), contact(HERE, "k", role="coordinator"), contact(THERE))
    happens(found, contact(THERE, "k", role="coordinator"), formed(HERE))
    assert [told.person_id for told in worked(found)] == ["m"]


def test_the_words_of_two_calendars_have_nothing_in_common() -> None:
    found = both_known()
    told: list[Event] = [event for event in found.events if isinstance(event, HoursTold)]
    words = [
        word
        for event in told
        if isinstance(event, HoursTold)
        for row in event.told
        for hearer in row.hearers
        for word in (hearer.calendar, hearer.heard_as)
    ]
    assert len(set(words)) == 2


@pytest.mark.parametrize(("others", "told"), [(MOST, MOST), (MOST + 1, 0)])
def test_an_address_of_more_cohorts_than_anybody_takes_part_in_is_nobody_s_own(
    others: int, told: int
) -> None:
    """A mailbox of a whole ministry would have each tell each, at every date that changes."""
    person = Person(id="m", cohort_id=HERE, name="M", email=SHARED, language="fr", address=SHARED)
    same = [Known(HERE, "m", SHARED, None)]
    same += [Known(f"c-{number}", "m", SHARED, None) for number in range(others)]
    waiting = Elsewhere(id="m", cohort_id=HERE)
    assert len(hearers_of(waiting, person, same, "a secret")) == told
