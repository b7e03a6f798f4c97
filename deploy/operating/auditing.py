"""Who did what in a cohort: read from what was asked and from what happened, and from nothing else.

Always holds: of a record its headers are read, and of a refusal its rule; what people say and what
they are called is not. What nobody is behind is not shown, answers to surveys among it.
"""

from collections.abc import AsyncIterator

from deploy.operating.reach import Access, check_partitions, opened_log
from schemas.topics import PEOPLE, TOPICS, partition_of
from services.chassis.log.acts import Act, act_of
from services.chassis.log.contract import Log, Received

SOURCES = [t for t in TOPICS if t.endswith((".events", ".private")) or t == PEOPLE]
"""The topics on which things happen: journals, and what is said of people."""


async def acts(
    access: Access, cohort_id: str, actor: str | None = None, subject: str | None = None
) -> list[Act]:
    """Who did what in a cohort, the oldest first; by this one alone, or about this subject."""
    await check_partitions(access, access.partitions, SOURCES)
    partition = partition_of(cohort_id, access.partitions)
    found: list[Act] = []
    async with opened_log(access) as log:
        for topic in SOURCES:
            async for row in _rows(log, topic, partition):
                act = act_of(row, cohort_id)
                if act is None or (actor is not None and act.actor != actor):
                    continue
                if subject is None or subject in act.about.split("~"):
                    found.append(act)
    return sorted(found, key=lambda act: (act.time, act.what, act.about))


async def _rows(log: Log, topic: str, partition: int) -> AsyncIterator[Received]:
    async for rows in log.read(topic, partition, 0):
        for row in rows:
            yield row
