"""For coordinators: everybody by name, searched and filtered."""

from fastapi.responses import Response

from services.chassis.store.contract import Where
from services.portal.spelling import words_of
from services.portal.views import Participant
from services.portal.web.coordinating import tasks_of
from services.portal.web.rendering import page
from services.portal.web.visit import Visit

PAGE = 50
MANY = 200
FILTERS: dict[str, tuple[str, str]] = {
    "mentor-available": ("mentor_state", "available"),
    "mentor-paused": ("mentor_state", "paused"),
    "mentor-withdrawn": ("mentor_state", "withdrawn"),
    "manager-waiting": ("manager_state", "waiting"),
    "manager-proposed": ("manager_state", "proposed"),
    "manager-paired": ("manager_state", "paired"),
    "manager-graduated": ("manager_state", "graduated"),
    "manager-withdrawn": ("manager_state", "withdrawn"),
}


async def participants(visit: Visit) -> Response:
    """Everybody by name: searched, filtered, fifty at a time."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    search, chosen = visit.query.get("q", "")[:80], visit.query.get("etat", "")
    equal = dict([FILTERS[chosen]]) if chosen in FILTERS else {}
    starting = tuple(("words", word) for word in words_of(search))
    where = Where(cohort.id, equal, starting=starting)
    after = visit.query.get("apres", "")
    found = await visit.site.store.page(Participant, where, PAGE + 1, after, by="order")
    return page(
        visit,
        "participants.html",
        **await tasks_of(visit, cohort),
        people=found[:PAGE],
        more=found[PAGE - 1].order if len(found) > PAGE else "",
        total=await visit.site.store.count(Participant, where),
        search=search,
        chosen=chosen,
        filters=FILTERS,
        first=not after,
    )
