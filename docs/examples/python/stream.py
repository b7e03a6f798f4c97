"""Prints every completed session, with FastStream, in a consumer group.

Stands on its own: copy it. Brokers and credentials come from the environment. Several processes of
one group share the partitions. A group goes on where it has committed; `--from` says where one
begins that never has. What was seen is kept in memory here, so a duplicate across a restart is
printed again: projection.py shows how to do without.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.helpers import create_ssl_context
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

TOPIC = "mentoring.scheduling.events"
WANTED = "fr.gouv.mentoring.SessionCompleted.v1"


def moment(text: str) -> str | int:
    """What `--from` says: "beginning", "now", or a date as milliseconds since 1970."""
    if text in ("beginning", "now"):
        return text
    date = datetime.fromisoformat(text)
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--from", dest="start", type=moment, default="beginning", metavar="beginning|now|DATE"
)
parser.add_argument("--group", default="subscriber-example.stream", help="subscriber-NAME.ANY")
parser.add_argument("--max-events", type=int, default=-1, help="stop after so many")
parser.add_argument("--until-caught-up", action="store_true", help="stop at the present end")
options = parser.parse_args()

security = None  # without a user, no TLS either
if "KAFKA_SASL_USERNAME" in os.environ:
    security = SASLScram512(
        username=os.environ["KAFKA_SASL_USERNAME"],
        password=os.environ["KAFKA_SASL_PASSWORD"],
        ssl_context=create_ssl_context(cafile=os.environ.get("KAFKA_SSL_CAFILE")),
    )
broker = KafkaBroker(
    os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
    security=security,
    allow_auto_create_topics=False,
    logger=logging.getLogger(__name__),  # warnings only: its own logs two lines for each record
)
app = FastStream(broker)
seen: dict[str, int] = {}
printed: list[str] = []
gaps: list[str] = []
watching: set[asyncio.Task[None]] = set()


class Start(ConsumerRebalanceListener):
    """Has a partition that the group never committed begin where `--from` says."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        consumer().pause(*assigned)  # else the first records come while this is still asking
        for place in assigned:
            if await consumer().committed(place) is None:
                await begin(consumer(), place)
        consumer().resume(*assigned)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        seen.clear()  # another process may go on with them


async def begin(reader: AIOKafkaConsumer, place: TopicPartition) -> None:
    if options.start == "beginning":
        await reader.seek_to_beginning(place)
    elif options.start == "now":
        await reader.seek_to_end(place)
    else:
        first = (await reader.offsets_for_times({place: options.start}))[place]
        if first is None or first.timestamp < 0:  # nothing so late
            await reader.seek_to_end(place)
        else:
            reader.seek(place, first.offset)


# MANUAL: what has failed is not committed. No reply: a header of a record makes nobody publish.
subscriber = broker.subscriber(
    TOPIC,
    group_id=options.group,
    ack_policy=AckPolicy.MANUAL,
    no_reply=True,
    auto_offset_reset="earliest",
    isolation_level="read_committed",
    session_timeout_ms=6000,
    listener=Start(),
)


def consumer() -> AIOKafkaConsumer:
    assert subscriber.consumer is not None
    return subscriber.consumer


@subscriber
async def on_event(message: KafkaMessage) -> None:
    if gaps or len(printed) == options.max_events:
        return  # it ends; the rest is for the next start
    record = message.raw_message
    ce = {name: raw.decode() for name, raw in record.headers if name.startswith("ce_")}
    source, sequence = ce["ce_source"], int(ce["ce_sequence"])
    last = seen.get(source, sequence - 1)  # the first that is seen of a source may be any
    if sequence > last + 1:
        gaps.append(f"{source}: {last} is followed by {sequence}")
        app.exit()
        return
    if sequence > last:  # else it was published again
        seen[source] = sequence
        if ce["ce_type"] == WANTED:  # else another type, perhaps newer than this program
            event = json.loads(record.value)  # fields that are not used here do not matter
            printed.append(f"{ce['ce_time']} {ce['ce_subject']} completed={event['completed']}")
            print(printed[-1], flush=True)
    await message.ack()
    if len(printed) == options.max_events:
        app.exit()


async def leave_when_caught_up() -> None:
    while not (places := consumer().assignment()):
        await asyncio.sleep(0.1)
    begun = {place: await consumer().position(place) for place in places}
    ends = await consumer().end_offsets(places)
    for place in places:
        while (await consumer().committed(place) or begun[place]) < ends[place]:
            await asyncio.sleep(0.1)
    app.exit()


@app.after_startup
async def watch() -> None:
    if options.until_caught_up:
        watching.add(asyncio.create_task(leave_when_caught_up()))


if __name__ == "__main__":
    asyncio.run(app.run())
    if gaps:
        sys.exit(f"a gap: {gaps[0]}")
