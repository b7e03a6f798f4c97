"""What is in a log at the level that tells most, and what never is."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from pydantic import BaseModel
from pymongo.errors import BulkWriteError, DuplicateKeyError

from schemas.envelope import Record
from services.chassis.store.contract import Outpaced
from services.chassis.watch import logs
from tests.chassis.toy import (
    PEOPLE,
    World,
    altered,
    breaks_decide,
    breaks_evolve,
    command_of,
    contact,
    formed,
)

NAME, ADDRESS, TOKEN = "Hortense Canari", "hortense@canari.example", "eyJjYW5hcmk.Zm9yZ2Vk"
SECRETS = (NAME, ADDRESS, TOKEN)
LIBRARIES = (
    *("pymongo.command", "pymongo.connection", "pymongo.serverSelection", "aiokafka.producer"),
    *("aiokafka.consumer.fetcher", "aiosmtplib", "mail.log", "uvicorn", "uvicorn.access"),
    *("uvicorn.error", "httpx", "httpcore.http11", "asyncio", "faststream", "faststream.access"),
    *("mentoring.faststream", "multipart.multipart", "jinja2", "joserfc", "opentelemetry.sdk"),
    *("one.that.comes.next.year", "urllib3"),
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged since logging was configured at DEBUG, line by line."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    every = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in every]
    logs.configure("toy", "DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for one, handlers, level, propagate in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


Written = Callable[[], list[dict[str, Any]]]


def everything(written: Written) -> str:
    return json.dumps(written(), ensure_ascii=False)


def test_a_library_that_brings_its_own_handler_writes_as_all_others(
    request: pytest.FixtureRequest,
) -> None:
    own = io.StringIO()
    library = logging.getLogger("one.that.writes.itself")
    library.addHandler(logging.StreamHandler(own))
    library.propagate = False
    library.setLevel(logging.DEBUG)
    written = request.getfixturevalue("written")
    library.debug("sent %s", NAME)
    library.warning("a warning")
    assert own.getvalue() == ""
    assert [line["message"] for line in written()] == ["a warning"]


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("own_level", [None, logging.DEBUG])
def test_a_library_is_not_heard_below_warning_whatever_level_it_gives_itself(
    written: Written, name: str, own_level: int | None
) -> None:
    library = logging.getLogger(name)
    if own_level is not None:
        library.setLevel(own_level)
    library.debug("sent %s", NAME)
    library.info("sent %s", ADDRESS)
    library.warning("a warning")
    assert [line["message"] for line in written()] == ["a warning"]
    library.setLevel(logging.NOTSET)


def test_we_are_heard_at_the_level_that_is_asked_for(written: Written) -> None:
    logging.getLogger("services.chassis.runtime").debug("one")
    logging.getLogger("schemas.envelope").info("two")
    assert [(line["level"], line["message"]) for line in written()] == [
        ("DEBUG", "one"),
        ("INFO", "two"),
    ]


class Model(BaseModel):
    number: int


def _invalid() -> None:
    Model.model_validate({"number": NAME})


def _unwritable() -> None:
    details = {"writeErrors": [{"op": {"name": NAME, "email": ADDRESS}}]}
    raise BulkWriteError(details)  # type: ignore[no-untyped-call]


def _twice() -> None:
    raise DuplicateKeyError(f"dup key: {{ _id: '{ADDRESS}' }}", 11000)


def _chained() -> None:
    try:
        int(NAME)
    except ValueError as error:
        raise KeyError(ADDRESS) from error


def _while_handling() -> None:
    try:
        int(NAME)
    except ValueError:
        {}[TOKEN]


def _grouped() -> None:
    raise ExceptionGroup(NAME, [ValueError(ADDRESS), ExceptionGroup(TOKEN, [KeyError(NAME)])])


@pytest.mark.parametrize(
    "fault", [_invalid, _unwritable, _twice, _chained, _while_handling, _grouped]
)
def test_what_an_error_quotes_is_not_told_but_where_it_was_is(
    written: Written, fault: Callable[[], None]
) -> None:
    try:
        fault()
    except Exception as error:
        logging.getLogger("services.x").critical(logs.told(error), exc_info=error)
        logging.getLogger("asyncio").exception("never retrieved")
    text = everything(written)
    assert fault.__name__ in text
    assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize(
    "error",
    [
        Outpaced("partition 3"),
        ConnectionRefusedError(111, "Connect call failed"),
        MessageSizeTooLargeError("The message is 3 bytes"),
    ],
)
def test_an_error_that_quotes_nobody_is_told_in_full(written: Written, error: Exception) -> None:
    logging.getLogger("services.x").error("failed", exc_info=error)
    assert str(error) in everything(written)


async def test_a_service_on_the_twins_tells_nothing_of_whom_it_serves(written: Written) -> None:
    """Contacts that are taken, cannot be read, or meet a fault; and a store that quotes them."""
    world = World()
    world.publish(formed("m~g"))
    world.command(contact("m", NAME))
    world.command(contact("cursed", "Cursed"))
    spoilt = command_of(world, contact("x", NAME))
    world.append(altered(spoilt, value=spoilt.value.replace(b'"c"', f'"{ADDRESS}"'.encode())))
    world.append(altered(spoilt, value=f'{{"name": "{NAME}", "more": "{ADDRESS}"'.encode()))
    world.append(altered(spoilt, ce_type=TOKEN.encode()))
    world.append(Record(PEOPLE, 0, ADDRESS.encode(), None))
    world.command(breaks_evolve("m~g"))
    named = {"ce_id": ADDRESS.encode(), "ce_authid": NAME.encode()}
    for broken in (breaks_evolve("m~g"), breaks_decide("m~g")):
        world.append(altered(command_of(world, broken), **named))
        world.append(altered(command_of(world, broken), value=b"{", **named))
    await world.run()
    assert len(await world.parked()) >= 5
    text = everything(written)
    assert "parked: " in text
    assert not [secret for secret in SECRETS if secret in text]
