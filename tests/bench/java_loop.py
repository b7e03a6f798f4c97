"""The bare loop of `steps` in Java: Kafka's own client and MongoDB's driver, the same work.

The limit of another ecosystem: it is there to know, and nothing to be ahead of.
"""

from pathlib import Path

from deploy.local.kafka_jars import fetched_jars, kafka_jars
from deploy.local.process import find_program
from tests.bench.programs import rate_of
from tests.bench.steps import BATCH, COHORTS, OUT, PARTITIONS, TOPIC, commands, publish

DRIVER_VERSION = "5.2.1"
DRIVER = f"""\
    <dependency>
      <groupId>org.mongodb</groupId>
      <artifactId>mongodb-driver-sync</artifactId>
      <version>{DRIVER_VERSION}</version>
    </dependency>
"""
SOURCE = Path(__file__).with_name("StepLoop.java")


async def java(kafka: str, mongodb: str, count: int, directory: Path) -> float:
    """Events per second, after as many that have warmed it; `directory` receives Maven's log."""
    clients = await kafka_jars(directory)
    driver = await fetched_jars(directory, f"mongodb-driver-{DRIVER_VERSION}", DRIVER)
    await publish(kafka, commands(2 * count))
    total = 2 * count + len(COHORTS)
    return await rate_of(
        *(find_program("java"), "-cp", f"{clients}/*:{driver}/*", str(SOURCE), kafka, mongodb),
        *(TOPIC, OUT, str(PARTITIONS), str(count), str(total), str(BATCH), ",".join(COHORTS)),
    )
