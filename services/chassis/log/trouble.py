"""Why a partition cannot be read on, and in which words whoever operates the service hears it."""

from dataclasses import dataclass
from typing import Any

from aiokafka.errors import (
    CorruptRecordException,
    GroupAuthorizationFailedError,
    KafkaError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)


class BrokerSilent(KafkaError):  # type: ignore[misc]  # aiokafka is not typed
    """The broker is asked for records, and has answered nothing for long."""


_WORDS: dict[type[Exception], str] = {
    BrokerSilent: "the broker does not answer",
    CorruptRecordException: "what the broker gives there is corrupt: its checksum is wrong",
    TopicAuthorizationFailedError: "the broker does not let this service read the topic",
    GroupAuthorizationFailedError: "the broker does not let this service into its group",
    RecordTooLargeError: "the broker gives only the beginning of a batch there",
}


@dataclass(slots=True)
class Trouble:
    """Why a partition is not read on; `again` is when it is asked for next (monotonic clock).

    `fetched` is what could not be read: asked for again means that this is thrown away. `heard` is
    when the broker last gave an answer there, as the client notes it.
    """

    error: Exception
    offset: int
    again: float
    fetched: Any
    heard: Any = None

    @property
    def words(self) -> str:
        """For whoever operates the service."""
        return _WORDS.get(type(self.error), type(self.error).__name__)
