"""What a person gets of what is kept about them: all of their own, and nobody's confidence."""

from importlib import import_module
from typing import Any

import httpx
import pytest

from schemas.topics import Service
from services.chassis.domain import Document
from services.chassis.runtime import Service as Running
from services.matching.views import Manager, Mentor, Override
from services.matching.views import Pair as Match
from services.notify.views import Person
from services.scheduling.views import Outcome
from services.scheduling.views import Pair as Plan
from tests.test_access import ENVIRONMENT, OTHER, OWN, SERVICES, Stand, filled

KEPT_OTHERWISE: dict[str, str] = {
    "feedback.pairs": "whether a pair is at risk can tell of the other's answers",
    "feedback.surveys": "who has answered is nobody's to look up; letters say who was asked",
    "portal.pairs": "a copy of what matching keeps",
    "portal.sessions": "a copy of what scheduling keeps",
    "portal.letters": "a copy of what notify keeps",
    "portal.failed_letters": "a copy of what notify keeps",
    "portal.kept_apart": "a copy of what matching keeps",
    "portal.roles": "a copy of what notify keeps",
    "portal.disputes": "a copy of what scheduling keeps",
}
"""Documents that name a person and are not in their copy, and why."""
NAMES = {"person_id", "mentor_id", "manager_id"}
MACHINE = ENVIRONMENT["CONNECTE_HTTP_TOKEN"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def built(service: Service) -> Running:
    running: Running = import_module(f"services.{service}.app").build()
    return running


@pytest.mark.parametrize("service", SERVICES)
def test_every_document_that_names_a_person_is_in_their_copy_or_it_is_said_why_not(
    service: Service,
) -> None:
    parts = built(service).parts
    for kind in parts.domain.documents:
        if NAMES & kind.model_fields.keys() and kind not in parts.personal:
            assert f"{service}.{kind.collection}" in KEPT_OTHERWISE
    for kind, how in parts.personal.items():
        named = {*how.fields, *how.withheld, *((how.of[0],) if how.of else ())}
        assert named <= kind.model_fields.keys(), kind


def with_people(kind: type[Document], cohort: str, **ids: Any) -> Document:
    return filled(kind, cohort).model_copy(update=ids)


async def asked(stand: Stand, path: str, token: str = MACHINE, **heads: str) -> httpx.Response:
    async with stand.client(token) as client:
        return await client.get(path, headers=heads)


async def test_a_copy_has_all_of_ones_own_with_the_calculation_and_nothing_of_others() -> None:
    stand = Stand("matching")
    ours = [
        filled(Mentor, OWN).model_copy(update={"id": "m-7"}),
        filled(Mentor, OWN).model_copy(update={"id": "m-8"}),
        filled(Mentor, OTHER).model_copy(update={"id": "m-7"}),
        filled(Manager, OWN).model_copy(update={"id": "g-7"}),
        *(
            with_people(kind, OWN, id=f"{m}~g-7", mentor_id=m, manager_id="g-7")
            for kind in (Match, Override)
            for m in ("m-7", "m-8")
        ),
    ]
    stand.store._write([(0, document) for document in ours])
    told = (await asked(stand, f"/cohorts/{OWN}/people/m-7")).json()["documents"]
    assert {name: [row["id"] for row in rows] for name, rows in told.items()} == {
        "mentors": ["m-7"],
        "pairs": ["m-7~g-7"],
        "overrides": ["m-7~g-7"],
    }
    [pair] = told["pairs"]
    assert {"score", "reasons", "tools"} <= pair.keys()
    assert "asked_another" not in pair
    assert "reason" not in told["overrides"][0]
    manager = (await asked(stand, f"/cohorts/{OWN}/people/g-7")).json()["documents"]
    assert [row["id"] for row in manager["pairs"]] == ["m-7~g-7", "m-8~g-7"]


async def test_how_sessions_ended_is_in_the_copy_of_both_whose_they_were() -> None:
    stand = Stand("scheduling")
    pair = with_people(Plan, OWN, id="m-7~g-7", mentor_id="m-7", manager_id="g-7")
    mine = with_people(Outcome, OWN, id="m-7~g-7~1~1", pair_id="m-7~g-7")
    others = with_people(Outcome, OWN, id="m-8~g-8~1~1", pair_id="m-8~g-8")
    stand.store._write([(0, document) for document in (pair, mine, others)])
    for person in ("m-7", "g-7"):
        told = (await asked(stand, f"/cohorts/{OWN}/people/{person}")).json()["documents"]
        assert [row["id"] for row in told["outcomes"]] == ["m-7~g-7~1~1"]


@pytest.mark.parametrize(
    ("token", "behalf", "status"),
    [
        (MACHINE, "participant p-1", 200),
        (MACHINE, "participant p-2", 403),
        (MACHINE, "coordinator s-1", 403),
        ("the narrow token of administrator", None, 200),
        ("the narrow token of coordinator", None, 403),
        ("the narrow token of auditor", None, 403),
        ("the narrow token of participant", None, 403),
    ],
)
async def test_a_copy_is_for_the_person_and_for_who_administers(
    token: str, behalf: str | None, status: int
) -> None:
    stand = Stand("notify")
    person = filled(Person, OWN).model_copy(update={"id": "p-1", "name": "Lise"})
    stand.store._write([(0, person)])
    heads = {} if behalf is None else {"connecte-on-behalf-of": behalf}
    answer = await asked(stand, f"/cohorts/{OWN}/people/p-1", token, **heads)
    assert answer.status_code == status
    assert ("Lise" in answer.text) is (status == 200)
    if status == 200:
        assert answer.headers["cache-control"] == "no-store"


async def test_of_whom_nothing_is_kept_there_is_no_copy() -> None:
    answer = await asked(Stand("notify"), f"/cohorts/{OWN}/people/nobody")
    assert answer.status_code == 404
