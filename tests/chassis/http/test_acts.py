"""Who did what over HTTP: by the heads of a service's own records, some at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from schemas.actors import Actor
from schemas.base import Event
from schemas.envelope import encode
from schemas.gate.samples import message_of
from schemas.journal import CommandRefused
from schemas.matching import MentorPaused, MentorWithdrew
from schemas.scheduling import PairGraduated
from services.chassis.http import acts
from services.chassis.http.acts import act_routes
from services.chassis.http.application import create_app
from services.chassis.log.contract import Received
from services.chassis.log.memory import MemoryLog

TOPICS = ("mentoring.matching.events", "mentoring.matching.private")
NOON = datetime(2017, 3, 6, 12, 0, tzinfo=UTC)
PERSON = Actor("app_user", "m-1", "participant", "link")
LISE = Actor("user", "s-lise", "coordinator", "portal")


def noted(log: MemoryLog, event: Event, actor: Actor | None) -> None:
    """One more event in the journal, an hour after the one before."""
    topic = TOPICS[isinstance(event, CommandRefused | PairGraduated)]
    number = sum(map(len, log.records.values()))
    about = {"time": NOON + timedelta(hours=number), "actor": actor}
    named = {"id": f"matching.events.0.{number + 1}", "source": "/mentoring/matching/events/0"}
    record = encode(event, topic, 0, **named, **about, cause="cmd-1")  # type: ignore[arg-type]
    log._append(record)


def withdrew(who: str, cohort_id: str = "c") -> MentorWithdrew:
    return MentorWithdrew(cohort_id=cohort_id, mentor_id=who)


async def asked(log: MemoryLog, **query: str) -> httpx.Response:
    app = create_app("matching", "Matching.")
    app.include_router(act_routes(log, TOPICS, 1))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get("/cohorts/c/acts", params=query)


async def told(log: MemoryLog, **query: str) -> list[tuple[str, str, str]]:
    answer = await asked(log, **query)
    assert answer.status_code == 200, answer.text
    return [(row["actor"], row["what"], row["about"]) for row in answer.json()["items"]]


@pytest.fixture
def log() -> MemoryLog:
    found = MemoryLog()
    noted(found, MentorPaused(cohort_id="c", mentor_id="m-1"), PERSON)
    noted(found, withdrew("m-1"), LISE)
    noted(found, withdrew("m-2"), None)
    noted(found, withdrew("m-3", "another"), LISE)
    no = {"command_id": "cmd-1", "command": "PauseMentor", "rule": "withdrawn", "detail": "Gone."}
    noted(found, CommandRefused.model_validate({"cohort_id": "c", "kind": "conflict", **no}), LISE)
    return found


async def test_it_is_told_who_asked_for_what_in_this_cohort_and_what_was_refused(
    log: MemoryLog,
) -> None:
    answer = (await asked(log)).json()
    assert [row["what"] for row in answer["items"]] == [
        "MentorPaused",
        "MentorWithdrew",
        "PauseMentor",
    ]
    assert answer["next"] is None
    assert answer["items"][1] == {
        "cohort_id": "c",
        "time": "2017-03-06T13:00:00+00:00",
        "actor": "s-lise",
        "type": "user",
        "role": "coordinator",
        "via": "portal",
        "what": "MentorWithdrew",
        "about": "m-1",
        "refused": None,
        "follows": False,
    }
    assert [row["refused"] for row in answer["items"]] == [None, None, "withdrawn"]


async def test_it_can_be_asked_of_one_who_acted_and_of_one_whom_it_is_about(
    log: MemoryLog,
) -> None:
    assert await told(log, actor="m-1") == [("m-1", "MentorPaused", "m-1")]
    assert ("s-lise", "MentorWithdrew", "m-1") in await told(log, about="m-1")
    assert await told(log, about="m-2") == []


async def test_a_copy_of_what_another_service_said_is_not_told_again(log: MemoryLog) -> None:
    learned = message_of(PairGraduated).model_copy(update={"cohort_id": "c"})
    noted(log, learned, LISE)
    assert await told(log, about=learned.mentor_id) == []


async def test_one_answer_looks_at_some_records_and_the_next_goes_on(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "LOOKED_AT", 1)
    first = (await asked(log)).json()
    assert (len(first["items"]), first["next"]) == (2, "0.4")
    second = (await asked(log, after=first["next"])).json()
    assert ([row["what"] for row in second["items"]], second["next"]) == (["PauseMentor"], "1.1")
    assert (await asked(log, after=second["next"])).json() == {"items": [], "next": None}


async def test_from_where_to_go_on_is_held_to_its_form(log: MemoryLog) -> None:
    assert (await asked(log, after="yesterday")).status_code == 422
    assert await told(log, after="7.0") == []


class Away(MemoryLog):
    """A broker that does not answer."""

    async def read(self, *_: object) -> AsyncIterator[list[Received]]:
        raise ConnectionError
        yield []


async def test_while_the_broker_is_away_one_is_told_to_come_back() -> None:
    answer = await asked(Away())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


class Slow(MemoryLog):
    """A broker that answers once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may, self.asked = asyncio.Event(), asyncio.Event()

    async def read(self, *_: object) -> AsyncIterator[list[Received]]:
        self.asked.set()
        await self.may.wait()
        yield []


async def test_while_one_reads_others_are_told_to_come_back() -> None:
    log = Slow()
    app = create_app("matching", "Matching.")
    app.include_router(act_routes(log, TOPICS, 1))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://here"
    ) as client:
        first = asyncio.create_task(client.get("/cohorts/c/acts"))
        await log.asked.wait()
        second = await client.get("/cohorts/c/acts")
        log.may.set()
        assert ((await first).status_code, second.status_code) == (200, 503)
