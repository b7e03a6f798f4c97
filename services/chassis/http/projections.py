"""Projections over HTTP: what a cohort has, listed, filtered and counted."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError, create_model

from services.chassis.documents import ParkedRecord, RefusedCommand
from services.chassis.domain import Document
from services.chassis.http.problems import Problem
from services.chassis.store.mongo import MongoStore

_OVERFLOW = 2**63  # what the database cannot be asked for


def projection_routes(
    store: MongoStore,
    kinds: Mapping[type[Document], Sequence[str]],
    counted: Sequence[type[Document]] = (),
) -> APIRouter:
    """`GET /cohorts/{cohort_id}/{collection}` for every kind, with its filters; by id, paged."""
    router = APIRouter(tags=["projections"])

    def add(kind: type[Document], filters: Sequence[str]) -> None:
        async def listing(
            request: Request,
            cohort_id: str,
            limit: Annotated[int, Query(ge=1, le=1000)] = 100,
            after: Annotated[str, Query(description="The last id of the page before.")] = "",
        ) -> JSONResponse:
            query: dict[str, Any] = {"cohort_id": cohort_id, "id": {"$gt": after}}
            for name in set(request.query_params) - {"limit", "after"}:
                if name not in filters:
                    known = ", ".join(filters) or "none"
                    raise Problem(422, f"{name}: no such filter; there is {known}")
                query[name] = _typed(kind, name, request.query_params[name])
            rows = await store.find(kind, query, limit)
            documents = [kind.model_validate(row).model_dump(mode="json") for row in rows]
            total = await store.count(kind, {k: v for k, v in query.items() if k != "id"})
            return JSONResponse({"items": documents, "total": total})

        shown = ", ".join(f"`{name}`" for name in filters) or "none"
        fields: dict[str, Any] = {"items": (Sequence[kind], ...), "total": (int, ...)}  # type: ignore[valid-type]
        page = create_model(f"{kind.__name__}Page", **fields)
        router.add_api_route(
            f"/cohorts/{{cohort_id}}/{kind.collection}",
            listing,
            methods=["GET"],
            name=f"list {kind.collection}",
            summary=(kind.__doc__ or "").strip().splitlines()[0],
            description=f"Filters: {shown}.",
            response_model=page,
            openapi_extra={"parameters": [_filter(kind, name) for name in filters]},
        )

    for kind, filters in kinds.items():
        add(kind, filters)

    @router.get("/cohorts/{cohort_id}", response_model=dict[str, dict[str, int]])
    async def overview(cohort_id: str) -> JSONResponse:
        """How many documents of each kind the cohort has, by state."""
        found: dict[str, dict[str, int]] = {}
        for kind in (*kinds, *counted):
            fields = ["state"] if "state" in kind.model_fields else ["cohort_id"]
            tally = await store.tally(kind, fields, {"cohort_id": cohort_id})
            by_state = {state: count for (state,), count in sorted(tally.items())}
            found[kind.collection] = (
                by_state if fields == ["state"] else {"all": sum(by_state.values())}
            )
        return JSONResponse(found)

    @router.get("/refusals/{cohort_id}/{command_id}", response_model=RefusedCommand)
    async def refusal(cohort_id: str, command_id: str) -> JSONResponse:
        """Why a command was refused; 404 if it was not."""
        rows = await store.find(RefusedCommand, {"_id": f"{cohort_id}/{command_id}"})
        if not rows:
            raise Problem(404, "no refusal of this command is known")
        return JSONResponse(RefusedCommand.model_validate(rows[0]).model_dump(mode="json"))

    @router.get("/parked")
    async def parked(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> JSONResponse:
        """Records that stand aside, with reason and origin; not their bytes."""
        rows = await store.find(ParkedRecord, {}, limit)
        hidden = {"value", "headers", "record_key"}
        items = [
            ParkedRecord.model_validate(r).model_dump(mode="json", exclude=hidden) for r in rows
        ]
        return JSONResponse({"items": items, "total": await store.count(ParkedRecord, {})})

    return router


def _filter(kind: type[Document], name: str) -> dict[str, Any]:
    """A filter as OpenAPI has it."""
    schema = TypeAdapter(_annotation(kind, name)).json_schema()
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _annotation(kind: type[Document], name: str) -> Any:
    return kind.model_fields[name].annotation


def _typed(kind: type[Document], name: str, text: str) -> Any:
    """A filter's value, as the document's field has it."""
    try:
        value = TypeAdapter(_annotation(kind, name)).validate_strings(text)
    except ValidationError as error:
        raise Problem(422, f"{name}: {error.errors()[0]['msg']}") from None
    if isinstance(value, int) and abs(value) >= _OVERFLOW:
        raise Problem(422, f"{name}: no number is as large as that")
    return value
