"""Which faults of the broker pass: the whole list, and that nothing else is on it."""

import inspect
import ssl

import pytest
from aiokafka import errors
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Record
from schemas.topics import PARKED, commands_topic
from services.chassis.faults import Nature
from services.chassis.log.contract import RecordTooLarge
from services.chassis.log.faults import KAFKA, SYSTEM, nature_of
from services.chassis.log.memory import MemoryLog
from services.chassis.log.sizes import check_size, most_of, size_of

ALL = [e for e in vars(errors).values() if inspect.isclass(e) and issubclass(e, KafkaError)]
PERMANENT = {
    *(errors.MessageSizeTooLargeError, errors.RecordTooLargeError, errors.RecordListTooLargeError),
    *(errors.InvalidTopicError, errors.InvalidConfigurationError, errors.PolicyViolationError),
    *(errors.UnsupportedVersionError, errors.UnsupportedCodecError, errors.UnknownError),
    *(errors.IncompatibleBrokerVersion, errors.IllegalStateError, errors.InvalidTimestampError),
    *(errors.OffsetOutOfRangeError, errors.NoOffsetForPartitionError, errors.SecurityDisabled),
}


@pytest.mark.parametrize(("kind", "nature"), [*KAFKA.items(), *SYSTEM.items()])
def test_a_class_of_the_list_is_what_the_list_says(
    kind: type[BaseException], nature: Nature
) -> None:
    assert nature_of(kind()) == nature


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.retriable])
def test_what_the_client_calls_retriable_passes(kind: type[KafkaError]) -> None:
    assert nature_of(kind()) == "passing"


@pytest.mark.parametrize("kind", sorted(PERMANENT, key=str))
def test_whatever_is_not_on_the_list_does_not_pass(kind: type[KafkaError]) -> None:
    assert nature_of(kind()) == "permanent"


@pytest.mark.parametrize("error", [KafkaError(), ValueError(), OverflowError(), RecordTooLarge()])
def test_what_nobody_has_met_before_does_not_pass(error: Exception) -> None:
    assert nature_of(error) == "permanent"


def test_a_certificate_that_is_not_trusted_is_for_somebody_to_mend() -> None:
    assert nature_of(ssl.SSLCertVerificationError()) == "denied"
    assert nature_of(ConnectionResetError()) == "passing"


@given(
    st.none() | st.binary(max_size=300),
    st.none() | st.binary(max_size=20_000),
    st.lists(st.tuples(st.text(max_size=30), st.none() | st.binary(max_size=200)), max_size=20),
)
def test_a_record_is_never_larger_than_it_is_said_to_be(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    batch = DefaultRecordBatchBuilder(2, 0, 0, 2**62, 2**14, 0, 2**30)
    batch.append(0, 2**41, key, value, headers)

    assert len(batch.build()) <= size_of(Record("t", 0, key, value, headers))


TOPIC = commands_topic("matching")
HEADERS = [("ce_id", b"1" * 40), ("null", None), ("…", b"\xff")]


async def test_a_record_that_its_topic_does_not_take_is_refused_before_it_is_sent() -> None:
    log, room = MemoryLog(), most_of(TOPIC) - size_of(Record(TOPIC, 0, b"k", b"", HEADERS))
    fits = Record(TOPIC, 0, b"k", b"x" * room, HEADERS)
    large = fits._replace(value=b"x" * (room + 1))

    check_size(fits)
    assert await log.publish([fits]) == [0]
    with pytest.raises(RecordTooLarge, match=f"{TOPIC} takes records of 1048576 bytes"):
        check_size(large)
    with pytest.raises(errors.MessageSizeTooLargeError):
        await log.publish([large])
    with pytest.raises(errors.MessageSizeTooLargeError):
        await log.send(large)
    check_size(large._replace(topic=PARKED))
    assert len(log.records[TOPIC, 0]) == 1, "none of them is in the log"
