"""Consume, decide and publish with Quix Streams' exactly-once; run by its own environment.

Arguments: bootstrap servers, topic to read, topic to write, events that warm it, events in all,
records in a batch, a folder for its state. Prints the events per second of all but the first.

It checks less than a service does: it parses a command's JSON and does not look what is in it.
"""

import logging
import sys
import time
from typing import Any

from quixstreams import Application, State

bootstrap, topic, out, warm, total, batch, directory = sys.argv[1:]
done = first = 0
begun = 0.0


def decide(command: dict[str, Any], state: State) -> dict[str, Any] | None:
    """Whoever volunteers and is not known yet becomes known."""
    global done, first, begun  # noqa: PLW0603  # a script of one function
    done += 1
    if not begun and done >= int(warm):
        begun, first = time.perf_counter(), done
    if done == int(total):
        app.stop()
    if "mentor_id" not in command or state.get("mentor") is not None:
        return None
    state.set("mentor", {**command, "state": "available", "engaged": []})
    return command


logging.disable(logging.WARNING)
app = Application(
    broker_address=bootstrap,
    consumer_group=f"quix-{time.time_ns()}",
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_every=int(batch),
    state_dir=directory,
    loglevel=None,
    consumer_extra_config={"fetch.wait.max.ms": 40},
    producer_extra_config={"linger.ms": 5},
)
events = app.dataframe(app.topic(topic, value_deserializer="json"))
events = events.apply(decide, stateful=True).filter(lambda event: event is not None)
events.to_topic(app.topic(out, value_serializer="json"))
app.run()
sys.stdout.write(f"{(done - first) / (time.perf_counter() - begun)}\n")
