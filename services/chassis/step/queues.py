"""Who waits behind a record that stands aside: queues of which a step writes a bounded part.

The first ones and the last ones of a queue stand in its head (`BlockedSubject`), all between them
in pages, each written once while the queue grows. Always holds: the order is that of the offsets,
the head names the first one, and a queue without anybody is no document.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from services.chassis.documents import BlockedSubject, QueuePage
from services.chassis.domain import Change, Gone, State

PAGE = 100
"""Records that a page, or an end of the head, has room for."""


def offset_of(origin: str) -> int:
    """The last part of `topic/partition/offset`."""
    return int(origin.rpartition("/")[2])


def page_id(queue: str, first: int) -> str:
    """The id of the page that begins with the record of this offset."""
    return f"{queue}/{first}"


def waiting_in(queue: BlockedSubject, state: State) -> Iterator[str]:
    """Everybody in a queue, the first one first."""
    yield from queue.origins
    for first in queue.pages:
        yield from _page(queue, first, state).origins
    yield from queue.last


def joined(queue: BlockedSubject | None, name: str, service: str, origin: str) -> Iterable[Change]:
    """Somebody comes to the end of a queue, or to one that there is not yet."""
    if queue is None:
        yield BlockedSubject(id=name, cohort_id=service, origins=(origin,))
    elif len(queue.origins) < PAGE and not queue.pages and not queue.last:
        yield queue.model_copy(update={"origins": (*queue.origins, origin)})
    elif len(queue.last) < PAGE:
        yield queue.model_copy(update={"last": (*queue.last, origin)})
    else:
        first = offset_of(queue.last[0])
        yield QueuePage(id=page_id(name, first), cohort_id=service, origins=queue.last)
        yield queue.model_copy(update={"pages": (*queue.pages, first), "last": (origin,)})


def left(queue: BlockedSubject, state: State, origin: str) -> Iterable[Change]:
    """Somebody leaves, wherever they stand."""
    origins, pages, last = queue.origins, queue.pages, queue.last
    if origin in origins:
        origins = _without(origins, origin)
    elif origin in last:
        last = _without(last, origin)
    elif number := bisect_right(pages, offset_of(origin)):
        page = _page(queue, pages[number - 1], state)
        rest = page.model_copy(update={"origins": _without(page.origins, origin)})
        yield rest if rest.origins else Gone(page)
        if not rest.origins:
            pages = (*pages[: number - 1], *pages[number:])
    if not origins and pages:
        page = _page(queue, pages[0], state)
        yield Gone(page)
        origins, pages = page.origins, pages[1:]
    elif not origins:
        origins, last = last, ()
    changed = queue.model_copy(update={"origins": origins, "pages": pages, "last": last})
    yield changed if origins else Gone(queue)


def _page(queue: BlockedSubject, first: int, state: State) -> QueuePage:
    page = state.get(QueuePage, queue.cohort_id, page_id(queue.id, first))
    assert page is not None, "a page is written with the head that names it"
    return page


def _without(origins: tuple[str, ...], origin: str) -> tuple[str, ...]:
    return tuple(other for other in origins if other != origin)
