"""A step beside Quix Streams' exactly-once, on Apache Kafka, which transactions need.

The peer keeps its state in a store of its own beside the process, and in a topic; a service keeps
it in the database, with its outbox, in one transaction. Both consume, decide and publish.
"""

from pathlib import Path

from tests.bench.programs import rate_of
from tests.bench.steps import BATCH, COHORTS, OUT, TOPIC, commands, publish
from tests.own_environment import environment

LOCK = Path(__file__).with_name("quix-streams.lock")
SCRIPT = Path(__file__).with_name("quix_streams.py")


async def quix(kafka: str, count: int, directory: Path) -> float:
    """Events per second, after a tenth of them; `directory` receives its state."""
    python = environment(LOCK) / "python"
    await publish(kafka, commands(count))
    return await rate_of(
        *(str(python), "-P", str(SCRIPT), kafka, TOPIC, OUT, str(count // 10)),
        *(str(count + len(COHORTS)), str(BATCH), str(directory / "state")),
    )
