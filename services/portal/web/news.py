"""That there is news of a programme, told to the browsers that show it: server-sent events.

Always holds: it is told that the portal has made a step, of whatever is on the programme's
partition, and never what happened or to whom; a page that is left open keeps nobody signed in.
"""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse

from services.chassis.store.contract import NoAnswer
from services.portal.web.own_space import me_of
from services.portal.web.rendering import HEADS
from services.portal.web.site import Site
from services.portal.web.visit import Visit

LOOK_EVERY = 0.4
"""Seconds between two looks at how far the portal has come."""
AGAIN_MS = 1000


async def of_mine(visit: Visit) -> Response:
    """For whoever takes part."""
    me = await me_of(visit)
    return _listening(visit, me.cohort_id)


async def of_programme(visit: Visit) -> Response:
    """For whoever coordinates it."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return _listening(visit, cohort.id)


def _listening(visit: Visit, cohort_id: str) -> Response:
    site = visit.entry.site
    if site.listening.full:
        return Response(status_code=204, headers=HEADS)  # by which a browser asks no more
    since = visit.request.headers.get("last-event-id") or visit.query.get("depuis", "")
    heads = {**HEADS, "X-Accel-Buffering": "no"}
    told = _told(site, cohort_id, since)
    return StreamingResponse(told, media_type="text/event-stream", headers=heads)


async def _told(site: Site, cohort_id: str, since: str) -> AsyncIterator[str]:
    """A line whenever there is news, for a while: the browser asks again by itself."""
    with site.listening.taking():
        yield f"retry: {AGAIN_MS}\n\n"
        until = time.monotonic() + site.listen_seconds
        while True:
            try:
                mark = await site.mark(cohort_id)
            except NoAnswer:
                return
            if mark != since:
                since = mark
                yield f"id: {mark}\ndata:\n\n"
            if time.monotonic() >= until:
                return
            await asyncio.sleep(LOOK_EVERY)
