"""Which faults of Kafka pass: a closed list of the client's classes, and what it calls retriable.

Always holds: what is not named here is permanent (too large, no such version, an error that nobody
has met before).
"""

import ssl
from collections.abc import Mapping

from aiokafka import errors
from aiokafka.errors import KafkaError

from services.chassis.faults import Nature
from services.chassis.log.contract import NotTaken

KAFKA: Mapping[type[KafkaError], Nature] = {
    errors.TopicAuthorizationFailedError: "denied",
    errors.GroupAuthorizationFailedError: "denied",
    errors.ClusterAuthorizationFailedError: "denied",
    errors.TransactionalIdAuthorizationFailed: "denied",
    errors.DelegationTokenAuthorizationFailed: "denied",
    errors.DelegationTokenExpired: "denied",
    errors.SaslAuthenticationFailed: "denied",
    errors.AuthenticationFailedError: "denied",
    errors.AuthenticationMethodNotSupported: "denied",
    errors.UnsupportedSaslMechanismError: "denied",
    errors.IllegalSaslStateError: "denied",
    # What is made anew before the next attempt: a producer, a membership, a connection.
    errors.OutOfOrderSequenceNumber: "passing",
    errors.DuplicateSequenceNumber: "passing",
    errors.UnknownProducerId: "passing",
    errors.InvalidProducerEpoch: "passing",
    errors.InvalidProducerIdMapping: "passing",
    errors.ProducerFenced: "passing",
    errors.ProducerClosed: "passing",
    errors.UnknownMemberIdError: "passing",
    errors.IllegalGenerationError: "passing",
    errors.RebalanceInProgressError: "passing",
    errors.CommitFailedError: "passing",
    # What the client does not call retriable though it passes.
    errors.KafkaTimeoutError: "passing",
    errors.KafkaUnavailableError: "passing",
    errors.BrokerNotAvailableError: "passing",
    errors.ReplicaNotAvailableError: "passing",
    errors.StaleControllerEpochError: "passing",
    errors.StaleLeaderEpochCodeError: "passing",
    errors.ListenerNotFound: "passing",
    errors.ReassignmentInProgress: "passing",
    errors.OperationNotAttempted: "passing",
    errors.UnrecognizedBrokerVersion: "passing",
    errors.QuotaViolationError: "passing",
    errors.CorruptRecordException: "passing",  # on the way: what was sent is sent again
}

SYSTEM: Mapping[type[BaseException], Nature] = {
    ssl.SSLCertVerificationError: "denied",
    NotTaken: "passing",
    TimeoutError: "passing",
    OSError: "passing",
}
"""The network's, and the machine's."""


def nature_of(error: BaseException) -> Nature:
    """Whether waiting helps against what the broker came to."""
    if isinstance(error, KafkaError):
        found = next((n for kind, n in KAFKA.items() if isinstance(error, kind)), None)
        return found or ("passing" if error.retriable else "permanent")
    return next((n for kind, n in SYSTEM.items() if isinstance(error, kind)), "permanent")


def is_transient(error: BaseException) -> bool:
    """Whether the broker is away, moving or busy."""
    return nature_of(error) == "passing"
