"""Everything that a service keeps about one person, as it keeps it.

Always holds: what is somebody else's confidence is left out; a participant gets their own alone.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.chassis.domain import Document, Personal
from services.chassis.http.identity import caller_of
from services.chassis.http.problems import Problem
from services.chassis.store.contract import Projections, Where

PAGE = 1000


class PersonalCopy(BaseModel):
    """What is kept about a person in a cohort: by collection, each document as it is kept."""

    cohort_id: str
    person_id: str
    documents: dict[str, list[dict[str, Any]]]


def personal_routes(
    store: Projections,
    personal: Mapping[type[Document], Personal],
    kind_of_route: type[APIRoute] = APIRoute,
) -> APIRouter:
    """`GET /cohorts/{cohort_id}/people/{person_id}`, where something is kept of people."""
    router = APIRouter(tags=["projections"], route_class=kind_of_route)
    if not personal:
        return router

    async def copy(request: Request, cohort_id: str, person_id: str) -> JSONResponse:
        """Everything that is kept about one person here, for them."""
        actor = caller_of(request).actor
        if actor is not None and actor.role == "participant" and actor.id != person_id:
            raise Problem(403, "this is not for the role of this token", rule="other-role")
        found = await _documents(store, personal, cohort_id, person_id)
        if not found:
            raise Problem(404, "nothing is kept about such a person in this cohort")
        told = {
            kind.collection: [
                one.model_dump(mode="json", exclude=set(personal[kind].withheld)) for one in rows
            ]
            for kind, rows in found.items()
        }
        about = {"cohort_id": cohort_id, "person_id": person_id}
        return JSONResponse({**about, "documents": told}, headers={"Cache-Control": "no-store"})

    path = "/cohorts/{cohort_id}/people/{person_id}"
    router.add_api_route(path, copy, response_model=PersonalCopy)
    return router


async def _documents(
    store: Projections,
    personal: Mapping[type[Document], Personal],
    cohort_id: str,
    person_id: str,
) -> dict[type[Document], list[Document]]:
    """Of each kind that has any, the person's documents, by id; of those they belong to first."""
    found: dict[type[Document], list[Document]] = {}
    for kind, how in personal.items():
        equal = [{field: person_id} for field in how.fields]
        if how.of is not None:
            field, other = how.of
            equal += [{field: one.id} for one in found.get(other, ())]
        rows: dict[str, Document] = {}
        for wanted in equal:
            last = ""
            while page := await store.page(kind, Where(cohort_id, wanted), PAGE, last):
                rows |= {one.id: one for one in page}
                last = page[-1].id
        if rows:
            found[kind] = [rows[key] for key in sorted(rows)]
    return found
