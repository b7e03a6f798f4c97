"""`GET /cohorts/{cohort_id}/acts`: who did what, as far as this service's own journal tells.

Always holds: what is told is what the heads of records tell, ids and no names; one request looks at
a bounded number of records, and one is read for at a time.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from schemas.topics import partition_of
from services.chassis.faults import name_of
from services.chassis.http.problems import AWAY, Problem
from services.chassis.log.acts import Act, act_of
from services.chassis.log.contract import Log

logger = logging.getLogger(__name__)

LOOKED_AT = 5000
"""Records that one request looks at, at least where there are so many, and hardly more."""
SECONDS = 20.0
SPOT = r"^\d{1,2}\.\d{1,18}$"


class ShownAct(BaseModel):
    """Something that came of what somebody asked; `about`: its subject within the cohort."""

    cohort_id: str
    time: datetime
    actor: str
    type: str
    role: str
    via: str
    what: str
    about: str
    refused: str | None
    follows: bool


class Acts(BaseModel):
    """Some of it. `next`: what to give as `after` to go on; null: that was all."""

    items: Sequence[ShownAct]
    next: str | None


def act_routes(
    log: Log, topics: Sequence[str], partitions: int, kind_of_route: type[APIRoute] = APIRoute
) -> APIRouter:
    """Who did what, by these topics of the service's own, one after the other."""
    router = APIRouter(tags=["projections"], route_class=kind_of_route)
    busy = asyncio.Lock()

    async def acts(
        cohort_id: str,
        actor: Annotated[str, Query(description="Only what this one did, by id.")] = "",
        about: Annotated[str, Query(description="Only of this person, pair or session.")] = "",
        after: Annotated[
            str, Query(pattern=SPOT, description="`next` of the answer before.")
        ] = "0.0",
    ) -> JSONResponse:
        """Who asked for what in a cohort, in which role and through what, and what came of it."""
        if busy.locked():
            raise Problem(503, "somebody else is reading: come back", retry_after=AWAY)
        async with busy:
            found, following = await _looked(log, topics, partitions, cohort_id, after)
        shown = [
            {**asdict(act), "time": act.time.isoformat(), "cohort_id": cohort_id}
            for act in found
            if actor in ("", act.actor) and (not about or about in act.about.split("~"))
        ]
        return JSONResponse({"items": shown, "next": following})

    router.add_api_route("/cohorts/{cohort_id}/acts", acts, response_model=Acts)
    return router


async def _looked(
    log: Log, topics: Sequence[str], partitions: int, cohort_id: str, after: str
) -> tuple[list[Act], str | None]:
    """The acts among the next records, and from where to go on; None at the end."""
    number, offset = map(int, after.split("."))
    partition, found, looked = partition_of(cohort_id, partitions), list[Act](), 0
    try:
        async with asyncio.timeout(SECONDS):
            for at, topic in list(enumerate(topics))[number:]:
                start = offset if at == number else 0
                async with aclosing(log.read(topic, partition, start)) as batches:  # type: ignore[type-var]
                    async for rows in batches:
                        looked += len(rows)
                        acts = (act_of(row, cohort_id) for row in rows)
                        found += [act for act in acts if act is not None]
                        if looked >= LOOKED_AT:
                            return found, f"{at}.{rows[-1].offset + 1}"
    except Exception as error:  # noqa: BLE001  # whatever it is, nothing can be told now
        logger.warning("the journal cannot be read: %s", name_of(error))
        raise Problem(503, "the broker does not answer", retry_after=AWAY) from None
    return found, None
