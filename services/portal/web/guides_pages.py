"""The guides and sheets, for anybody: what to do in a session, what a tool is for."""

from fastapi.responses import Response

from services.portal import guides
from services.portal.web.rendering import page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit


async def all_guides(visit: Visit) -> Response:
    """The five exchanges, then the tools."""
    known = guides.sheets()
    exchanges = [name for name, one in known.items() if one.exchange is not None]
    by_tool: dict[str, list[str]] = {}
    for name, one in known.items():
        if one.tool is not None:
            by_tool.setdefault(one.tool, []).append(name)
    return page(visit, "guides.html", exchanges=exchanges, by_tool=by_tool)


async def one_guide(visit: Visit) -> Response:
    """One of them."""
    name = visit.path["guide"]
    if name not in guides.sheets():
        raise NotHere
    return page(visit, "guide.html", name=name, text=guides.body(name, visit.language))
