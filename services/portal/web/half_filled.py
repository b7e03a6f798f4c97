"""Half-filled forms: kept while somebody signs in again or changes the language, and put back.

Always holds: nothing is sent to a service and nothing decided; only the browser that typed it is
given it back; a file is not kept, and its field says that it has to be chosen again.
"""

import re
from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from services.chassis.store.contract import Row
from services.portal.web.refilling import OF_VISIT
from services.portal.web.rendering import HEADS, message, onward, page
from services.portal.web.signing_in import is_inside
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

_OF_ANOTHER_FORM = re.compile(r"autre-(\d{1,4})\.(.+)", re.S)
"""What the page's script adds of other forms of the page that somebody has typed into."""


def _typed(visit: Visit, path: str, shown: str) -> Row:
    """All that came with a form, for this browser. `path`: where it is sent; `shown`: its page."""
    forms: dict[str, list[list[str]]] = {"": []}
    files: dict[str, str] = {}
    for name, value in visit.form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                files[name] = value.filename
            continue
        other = _OF_ANOTHER_FORM.fullmatch(name)
        number, its_name = (other[1], other[2]) if other else ("", name)
        if its_name != OF_VISIT:
            forms.setdefault(number, []).append([its_name, value])
    own, *others = forms.values()
    kept = {"path": path, "shown": shown, "fields": own, "others": others, "files": files}
    return {**kept, "visit": visit.token}


async def to_sign_in(visit: Visit) -> Response:
    """First sign in; what was typed is kept, and taken up again afterwards."""
    path, query, draft = visit.request.url.path, visit.request.url.query, None
    if typed := visit.request.method == "POST":
        draft = await visit.keep(_typed(visit, path, visit.shown_at))
    way = f"/reprendre/{draft}" if draft else f"{path}?{query}" if query else path
    lost = typed and draft is None
    return page(visit, "signed_out.html", 401, way=f"/connexion?vers={quote(way)}", lost=lost)


async def take_up(visit: Visit) -> Response:
    """A form that was sent after its session had ended: to be sent again, with one button; where a
    file was chosen, it is put back instead, for the file to be chosen again."""
    found = await visit.site.draft(visit.path["draft"])
    if found is None or found.get("visit") != visit.token:
        raise NotHere
    if found["files"]:
        return onward(f"{found['shown']}?{visit.PUT_BACK}={visit.path['draft']}", "repris")
    return page(visit, "take_up.html", action=found["path"], fields=found["fields"])


async def other_language(visit: Visit) -> Response:
    """The page in the other language, with what was typed into its forms."""
    way = visit.query.get("vers", "")
    if not is_inside(way) or "?" not in way:
        raise NotHere
    shown = way.partition("?")[0]
    draft = await visit.keep(_typed(visit, "", shown), visit.address or visit.typed("adresse"))
    if draft is None:
        return message(
            visit,
            visit.say("C’est trop long pour être gardé", "This is too long to be kept"),
            visit.say(
                "Revenez à la page précédente : ce que vous y avez écrit est encore là.",
                "Go back: what you have typed there is still there.",
            ),
            status=413,
        )
    return RedirectResponse(f"{way}&{visit.PUT_BACK}={draft}", 303, headers=HEADS)


async def find(visit: Visit) -> None:
    """See that the page shows what is to be put back, if this browser typed it on it."""
    token = visit.query.get(visit.PUT_BACK)
    found = await visit.site.draft(token) if token else None
    if found is None or found.get("visit") != visit.token:
        return
    if found.get("shown") == visit.request.url.path:
        visit.half_filled = found
