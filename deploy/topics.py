"""Creates the topics of the one table on a broker. Creating what exists already changes nothing."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.topics import TOPICS

TOPIC_ALREADY_EXISTS = 36


class TopicError(RuntimeError):
    """The broker refused to create a topic; the text names it and says why."""


async def create_topics(
    connection: dict[str, Any], *, partitions: int, replication: int = 1
) -> list[str]:
    """Create what is missing of the table; the names of what was created."""
    admin = AIOKafkaAdminClient(**connection)
    await admin.start()
    try:
        wanted = [
            NewTopic(
                topic.name,
                num_partitions=partitions,
                replication_factor=replication,
                topic_configs={
                    **topic.config,
                    "min.insync.replicas": str(max(1, replication - 1)),
                },
            )
            for topic in TOPICS.values()
        ]
        response = await admin.create_topics(wanted)
    finally:
        await admin.close()
    created: list[str] = []
    for name, code, *reason in response.topic_errors:
        if code == 0:
            created.append(name)
        elif code != TOPIC_ALREADY_EXISTS:
            raise TopicError(f"topic {name}: error {code} {reason}")
    return created
