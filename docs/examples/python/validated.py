"""Prints every pair that is formed, each held against the JSON Schema of the release first.

Stands on its own: copy it with plain.py, from which it takes how to connect. The schemas are
the files in `public/` of a release's `schemas-….tar.gz`, and the header `ce_dataschema` says which
is whose.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from jsonschema import Draft202012Validator
from plain import Gap, connection

TOPIC = "mentoring.matching.events"
WANTED = "fr.gouv.mentoring.PairFormed.v1"


class Unlike(Exception):
    """An event is not what its schema says: tell whoever runs the platform."""


class Schemas:
    """The JSON Schemas of a folder, by their `$id`."""

    def __init__(self, folder: Path) -> None:
        found = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
        if not found:
            sys.exit(f"there are no schemas in {folder}: name public/ of the release (--schemas)")
        self._known = {schema["$id"]: Draft202012Validator(schema) for schema in found}

    def check(self, name: str, event: Any) -> None:
        """Raise `Unlike` with all that is wrong, each with its field."""
        if name not in self._known:
            raise Unlike(f"{name} is not among these schemas: a newer release has it")
        wrong = [f"{e.json_path} {e.message}" for e in self._known[name].iter_errors(event)]
        if wrong:
            raise Unlike(f"{name}: {'; '.join(wrong)}")


def handle(record: Any, seen: dict[str, int], schemas: Schemas) -> None:
    """Print a pair that is new and as the schema says."""
    ce = {name: raw.decode() for name, raw in record.headers if name.startswith("ce_")}
    source, sequence = ce["ce_source"], int(ce["ce_sequence"])
    last = seen.get(source, sequence - 1)  # the first that is seen of a source may be any
    if sequence <= last:
        return  # published again
    if sequence > last + 1:
        raise Gap(f"{source}: {last} is followed by {sequence}")
    seen[source] = sequence
    if ce["ce_type"] != WANTED:
        return
    event = json.loads(record.value)
    schemas.check(ce["ce_dataschema"], event)
    print(ce["ce_time"], event["cohort_id"], event["pair_id"], "valid", flush=True)


async def run(options: argparse.Namespace) -> None:
    schemas = Schemas(options.schemas)
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
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        seen: dict[str, int] = {}
        while True:
            for batch in (await consumer.getmany(timeout_ms=300)).values():
                for record in batch:
                    handle(record, seen, schemas)
            if options.until_caught_up:
                at = {place: await consumer.position(place) for place in places}
                if all(at[place] >= ends[place] for place in places):
                    return
    finally:
        await consumer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemas", type=Path, default=Path("public"), help="folder (public)")
    parser.add_argument("--until-caught-up", action="store_true", help="stop at the present end")
    try:
        asyncio.run(run(parser.parse_args()))
    except (Gap, Unlike) as wrong:
        sys.exit(f"{'a gap' if isinstance(wrong, Gap) else 'not as its schema says'}: {wrong}")
    except KafkaError as error:
        sys.exit(f"the brokers (KAFKA_BOOTSTRAP_SERVERS): {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
