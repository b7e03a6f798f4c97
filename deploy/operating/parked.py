"""Records that were set aside: which there are, and what operators want done with them.

Always holds: a wish travels to the service as commands, to the partition that is meant, in the
order in which the records were set aside; only the service changes anything.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.errors import BadInput, OperationFailed
from deploy.operating.reach import Access, check_partitions, opened_log, opened_store
from schemas.actors import Actor
from schemas.envelope import Record, encode
from schemas.journal import DropParked, RetryParked
from schemas.topics import Service, commands_topic
from services.chassis.documents import BlockedSubject, ParkedRecord, QueuePage
from services.chassis.step.parking import queue_of
from services.chassis.step.queues import page_id
from services.chassis.store.contract import Projections, Where

AT_ONCE = 500
OPERATOR = Actor("service_account", "connecte", "operator", "connecte")
MOST = 1_000_000
SHOWN = ("reason", "detail", "attempts", "number", "size", "sha256")

Show = Callable[[int, int], None]
"""Called with how many records are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done with which records: retried, or with `because` dropped."""

    service: Service
    origins: tuple[str, ...] = ()
    reason: str | None = None
    everything: bool = False
    accept_gap: bool = False
    because: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record that is meant: where it lies, its turn in its partition, why it stands aside."""

    origin: str
    number: int
    reason: str

    @property
    def partition(self) -> int:
        """The partition that it was on."""
        return int(self.origin.split("/")[-2])


@dataclass(frozen=True, slots=True)
class Answered:
    """How many records were chosen, and how many of them stand aside still."""

    chosen: int
    left: int


async def parked_records(
    access: Access, services: Sequence[Service], limit: int, reason: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Records set aside: the first `limit` of each service without their bytes, and how many."""
    found: list[dict[str, Any]] = []
    where = Where(equal={} if reason is None else {"reason": reason})
    total = 0
    for service in services:
        async with opened_store(access, service) as store:
            total += await store.count(ParkedRecord, where)
            rows = await store.extract(ParkedRecord, ("id", *SHOWN), where, limit=limit)
        found += [{"service": service, "origin": row.pop("id"), **row} for row in rows]
    return found, total


async def deadlines_aside(
    access: Access, services: Sequence[Service], limit: int
) -> list[dict[str, Any]]:
    """Deadlines that could not be decided on: of each service the first `limit`.

    They are tried again at `until` by themselves, after longer and longer.
    """
    found: list[dict[str, Any]] = []
    for service in services:
        async with opened_store(access, service) as store:
            rows = await store.deadlines_aside(limit)
        found += [
            {"service": service, **asdict(row), "until": row.until.isoformat()} for row in rows
        ]
    return found


async def parked_record(
    access: Access, service: Service, origin: str, *, with_value: bool
) -> dict[str, Any]:
    """One record: why it stands aside, its headers, and what stands in its queue."""
    async with opened_store(access, service) as store:
        record = await store.one(ParkedRecord, service, origin)
        if record is None:
            raise BadInput(f"{service} has no parked record {origin}")
        queue = queue_of(record.received())
        waiting = await _waiting(store, service, queue) if queue is not None else []
    return {
        "service": service,
        "origin": origin,
        **record.model_dump(mode="json", include=set(SHOWN)),
        "key": _text(record.record_key),
        "headers": {name: _text(raw) for name, raw in record.headers},
        "queue": waiting,
        **({"value": _text(record.value)} if with_value else {}),
    }


async def _waiting(store: Projections, service: Service, queue: str) -> list[str]:
    """Everybody in a queue, the first one first."""
    head = await store.one(BlockedSubject, service, queue)
    if head is None:
        return []
    names = [page_id(queue, first) for first in head.pages]
    pages = {page.id: page for page in await store.several(QueuePage, service, names)}
    between = [origin for name in names if name in pages for origin in pages[name].origins]
    return [*head.origins, *between, *head.last]


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")


async def carry_out(access: Access, wish: Wish, wait: float, show: Show) -> Answered:
    """Have the service do what is wished, and wait until it has, `wait` seconds at most."""
    await check_partitions(access, access.partitions, [commands_topic(wish.service)])
    async with opened_store(access, wish.service) as store:
        chosen = await _chosen(store, wish)
        show(0, len(chosen))
        async with opened_log(access) as log:
            records = _commands(wish, chosen)
            offsets = await log.publish(records)
        awaited = list(zip(records, offsets, _sizes(chosen), strict=True))
        await _seen(store, awaited, wait, lambda done: show(done, len(chosen)))
        aside = {row["id"] for row in await store.extract(ParkedRecord, ("id",), limit=MOST)}
        return Answered(len(chosen), sum(record.origin in aside for record in chosen))


async def _chosen(store: Projections, wish: Wish) -> list[Chosen]:
    """The records that are meant, by partition and then in the order they were set aside."""
    fields = ("id", "number", "reason", "record_key")
    rows = await store.extract(ParkedRecord, fields, limit=MOST)
    parked = {row["id"]: Chosen(row["id"], row["number"], row["reason"]) for row in rows}
    if missing := [origin for origin in wish.origins if origin not in parked]:
        raise BadInput(f"{wish.service} has no parked record {missing[0]}")
    found = {
        origin
        for origin, record in parked.items()
        if wish.everything or origin in wish.origins or record.reason == wish.reason
    }
    if wish.reason and not wish.because:
        subjects = {row["id"]: (row["id"].rpartition("/")[0], row["record_key"]) for row in rows}
        queues = {subjects[origin] for origin in found}
        behind = (row["id"] for row in rows if row["reason"] == "behind" and row["record_key"])
        found.update(origin for origin in behind if subjects[origin] in queues)
    return sorted((parked[o] for o in found), key=lambda r: (r.partition, r.number))


def _portions(chosen: Sequence[Chosen]) -> list[Sequence[Chosen]]:
    """Some at a time, each of one partition."""
    found: list[list[Chosen]] = []
    for record in chosen:
        last = found[-1] if found else []
        full = len(last) >= AT_ONCE
        if not last or full or last[0].partition != record.partition:
            found.append([])
        found[-1].append(record)
    return list(found)


def _sizes(chosen: Sequence[Chosen]) -> list[int]:
    return [len(portion) for portion in _portions(chosen)]


def _commands(wish: Wish, chosen: Sequence[Chosen]) -> list[Record]:
    records = []
    for portion in _portions(chosen):
        partition, origins = portion[0].partition, tuple(r.origin for r in portion)
        command = (
            DropParked(
                cohort_id=wish.service, partition=partition, origins=origins, because=wish.because
            )
            if wish.because
            else RetryParked(
                cohort_id=wish.service,
                partition=partition,
                origins=origins,
                accept_gap=wish.accept_gap,
            )
        )
        records.append(
            encode(
                command,
                commands_topic(wish.service),
                partition,
                id=secrets.token_hex(12),
                source="/mentoring/operator",
                time=datetime.now(UTC),
                actor=OPERATOR,
            )
        )
    return records


async def _seen(
    store: Projections,
    awaited: Sequence[tuple[Record, int, int]],
    wait: float,
    show: Callable[[int], None],
) -> None:
    """Wait until the service has read the commands."""
    deadline = time.monotonic() + wait
    while True:
        await store.refresh()
        positions = await store.positions({record.partition for record, *_ in awaited})
        waiting = sum(
            size
            for record, offset, size in awaited
            if positions.get((record.topic, record.partition), 0) <= offset
        )
        show(sum(size for *_, size in awaited) - waiting)
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise OperationFailed(
                f"sent, and {waiting} records not seen to in {wait:g} s: does the service run? It "
                f"will do it when it does"
            )
        await asyncio.sleep(0.1)
