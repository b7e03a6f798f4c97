"""When a command is turned away: nothing was sent, and the time to come back is honest."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import UnknownError

from deploy.local.broker import embedded_broker
from deploy.local.process import free_port
from schemas.envelope import Record
from schemas.topics import partition_of
from services.chassis.clock import Clock
from services.chassis.http.commands import Commands, CommandTopic
from services.chassis.http.effects import Effects
from services.chassis.http.pressure import Backlog, Bounds, Busy, Pressure
from services.chassis.http.problems import Problem
from services.chassis.log.kafka import SEND_SECONDS, KafkaLog
from services.chassis.log.memory import MemoryLog
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.toy import (
    COMMANDS,
    KINDS,
    NOW,
    PARTITIONS,
    TOY,
    World,
    cohort_on,
    confirm,
    formed,
)
from tests.conftest import PATIENCE, table_of_topics


class SlowLog(MemoryLog):
    """A log that makes a record durable when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def send(self, record: Record) -> int:
        await self.go.wait()
        return await super().send(record)

    @property
    def sent(self) -> int:
        return sum(len(rows) for rows in self.records.values())


def commands(log: Any, store: Any, **bounds: Any) -> Commands:
    topic = CommandTopic(TOY.name, log, Clock(1.0, NOW, NOW), PARTITIONS)
    return Commands(topic, Effects("scheduling", store), Pressure(Bounds(**bounds)))


async def turned_away(sending: Any) -> Problem:
    with pytest.raises(Problem) as error:
        await sending
    assert error.value.status == 503
    assert error.value.answer.headers["Retry-After"] == str(error.value.body["retry_after"])
    return error.value


# --- in flight --------------------------------------------------------------------------------


async def test_one_command_more_than_may_be_in_flight_is_turned_away_unsent() -> None:
    log = SlowLog()
    service = commands(log, MemoryStore(), in_flight=3)
    under_way = [asyncio.create_task(service.send(confirm("m~g"))) for _ in range(3)]
    await asyncio.sleep(0)

    problem = await turned_away(service.send(confirm("m~g")))

    assert problem.body["retry_after"] == 1
    assert "command_id" not in problem.body
    log.go.set()
    assert len({accepted.command_id for accepted in await asyncio.gather(*under_way)}) == 3
    assert log.sent == 3
    assert not (await service.send(confirm("m~g"))).done


async def test_who_waits_keeps_no_command_out_and_too_many_who_wait_are_not_kept_waiting() -> None:
    log = MemoryLog()
    service = commands(log, MemoryStore(), in_flight=2)
    waiting = [asyncio.create_task(service.send(confirm("m~g"), 3.0)) for _ in range(2)]
    await asyncio.sleep(0.1)

    accepted = await service.send(confirm("m~g"), 3.0)

    assert not any(task.done() for task in waiting), "it was not kept waiting as they are"
    assert not accepted.done
    assert [done.done for done in await asyncio.gather(*waiting)] == [False, False]
    assert len(log.records[COMMANDS, partition_of("c", PARTITIONS)]) == 3


# --- unread -----------------------------------------------------------------------------------


async def test_where_too_many_are_unread_commands_are_turned_away_until_they_have_been_read() -> (
    None
):
    # given a process that owns no partition, and another one that reads nothing for now
    world = World()
    service = commands(world.log, world.store, backlog=5)
    zero, one = cohort_on(0), cohort_on(1)
    await service.look()
    for _ in range(5):
        await service.send(confirm("m~g", cohort=zero))

    problem = await turned_away(service.send(confirm("m~g", cohort=zero)))

    assert "5 commands" in problem.body["title"]
    assert problem.body["retry_after"] == 10, "nobody reads"
    assert not (await service.send(confirm("m~g", cohort=one))).done, "others go on"
    world.publish(formed("m~g", zero))
    await world.run()
    await service.look()
    assert not (await service.send(confirm("m~g", cohort=zero))).done


class Hand:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("sent", "seconds"), [(10_050, 1), (12_000, 21), (19_999, 100), (90_000, 300)]
)
def test_the_time_to_come_back_is_what_is_too_much_over_what_is_read_a_second(
    sent: int, seconds: int
) -> None:
    hand = Hand()
    backlog = Backlog(10_000, hand)
    for hand.now in range(5):  # a hundred a second
        backlog.saw({("t", 0): hand.now * 100})
    backlog.sent("t", 0, 400 + sent - 1)

    with pytest.raises(Busy) as busy:
        backlog.check("t", 0)

    assert busy.value.retry_after == seconds
    backlog.saw({("t", 0): 400 + sent - 9_999})
    backlog.check("t", 0)


def test_what_has_never_been_seen_keeps_nobody_out() -> None:
    backlog = Backlog(1)
    backlog.check("t", 0)
    backlog.sent("t", 0, 1_000_000)
    backlog.check("t", 0)
    backlog.saw({})
    with pytest.raises(Busy):
        backlog.check("t", 0)


# --- parts away -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
async def test_a_broker_that_is_not_there_is_told_within_bounded_time(
    kind: str,
) -> None:
    port = free_port()
    server = None
    if kind == "is silent":
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", port)
    log = KafkaLog({"bootstrap_servers": f"127.0.0.1:{port}"}, idempotent=False)
    service = commands(log, MemoryStore(), send_seconds=0.5)

    start = time.monotonic()
    problems = await asyncio.gather(*(turned_away(service.send(confirm("m~g"))) for _ in range(20)))

    assert time.monotonic() - start < 10, "side by side: 20 one after the other take 10 s"
    assert len({problem.body["command_id"] for problem in problems}) == 20
    assert "not known whether the command was taken" in problems[0].body["title"]
    assert service.pressure.sending.taken == 0
    await log.stop()
    if server is not None:
        await asyncio.sleep(0.05)  # its side of the connections ends too
        server.close()


async def test_a_broker_that_goes_away_is_told_and_found_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    port = free_port()
    log = KafkaLog({"bootstrap_servers": f"127.0.0.1:{port}"}, idempotent=False)
    service = commands(log, MemoryStore(), send_seconds=1.0)
    async with embedded_broker(tmp_path, port=port) as bootstrap:
        await table_of_topics(bootstrap, PARTITIONS)
        assert (await service.send(confirm("m~g"))).command_id

    start = time.monotonic()
    await turned_away(service.send(confirm("m~g")))
    assert time.monotonic() - start < SEND_SECONDS, "the log itself would have tried for longer"

    async with embedded_broker(tmp_path, port=port) as bootstrap:
        await table_of_topics(bootstrap, PARTITIONS)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert (await service.send(confirm("m~g"))).command_id
                break
            except Problem as problem:
                assert problem.status == 503 and time.monotonic() < deadline, problem.body
            except UnknownError:  # the embedded broker's word while it is not all there
                assert time.monotonic() < deadline
        await log.stop()


async def test_a_command_that_was_sent_is_accepted_though_the_database_is_away() -> None:
    store = MongoStore("mongodb://127.0.0.1:1/", "nowhere", KINDS)
    log = MemoryLog()

    start = time.monotonic()
    accepted = await commands(log, store).send(confirm("m~g"), 0.5)

    assert not accepted.done
    assert time.monotonic() - start < 15, (
        "who waits for half a second is not kept until a database comes"
    )
    assert len(log.records) == 1
    await store.close()
