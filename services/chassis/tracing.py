"""What the chassis tells of its work to whoever traces; and the tracing that is switched off.

Always holds: no decision and no document depends on it. What it adds to a record is the
`ce_traceparent`, which no fold reads; a rebuild goes past it. Switched off, a trace context goes
on as it came, and nothing of OpenTelemetry's SDK is loaded.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from services.chassis.domain import Change, Document
from services.chassis.inputs import Input

if TYPE_CHECKING:
    from fastapi import FastAPI

T = TypeVar("T")

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
"""A W3C trace context: trace, span, flags."""

Conclude = Callable[[str], None]
"""Called with what came of some work, in a word."""


def _unheard(_: str) -> None:
    pass


class Tracing:
    """No tracing. `services.chassis.watch.otel` has the other kind."""

    def serve(self, app: "FastAPI") -> None:
        """Have a span for each request."""

    def here(self, given: str | None) -> str | None:
        """The trace context of what is under way, for what it leads to; else the given one."""
        return given

    def around(self, part: T, *methods: str) -> T:
        """The part, with a span within the step's for each call of these methods."""
        del methods
        return part

    @contextmanager
    def step(self, inputs: Sequence[Input]) -> Iterator[None]:
        """The making of a step. Steps are made one at a time."""
        del inputs
        yield

    def handled(self, item: Input) -> str | None:
        """The trace context for the events that an input of the step comes to."""
        return item.attributes.traceparent if item.attributes else None

    def follow(self, kinds: Iterable[type[Document]]) -> None:
        """Documents of these kinds wait for a due worker, and their traces with them."""

    def changed(self, changes: Sequence[Change], traceparent: str | None) -> None:
        """What was decided in this trace context changes these documents."""

    @contextmanager
    def work(self, name: str, document: Document) -> Iterator[Conclude]:
        """A due worker does something for a document that is followed."""
        del name, document
        yield _unheard

    def start(self) -> None:
        """Begin to hand over what is traced."""

    async def close(self) -> None:
        """Hand over the rest, within a few seconds."""


OFF = Tracing()
