"""Roles that are given in a cohort: by whom, to whom, and how they end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.operating.letters_preview import every_letter, people_of_example
from schemas.actors import Actor, of_address
from schemas.appointments import GiveRole, RoleGiven, RoleLetterQueued, RoleTaken, TakeRole
from schemas.envelope import attributes, decode, encode
from schemas.matching import CohortOpened
from schemas.people import PersonContact, PersonErased
from schemas.saying import PARIS
from schemas.topics import commands_topic
from schemas.values import CohortPolicy
from services.chassis.clock import Clock
from services.chassis.domain import One, Refusal
from services.chassis.log.memory import MemoryLog
from services.chassis.runtime import nature_of
from services.chassis.step.ports import Limits, Ports
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore
from services.chassis.tracing import OFF
from services.chassis.watch.metrics import Metrics
from services.notify.handlers import with_secret
from services.notify.letters import fact_id
from services.notify.rendering import render
from services.notify.views import HeldRole, Letter
from tests.notify.facts import HEAD, PORTAL_LINKS, cohort
from tests.notify.test_rendering import part
from tests.scenario import NOW, Scenario, kinds, refusal

SECRET = "the same in every service"
OPENED = CohortOpened(cohort_id="c", name="c", policy=CohortPolicy())


def contact(person_id: str, email: str | None = None) -> PersonContact:
    email = email or f"{person_id}@people.example"
    return PersonContact(cohort_id="c", person_id=person_id, name=person_id, email=email)


def gives(person_id: str, role: str = "administrator", **more: Any) -> GiveRole:
    wish = {"cohort_id": "c", "person_id": person_id, "role": role, **more}
    return GiveRole.model_validate(wish)


def takes(person_id: str, role: str = "administrator") -> TakeRole:
    return TakeRole.model_validate({"cohort_id": "c", "person_id": person_id, "role": role})


def office(*people: str) -> Scenario:
    contacts = [contact(one) for one in people or ("p-1", "p-2")]
    return Scenario(with_secret(SECRET)).given(OPENED, *contacts)


def held(found: Scenario) -> dict[str, HeldRole]:
    return {one.id: one for one in found.state.whole(HeldRole, "c")}


def test_a_role_holds_for_the_address_of_the_moment_and_tells_no_address() -> None:
    found = office().given(contact("p-1", "Lise@People.example"))
    [event] = _facts(found.when(gives("p-1", "coordinator")))
    assert isinstance(event, RoleGiven)
    assert event.holder == of_address("lise@people.example", SECRET)
    assert event.given_at == NOW
    assert "lise" not in event.model_dump_json()
    found.given(contact("p-1", "mallory@people.example"))
    assert held(found)["p-1~coordinator"].holder == event.holder


def test_given_again_it_changes_nothing_unless_the_address_or_the_organisations_have() -> None:
    found = office()
    both = {"organisations": ("Natixis", "BRED")}
    assert kinds(_facts(found.when(gives("p-1", "partner", **both)))) == ["RoleGiven"]
    assert (
        found.later(days=1).when(gives("p-1", "partner", organisations=("BRED", "Natixis"))) == []
    )
    assert held(found)["p-1~partner"].given_at == NOW
    changed = found.when(gives("p-1", "partner", organisations=("BRED",)))
    assert kinds(_facts(changed)) == ["RoleGiven"]
    assert held(found)["p-1~partner"].organisations == ("BRED",)
    assert held(found)["p-1~partner"].given_at == NOW + timedelta(days=1)
    found.given(contact("p-1", "lise@people.example"))
    assert kinds(_facts(found.when(gives("p-1", "partner", organisations=("BRED",))))) == [
        "RoleGiven"
    ]


def test_nobody_gets_a_role_who_is_not_known_or_in_no_cohort_or_with_organisations_amiss() -> None:
    found = office()
    assert refusal(found.when(gives("p-9"))) == "unknown-person"
    assert refusal(found.when(gives("p-1", "partner"))) == "organisations-of-a-partner"
    amiss = gives("p-1", "coordinator", organisations=("BRED",))
    assert refusal(found.when(amiss)) == "organisations-of-a-partner"
    elsewhere = gives("p-1").model_copy(update={"cohort_id": "d"})
    assert refusal(found.when(elsewhere)) == "unknown-cohort"
    assert held(found) == {}


def test_what_was_given_is_taken_and_nothing_else() -> None:
    found = office()
    for role in ("coordinator", "auditor"):
        found.when(gives("p-1", role))
    assert refusal(found.when(takes("p-2", "coordinator"))) == "unknown-role"
    [event] = _facts(found.when(takes("p-1", "coordinator")))
    assert isinstance(event, RoleTaken)
    assert event.because == "asked"
    assert set(held(found)) == {"p-1~auditor"}
    assert refusal(found.when(takes("p-1", "coordinator"))) == "unknown-role"


def test_the_last_administrator_is_replaced_before_they_go() -> None:
    found = office()
    found.when(gives("p-1"))
    assert refusal(found.when(takes("p-1"))) == "last-administrator"
    found.when(gives("p-2"))
    assert kinds(_facts(found.when(takes("p-1")))) == ["RoleTaken"]
    assert refusal(found.when(takes("p-2"))) == "last-administrator"
    assert set(held(found)) == {"p-2~administrator"}


def test_whoever_is_erased_has_no_role_any_more_the_last_administrator_too() -> None:
    found = office()
    for role in ("administrator", "auditor"):
        found.when(gives("p-1", role))
    found.when(gives("p-2", "coordinator"))
    erased = PersonErased(cohort_id="c", person_id="p-1")
    events = _events(found.when(erased))
    assert {(type(one), getattr(one, "because", "")) for one in events} == {(RoleTaken, "erased")}
    assert set(held(found)) == {"p-2~coordinator"}
    assert found.when(erased) == []


def test_whoever_is_given_a_role_or_loses_it_is_told_once_and_of_the_moment() -> None:
    found = office()
    [given, letter] = _events(found.when(gives("p-1", "coordinator")))
    assert (letter.person_id, letter.template, letter.send_at) == ("p-1", "RoleGiven", NOW)
    assert letter.letter_id == f"{fact_id(given)}:p-1"
    assert letter.facts == given.model_dump(mode="json", exclude={"asker"})
    assert _events(found.later(days=1).when(gives("p-1", "coordinator"))) == [], "nothing new"
    [taken, letter] = _events(found.when(takes("p-1", "coordinator")))
    assert (letter.person_id, letter.template) == ("p-1", "RoleTaken")
    assert taken.taken_at == NOW + timedelta(days=1)
    assert letter.facts["taken_at"] == taken.model_dump(mode="json")["taken_at"]
    sent = {one.template: one.side for one in found.state.whole(Letter, "c")}
    assert sent == {"RoleGiven": None, "RoleTaken": None}


@pytest.mark.parametrize(
    ("template", "role", "way"),
    [
        ("RoleGiven", "auditor", "/controler"),
        ("RoleGiven", "partner", "/coordonner"),
        ("RoleTaken", "auditor", None),
    ],
)
def test_the_letter_leads_to_the_pages_that_the_role_opens(
    template: str, role: str, way: str | None
) -> None:
    [letter] = [one for branch, one in every_letter() if (one.template, branch) == (template, role)]
    reader, others = people_of_example(letter, "fr")
    message = render(letter, reader, others, PORTAL_LINKS, cohort(), HEAD, NOW).as_message()
    ways = re.findall(r"https://portal\.example\.org(\S*)", part(message, "text/plain"))
    assert ways == ([way] if way else [])


def test_what_came_and_went_at_one_moment_is_told_in_one_letter_of_each() -> None:
    found = office()
    told = [
        one.letter_id
        for wish in (gives("p-1", "auditor"), takes("p-1", "auditor"), gives("p-1", "auditor"))
        for one in _letters(found.when(wish))
    ]
    assert len(told) == len(set(told)) == 2
    assert set(held(found)) == {"p-1~auditor"}


def test_nobody_is_told_of_a_role_at_night_nor_when_they_are_erased() -> None:
    found = office().later(hours=14)  # eleven in the evening, in Paris
    [letter] = _letters(found.when(gives("p-1", "auditor")))
    assert letter.send_at > NOW + timedelta(hours=14)
    assert letter.send_at.astimezone(PARIS).hour == 8
    assert _letters(found.when(PersonErased(cohort_id="c", person_id="p-1"))) == []


async def test_a_step_writes_who_asked_into_the_event_and_so_into_the_role() -> None:
    log, store = MemoryLog(), MemoryStore()
    place = Place(0)
    await store.fill(place, [d for d in office().state.documents.values() if d is not None])
    clock = Clock(1.0, NOW, NOW, wall=NOW.timestamp)
    ports = Ports(store, log, clock, Metrics("notify"), nature_of, OFF)
    stepper = Stepper(with_secret(SECRET), ports, 1, limits=Limits(0.001, 0.002, 0.002))
    topic = commands_topic("notify")
    lise = Actor("user", "s-lise", "administrator", "portal")
    record = encode(gives("p-1"), topic, 0, id="cmd-1", source="/somebody", time=NOW, actor=lise)
    log._append(record)
    await stepper.take([0])
    await stepper.handle(log.records[topic, 0])
    [role] = await store.load([One(HeldRole, "c", "p-1~administrator")])
    assert isinstance(role, HeldRole)
    assert role.asker == "s-lise"
    [given, *_] = log.records["mentoring.notify.private", 0]
    event = decode(attributes(given.headers), given.value)
    assert isinstance(event, RoleGiven)
    assert event.asker == "s-lise"


WISHES = st.lists(
    st.tuples(
        st.sampled_from(("give", "take")), st.sampled_from(("p-1", "p-2", "p-3")), st.booleans()
    ),
    max_size=30,
)


@given(WISHES)
def test_once_somebody_was_given_the_administration_somebody_has_it(
    wishes: list[tuple[str, str, bool]],
) -> None:
    found, ever = office("p-1", "p-2", "p-3"), False
    for verb, person, administers in wishes:
        role = "administrator" if administers else "coordinator"
        decided = found.when(gives(person, role) if verb == "give" else takes(person, role))
        ever |= verb == "give" and administers
        assert not (isinstance(decided, Refusal) and verb == "give")
        there = [one for one in held(found).values() if one.role == "administrator"]
        assert bool(there) is ever


def _facts(decided: Any) -> list[Any]:
    """What is decided about roles, without the letters that tell it."""
    return [one for one in _events(decided) if not isinstance(one, RoleLetterQueued)]


def _letters(decided: Any) -> list[RoleLetterQueued]:
    return [one for one in _events(decided) if isinstance(one, RoleLetterQueued)]


def _events(decided: Any) -> list[Any]:
    assert not isinstance(decided, Refusal), decided
    return list(decided)
