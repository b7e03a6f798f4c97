"""Which faults of MongoDB pass: a closed list, of the driver's classes, labels and codes.

Always holds: what is not named here is permanent (too large, no such type, a broken rule, an error
that nobody has met before).
"""

from collections.abc import Mapping

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from services.chassis.faults import Nature, worst
from services.chassis.store.contract import NoAnswer
from services.chassis.store.generations import Moving

LABELS: Mapping[str, Nature] = {
    "TransientTransactionError": "passing",
    "UnknownTransactionCommitResult": "passing",
    "RetryableWriteError": "passing",
    "RetryableError": "passing",
    "SystemOverloadedError": "passing",
}
"""What the server itself says of an error."""

CLASSES: Mapping[type[PyMongoError], Nature] = {
    Moving: "passing",
    ServerSelectionTimeoutError: "passing",
    NetworkTimeout: "passing",
    NotPrimaryError: "passing",
    AutoReconnect: "passing",
    WaitQueueTimeoutError: "passing",
    ConnectionFailure: "passing",
    ExecutionTimeout: "passing",
    CursorNotFound: "passing",
    WTimeoutError: "passing",
}
"""The driver's own: nobody answered, or not in time."""

CODES: Mapping[int, Nature] = {
    6: "passing",  # HostUnreachable
    7: "passing",  # HostNotFound
    11: "denied",  # UserNotFound
    13: "denied",  # Unauthorized
    18: "denied",  # AuthenticationFailed
    24: "passing",  # LockTimeout
    31: "denied",  # RoleNotFound
    43: "passing",  # CursorNotFound
    46: "passing",  # LockBusy
    50: "passing",  # MaxTimeMSExpired
    64: "passing",  # WriteConcernFailed
    89: "passing",  # NetworkTimeout
    91: "passing",  # ShutdownInProgress
    100: "passing",  # UnsatisfiableWriteConcern: too few members
    112: "passing",  # WriteConflict
    117: "passing",  # ConflictingOperationInProgress
    133: "passing",  # FailedToSatisfyReadPreference
    134: "passing",  # ReadConcernMajorityNotAvailableYet
    189: "passing",  # PrimarySteppedDown
    202: "passing",  # NetworkInterfaceExceededTimeLimit
    225: "passing",  # TransactionTooOld
    237: "passing",  # CursorKilled
    239: "passing",  # SnapshotTooOld
    246: "passing",  # SnapshotUnavailable
    251: "passing",  # NoSuchTransaction
    262: "passing",  # ExceededTimeLimit
    290: "passing",  # TransactionExceededLifetimeLimitSeconds
    391: "denied",  # ReauthenticationRequired
    462: "passing",  # IngressRequestRateLimitExceeded
    8000: "denied",  # AtlasError: of a hosted database, its permissions and quotas
    9001: "passing",  # SocketException
    10058: "passing",  # LegacyNotPrimary
    10107: "passing",  # NotWritablePrimary
    11600: "passing",  # InterruptedAtShutdown
    11601: "passing",  # Interrupted
    11602: "passing",  # InterruptedDueToReplStateChange
    13435: "passing",  # NotPrimaryNoSecondaryOk
    13436: "passing",  # NotPrimaryOrSecondary
    14031: "passing",  # OutOfDiskSpace
}
"""The server's, by number (mongo/src/mongo/base/error_codes.yml)."""


def nature_of(error: BaseException) -> Nature:
    """Whether waiting helps against what the database came to."""
    if isinstance(error, NoAnswer) and error.__cause__ is not None:
        return nature_of(error.__cause__)
    if not isinstance(error, PyMongoError):
        return "permanent"
    for label, nature in LABELS.items():
        if error.has_error_label(label):
            return nature
    if isinstance(error, BulkWriteError):
        refused = error.details["writeErrors"]
        # Nothing was refused: only the majority's word is missing, as when a primary steps down.
        codes: set[Nature] = {CODES.get(row["code"], "permanent") for row in refused}
        return worst(codes) if refused else "passing"
    if isinstance(error, OperationFailure) and (error.code or 0) in CODES:
        return CODES[error.code or 0]
    return next((n for kind, n in CLASSES.items() if isinstance(error, kind)), "permanent")


def is_transient(error: BaseException) -> bool:
    """Whether trying again can help: the database is away, moving or busy."""
    return nature_of(error) == "passing"
