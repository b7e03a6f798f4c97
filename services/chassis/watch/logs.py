"""Structured logs: one JSON object a line on standard error, for every library as for us.

Always holds, at any level: what people entrust to the platform is in no line. Libraries are heard
from WARNING on (a driver tells at DEBUG of whole commands, a server of the paths it is asked for,
which hold the tokens of links); and of an error that is not ours no text is told, for it may quote
what could not be written or read: its type is, and where it was.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from pythonjsonlogger.json import JsonFormatter

OURS = ("services", "schemas", "__main__")
"""Who logs at the level that is asked for."""
_TOLD = ("services.", "schemas.", "aiokafka.")
"""Where errors are from whose text quotes nobody: it names topics, partitions and settings."""


def configure(service: str, level: str) -> None:
    """Let everything this process logs be JSON, with the service's name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_ours_or_serious)  # whatever level a library gives itself
    handler.setFormatter(
        Discreet(
            "{levelname}{name}{message}",
            style="{",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": service},
        )
    )
    at_least = max(logging.WARNING, logging.getLevelName(level))
    logging.basicConfig(level=at_least, handlers=[handler], force=True)
    for ours in OURS:
        logging.getLogger(ours).setLevel(level)
    for library in list(logging.Logger.manager.loggerDict):
        if library.partition(".")[0] not in OURS:
            _like_all_others(logging.getLogger(library))


def _like_all_others(library: logging.Logger) -> None:
    """Some bring handlers of their own, which write what they like, and not as JSON."""
    library.handlers.clear()
    library.propagate = True
    library.setLevel(logging.NOTSET)


def told(error: BaseException) -> str:
    """What may be logged of an error: its type, and its text where that quotes nobody."""
    kind = type(error)
    if isinstance(error, OSError) or f"{kind.__module__}.".startswith(_TOLD):
        return f"{kind.__name__}: {error}"
    return kind.__name__


def _is_ours_or_serious(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


class Discreet(JsonFormatter):
    """Writes of an error what may be told of it, and of what it came from."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's own name
        """`ei` as `sys.exc_info()` has it."""
        return "".join(_lines(ei[1])).rstrip("\n") if ei[1] is not None else ""


def _lines(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "which led to:\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{told(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "one of them:\n"
            yield from _lines(one)
