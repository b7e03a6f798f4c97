"""What a service hands to its runtime beside its domain: what is listed, served, done when due."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from schemas.base import Command
from services.chassis.clock import Clock
from services.chassis.domain import Document, Domain, Personal, Timed
from services.chassis.http.bodies import MAX_BODY
from services.chassis.http.commands import Checks
from services.chassis.http.forms import LinkPage
from services.chassis.http.looks import Look
from services.chassis.log.contract import Log
from services.chassis.step.deadlines import DueWorker
from services.chassis.store.contract import Projections, Store
from services.chassis.store.kept import Kept
from services.chassis.tracing import Tracing
from services.chassis.watch.metrics import Measure

Beside = Callable[[Store, Log, Clock, CollectorRegistry], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What distinguishes one service from another, beside its domain.

    `listed`: what coordinators may list, and by which fields. `counted`: what they may only see the
    number of. `personal`: what is kept about people, for them. `due_workers` are built once the
    service has its store and log. `topics`: commands of the service that have a topic of their own.
    `by_link`: those that only the person whom they are about can send, by a link, and so not
    whoever has the token. `checks`: what speaks against one that nobody decides on,
    or what is to be sent of it.
    `done_when`: commands that ask for what a due worker does, to the kind of document in which it
    is done. `looks`: what is found from documents when it is asked for.
    `routes`: pages of the service's own, after all others. `largest_body`: bytes that a request may
    bring. `beside`: what runs for as long as the process does, once it can read and write; it is
    given store, log, clock and what is counted.
    """

    domain: Domain
    listed: Mapping[type[Document], Sequence[str]]
    measures: Sequence[Measure] = ()
    counted: Sequence[type[Document]] = ()
    personal: Mapping[type[Document], Personal] = field(default_factory=dict)
    due_workers: Callable[[Store, Log, Tracing], Mapping[type[Document], DueWorker]] = lambda *_: {}
    link_pages: Mapping[str, LinkPage] = field(default_factory=dict)
    looks: Sequence[Look] = ()
    topics: Mapping[type[Command], str] = field(default_factory=dict)
    by_link: frozenset[type[Command]] = frozenset()
    checks: Checks = field(default_factory=dict)
    done_when: Mapping[type[Command], type[Timed]] = field(default_factory=dict)
    routes: Callable[[Projections, Kept, Clock], Sequence[APIRouter]] = lambda *_: ()
    largest_body: int = MAX_BODY
    beside: Beside | None = None
    close: Callable[[], Awaitable[None]] | None = None
