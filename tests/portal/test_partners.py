"""Whoever coordinates an organisation is told of its people alone, on every page, by every count.

A person's traces each hold a word that nothing else holds (`nom3q`, `adresse3q`), so a page is
searched for them. Who is of which organisation, and who is paired with whom, is drawn.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Message
from schemas.lines import LineManagerNamed, outsider
from schemas.matching import (
    EnrolManager,
    ManagerEnrolled,
    MentorVolunteered,
    PauseMentor,
    VolunteerAsMentor,
)
from schemas.people import PersonContact
from schemas.taking_part import ChangeMentor
from services.chassis.store.contract import Where
from services.portal.handlers import DOMAIN
from services.portal.pages import ROUTES
from services.portal.settings import PartnerCoordinator
from services.portal.views import Cohort, Pair, Participant
from services.portal.web.partners import Partnered
from services.portal.web.site import Rules
from tests.portal.site import BANK, COORDINATOR, OF_C, OF_THE_BANK, SECRET, Town
from tests.portal.test_wall import (
    MENTORS,
    PEOPLE,
    Hierarchy,
    addresses,
    person_id,
    sent,
    story,
    word,
)

EVERYBODY = range(len(PEOPLE))
KINDS = ("zorglub", "nom", "poste", "adresse", "direction", "mot")
"""What there is of somebody: the id, the name, the post, and what else they said."""
OF_A_PARTNER = {"nom", "poste"}
"""What is told of whoever somebody's people are paired with."""
ORGANISATIONS = (None, BANK, "Assurance")


@dataclass(frozen=True)
class People:
    """Of which organisation each is, and which mentor is paired with which manager."""

    of: tuple[str | None, ...]
    partners: tuple[int, ...]

    @property
    def own(self) -> set[int]:
        return {number for number in EVERYBODY if self.of[number] == BANK}

    @property
    def met(self) -> set[int]:
        """Who of another organisation is in a pair with somebody of this one."""
        pairs = [(mentor, MENTORS + manager) for mentor, manager in enumerate(self.partners)]
        two = {*pairs, *((b, a) for a, b in pairs)}
        return {other for one, other in two if one in self.own and other not in self.own}

    @property
    def allowed(self) -> set[tuple[str, int]]:
        own = {(kind, number) for kind in KINDS for number in self.own}
        return own | {(kind, number) for kind in OF_A_PARTNER for number in self.met}


@st.composite
def peoples(draw: Callable[[Any], Any]) -> People:
    of = draw(st.tuples(*(st.sampled_from(ORGANISATIONS) for _ in EVERYBODY)))
    return People(of, tuple(draw(st.permutations(range(len(PEOPLE) - MENTORS)))))


def told(one: People) -> Iterable[Message]:
    """A programme in which everybody takes part in everything that pages show."""
    for message in story(Hierarchy({}, {}, takes_part=False, partners=one.partners)):
        match message:
            case PersonContact():
                n = PEOPLE.index(message.person_id)
                own: dict[str, Any] = {"name": f"Ada nom{n}q", "post": f"poste{n}q"}
                own |= {"email": f"adresse{n}q@x.example", "presentation": f"mot{n}q"}
                yield message.model_copy(update=own)
            case MentorVolunteered() | ManagerEnrolled():
                n = PEOPLE.index(message.subject)
                own = {"directorate": f"direction{n}q", "organisation": one.of[n]}
                yield message.model_copy(update=own)
            case _:
                yield message


def traces(text: str) -> set[tuple[str, int]]:
    return {(kind, number) for kind in KINDS for number in EVERYBODY if f"{kind}{number}q" in text}


def asked() -> Iterable[str]:
    """Every address of every page that they may use, and of the words of everybody a search."""
    yield "/coordonner"
    for route in ROUTES:
        if route.who == "partner" and route.method == "GET" and "{cohort}" in route.path:
            yield from addresses(route)
    yield from (f"/coordonner/c/participants?q=nom{number}q" for number in EVERYBODY)


async def shown(town: Town, address: str) -> dict[str, str]:
    """What somebody is shown on all these pages, but for what they typed."""
    somebody = await town.signed_in(address)
    found = {}
    for one in asked():
        answer = (await somebody.goes_to(one)).answer
        assert answer is not None
        assert answer.status_code in (200, 404), (one, answer.status_code)
        typed = one.partition("?")[2].rpartition("=")[2]
        found[one] = answer.text.replace(f'value="{typed}"', "").replace(f"q={typed}", "")
    await somebody.client.aclose()
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(peoples())
def test_every_answer_holds_ids_names_and_counts_of_the_own_organisation_alone(one: People) -> None:
    town = Town().happens(*told(one))
    pages = asyncio.run(shown(town, OF_THE_BANK))
    seen = traces("\n".join(pages.values()))
    assert seen <= one.allowed
    assert {number for kind, number in seen if kind == "nom"} == one.own | one.met
    for text in pages.values():
        assert "autre chose" not in text, "said in confidence"
        assert "Assurance" not in text
    counted = re.findall(r"<caption>(\d+)\s", pages["/coordonner/c/participants"])
    assert counted == ([str(len(one.own))] if one.own else [])
    for number in EVERYBODY:
        found = pages[f"/coordonner/c/participants/{person_id(number)}"]
        assert (f"nom{number}q" in found) is (number in one.own)


MIXED = People((BANK, None, "Assurance", BANK, None, BANK, None, "Assurance"), (0, 1, 2, 3))


async def test_whoever_is_not_theirs_is_nobody_in_the_same_words() -> None:
    town = Town().happens(*told(MIXED))
    claire = await town.signed_in(OF_THE_BANK)
    others = [person_id(n) for n in EVERYBODY if n not in MIXED.own]
    said = set()
    for who in ("p-nobody", *others):
        here = f"/coordonner/c/participants/{who}"
        said.add((await claire.goes_to(here)).says)
        fields = {"action": "pause", "version": "x"}
        said.add((await sent(claire, here, fields)).says)
    assert len(said) == 1
    assert town.sent == []


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(peoples(), st.booleans())
def test_nothing_that_a_page_can_ask_the_database_is_of_anybody_else(
    one: People, several: bool
) -> None:
    town = Town().happens(*told(one))
    scope = frozenset({BANK, "No such organisation"} if several else {BANK})
    asyncio.run(asked_of_the_database(town, Partnered(town.store, lambda _: scope), one))


async def asked_of_the_database(town: Town, seen: Partnered, one: People) -> None:
    for kind in DOMAIN.documents:
        ids = [document.id for document in await town.store.page(kind, Where("c"), 999)]
        listed = await seen.page(kind, Where("c"), 999)
        single = [await seen.one(kind, "c", id_) for id_ in ids]
        several = await seen.several(kind, "c", ids)
        rows = await seen.extract(kind, list(kind.model_fields), Where("c"), limit=999)
        there = [document for document in single if document is not None]
        tally = await seen.tally(kind, ["cohort_id"], Where("c")) if kind is not Cohort else {}
        counted = await seen.count(kind, Where("c"))
        assert {len(listed), len(there), len(rows)} == {counted}
        assert sum(tally.values()) == (counted if kind is not Cohort else 0)
        assert [d.id for d in listed] == sorted(d.id for d in there)
        if kind is Participant:
            assert traces(repr([listed, single, rows])) <= {
                t for t in one.allowed if t[1] in one.own
            }
            outside = [d for d in several if d.id not in {own.id for own in listed}]
            kinds = {kind for kind, _ in traces(repr(outside))}
            assert kinds <= {*OF_A_PARTNER, "zorglub"}
        pairs_of_theirs = one.own | one.met
        assert {number for _, number in traces(repr([listed, several]))} <= pairs_of_theirs
        if kind in (Pair, Participant):
            assert "autre chose" not in repr([listed, single, several, rows])


async def test_of_a_pair_that_has_ended_they_are_not_told_who_the_other_was() -> None:
    town = Town().happens(*told(MIXED))
    claire = await town.signed_in(OF_THE_BANK)
    here = f"/coordonner/c/participants/{PEOPLE[3]}"
    assert "nom7q, poste7q" in (await claire.goes_to(here)).says
    document = await town.store.one(Pair, "c", f"{PEOPLE[3]}~{PEOPLE[7]}")
    assert document is not None
    town.store._write([(0, document.model_copy(update={"state": "dissolved"}))])
    assert "nom7q" not in (await claire.goes_to(here)).says


async def test_what_was_told_in_confidence_can_be_neither_counted_nor_looked_for() -> None:
    town = Town().happens(*told(MIXED))
    seen = Partnered(town.store, lambda _: frozenset({BANK}))
    assert await seen.count(Pair, Where("c")) > 0
    assert await seen.count(Pair, Where("c", {"wants_another": True})) == 0
    assert await seen.tally(Pair, ["wants_another"], Where("c")) == {}


async def test_the_wall_stands_before_partners_too() -> None:
    line = LineManagerNamed(
        cohort_id="c", person_id=PEOPLE[0], line_manager=outsider(OF_THE_BANK, SECRET)
    )
    town = Town().happens(*told(MIXED), line)
    pages = await shown(town, OF_THE_BANK)
    assert {n for _, n in traces("\n".join(pages.values()))} == {3, 5, 1, 7}


# --- what they do -----------------------------------------------------------------------------


async def test_they_act_on_their_people_in_their_role() -> None:
    town = Town().happens(*told(MIXED))
    claire = await town.signed_in(OF_THE_BANK)
    await claire.goes_to(f"/coordonner/c/participants/{PEOPLE[0]}")
    await claire.presses("Mettre en pause")
    assert town.sent == [PauseMentor(cohort_id="c", mentor_id=PEOPLE[0])]
    assert {who.partition(" ")[0] for who, _ in town.behind} == {"partner"}


async def test_neither_the_address_nor_the_organisation_of_somebody_is_theirs_to_change() -> None:
    town = Town().happens(*told(MIXED))
    claire = await town.signed_in(OF_THE_BANK)
    here = f"/coordonner/c/participants/{PEOPLE[0]}"
    await claire.goes_to(here)
    fields = [one.get("id") for one in claire.page.all("input")]
    assert not {"adresse", "organisme"} & set(fields)
    await claire.presses("Enregistrer", site="Lyon")
    change = {"cohort_id": "c", "mentor_id": PEOPLE[0], "site": "Lyon"}
    assert town.sent == [ChangeMentor.model_validate(change)]
    _, form = (await claire.goes_to(here))._button("Enregistrer")
    typed = {name: values[0] for name, values in claire._filled(form, {}).items()}
    typed |= {"action": "corriger", "adresse": "x@x.example", "organisme": "Assurance"}
    await sent(claire, here, {name: text for name, text in typed.items() if name != "jeton"})
    assert len(town.sent) == 1


HEADER = "role;id;nom;adresse;direction;organisme;site;outils;disponibilités"


async def entering(town: Town, *rows: str) -> Any:
    claire = await town.signed_in(OF_THE_BANK)
    await claire.goes_to("/coordonner/c/importer")
    return await claire.presses(
        "Vérifier la liste", files={}, cellules="\n".join([HEADER, *rows]), role=""
    )


async def test_they_enter_people_who_are_then_of_their_organisation() -> None:
    town = Town().happens(*told(MIXED))
    claire = await entering(town, "mentor;p-mine;Neuf;neuf@x.example;D;;S;LinkedIn:4;lundi matin")
    await claire.presses("Inscrire ces personnes")
    command = town.sent[-1]
    assert isinstance(command, VolunteerAsMentor)
    assert command.organisation == BANK
    assert command.mentor_id != "p-mine"


async def test_they_enter_nobody_for_another_organisation() -> None:
    town = Town().happens(*told(MIXED))
    claire = await entering(
        town, "mentor;;Neuf;neuf@x.example;D;Assurance;S;LinkedIn:4;lundi matin"
    )
    assert f"l’un de : {BANK}" in claire.says
    assert claire.answer is not None
    await sent(claire, claire.answer.url.path, {"action": "inscrire"})
    assert town.sent == []


async def test_whoever_is_of_another_organisation_stays_as_they_are_whatever_is_entered() -> None:
    town = Town().happens(*told(MIXED))
    claire = await entering(
        town, f"mentor;{PEOPLE[1]};N;ADRESSE1q@x.example;D;;S;LinkedIn:4;lundi matin"
    )
    await claire.presses("Inscrire ces personnes")
    assert not [one for one in town.sent if isinstance(one, PersonContact | EnrolManager)]
    assert town.sent == []


async def test_a_list_that_somebody_else_reads_in_is_not_theirs() -> None:
    town = Town().happens(*told(MIXED))
    anne = await town.signed_in(COORDINATOR)
    row = "mentor;;Neuf;neuf@x.example;D;Assurance;S;LinkedIn:4;lundi matin"
    await anne.goes_to("/coordonner/c/importer")
    await anne.presses("Vérifier la liste", files={}, cellules=f"{HEADER}\n{row}", role="")
    assert anne.answer is not None
    claire = await town.signed_in(OF_THE_BANK)
    await claire.goes_to(anne.answer.url.path)
    assert claire.status == 404


# --- who they are -----------------------------------------------------------------------------


def test_the_settings_say_whose_people_and_where() -> None:
    one = PartnerCoordinator.model_validate(
        {"address": "A@X.example", "organisations": [" Banque\u00a0postale "], "cohorts": ["c"]}
    )
    from services.portal.app import partners_of  # noqa: PLC0415

    rules = Rules({}, frozenset(), partners=partners_of([one]))
    assert rules.organisations("a@x.example", "c") == {BANK}
    assert rules.organisations("a@x.example", "d") == frozenset()
    assert rules.organisations("b@x.example", "c") == frozenset()
    assert rules.may_sign_in("a@x.example")
    assert not rules.may_sign_in("b@x.example")


@pytest.mark.parametrize("address", [OF_C, COORDINATOR])
async def test_who_coordinates_the_programme_sees_everybody_of_it(address: str) -> None:
    town = Town().happens(*told(MIXED))
    pages = await shown(town, address)
    assert {n for kind, n in traces("\n".join(pages.values())) if kind == "nom"} == {*EVERYBODY}
    assert word(1) in "\n".join(pages.values())


async def test_an_administrator_sees_who_has_which_role_and_where() -> None:
    town = Town().happens(*told(MIXED))
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner")
    await anne.follows("Qui a quel rôle")
    rows = [[cell.text for cell in row.all("th", "td")] for row in anne.page.all("tr")[1:]]
    here = "réglages du site"
    assert [OF_THE_BANK, "coordination d’un organisme partenaire", "Programme", BANK, here] in rows
    assert [OF_C, "coordination", "Programme", "–", here] in rows
    assert [COORDINATOR, "administration", "tous", "–", here] in rows
    assert len(rows) == 3, "nothing of programmes that there are not"
