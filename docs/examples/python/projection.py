"""Keeps how many sessions each pair has completed, in SQLite, exactly once.

Stands on its own: copy it. Brokers and credentials come from the environment: see `connection`.
What an event changes, the last sequence of its source and the place in the log are one
transaction, so it can be killed at any instant. It begins at the beginning, and goes on where it
stopped. To begin anew, delete the file.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

TOPICS = ("mentoring.matching.events", "mentoring.scheduling.events")
PREFIX = "fr.gouv.mentoring."

TABLES = """
create table if not exists pairs (
    cohort text, pair text, state text, completed integer not null default 0,
    primary key (cohort, pair)
) without rowid;
create table if not exists seen (source text primary key, sequence integer not null);
create table if not exists positions (
    topic text, partition integer, next integer not null, primary key (topic, partition)
);
"""


class Gap(Exception):
    """An event is missing: somebody has to look before anything goes on."""


class Projection:
    """The tables. `take` handles records; nothing else writes."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript(TABLES)

    def close(self) -> None:
        self.db.close()

    def take(self, records: Iterable[Any]) -> None:
        """Handle records in their order, all in one transaction; Gap if one is missing."""
        with self.db:
            for record in records:
                self._take(record)

    def pairs(self) -> list[tuple[str, str, str | None, int]]:
        """(cohort, pair, state, completed sessions), by name."""
        return self.db.execute("select * from pairs order by cohort, pair").fetchall()

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        row = self.db.execute(
            "select next from positions where topic = ? and partition = ?", (topic, partition)
        ).fetchone()
        return row[0] if row else 0

    def _take(self, record: Any) -> None:
        ce = {name: raw.decode() for name, raw in record.headers if name.startswith("ce_")}
        source, sequence = ce["ce_source"], int(ce["ce_sequence"])
        row = self.db.execute("select sequence from seen where source = ?", (source,)).fetchone()
        last = row[0] if row else 0
        if sequence > last + 1:
            raise Gap(f"{source}: {last} is followed by {sequence}")
        if sequence == last + 1:  # else it was published again, or read again
            self._handle(ce["ce_type"], record.value)
            self.db.execute("insert or replace into seen values (?, ?)", (source, sequence))
        self.db.execute(
            "insert or replace into positions values (?, ?, ?)",
            (record.topic, record.partition, record.offset + 1),
        )

    def _handle(self, ce_type: str, value: bytes) -> None:
        name = ce_type.removeprefix(PREFIX)
        if name == "PairFormed.v1":
            # Topics have no order among each other: a session of the pair may have come before.
            self._update(value, "state = coalesce(state, 'formed')")
        elif name == "PairDissolved.v1":
            self._update(value, "state = 'dissolved'")
        elif name == "PairGraduated.v1":
            self._update(value, "state = 'graduated'")
        elif name == "SessionCompleted.v1":
            self._update(value, "completed = completed + 1")
        # All other types are passed over, those too that are newer than this program.

    def _update(self, value: bytes, change: str) -> None:
        event = json.loads(value)  # fields that are not used here do not matter
        key = event["cohort_id"], event["pair_id"]
        self.db.execute("insert or ignore into pairs (cohort, pair) values (?, ?)", key)
        self.db.execute(f"update pairs set {change} where cohort = ? and pair = ?", key)


def connection() -> dict[str, Any]:
    """Where the brokers are, and who asks: without a user, no TLS either."""
    env = os.environ
    found: dict[str, Any] = {
        "bootstrap_servers": env.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    }
    if "KAFKA_SASL_USERNAME" in env:
        found |= {
            "security_protocol": "SASL_SSL",
            "ssl_context": create_ssl_context(cafile=env.get("KAFKA_SSL_CAFILE")),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": env["KAFKA_SASL_USERNAME"],
            "sasl_plain_password": env["KAFKA_SASL_PASSWORD"],
        }
    return found


async def run(projection: Projection, until_caught_up: bool, batch_size: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # Without a group: the place in the log is in the database, with what was made of it.
    consumer = AIOKafkaConsumer(
        **connection(),
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",  # a place that is not there any more is an error
    )
    try:
        await consumer.start()
        await consumer.topics()  # so that the partitions are known
        places = [
            TopicPartition(topic, number)
            for topic in TOPICS
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not places:
            sys.exit(f"there are no topics {', '.join(TOPICS)}, or you may not read them")
        consumer.assign(places)
        for place in places:
            consumer.seek(place, projection.position(place.topic, place.partition))
        ends = await consumer.end_offsets(places)
        while not stopped.is_set():
            found = await consumer.getmany(timeout_ms=300, max_records=batch_size)
            if found:
                projection.take(record for batch in found.values() for record in batch)
            # Where the consumer is: the last offsets may hold no record (markers of transactions).
            if until_caught_up and all([await consumer.position(p) >= ends[p] for p in places]):
                return
    finally:
        await consumer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="pairs.sqlite3")
    parser.add_argument("--until-caught-up", action="store_true", help="stop at the present end")
    parser.add_argument("--batch", type=int, default=500, help="records of a transaction, at most")
    options = parser.parse_args()
    projection = Projection(options.database)
    try:
        asyncio.run(run(projection, options.until_caught_up, options.batch))
    except Gap as gap:
        sys.exit(f"a gap: {gap}")
    except KafkaError as error:
        sys.exit(f"the brokers (KAFKA_BOOTSTRAP_SERVERS): {error}")
    for cohort, pair, state, completed in projection.pairs():
        print(f"{cohort}/{pair} {state} completed={completed}")


if __name__ == "__main__":
    main()
