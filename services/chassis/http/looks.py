"""What a service tells of one thing beside its documents: found from them when it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.routing import APIRoute

from schemas.base import Value
from services.chassis.clock import Clock
from services.chassis.domain import State
from services.chassis.http.foresight import Foresight
from services.chassis.http.problems import Problem


@dataclass(frozen=True, slots=True)
class Look:
    """`GET /cohorts/{cohort_id}/{collection}/{id}/{name}`.

    `answer` finds it from the documents: `(state, cohort_id, id, now)`; None where there is none.
    """

    collection: str
    name: str
    model: type[Value]
    answer: Callable[[State, str, str, datetime], Value | None]


def look_routes(
    looks: Sequence[Look],
    foresight: Foresight,
    clock: Clock,
    kind_of_route: type[APIRoute] = APIRoute,
) -> APIRouter:
    """The routes of what can be looked at."""
    router = APIRouter(tags=["projections"], route_class=kind_of_route)
    for look in looks:
        router.add_api_route(
            f"/cohorts/{{cohort_id}}/{look.collection}/{{id}}/{look.name}",
            _answering(look, foresight, clock),
            name=f"{look.name} of {look.collection}",
            summary=(look.model.__doc__ or "").strip().splitlines()[0],
            response_model=look.model,
        )
    return router


def _answering(look: Look, foresight: Foresight, clock: Clock) -> Callable[..., object]:
    async def answer(cohort_id: str, id: str) -> Value:
        now = clock.now()
        found = await foresight.look(lambda state: look.answer(state, cohort_id, id, now))
        if found is None:
            raise Problem(404, "there is no such thing in this cohort")
        return found

    return answer
