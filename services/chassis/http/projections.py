"""Projections over HTTP: what a cohort has, listed, filtered and counted."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model

from services.chassis.documents import ParkedRecord, RefusedCommand
from services.chassis.domain import Document
from services.chassis.http.filters import asked_for, parameter
from services.chassis.http.identity import caller_of
from services.chassis.http.problems import Problem
from services.chassis.store.contract import Projections, Where

Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[str, Query(description="The last id of the page before.")]
Endpoint = Callable[..., Awaitable[JSONResponse]]

TOTAL = Field(description="How many there are in all, on the first page; null on those after it.")
COHORTS = "cohorts"
_HIDDEN = {"value", "headers", "record_key"}
"""The bytes of a parked record."""


def projection_routes(
    store: Projections,
    kinds: Mapping[type[Document], Sequence[str]],
    counted: Sequence[type[Document]] = (),
    kept: Sequence[type[Document]] = (),
    kind_of_route: type[APIRoute] = APIRoute,
) -> APIRouter:
    """`GET /cohorts/{cohort_id}/{collection}` for every kind, with its filters; by id, paged.

    The kind whose collection is `cohorts` is at `GET /cohorts`, too: one document of each.
    Of those `counted` only the number is shown. `kept`: every kind of the service, by which it is
    told whether it knows a cohort.
    """
    router = APIRouter(tags=["projections"], route_class=kind_of_route)
    cohorts = _Cohorts(store, kept or (*kinds, *counted))
    for kind, filters in kinds.items():
        _list(router, cohorts, kind, filters)
    for kind in kinds:
        if kind.collection == COHORTS:
            router.add_api_route(f"/{COHORTS}", _all(store, kind), response_model=_page_of(kind))
    router.add_api_route(
        "/cohorts/{cohort_id}",
        _overview(cohorts, tuple(kinds), counted),
        response_model=dict[str, dict[str, int]],
    )
    router.add_api_route(
        "/refusals/{cohort_id}/{command_id}", _refusal(store), response_model=RefusedCommand
    )
    router.add_api_route("/parked", _parked(store))
    return router


class _Cohorts:
    """Which cohorts the service knows: those of which it keeps anything."""

    def __init__(self, store: Projections, kept: Sequence[type[Document]]) -> None:
        self.store = store
        self.kept = kept

    async def check(self, cohort_id: str) -> None:
        """Raises `Problem` 404 of a cohort that is not known. Asked only where nothing is found."""
        await self.store.refresh()  # a rebuilt database may have become the live one a moment ago
        for kind in self.kept:
            if await self.store.page(kind, Where(cohort_id), 1):
                return
        raise Problem(404, "no such cohort is known here")


def _list(
    router: APIRouter, cohorts: _Cohorts, kind: type[Document], filters: Sequence[str]
) -> None:
    shown = ", ".join(f"`{name}`" for name in filters) or "none"
    router.add_api_route(
        f"/cohorts/{{cohort_id}}/{kind.collection}",
        _listing(cohorts, kind, filters),
        name=f"list {kind.collection}",
        summary=(kind.__doc__ or "").strip().splitlines()[0],
        description=f"Filters: {shown}.",
        response_model=_page_of(kind),
        openapi_extra={"parameters": [parameter(kind, name) for name in filters]},
    )


def _page_of(kind: type[Document]) -> type[BaseModel]:
    fields: dict[str, Any] = {"items": (Sequence[kind], ...), "total": (int | None, TOTAL)}  # type: ignore[valid-type]
    return create_model(f"{kind.__name__}Page", **fields)


def _all(store: Projections, kind: type[Document]) -> Endpoint:
    async def cohorts(request: Request, limit: Limit = 100, after: After = "") -> JSONResponse:
        """Every cohort that the service knows and the token is for, by id."""
        mine = caller_of(request).cohorts
        if mine is None:
            found = await store.page(kind, limit=limit, after=after)
            total = None if after else await store.count(kind)
        else:
            asked = [await store.one(kind, cohort_id, cohort_id) for cohort_id in sorted(mine)]
            known = [cohort for cohort in asked if cohort is not None]
            found = [c for c in known if c.id > after][:limit]
            total = None if after else len(known)
        items = [document.model_dump(mode="json") for document in found]
        return JSONResponse({"items": items, "total": total})

    return cohorts


def _listing(cohorts: _Cohorts, kind: type[Document], filters: Sequence[str]) -> Endpoint:
    store = cohorts.store

    async def listing(
        request: Request, cohort_id: str, limit: Limit = 100, after: After = ""
    ) -> JSONResponse:
        equal, between = asked_for(request, kind, filters)
        where = Where(cohort_id, equal, between=between)
        found = await store.page(kind, where, limit, after)
        total = None if after else await store.count(kind, where)
        if not found and not total:
            await cohorts.check(cohort_id)
        items = [document.model_dump(mode="json") for document in found]
        return JSONResponse({"items": items, "total": total})

    return listing


def _overview(
    cohorts: _Cohorts, kinds: Sequence[type[Document]], counted: Sequence[type[Document]]
) -> Endpoint:
    store = cohorts.store

    async def overview(cohort_id: str) -> JSONResponse:
        """How many documents of each kind the cohort has, by state."""
        where = Where(cohort_id)
        found: dict[str, dict[str, int]] = {}
        for kind in kinds:
            if "state" in kind.model_fields:
                tally = await store.tally(kind, ["state"], where)
                found[kind.collection] = {state: n for (state,), n in sorted(tally.items())}
            else:
                found[kind.collection] = {"all": await store.count(kind, where)}
        for kind in counted:
            found[kind.collection] = {"all": await store.count(kind, where)}
        if not any(n for tally in found.values() for n in tally.values()):
            await cohorts.check(cohort_id)
        return JSONResponse(found)

    return overview


def _refusal(store: Projections) -> Endpoint:
    async def refusal(cohort_id: str, command_id: str) -> JSONResponse:
        """Why a command was refused; 404 if it was not."""
        refused = await store.one(RefusedCommand, cohort_id, command_id)
        if refused is None:
            raise Problem(404, "no refusal of this command is known")
        return JSONResponse(refused.model_dump(mode="json"))

    return refusal


def _parked(store: Projections) -> Endpoint:
    async def parked(limit: Limit = 100) -> JSONResponse:
        """Records that stand aside, with reason and origin; not their bytes."""
        found = await store.page(ParkedRecord, limit=limit)
        items = [record.model_dump(mode="json", exclude=_HIDDEN) for record in found]
        return JSONResponse({"items": items, "total": await store.count(ParkedRecord)})

    return parked
