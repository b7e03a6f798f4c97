"""The wall: whoever stands above somebody in the line sees nothing of their part, on no page.

A person's traces (id, name, address, directorate) all hold one word that nothing else holds, so a
page is searched for it. Every hierarchy is drawn: lines of a directory, people's own words, chiefs
who take part and others who do not, circles that own words can make.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Message
from schemas.lines import LineManagerNamed, below, outsider
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    MentorVolunteered,
    PairFormed,
    PairKeptApart,
    PairProposed,
)
from schemas.notify import LetterFailed, LetterQueued
from schemas.people import PersonContact
from schemas.rounds import PairsSimulated, RoundRequested, RoundSimulated
from schemas.scheduling import PairStalled, SessionDisputed, SessionPlanned
from schemas.taking_part import AnotherPartnerAsked
from schemas.values import CohortPolicy, SimulatedPair, SimulatedPlace, Waiting, Words
from services.chassis.store.contract import Where
from services.chassis.store.memory import MemoryStore
from services.portal.handlers import DOMAIN
from services.portal.pages import ROUTES, Route
from services.portal.views import Line, Participant
from services.portal.web import wall
from services.portal.web.wall import NOBODY_IN, PEOPLE_IN
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, OF_C, SECRET, Town
from tests.scenario import NOW

MENTORS, MANAGERS = 4, 4
CHIEF, ABOVE = outsider(OF_C, SECRET), "x-of-somebody-else"
WAITING = Waiting(round_id="r", position=1, cause="no-skill", words=Words(fr="rien", en="none"))


def word(number: int) -> str:
    """What every trace of a person holds, and nothing else does."""
    return f"zorglub{number}q"


def person_id(number: int) -> str:
    return f"p-{word(number)}"


PEOPLE = tuple(person_id(number) for number in range(MENTORS + MANAGERS))


@dataclass(frozen=True)
class Hierarchy:
    """Who reports to whom, by a directory and by their own words; whether the coordinator takes
    part, as the first mentor; which mentor is paired with which manager."""

    named: dict[str, str]
    said: dict[str, str]
    takes_part: bool
    partners: tuple[int, ...]

    @property
    def hidden(self) -> set[str]:
        """By the plainest way: up from each person, step by step."""
        mine = {CHIEF, *(PEOPLE[:1] if self.takes_part else ())}
        return {who for who in PEOPLE if who not in mine and mine & self.above(who)}

    def above(self, who: str) -> set[str]:
        found: set[str] = set()
        ahead = [who]
        while ahead:
            one = ahead.pop()
            chiefs = {told[one] for told in (self.named, self.said) if one in told} - found
            found |= chiefs
            ahead += chiefs
        return found


@st.composite
def hierarchies(draw: Callable[[Any], Any]) -> Hierarchy:
    everybody = [*PEOPLE, CHIEF, ABOVE]
    above: dict[str, str] = {}
    for place, who in enumerate(everybody):  # a directory has no circles
        if chief := draw(st.sampled_from([None, None, *everybody[place + 1 :]])):
            above[who] = chief
    said = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), max_size=3))
    said = {who: chief for who, chief in said.items() if who != chief}
    order = tuple(draw(st.permutations(range(MANAGERS))))
    return Hierarchy(above, said, draw(st.booleans()), order)


def story(one: Hierarchy) -> Iterable[Message]:
    """A programme in which everybody takes part in everything that pages show."""
    yield CohortOpened(cohort_id="c", name="Programme", policy=CohortPolicy())
    for number, who in enumerate(PEOPLE):
        email = OF_C if one.takes_part and not number else f"{word(number)}@ministere.example"
        name = f"Nom {word(number)}"
        yield PersonContact(cohort_id="c", person_id=who, name=name, email=email)
        given: dict[str, Any] = {"cohort_id": "c", "directorate": f"D {word(number)}", "site": "S"}
        given |= {"availability": (), "line_manager": one.said.get(who)}
        if number < MENTORS:
            own: dict[str, Any] = {"mentor_id": who, "skills": {"linkedin": 4}, "capacity": 2}
            yield MentorVolunteered(**given, **own)
        else:
            own = {"manager_id": who, "job_family": "public-procurement", "needs": {"linkedin": 2}}
            yield ManagerEnrolled(**given, **own)
    for who, chief in one.named.items():
        yield LineManagerNamed(cohort_id="c", person_id=who, line_manager=chief)
    for mentor, manager in enumerate(one.partners):
        yield from _of_a_pair(PEOPLE[mentor], PEOPLE[MENTORS + manager], mentor)
    yield from _of_a_round(one)


def _of_a_pair(mentor: str, manager: str, number: int) -> Iterable[Message]:
    two: dict[str, Any] = {"cohort_id": "c", "pair_id": f"{mentor}~{manager}"}
    two |= {"mentor_id": mentor, "manager_id": manager}
    proposed: dict[str, Any] = {"round_id": "round-1", "score": 1.0, "reasons": (), "tools": ()}
    yield PairProposed(**two, **proposed, first_tools=(), expires_at=NOW + timedelta(days=2))
    if number == 0:
        return  # still proposed
    hours: dict[str, Any] = {"mentor_availability": (), "manager_availability": ()}
    yield PairFormed(**two, tools=(), **hours)
    at = {"starts_at": NOW, "ends_at": NOW + timedelta(hours=1), "number": 1, "attempt": 1}
    session: dict[str, Any] = {**two, **at, "session_id": f"{mentor}~{manager}~1", "revision": 0}
    yield SessionPlanned(**session)
    yield SessionDisputed(**session, by="manager", held=True)
    yield PairStalled(**two, since=NOW)
    yield AnotherPartnerAsked(**two, by="mentor", reason="autre chose")
    for who, side in ((mentor, "mentor"), (manager, "manager")):
        letter: dict[str, Any] = {"cohort_id": "c", "letter_id": f"f.{number}:{who}"}
        letter |= {"person_id": who, "template": "PairFormed"}
        facts = {"pair_id": two["pair_id"], "mentor_id": mentor, "manager_id": manager}
        yield LetterQueued(**letter, side=side, facts=facts, send_at=NOW)
        yield LetterFailed(**letter, attempt=8, cause="smtp 550")


def _of_a_round(one: Hierarchy) -> Iterable[Message]:
    about = {"cohort_id": "c", "round_id": "tour-1"}
    twos = [(PEOPLE[m], PEOPLE[MENTORS + g]) for m, g in enumerate(reversed(one.partners))]
    besides = tuple(f"{mentor}~{manager}" for mentor, manager in twos[:1])
    yield RoundRequested(**about, mode="simulate", requested_at=NOW, besides=besides)
    pairs = [SimulatedPair(mentor_id=m, manager_id=g, score=1.0, tools=()) for m, g in twos]
    left = [SimulatedPlace(manager_id=manager, waiting=WAITING) for _, manager in twos]
    yield PairsSimulated(**about, part=1, pairs=tuple(pairs), left=tuple(left))
    told = {"proposed": 4, "managers_waiting": 4, "places_free": 0, "score": 4.0}
    yield RoundSimulated(**about, **told, optimal=True)
    for mentor, manager in twos:
        two = {"pair_id": f"{mentor}~{manager}", "mentor_id": mentor, "manager_id": manager}
        yield PairKeptApart(cohort_id="c", **two, reason="même bureau")


def told_of(who: str, partner: str) -> dict[str, str]:
    """What an address names, where it is about one person."""
    return {
        "cohort": "c",
        "person": who,
        "round": "tour-1",
        "draft": "none",
        "held": f"{who}~coordinator",
        "sheet": "f-1",
        "session": f"{who}~{partner}~1",
    }


PAGES = [
    route
    for route in ROUTES
    if route.who in ("partner", "coordinator", "administrator") and "{cohort}" in route.path
]
QUERIES: dict[str, tuple[str, ...]] = {
    "/participants": ("", "?q=nom", "?etat=manager-paired", *(f"?q={word(n)}" for n in range(8))),
    "/suivi/export": tuple(
        f"?quoi={what}&format=csv" for what in ("participants", "binomes", "seances")
    ),
    "/tour/a-la-main": ("", *(f"?manager={who}" for who in PEOPLE)),
    "/tour/separer": ("", *(f"?manager={who}" for who in PEOPLE)),
    "/tour/{round}/ecarter": tuple(f"?binome={PEOPLE[0]}~{who}" for who in PEOPLE[MENTORS:]),
}


def addresses(route: Route) -> list[str]:
    """Every address of a page that is tried."""
    tail = route.path.removeprefix("/coordonner/{cohort}")
    people = PEOPLE if "{person}" in route.path else PEOPLE[:1]
    found = []
    for who in people:
        named = told_of(who, PEOPLE[-1])
        path = re.sub(r"\{(\w+)\}", lambda part, named=named: named[part.group(1)], route.path)
        found += [path + query for query in QUERIES.get(tail, ("",))]
    return found


ASKED = [address for route in PAGES if route.method == "GET" for address in addresses(route)]


async def shown(town: Town, address: str = OF_C) -> str:
    """Everything that somebody is shown on all pages of coordinators, but for what they typed."""
    somebody = await town.signed_in(address)
    found = []
    for asked in ASKED:
        answer = (await somebody.goes_to(asked)).answer
        assert answer is not None
        assert answer.status_code in (200, 404), (asked, answer.status_code)
        typed = asked.partition("?")[2].rpartition("=")[2]
        text = answer.text
        if answer.status_code == 200 and typed and "?q=" in asked:
            text = text.replace(f'value="{typed}"', "").replace(f"q={typed}", "")
        found.append(text)
    await somebody.client.aclose()
    return "\n".join(found)


def traces(text: str) -> set[str]:
    """Whoever there is any trace of."""
    return {who for number, who in enumerate(PEOPLE) if word(number) in text}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(hierarchies())
def test_of_whoever_reports_to_a_coordinator_no_page_has_a_trace(one: Hierarchy) -> None:
    town = Town().happens(*story(one))
    seen = traces(asyncio.run(shown(town)))
    mine = set(PEOPLE[:1]) if one.takes_part else set()
    assert seen & one.hidden == set()
    assert seen | mine == set(PEOPLE) - one.hidden | mine


ALL_BELOW = Hierarchy(dict.fromkeys(PEOPLE[:2], CHIEF), {}, takes_part=False, partners=(0, 1, 2, 3))


async def test_whoever_coordinates_outside_the_line_sees_what_the_other_does_not() -> None:
    town = Town().happens(*story(ALL_BELOW))
    assert traces(await shown(town, COORDINATOR)) == set(PEOPLE)


async def test_with_the_rule_switched_off_the_pages_are_full_of_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defaults = list(wall.Wall.__init__.__defaults__ or ())
    defaults[defaults.index(below)] = lambda *_: frozenset()
    monkeypatch.setattr(wall.Wall.__init__, "__defaults__", tuple(defaults))
    town = Town().happens(*story(ALL_BELOW))
    assert traces(await shown(town)) & ALL_BELOW.hidden == ALL_BELOW.hidden


@pytest.fixture(scope="module")
def everything() -> Town:
    """A programme as it is shown, whose lines each hierarchy replaces by its own."""
    return Town().happens(*story(replace(ALL_BELOW, named={})))


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(hierarchies())
def test_nothing_that_a_page_can_ask_the_database_goes_through_the_wall(
    everything: Town, one: Hierarchy
) -> None:
    store = everything.store
    lines = [
        Line(id=who, cohort_id="c", line_manager=one.named.get(who), said=one.said.get(who))
        for who in (*PEOPLE, CHIEF)
    ]
    first = store.rows[Participant][f"c/{PEOPLE[0]}"][1]
    address = OF_C if one.takes_part else f"{word(0)}@ministere.example"
    changed = first.model_copy(update={"address": address})
    store._write([(0, document) for document in (*lines, changed)])
    asyncio.run(asked_of_the_database(store, one.hidden))


async def asked_of_the_database(store: MemoryStore, hidden: set[str]) -> None:
    behind = wall.Walled(store, wall.Wall(store, OF_C, SECRET))
    assert await behind.wall.hidden("c") & {*PEOPLE} == hidden
    for kind in DOMAIN.documents:
        ids = [document.id for document in await store.page(kind, Where("c"), 999)]
        listed = await behind.page(kind, Where("c"), 999)
        single = [await behind.one(kind, "c", id_) for id_ in ids]
        several = await behind.several(kind, "c", ids)
        rows = await behind.extract(kind, list(kind.model_fields), Where("c"), limit=999)
        assert traces(repr([listed, single, several, rows])) & hidden == set(), kind
        tally = await behind.tally(kind, ["cohort_id"], Where("c"))
        there = [document for document in single if document is not None]
        numbers = {len(listed), len(there), len(several), len(rows), sum(tally.values())}
        assert numbers == {await behind.count(kind, Where("c"))}


def test_every_kind_of_document_says_whom_it_is_about() -> None:
    assert {*PEOPLE_IN, *NOBODY_IN} == set(DOMAIN.documents)
    for kind, fields in PEOPLE_IN.items():
        assert set(fields) <= set(kind.model_fields)


FORMS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "/lettres": lambda who, _: {"lettre": f"f.1:{who}"},
    "/souhaits": lambda who, other: {"binome": f"{who}~{other}"},
    "/presences": lambda who, other: {"seance": f"{who}~{other}~1~1", "action": "tenue"},
    "/binomes": lambda who, other: {"binome": f"{who}~{other}"},
    "/participants/{person}": lambda *_: {"action": "pause", "version": "x"},
    "/tour/a-la-main": lambda who, _: {"mentor": who, "raison": "une bonne raison"},
    "/tour/separer": lambda who, _: {"mentor": who, "raison": "une bonne raison"},
}
"""What the forms that are about somebody send, of the two of a pair."""


@pytest.mark.parametrize("tail", FORMS)
async def test_of_whoever_is_hidden_a_form_says_what_it_says_of_nobody(tail: str) -> None:
    town = Town().happens(*story(ALL_BELOW))
    said = []
    for who, other in ((PEOPLE[1], PEOPLE[MENTORS + 1]), ("p-nobody", PEOPLE[MENTORS + 1])):
        somebody = await town.signed_in(OF_C)
        path = f"/coordonner/c{tail}".replace("{person}", who) + f"?manager={other}"
        answer = await sent(somebody, path, FORMS[tail](who, other))
        assert answer.answer is not None
        onward = answer.answer.headers.get("location")
        told = answer.says.replace(who, "") if onward is None else ""
        said.append((answer.status, onward, told))
    assert said[0] == said[1]
    assert town.sent == []


async def sent(somebody: Person, path: str, fields: dict[str, str]) -> Person:
    """A form of a page of coordinators, with its token."""
    await somebody.goes_to("/mon-espace")
    found = somebody.page.all("input")
    token = next(str(one.get("value")) for one in found if one.get("name") == "jeton")
    somebody.answer = await somebody.client.post(path, data={"jeton": token, **fields})
    return somebody


async def test_whoever_is_entered_again_behind_the_wall_stays_as_they_are() -> None:
    town = Town().happens(*story(ALL_BELOW))
    row = f"mentor;N;{word(1)}@ministere.example;D;S;LinkedIn:4;"
    entered = f"role;nom;adresse;direction;site;outils;disponibilités\n{row}\n"
    somebody = await town.signed_in(OF_C)
    await sent(somebody, "/coordonner/c/importer", {"cellules": entered, "role": ""})
    path = str(somebody.answer.headers.get("location", "")) if somebody.answer else ""
    answer = await sent(somebody, path, {"action": "inscrire"})
    assert answer.status == 303, answer.says
    assert town.sent == []
    assert (await town.store.one(Participant, "c", PEOPLE[1])) is not None
