"""Errors as one line for people, and the exit code of `connecte`.

What fails in a way that people can do something about is one of the two classes here, or of their
kind: its text says what and why. What libraries raise is put into words by `explained`. Nothing
of ours is imported before something has failed, so every wing can stand on this.
"""

from typing import ClassVar


class OperationFailed(Exception):
    """It did not work; the text says what and why."""

    exit_code: ClassVar[int] = 1


class BadInput(OperationFailed):
    """What was given cannot be used; the text says what and why."""

    exit_code = 2


def explained(error: BaseException) -> tuple[str, int] | None:
    """An error as one line for people, and the exit code; None if it is a fault of ours."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OperationFailed):  # most are, and need nothing of what follows
        return str(error), error.exit_code

    import httpx
    from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownError
    from pydantic import ValidationError
    from pymongo.errors import OperationFailure, PyMongoError

    from schemas.invalid import in_one_line
    from services.chassis.settings import WrongSetting
    from services.chassis.step.rebuild import JournalBroken
    from services.chassis.store.contract import NoAnswer
    from services.chassis.store.generations import FenceFell

    if isinstance(error, NoAnswer) and error.__cause__ is not None:
        error = error.__cause__
    match error:
        case WrongSetting():
            return str(error), 2
        case ValidationError():
            return in_one_line(error.errors(include_url=False, include_input=False), "value"), 2
        case JournalBroken():
            return f"the journal is not whole: {error}", 1
        case FenceFell():
            return f"the database goes on as it was: {error}; run it again", 1
        case KafkaConnectionError():
            return (
                "the broker does not answer, or does not let us in; "
                "are KAFKA_BOOTSTRAP_SERVERS, KAFKA_SASL_… and KAFKA_SSL_… right?"
            ), 1
        case UnknownError():
            return (
                "the broker refuses, and does not say why; one without idempotent producers, such "
                "as the embedded one, needs CONNECTE_KAFKA_IDEMPOTENT=false"
            ), 1
        case KafkaError():
            return f"the broker: {type(error).__name__}: {error}", 1
        case OperationFailure():
            reason = (error.details or {}).get("codeName", error.code)
            return f"the database refuses: {reason}", 1
        case PyMongoError():
            return "the database does not answer; is MONGODB_URI right?", 1
        case httpx.HTTPError():
            return f"a service does not answer: {type(error).__name__}", 1
        case OSError() | TimeoutError():
            return f"{type(error).__name__}: {error}", 1
        case _:
            return None
