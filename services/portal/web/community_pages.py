"""What people find beside their pair: mentors by tool, the room, the next meeting; and who tells.

Always holds: only people of the programme see it; only mentors who agreed stand in the directory.
"""

from datetime import timedelta
from typing import Any

from fastapi.responses import Response
from icalendar import Calendar, Event
from pydantic import ValidationError

from schemas.community import Meeting, StandInDirectory, TellCommunity
from schemas.saying import PARIS
from services.chassis.store.contract import Where
from services.portal.readings import Reading
from services.portal.views import Cohort, Participant
from services.portal.web.coordinating import tasks_of
from services.portal.web.doing import done
from services.portal.web.own_space import me_of, owned
from services.portal.web.rendering import HEADS, onward, page, refusal
from services.portal.web.session_pages import moment_of
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

MANY = 500


async def community(visit: Visit) -> Response:
    """The room, the next meeting, the directory by tool."""
    me, cohort = await there(visit)
    where = Where(cohort.id, {"listed": True})
    listed = await visit.site.store.page(Participant, where, MANY)
    mentors = [one for one in listed if one.name and one.mentor_state in ("available", "paused")]
    by_tool: dict[str, list[Participant]] = {}
    for mentor in sorted(mentors, key=lambda one: one.order):
        for tool in sorted(mentor.skills, key=lambda tool: (-mentor.skills[tool], tool)):
            by_tool.setdefault(tool, []).append(mentor)
    meeting = _to_come(visit, cohort)
    sheets: dict[str, list[Reading]] = {}
    for one in await owned(visit, cohort.id):
        sheets.setdefault(one.tool, []).append(one.reading)
    return page(
        visit,
        "community.html",
        sheets=dict(sorted(sheets.items())),
        me=me,
        cohort=cohort,
        by_tool=dict(sorted(by_tool.items())),
        meeting=meeting,
    )


async def community_sent(visit: Visit) -> Response:
    """I stand in the directory, or not any more."""
    me, cohort = await there(visit)
    if me.mentor_state in (None, "withdrawn"):
        raise NotHere
    listed = visit.typed("annuaire") == "oui"
    command = StandInDirectory(cohort_id=cohort.id, mentor_id=me.id, listed=listed)

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, cohort.id, me.id)
        return now is not None and now.listed == listed

    return await done(visit, command, shows, "annuaire" if listed else "annuaire-quitte")


async def meeting_file(visit: Visit) -> Response:
    """The next meeting, for one's calendar."""
    _, cohort = await there(visit)
    meeting = _to_come(visit, cohort)
    if meeting is None:
        raise NotHere
    event = Event()
    event.add("uid", f"{cohort.id}-{meeting.starts_at:%Y%m%dT%H%M}@connecte")
    event.add("summary", f"{cohort.name} : {meeting.title}")
    event.add("dtstamp", visit.now)
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.starts_at + timedelta(minutes=meeting.minutes))
    event.add("location", meeting.where)
    calendar = Calendar()
    calendar.add("prodid", "-//Connecte ton manager//FR")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    heads = {**HEADS, "Content-Disposition": 'attachment; filename="rencontre.ics"'}
    return Response(calendar.to_ical(), media_type="text/calendar", headers=heads)


async def there(visit: Visit) -> tuple[Participant, Cohort]:
    """Whoever takes part in the programme. Raises `NotHere`."""
    me = await me_of(visit)
    if all(state in (None, "withdrawn") for state in (me.mentor_state, me.manager_state)):
        raise NotHere
    return me, await visit.site.cohort(me.cohort_id)


def _to_come(visit: Visit, cohort: Cohort) -> Meeting | None:
    meeting = cohort.meeting
    if meeting is None:
        return None
    ends = meeting.starts_at + timedelta(minutes=meeting.minutes)
    return meeting if ends > visit.now else None


# --- coordinators -----------------------------------------------------------------------------


async def telling_form(visit: Visit) -> Response:
    """Where people talk, and when they meet next."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    meeting = _to_come(visit, cohort)
    given = {"salon": cohort.room or "", "titre": "", "ou": "", "jour": "", "heure": ""}
    if meeting is not None:
        at = meeting.starts_at.astimezone(PARIS)
        given |= {"titre": meeting.title, "ou": meeting.where}
        given |= {"jour": at.date().isoformat(), "heure": f"{at:%H:%M}"}
    return await _telling(visit, cohort, given, {})


async def _telling(
    visit: Visit, cohort: Cohort, given: dict[str, str], errors: dict[str, str]
) -> Response:
    tasks = await tasks_of(visit, cohort)
    status = 422 if errors else 200
    return page(visit, "telling.html", status, **tasks, given=given, errors=errors)


async def telling_sent(visit: Visit) -> Response:
    """Tell it."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    fields = ("salon", "titre", "ou", "jour", "heure")
    given = {field: visit.typed(field) for field in fields}
    errors: dict[str, str] = {}
    meeting: dict[str, Any] | None = None
    if any(given[field] for field in fields[1:]):
        starts_at = moment_of(given["jour"], given["heure"])
        if starts_at is None or starts_at < visit.now:
            errors["jour"] = visit.say(
                "Choisissez un jour et une heure à venir.", "Choose a day and time to come."
            )
        for field, most in (("titre", 80), ("ou", 200)):
            if not 1 <= len(given[field]) <= most:
                errors[field] = visit.say(f"De 1 à {most} caractères.", f"1 to {most} characters.")
        meeting = {"title": given["titre"], "starts_at": starts_at, "where": given["ou"]}
    try:
        command = TellCommunity.model_validate(
            {"cohort_id": cohort.id, "room": given["salon"] or None, "meeting": meeting}
        )
    except ValidationError as error:
        if any(one["loc"][:1] == ("room",) for one in error.errors()):
            errors["salon"] = visit.say(
                "Écrivez une adresse qui commence par https://", "Type an address with https://"
            )
    if errors:
        return await _telling(visit, cohort, given, errors)
    here = f"/coordonner/{cohort.id}/communaute"
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        now = await visit.site.cohort(cohort.id)
        return (now.room, now.meeting) == (command.room, command.meeting)

    return onward(here, "annonce" if await visit.site.shown(shows) else "en-cours")
