"""The guides and sheets, for anybody: what to do in a session, what a tool is for."""

from fastapi.responses import Response

from services.portal import guides, readings
from services.portal.web.rendering import page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit


async def all_guides(visit: Visit) -> Response:
    """The five exchanges, then the tools."""
    known = guides.sheets()
    exchanges = [name for name, one in known.items() if one.exchange is not None]
    by_tool: dict[str, list[readings.Reading]] = {}
    for name, one in known.items():
        if one.tool is not None:
            by_tool.setdefault(one.tool, []).append(readings.guide(name, visit.language))
    shown = [readings.guide(name, visit.language) for name in exchanges]
    return page(visit, "guides.html", exchanges=shown, by_tool=by_tool)


async def one_guide(visit: Visit) -> Response:
    """One of them."""
    name = visit.path["guide"]
    if name not in guides.sheets():
        raise NotHere
    back = ("/guides", visit.say("Préparer ses séances", "Prepare your sessions"))
    reading, text = readings.guide(name, visit.language), guides.body(name, visit.language)
    return page(visit, "guide.html", reading=reading, text=text, all=back)
