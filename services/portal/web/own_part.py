"""My part in a programme: my week, my absences, a pause, coming back, leaving, another partner.

Always holds: what each of them will do is told before it is done; what is asked for in confidence
is shown to nobody but the coordinators.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.calendars import DeclareAbsence, WithdrawAbsence
from schemas.dates import Absence, Hours
from schemas.matching import ChangeAvailability
from schemas.saying import PARIS
from schemas.taking_part import AskForAnotherPartner, KeepPartner
from services.portal import weeks
from services.portal.views import Pair, Participant
from services.portal.web.deeds import deeds_of
from services.portal.web.doing import done, refused
from services.portal.web.own_space import me_of, side_in
from services.portal.web.rendering import onward, page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

MOST_REASON = 200


async def week_form(visit: Visit) -> Response:
    """My week."""
    me = await me_of(visit)
    ticked = set(weeks.half_days_of(me.availability))
    hours = weeks.written(me.availability)
    return page(visit, "week.html", me=me, half_days_ticked=ticked, hours=hours)


async def week_sent(visit: Visit) -> Response:
    """My week has changed."""
    me = await me_of(visit)
    hours, ticked = visit.typed("heures"), visit.ticked("demi-journee")
    same = hours == weeks.written(me.availability)
    changed = set(ticked) != set(weeks.half_days_of(me.availability))
    try:
        # Whoever ticks other half-days and leaves the hours as they were means the half-days.
        use_hours = hours and not (same and changed)
        windows = weeks.read_week(hours) if use_hours else weeks.of_half_days(ticked)
        windows = windows or weeks.read_week("")
    except weeks.NoWeek as error:
        wrong = visit.say(f"Il faut {error.fr}.", f"It takes {error.en}.")
        errors = {"semaine": wrong}
        given = {"me": me, "half_days_ticked": set(ticked), "hours": hours, "errors": errors}
        return page(visit, "week.html", 422, **given)
    command = ChangeAvailability(
        cohort_id=me.cohort_id, person_id=me.id, availability=tuple(windows)
    )

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, me.cohort_id, me.id)
        return now is not None and now.availability == command.availability

    return await done(visit, command, shows, "semaine")


# --- absences ---------------------------------------------------------------------------------


async def absences_form(visit: Visit) -> Response:
    """When I am away: what I have said, and a form for more."""
    return await _absences(visit, await me_of(visit), {})


async def _absences(visit: Visit, me: Participant, errors: dict[str, str]) -> Response:
    today = visit.now.astimezone(PARIS).date()
    fields = ("premier", "dernier", "de", "a")
    return page(
        visit,
        "absences.html",
        422 if errors else 200,
        me=me,
        to_come=[one for one in me.absences if one.last_day >= today.isoformat()],
        first_day=(today + timedelta(days=1)).isoformat(),
        typed={field: visit.typed(field) for field in fields},
        errors=errors,
    )


async def absences_sent(visit: Visit) -> Response:
    """I am away, or am there after all."""
    me = await me_of(visit)
    about = {"cohort_id": me.cohort_id, "person_id": me.id}
    if visit.typed("action") == "annuler":
        begins = visit.typed("absence")
        found = [one for one in me.absences if _begins(one.first_day, one.hours) == begins]
        if not found:  # the second of two presses, or a page from before
            return onward("/mon-espace", "absence-annulee")
        back = WithdrawAbsence(**about, first_day=found[0].first_day, hours=found[0].hours)
        return await done(visit, back, _changes(visit, me), "absence-annulee")
    first, last = visit.typed("premier"), visit.typed("dernier") or visit.typed("premier")
    times = {"start": visit.typed("de"), "end": visit.typed("a")}
    hours = times if any(times.values()) else None
    try:
        away = DeclareAbsence.model_validate(
            {**about, "first_day": first, "last_day": last, "hours": hours}
        )
    except ValidationError:
        return await _absences(visit, me, _wrong(visit, first, last, hours is not None))
    said = Absence(first_day=away.first_day, last_day=away.last_day, hours=away.hours)
    if said in me.absences:
        return onward("/mon-espace", "absence")
    return await done(visit, away, _changes(visit, me), "absence")


def _wrong(visit: Visit, first: str, last: str, hours: bool) -> dict[str, str]:
    """What is wrong with an absence that was typed, by field."""
    if not first:
        return {"premier": visit.say("Choisissez un jour.", "Choose a day.")}
    if last < first:
        return {
            "dernier": visit.say(
                "Le dernier jour vient avant le premier.", "The last day is before the first."
            )
        }
    if hours and last != first:
        return {
            "de": visit.say(
                "Des heures se donnent pour un seul jour : laissez le dernier jour vide.",
                "Hours are of one day: leave the last day empty.",
            )
        }
    if hours:
        return {
            "de": visit.say(
                "Donnez une heure de début, puis une heure de fin après elle.",
                "Give a time to begin, and a later one to end.",
            )
        }
    return {"premier": visit.say("Ce jour n’existe pas.", "There is no such day.")}


def _begins(day: str, hours: Hours | None) -> str:
    """How a page names an absence."""
    return f"{day} {hours.start if hours else ''}".strip()


def _changes(visit: Visit, me: Participant) -> Callable[[], Awaitable[bool]]:
    async def shows() -> bool:
        return await visit.site.store.one(Participant, me.cohort_id, me.id) != me

    return shows


# --- pause, coming back, leaving --------------------------------------------------------------


async def part_form(visit: Visit) -> Response:
    """Pause, come back, leave: what each will do, before it is done."""
    return page(visit, "taking_part.html", me=await me_of(visit))


async def part_sent(visit: Visit) -> Response:
    """Pause, come back or leave."""
    me = await me_of(visit)
    deed = deeds_of(me).get(visit.typed("action"))
    if deed is None:
        raise NotHere
    if deed.done(me):
        return onward("/mon-espace", deed.own)

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, me.cohort_id, me.id)
        return now is not None and deed.done(now)

    return await done(visit, deed.command, shows, deed.own)


# --- another partner --------------------------------------------------------------------------


async def another_form(visit: Visit) -> Response:
    """Ask for another partner: who will know, and what will happen."""
    me, pair = await _pair(visit)
    if pair.state != "formed":  # it has ended since the page was shown
        return refused(visit, "pair-ended")
    return await _another(visit, me, pair, {})


async def _another(visit: Visit, me: Participant, pair: Pair, errors: dict[str, str]) -> Response:
    side = side_in(me, pair)
    other = pair.manager_id if side == "mentor" else pair.mentor_id
    people = await visit.site.people(me.cohort_id, [other])
    return page(
        visit,
        "another.html",
        422 if errors else 200,
        me=me,
        other=people.get(other),
        asked=any(one.by == side for one in pair.asked_another),
        typed=visit.typed("raison"),
        most=MOST_REASON,
        errors=errors,
    )


async def another_sent(visit: Visit) -> Response:
    """I would rather have another partner, or go on with this one after all."""
    me, pair = await _pair(visit)
    if pair.state != "formed":  # it has ended since the page was shown
        return refused(visit, "pair-ended")
    side = side_in(me, pair)
    about = {"cohort_id": me.cohort_id, "pair_id": pair.id, "by": side}
    reason = visit.typed("raison")
    asks = visit.typed("action") != "garder"
    if any(one.by == side for one in pair.asked_another) == asks:
        return onward("/mon-espace", "autre-binome" if asks else "binome-garde")
    command: Command
    if not asks:
        command, said = KeepPartner.model_validate(about), "binome-garde"
    elif len(reason) > MOST_REASON:
        long = visit.say(f"{MOST_REASON} caractères au plus.", f"At most {MOST_REASON} characters.")
        return await _another(visit, me, pair, {"raison": long})
    else:
        command = AskForAnotherPartner.model_validate({**about, "reason": reason})
        said = "autre-binome"

    async def shows() -> bool:
        return await visit.site.store.one(Pair, me.cohort_id, pair.id) != pair

    return await done(visit, command, shows, said)


async def _pair(visit: Visit) -> tuple[Participant, Pair]:
    """The pair that the address names, which is mine and stands or stood. Raises `NotHere`."""
    me = await me_of(visit)
    pair = await visit.site.store.one(Pair, me.cohort_id, visit.path["pair"])
    if pair is None or pair.state == "proposed" or side_in(me, pair) is None:
        raise NotHere
    return me, pair
