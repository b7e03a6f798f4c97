"""Prints every completed session, with aiokafka and nothing else.

Stands on its own: copy it. Brokers and credentials come from the environment: see `connection`.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

TOPIC = "mentoring.scheduling.events"
WANTED = "fr.gouv.mentoring.SessionCompleted.v1"


class Gap(Exception):
    """An event is missing: somebody has to look before anything goes on."""


def handle(record: Any, seen: dict[str, int]) -> bool:
    """Print a completed session that is new; whether it was one."""
    ce = {name: raw.decode() for name, raw in record.headers if name.startswith("ce_")}
    source, sequence = ce["ce_source"], int(ce["ce_sequence"])
    last = seen.get(source, sequence - 1)  # the first that is seen of a source may be any
    if sequence <= last:
        return False  # published again
    if sequence > last + 1:
        raise Gap(f"{source}: {last} is followed by {sequence}")
    seen[source] = sequence
    if ce["ce_type"] != WANTED:
        return False  # another type, perhaps newer than this program
    event = json.loads(record.value)  # fields that are not used here do not matter
    print(ce["ce_time"], ce["ce_subject"], f"completed={event['completed']}", flush=True)
    return True


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


def moment(text: str) -> str | int:
    """What `--from` says: "beginning", "now", or a date as milliseconds since 1970."""
    if text in ("beginning", "now"):
        return text
    date = datetime.fromisoformat(text)
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)


async def begin(consumer: AIOKafkaConsumer, places: list[TopicPartition], start: str | int) -> None:
    """Have the consumer go to where `--from` says."""
    if start == "beginning":
        await consumer.seek_to_beginning(*places)
    elif start == "now":
        await consumer.seek_to_end(*places)
    else:
        found = await consumer.offsets_for_times(dict.fromkeys(places, start))
        for place, first in found.items():
            if first is None or first.timestamp < 0:  # nothing so late
                await consumer.seek_to_end(place)
            else:
                consumer.seek(place, first.offset)


async def run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # Without a group: this program reads every partition, and keeps no place at the broker.
    consumer = AIOKafkaConsumer(
        **connection(), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        await consumer.topics()  # so that the partitions are known
        numbers = consumer.partitions_for_topic(TOPIC)
        if not numbers:
            sys.exit(f"there is no topic {TOPIC}, or you may not read it")
        places = [TopicPartition(TOPIC, number) for number in sorted(numbers)]
        consumer.assign(places)
        await begin(consumer, places, options.start)
        ends = await consumer.end_offsets(places)
        seen: dict[str, int] = {}
        printed = 0
        while not stopped.is_set():
            for batch in (await consumer.getmany(timeout_ms=300)).values():
                for record in batch:
                    printed += handle(record, seen)
                    if printed == options.max_events:
                        return
            if options.until_caught_up:
                at = {place: await consumer.position(place) for place in places}
                if all(at[place] >= ends[place] for place in places):
                    return
    finally:
        await consumer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from", dest="start", type=moment, default="beginning", metavar="beginning|now|DATE"
    )
    parser.add_argument("--max-events", type=int, default=-1, help="stop after so many")
    parser.add_argument("--until-caught-up", action="store_true", help="stop at the present end")
    try:
        asyncio.run(run(parser.parse_args()))
    except Gap as gap:
        sys.exit(f"a gap: {gap}")
    except KafkaError as error:
        sys.exit(f"the brokers (KAFKA_BOOTSTRAP_SERVERS): {error}")


if __name__ == "__main__":
    main()
