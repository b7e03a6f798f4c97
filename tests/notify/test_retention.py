"""When a closed cohort's time is over, everybody in it is erased, and nobody anywhere else."""

import asyncio
from datetime import datetime, timedelta

from schemas.base import Event, Message
from schemas.cohorts import RetentionEnded
from schemas.envelope import tombstone
from schemas.notify import ContactsErased
from schemas.people import PersonContact
from schemas.topics import PEOPLE
from services.chassis.log.memory import MemoryLog
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.notify.app import erasing
from services.notify.handlers import DOMAIN
from services.notify.messages import TombstonesWritten
from services.notify.retention import ERASED_AT_ONCE, LATECOMERS
from services.notify.views import Person, Retention
from tests.scenario import NOW, Scenario, kinds

SOON = NOW + timedelta(days=7)


def contact(person_id: str, cohort_id: str = "c") -> PersonContact:
    email = f"{person_id}@people.example"
    return PersonContact(cohort_id=cohort_id, person_id=person_id, name=person_id, email=email)


def over(*contacts: PersonContact, erase_at: datetime | None = SOON) -> Scenario:
    found = Scenario(DOMAIN).given(*contacts)
    found.when(RetentionEnded(cohort_id="c", ended=0, erase_at=erase_at))
    return found


def retention(found: Scenario) -> Retention:
    known = found.state.get(Retention, "c", "c")
    assert known is not None
    return known


def worked(found: Scenario) -> list[Event]:
    """What is due is done with a real worker, and what it wrote is read as notify reads it."""

    async def work() -> tuple[list[Message], list[bytes | None]]:
        store, log = MemoryStore(), MemoryLog()
        people = [*found.state.whole(Person, "c"), *found.state.whole(Person, "d")]
        await store.fill(Place(0), people)
        reports = await erasing(store, log, 1)([retention(found)], found.now, asyncio.Event())
        return list(reports), [row.key for row in log.records.get((PEOPLE, 0), ())]

    reports, keys = asyncio.run(work())
    for key in keys:
        found.given(tombstone(key))
    decided: list[Event] = []
    for report in reports:
        events = found.when(report)
        assert isinstance(events, list)
        decided += events
    return decided


def reached(found: Scenario, cohort_id: str = "c") -> set[str]:
    return {person.id for person in found.state.whole(Person, cohort_id)}


def test_nobody_is_erased_while_something_stands() -> None:
    found = over(contact("m1"), erase_at=None)
    assert found.state.get(Retention, "c", "c") is None


def test_everybody_of_the_cohort_is_erased_and_nobody_of_another() -> None:
    found = over(contact("m1"), contact("g1"), contact("m1", "d"))
    assert retention(found).due_at == SOON
    found.now = SOON
    assert kinds(worked(found)) == ["ContactsErased"]
    assert reached(found) == set()
    assert reached(found, "d") == {"m1"}


def test_it_is_looked_again_until_nobody_is_left() -> None:
    found = over(*(contact(f"p{n}") for n in range(ERASED_AT_ONCE + 1)))
    found.now = SOON
    for left, erased in ((1, ERASED_AT_ONCE), (0, 1), (0, 0)):
        (event,) = worked(found)
        assert isinstance(event, ContactsErased)
        assert (len(reached(found)), event.erased) == (left, erased)
        assert (event.next_at is None) == (erased == 0)
        found.later(minutes=10)
    assert retention(found).due_at is None
    assert retention(found).erased == ERASED_AT_ONCE + 1


def test_a_report_that_comes_twice_counts_once() -> None:
    found = over(contact("m1"))
    found.now = SOON
    worked(found)
    assert found.when(TombstonesWritten(cohort_id="c", erased=1)) == []


def test_whoever_comes_afterwards_is_erased_a_day_later() -> None:
    found = over()
    found.now = SOON
    worked(found)
    assert kinds(found.when(contact("late"))) == ["ContactsErased"]
    found.given(contact("late"))
    assert found.when(contact("late")) == []
    assert retention(found).due_at == SOON + LATECOMERS
    found.now = SOON + LATECOMERS
    worked(found)
    assert reached(found) == set()


def test_whoever_comes_after_the_look_and_before_its_report_is_found_by_the_next() -> None:
    found = over()
    found.now = SOON
    nobody = TombstonesWritten(cohort_id="c", erased=0)
    assert kinds(found.when(contact("late"))) == ["ContactsErased"]
    found.given(contact("late"))
    assert found.when(nobody) == []
    found.later(minutes=10)
    worked(found)
    assert reached(found) == set()


def test_a_contact_of_a_cohort_that_goes_on_leads_to_nothing() -> None:
    assert Scenario(DOMAIN).when(contact("m1")) == []
