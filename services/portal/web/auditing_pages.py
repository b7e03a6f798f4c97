"""Contrôler: who did what in a programme, for whoever has to see that its rules are kept.

Always holds: what is shown is what the services tell auditors, ids and no names, and nothing of
whoever stands behind the wall; one page asks a service a few times and no more.
"""

from datetime import date, datetime
from typing import Literal, get_args

from fastapi.responses import Response

from schemas.roles import Role
from schemas.saying import PARIS
from schemas.topics import Service
from services.chassis.http.acts import Acts, ShownAct
from services.portal.acts import UPKEEP
from services.portal.web.rendering import page
from services.portal.web.visit import Visit
from services.portal.web.wall import names

PAGE = 50
ASKS = 4
"""How often a service is asked for one page; each answer looks at some thousands of records."""
Part = Literal["matching", "scheduling", "notify"]
PARTS: tuple[Part, ...] = get_args(Part)
"""Whose journals are read. Feedback is asked for nothing by anybody who is to be known: of what is
answered there no record says who is behind it."""
ROLES: tuple[Role, ...] = get_args(Role)
BEGINNING = "0.0"


async def programmes(visit: Visit) -> Response:
    """The programmes that the visitor audits."""
    theirs = [one for one in await visit.site.cohorts() if visit.audits_in(one.id)]
    return page(visit, "audited.html", cohorts=theirs)


async def acts(visit: Visit) -> Response:
    """Some of what was done, the oldest first, from where the address says."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    part = next((one for one in PARTS if one == visit.query.get("quoi")), PARTS[0])
    role, day = visit.query.get("role", ""), _day(visit.query.get("jour", ""))
    at, passed = _spot(visit.query.get("suite", ""))
    hidden = await visit.hidden(cohort.id)

    def fits(act: ShownAct) -> bool:
        seen = not names(act.about, hidden) and act.actor not in hidden
        asked = role in ("", act.role) and (day is None or _on(act.time) == day)
        return seen and asked and not act.follows and act.what not in UPKEEP

    found: list[ShownAct] = []
    following: str | None = at
    for _ in range(ASKS):
        told = await _asked(visit, part, cohort.id, at)
        fitting = [act for act in told.items if fits(act)][passed:]
        room = PAGE - len(found)
        found += fitting[:room]
        if len(fitting) > room:
            following = f"{at}.{passed + room}"
            break
        following, passed = told.next, 0
        if told.next is None or len(found) == PAGE:
            break
        at = told.next
    kept = {"quoi": part, "role": role, "jour": "" if day is None else day.isoformat()}
    return page(
        visit,
        "acts.html",
        cohort=cohort,
        acts=found,
        parts=PARTS,
        roles=ROLES,
        kept=kept,
        following=following or "",
        first=not visit.query.get("suite"),
    )


async def _asked(visit: Visit, service: Service, cohort_id: str, after: str) -> Acts:
    actor = await visit.actor(cohort_id)
    return await visit.site.engine.acts(service, cohort_id, after, actor)


def _spot(given: str) -> tuple[str, int]:
    """From which record on, as the service says it, and how many acts of its answer are passed."""
    parts = given.split(".")
    if len(parts) in (2, 3) and all(one.isascii() and one.isdigit() for one in parts):
        topic, offset, passed = (*parts, "0")[:3]
        if len(topic) <= 2 and len(offset) <= 18 and len(passed) <= 6:
            return f"{topic}.{offset}", int(passed)
    return BEGINNING, 0


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _on(moment: datetime) -> date:
    return moment.astimezone(PARIS).date()
