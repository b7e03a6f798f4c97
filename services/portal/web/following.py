"""For coordinators: how a programme is getting on, in figures, charts, and tables to take away.

Always holds: behind every chart are its figures, and n beside every rate; no answer to a survey is
here, and no mean of fewer than the programme's smallest group.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TypeVar

from fastapi.responses import Response

from schemas import saying
from schemas.known.jobs import said as job_said
from services.chassis.domain import D
from services.chassis.store.contract import Where
from services.portal import phrases
from services.portal.charts import chart
from services.portal.views import Cohort, Letter, Pair, Participant, Session
from services.portal.web.coordinating import tally_of, tasks_of
from services.portal.web.own_space import state_of
from services.portal.web.rendering import HEADS, page
from services.portal.web.sheets import Cell, as_csv, as_ods
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

WEEKS = 26
BATCH = 500
OUTCOMES = ("completed", "missed", "planned")
Two = TypeVar("Two", Pair, Session)


async def following(visit: Visit) -> Response:
    """The funnel, sessions by week, attendance, who waits, letters, and the verdict."""
    followed = await visit.follow(visit.path["cohort"])
    cohort = await visit.site.cohort(visit.path["cohort"])
    store, at = visit.site.store, Where(cohort.id)
    mentors = await tally_of(visit, cohort, "mentor_state")
    managers = await tally_of(visit, cohort, "manager_state")
    pairs = {s: n for (s,), n in (await store.tally(Pair, ["state"], at)).items()}
    begun = await store.tally(Pair, ["completed"], at)
    by_week = await store.tally(Session, ["week", "state"], at)
    sessions: Counter[str] = Counter()
    for (_, state), n in by_week.items():
        sessions[state] += n
    waiting = Where(cohort.id, {"manager_state": "waiting"})
    causes = await store.tally(Participant, ["waiting_for"], waiting)
    say, language = visit.say, visit.language
    formed = sum(pairs.get(state, 0) for state in ("formed", "graduated", "dissolved"))
    funnel = [
        (say("Managers inscrits", "Managers who joined"), sum(managers.values())),
        (say("Binômes proposés", "Pairs proposed"), sum(pairs.values())),
        (say("Binômes formés", "Pairs formed"), formed),
        (
            say("Une séance au moins", "One session or more"),
            sum(n for (done,), n in begun.items() if done not in ("", "0")),
        ),
        (say("Parcours terminés", "All sessions held"), pairs.get("graduated", 0)),
    ]
    weeks = sorted({week for week, _ in by_week if week})[-WEEKS:]
    week_rows = [
        (
            saying.day(_begin(week), language).partition(" ")[2],
            [(state, by_week.get((week, state), 0)) for state in OUTCOMES],
        )
        for week in weeks
    ]
    held, missed = sessions["completed"], sessions["missed"]
    return page(
        visit,
        "following.html",
        follow=followed,
        **await tasks_of(visit, cohort),
        mentors=mentors,
        managers=managers,
        pairs=pairs,
        sessions=dict(sessions),
        funnel=chart(
            say("Du programme aux parcours terminés", "From joining to the last session"),
            _told(funnel),
            [(label, [("completed", n)]) for label, n in funnel],
        ),
        funnel_rows=funnel,
        weeks=chart(
            say("Séances par semaine", "Sessions by week"),
            say(
                "Tenues, manquées et à venir, semaine après semaine.",
                "Held, missed and to come, week by week.",
            ),
            week_rows,
        ),
        week_rows=week_rows,
        held=held,
        told=held + missed,
        causes={cause: n for (cause,), n in causes.items()},
        letters={s: n for (s,), n in (await store.tally(Letter, ["state"], at)).items()},
    )


def _told(rows: Sequence[tuple[str, int]]) -> str:
    return " ; ".join(f"{label} : {n}" for label, n in rows) + "."


def _begin(week: str) -> datetime:
    return datetime.fromisoformat(week).replace(tzinfo=saying.PARIS)


# --- to take away -------------------------------------------------------------------------------


async def exported(visit: Visit) -> Response:
    """A table as a file: `quoi` is participants, binomes or seances, `format` ods or csv."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    what, kind = visit.query.get("quoi", ""), visit.query.get("format", "ods")
    table = {"participants": _people, "binomes": _pairs, "seances": _sessions}.get(what)
    if table is None or kind not in ("ods", "csv"):
        raise NotHere
    rows = [row async for row in table(visit, cohort)]
    body = as_ods(what, rows) if kind == "ods" else as_csv(rows)
    kinds = {"ods": "application/vnd.oasis.opendocument.spreadsheet", "csv": "text/csv"}
    name = f'attachment; filename="{cohort.id}-{what}.{kind}"'
    return Response(body, media_type=kinds[kind], headers={**HEADS, "Content-Disposition": name})


async def _all(visit: Visit, kind: type[D], cohort: Cohort, by: str = "id") -> AsyncIterator[D]:
    async for some in _some(visit, kind, cohort, by):
        for one in some:
            yield one


async def _some(
    visit: Visit, kind: type[D], cohort: Cohort, by: str = "id"
) -> AsyncIterator[list[D]]:
    after = ""
    while found := await visit.site.store.page(kind, Where(cohort.id), BATCH, after, by):
        yield found
        after = str(getattr(found[-1], by))


def _state(visit: Visit, name: str | None) -> str:
    return phrases.STATES[name][visit.language] if name else ""


async def _people(visit: Visit, cohort: Cohort) -> AsyncIterator[Sequence[Cell]]:
    say = visit.say
    yield (
        *(say("Nom", "Name"), say("Adresse", "Address"), say("Direction", "Directorate")),
        *(say("Lieu", "Place"), say("Mentor", "Mentor"), say("Manager", "Manager")),
        *(say("Poste", "Job"), say("Attend", "Waits for"), say("Organisme", "Organisation")),
    )
    async for one in _all(visit, Participant, cohort, "order"):
        if not one.sides:
            continue
        job = getattr(job_said(one.job_family), visit.language) if one.job_family else ""
        waits = one.waiting if one.manager_state == "waiting" else None
        cause = getattr(waits.words, visit.language) if waits else ""
        yield (
            *(one.name or "", one.email or "", one.directorate, one.site),
            *(_state(visit, one.mentor_state), _state(visit, one.manager_state), job, cause),
            one.organisation or "",
        )


async def _pairs(visit: Visit, cohort: Cohort) -> AsyncIterator[Sequence[Cell]]:
    say = visit.say
    yield (
        *(say("Mentor", "Mentor"), say("Manager", "Manager"), say("État", "State")),
        *(say("Séances tenues", "Sessions held"), say("Séances manquées", "Sessions missed")),
    )
    async for pair, *names in _with_names(visit, Pair, cohort):
        yield (*names, _state(visit, pair.state), pair.completed, pair.missed)


async def _sessions(visit: Visit, cohort: Cohort) -> AsyncIterator[Sequence[Cell]]:
    say = visit.say
    yield (
        *(say("Mentor", "Mentor"), say("Manager", "Manager"), say("Séance", "Session")),
        *(say("Date", "Date"), say("État", "State")),
    )
    async for one, *names in _with_names(visit, Session, cohort):
        date_ = (
            ""
            if one.state == "postponed"
            else f"{one.starts_at.astimezone(saying.PARIS):%Y-%m-%d %H:%M}"
        )
        yield (*names, one.number, date_, _state(visit, state_of(one, visit.now)))


async def _with_names(
    visit: Visit, kind: type[Two], cohort: Cohort
) -> AsyncIterator[tuple[Two, str, str]]:
    """What is of two people, with their names."""
    async for some in _some(visit, kind, cohort):
        ids = [id_ for one in some for id_ in (one.mentor_id, one.manager_id)]
        people = await visit.site.people(cohort.id, ids)
        names = {person.id: person.name or "" for person in people.values()}
        for one in some:
            yield one, names.get(one.mentor_id, ""), names.get(one.manager_id, "")
