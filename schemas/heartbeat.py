"""The daily sign of life, so that a silent topic can be told from a dead one."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.base import Event, Moment
from schemas.journal import OwnName


class Heartbeat(Event):
    """A service is alive, and writes to this partition. It says so once a day.

    `cohort_id` is the service's own name here: a heartbeat belongs to a partition, and is on it
    wherever the name's hash would put it. Nobody has to handle it; whoever watches the topic
    knows by `next_at` when silence means that something is wrong.
    """

    subject_field: ClassVar[str] = "source"
    cohort_id: OwnName
    source: Annotated[str, Field(description="Service and partition.", examples=["matching.3"])]
    next_at: Annotated[Moment, Field(description="When the next one is due.")]
