"""For coordinators: a round is simulated, looked at by name, published, and called off in time."""

import secrets
from dataclasses import dataclass

from fastapi.responses import Response

from schemas.base import Command, pair_of
from schemas.matching import RunRound
from schemas.rounds import CallOffRound
from schemas.values import Waiting
from services.chassis.store.contract import Where
from services.portal.views import Apart, Cohort, Pair, Participant, Round, Simulation
from services.portal.web.coordinating import tasks_of
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit
from services.portal.why import sentence

MANY = 1000
HOLD_MINUTES = 15
"""Between publishing a round and the first letters: time to call it off."""


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of a round as it is shown. `state`: "" where it is none yet."""

    pair_id: str
    mentor: Participant | None
    manager: Participant | None
    why: str
    state: str = ""
    because: str | None = None


async def rounds(visit: Visit) -> Response:
    """The rounds so far, who waits, and the button for the next one."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    found = await store.page(Round, Where(cohort.id), 100)
    found.sort(key=lambda one: (one.requested_at is None, one.requested_at, one.id), reverse=True)
    by_hand = await store.page(Pair, Where(cohort.id, {"round_id": "by-hand"}), MANY)
    apart = await store.page(Apart, Where(cohort.id), 50)
    ids = [i for two in (*by_hand, *apart) for i in (two.mentor_id, two.manager_id)]  # type: ignore[attr-defined]
    return page(
        visit,
        "rounds.html",
        **await tasks_of(visit, cohort),
        rounds=found,
        new_round=f"tour-{secrets.token_hex(4)}",
        by_hand=by_hand,
        apart=apart,
        people=await visit.site.people(cohort.id, ids),
        waiting=await store.count(Participant, Where(cohort.id, {"manager_state": "waiting"})),
        mentors=await store.count(Participant, Where(cohort.id, {"mentor_state": "available"})),
    )


async def run(visit: Visit) -> Response:
    """Simulate a round. The form says which one it will be, so that a double click is one round."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return await simulated(visit, cohort, visit.typed("tour") or f"tour-{secrets.token_hex(4)}", ())


async def simulated(
    visit: Visit, cohort: Cohort, round_id: str, besides: tuple[str, ...], said: str = "simule"
) -> Response:
    """Simulate a round without these pairs, and show it."""
    about = {"cohort_id": cohort.id, "round_id": round_id, "besides": besides}
    command = RunRound.model_validate({**about, "mode": "simulate"})
    return await _asked(visit, cohort, round_id, command, ("simulated",), said)


async def round_sent(visit: Visit) -> Response:
    """Publish a simulated round in a while or now, or call it off."""
    cohort, found = await the_round(visit)
    about = {"cohort_id": cohort.id, "round_id": found.id}
    match visit.typed("action"):
        case "publier":
            later = RunRound.model_validate({**about, "in_minutes": HOLD_MINUTES})
            return await _asked(
                visit, cohort, found.id, later, ("requested", "completed"), "retenu"
            )
        case "maintenant":
            now = RunRound.model_validate(about)
            return await _asked(visit, cohort, found.id, now, ("completed",), "publie")
        case "annuler":
            back = ("simulated", "called-off")
            return await _asked(visit, cohort, found.id, CallOffRound(**about), back, "rappele")
        case _:
            raise NotHere


async def _asked(
    visit: Visit,
    cohort: Cohort,
    round_id: str,
    command: Command,
    ends: tuple[str, ...],
    said: str,
) -> Response:
    """Send a command about a round, and show the round once it is in one of these states."""
    here = f"/coordonner/{cohort.id}/tour/{round_id}"
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        one = await visit.site.store.one(Round, cohort.id, round_id)
        return one is not None and one.state in ends

    return onward(here, said if await visit.site.shown(shows) else "en-cours")


async def the_round(visit: Visit) -> tuple[Cohort, Round]:
    """The programme and the round that a page is about. Raises `NotHere`."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    found = await visit.site.store.one(Round, cohort.id, visit.path["round"])
    if found is None:
        raise NotHere
    return cohort, found


async def one_round(visit: Visit) -> Response:
    """The pairs of a round by name, each with one sentence why; and who is left, and why."""
    followed = await visit.follow(visit.path["cohort"])
    cohort, found = await the_round(visit)
    waits = found.begins_at is not None and found.begins_at > visit.now
    published = found.state == "completed" or (
        found.state == "requested" and found.mode == "publish" and not waits
    )
    rows, left = await (_published(visit, found) if published else _simulated(visit, found))
    return page(
        visit,
        "round.html",
        follow=followed,
        **await tasks_of(visit, cohort),
        round=found,
        rows=rows,
        left=left,
        published=published,
        waits=found.state == "requested" and waits,
        hold=HOLD_MINUTES,
    )


Left = list[tuple[Participant | None, Waiting | None]]


async def _published(visit: Visit, found: Round) -> tuple[list[Row], Left]:
    store, by_round = visit.site.store, Where(found.cohort_id, {"round_id": found.id})
    pairs = sorted(await store.page(Pair, by_round, MANY), key=lambda pair: -pair.score)
    people = await visit.site.people(
        found.cohort_id, [i for pair in pairs for i in (pair.mentor_id, pair.manager_id)]
    )
    rows = []
    for pair in pairs:
        mentor, manager = people.get(pair.mentor_id), people.get(pair.manager_id)
        tools = [first.tool for first in pair.first_tools]
        why = sentence(mentor, manager, tools, visit.language)
        rows.append(Row(pair.id, mentor, manager, why, pair.state, pair.chosen_because))
    waiting = Where(found.cohort_id, {"manager_state": "waiting"})
    left = await store.page(Participant, waiting, MANY)
    return rows, [(one, one.waiting) for one in left]


async def _simulated(visit: Visit, found: Round) -> tuple[list[Row], Left]:
    by_round = Where(found.cohort_id, {"round_id": found.id})
    parts = await visit.site.store.page(Simulation, by_round, MANY)
    parts.sort(key=lambda part: part.part)
    pairs = sorted((p for part in parts for p in part.pairs), key=lambda pair: -pair.score)
    left = [place for part in parts for place in part.left]
    ids = [i for pair in pairs for i in (pair.mentor_id, pair.manager_id)]
    people = await visit.site.people(found.cohort_id, [*ids, *(one.manager_id for one in left)])
    rows = []
    for pair in pairs:
        mentor, manager = people.get(pair.mentor_id), people.get(pair.manager_id)
        why = sentence(mentor, manager, pair.tools, visit.language)
        rows.append(Row(pair_of(pair.mentor_id, pair.manager_id), mentor, manager, why))
    return rows, [(people.get(one.manager_id), one.waiting) for one in left]
