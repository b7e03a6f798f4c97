"""A person's own things for programs: all that is theirs, and nothing of anybody else's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from schemas.base import Command, Message
from schemas.gate.samples import message_of
from schemas.matching import AcceptProposal, WithdrawManager
from schemas.own import is_own, whose
from schemas.people import PersonContact, PersonErased
from schemas.rights import COMMANDS, own_rights
from services.chassis.http.application import create_app
from services.chassis.http.identity import Principal, static
from services.portal.pages import page_routes
from services.portal.web.own_api import OWN, own_routes
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, LISE, PAUL
from tests.portal.test_own_words import at

PEOPLE = ("participant",)
TOKENS = {
    "paul": Principal("user", "s-paul", PEOPLE, None, PAUL.upper()),
    "paul of d": Principal("user", "s-paul", PEOPLE, frozenset({"d"}), PAUL),
    "lise": Principal("user", "s-lise", PEOPLE, None, LISE),
    "nobody": Principal("user", "s-x", PEOPLE, None, "nobody@ministere.example"),
    "elsewhere": Principal("user", "s-y", PEOPLE, None, "paul@elsewhere.example"),
    "without an address": Principal("user", "s-paul", PEOPLE, None, None),
    "coordinator": Principal("user", "s-z", ("coordinator",), None, PAUL),
    "machine": Principal("api_key", "token", ("machine",), None),
}


@dataclass
class ForPrograms(Town):
    """A portal with what programs ask of it, and services that take everything."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.app = create_app("portal", "The portal.")
        self.app.include_router(own_routes(self.site, [static(list(TOKENS.items()))]))
        self.app.include_router(page_routes(self.site))

    def leads_to(self, command: Any) -> Iterable[Message]:
        return ()

    async def asks(self, token: str, path: str, body: Command | None = None) -> httpx.Response:
        """Somebody asks for something: GET, or a command."""
        headers = {"authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.url, headers=headers
        ) as client:
            if body is None:
                return await client.get(path)
            given = body.model_dump(mode="json", exclude_unset=True)
            return await client.post(f"/own/commands/{path}", json=given)


@pytest.fixture
def town() -> ForPrograms:
    town = ForPrograms()
    town.happens(*GOING_ON)
    return town


def about(kind: type[Command], person: str) -> Command:
    """A command in the name of somebody in cohort `c`."""
    command = message_of(kind)
    named = {"person_id": person, "mentor_id": person, "manager_id": person}
    pair = "m-1~g-1"
    side = "manager" if person == "g-1" else "mentor"
    named |= {"pair_id": pair, "session_id": f"{pair}~1", "by": side, "email": PAUL, "role": None}
    known = {name: value for name, value in named.items() if name in kind.model_fields}
    told = command.model_dump(mode="json", exclude_unset=True) | known | {"cohort_id": "c"}
    told.pop("on_behalf", None)
    return kind.model_validate(told)


def test_of_all_that_people_may_ask_for_it_is_known_whose_it_is() -> None:
    asked = {name for name, rights in COMMANDS.items() if "participant" in rights}
    assert {kind.__name__ for kind in OWN} == asked
    for kind in OWN:
        assert is_own(kind)
        assert (whose(about(kind, "g-1")), whose(about(kind, "m-1"))) == ("g-1", "m-1")
        assert own_rights("POST", f"/own/commands/{kind.__name__}") == {"participant": "own"}


async def test_somebody_learns_where_they_are_known_and_by_which_id(town: ForPrograms) -> None:
    answer = await town.asks("paul", "/own")
    assert answer.json() == {
        "items": [{"cohort_id": "c", "person_id": "g-1", "name": "Connecte ton manager"}]
    }
    assert answer.headers["cache-control"] == "no-store"
    assert (await town.asks("paul of d", "/own")).json() == {"items": []}
    assert (await town.asks("nobody", "/own")).json() == {"items": []}


async def test_what_is_held_about_somebody_is_what_they_find_in_the_portal(
    town: ForPrograms,
) -> None:
    _, paul = await at("donnees.json", *GOING_ON)
    answer = await town.asks("paul", "/own/c")
    assert answer.json() == paul.answer.json()
    assert "m-1" in answer.text
    assert LISE not in answer.text


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
async def test_what_is_ones_own_is_sent_in_ones_name_and_what_is_anothers_is_not(
    town: ForPrograms, kind: type[Command]
) -> None:
    refused = await town.asks("paul", kind.__name__, about(kind, "m-1"))
    assert (refused.status_code, refused.json()["rule"]) == (403, "not-your-own")
    assert town.sent == []
    taken = await town.asks("paul", kind.__name__, about(kind, "g-1"))
    assert (taken.status_code, taken.json()) == (200, {"done": True})
    assert {type(one) for one in town.sent} >= {kind}
    assert set(town.behind) == {("participant g-1", "api")}


@pytest.mark.parametrize(
    ("token", "status", "rule"),
    [
        ("nobody", 404, "not-known"),
        ("elsewhere", 403, "other-domain"),
        ("paul of d", 403, "other-cohort"),
        ("without an address", 403, "other-role"),
        ("coordinator", 403, "other-role"),
        ("machine", 403, "other-role"),
        ("of nobody at all", 401, None),
    ],
)
async def test_who_is_not_known_by_an_address_gets_nothing(
    town: ForPrograms, token: str, status: int, rule: str | None
) -> None:
    command = about(AcceptProposal, "g-1")
    for answer in (
        await town.asks(token, "/own/c"),
        await town.asks(token, "AcceptProposal", command),
    ):
        assert answer.status_code == status
        assert answer.json().get("rule") == rule
        assert "Paul" not in answer.text
    assert town.sent == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"email": "other@ministere.example"}, "other-address"),
        ({"role": "coordinator"}, "other-role"),
    ],
)
async def test_nobody_takes_another_address_or_a_role(
    town: ForPrograms, changes: dict[str, Any], rule: str
) -> None:
    command = about(PersonContact, "g-1")
    told = {**command.model_dump(exclude_unset=True), **changes}
    answer = await town.asks("paul", "PersonContact", PersonContact.model_validate(told))
    assert (answer.status_code, answer.json()["rule"]) == (403, rule)
    assert town.sent == []


async def test_whoever_is_erased_has_left_before(town: ForPrograms) -> None:
    await town.asks("paul", "PersonErased", about(PersonErased, "g-1"))
    assert [type(one) for one in town.sent] == [WithdrawManager, PersonErased]


async def test_what_a_service_refuses_is_refused_in_its_words(town: ForPrograms) -> None:
    town.rule = "expired"
    answer = await town.asks("paul", "AcceptProposal", about(AcceptProposal, "g-1"))
    assert answer.status_code == 409
    assert (answer.json()["rule"], answer.json()["title"]) == ("expired", "No.")
    town.rule, town.away = None, True
    answer = await town.asks("paul", "AcceptProposal", about(AcceptProposal, "g-1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        ({"availability": [{"day": "mon", "start": "09:00", "end": "10:00", "until": 9}]}, "until"),
        ({"availability": [{"day": "mon", "start": 9, "end": "10:00"}]}, "start"),
        ({"person_id": 1}, "person_id"),
        ({"zz": 1}, "zz"),
    ],
)
async def test_what_one_door_refuses_the_other_refuses(
    town: ForPrograms, odd: dict[str, Any], field: str
) -> None:
    whole = {"cohort_id": "c", "person_id": "g-1", "availability": []} | odd
    headers = {"authorization": "Bearer paul"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(town.app), base_url=town.url, headers=headers
    ) as client:
        answer = await client.post("/own/commands/ChangeAvailability", json=whole)

    assert answer.status_code == 422
    assert field in answer.json()["title"]
    assert town.sent == []
