"""For coordinators: what is to be handled, everybody by name, and one person's sheet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.matching import PauseMentor, ResumeMentor, WithdrawManager, WithdrawMentor
from schemas.notify import RetryLetter
from schemas.people import PersonContact
from schemas.scheduling import CorrectAttendance
from schemas.taking_part import KeepPartner
from services.chassis.store.contract import Where
from services.portal.spelling import words_of
from services.portal.views import Dispute, FailedLetter, Pair, Participant, Session
from services.portal.web.coordinating import tasks_of
from services.portal.web.own_space import own_pair
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
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


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a coordinator: what, about whom, and since or until when."""

    kind: str
    people: tuple[Participant | None, ...]
    until: datetime | None = None
    letter: FailedLetter | None = None
    pair: Pair | None = None
    dispute: Dispute | None = None


async def to_handle(visit: Visit) -> Response:
    """What is stuck, the most urgent first."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store, at = visit.site.store, cohort.id
    letters = await store.page(FailedLetter, Where(at), MANY)
    disputes = await store.page(Dispute, Where(at), MANY)
    wishes = await store.page(Pair, Where(at, {"wants_another": True}), MANY)
    undated = await store.page(Pair, Where(at, {"without_date": True}), MANY)
    stalled = await store.page(Pair, Where(at, {"stalled": True}), MANY)
    proposed = await store.page(Pair, Where(at, {"state": "proposed"}), MANY)
    waiting = await store.page(Participant, Where(at, {"manager_state": "waiting"}), MANY)
    proposed.sort(key=lambda pair: (pair.expires_at is None, pair.expires_at))
    pairs = [*wishes, *undated, *stalled, *proposed]
    twos: list[Pair | Dispute] = [*pairs, *disputes]
    ids = {i for two in twos for i in (two.mentor_id, two.manager_id)}
    people = await visit.site.people(at, [*ids, *(letter.person_id for letter in letters)])

    def of_pair(kind: str, pair: Pair) -> Task:
        both = (people.get(pair.mentor_id), people.get(pair.manager_id))
        silent = {"mentor", "manager"} - set(pair.accepted)
        if kind == "no-answer" and len(silent) == 1:
            both = (both[0], None) if silent == {"mentor"} else (both[1], None)
        return Task(kind, tuple(p for p in both if p), pair.expires_at, pair=pair)

    tasks = [
        *(Task("letter", (people.get(one.person_id),), letter=one) for one in letters),
        *(
            Task("disputed", (people.get(one.mentor_id), people.get(one.manager_id)), dispute=one)
            for one in disputes
        ),
        *(of_pair("another", pair) for pair in wishes),
        *(of_pair("no-date", pair) for pair in undated),
        *(of_pair("stalled", pair) for pair in stalled),
        *(of_pair("no-answer", pair) for pair in proposed),
        *(Task("waiting", (one,)) for one in waiting if one.waiting is not None),
    ]
    new = sum(one.waiting is None for one in waiting)
    given = await tasks_of(visit, cohort)
    return page(visit, "to_handle.html", **given, tasks=tasks, new=new)


async def letter_again(visit: Visit) -> Response:
    """Have a letter tried again."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    letter = await visit.site.store.one(FailedLetter, cohort.id, visit.typed("lettre"))
    if letter is None:
        raise NotHere
    outcome = await visit.send(RetryLetter(cohort_id=cohort.id, letter_id=letter.id))
    here = f"/coordonner/{cohort.id}"
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        return await visit.site.store.one(FailedLetter, cohort.id, letter.id) is None

    return onward(here, "relance" if await visit.site.shown(shows) else "en-cours")


async def wish_settled(visit: Visit) -> Response:
    """Two of whom one had asked for another partner go on together: it was talked over."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store, here = visit.site.store, f"/coordonner/{cohort.id}"
    pair = await store.one(Pair, cohort.id, visit.typed("binome"))
    if pair is None:
        raise NotHere
    for one in pair.asked_another:
        kept = KeepPartner(cohort_id=cohort.id, pair_id=pair.id, by=one.by)
        outcome = await visit.send(kept)
        if outcome.rule is not None:
            return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        now = await store.one(Pair, cohort.id, pair.id)
        return now is not None and not now.wants_another

    return onward(here, "binome-garde" if await visit.site.shown(shows) else "en-cours")


async def dispute_settled(visit: Visit) -> Response:
    """Say whether a session took place of which the two tell contrary things."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    dispute = await visit.site.store.one(Dispute, cohort.id, visit.typed("seance"))
    held = {"tenue": True, "manquee": False}.get(visit.typed("action"))
    if dispute is None or held is None:
        raise NotHere
    about = {"cohort_id": cohort.id, "session_id": dispute.session_id, "attempt": dispute.attempt}
    outcome = await visit.send(CorrectAttendance.model_validate({**about, "held": held}))
    here = f"/coordonner/{cohort.id}"
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        return await visit.site.store.one(Dispute, cohort.id, dispute.id) is None

    return onward(here, "presence" if await visit.site.shown(shows) else "en-cours")


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


async def sheet(visit: Visit) -> Response:
    """One person: what they said, their pairs and sessions."""
    return await _sheet(visit, await _person(visit), {})


async def _sheet(visit: Visit, person: Participant, errors: dict[str, str]) -> Response:
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    pairs = [
        *((p, "mentor") for p in await store.page(Pair, _by(person, "mentor_id"), MANY)),
        *((p, "manager") for p in await store.page(Pair, _by(person, "manager_id"), MANY)),
    ]
    others = [p.manager_id if side == "mentor" else p.mentor_id for p, side in pairs]
    people = await visit.site.people(cohort.id, others)
    own = []
    for (pair, side), other in zip(pairs, others, strict=True):
        where = Where(cohort.id, {"pair_id": pair.id})
        sessions = await store.page(Session, where, cohort.policy.sessions)
        side_ = "mentor" if side == "mentor" else "manager"
        own.append(own_pair(pair, side_, people.get(other), sessions, cohort, visit.now))  # type: ignore[arg-type]
    return page(
        visit,
        "sheet.html",
        422 if errors else 200,
        **await tasks_of(visit, cohort),
        person=person,
        pairs=own,
        errors=errors,
        given={name: visit.typed(name) for name in ("nom", "adresse")} if errors else {},
    )


def _by(person: Participant, field: str) -> Where:
    return Where(person.cohort_id, {field: person.id})


async def _person(visit: Visit) -> Participant:
    cohort_id, id_ = visit.path["cohort"], visit.path["person"]
    found = await visit.site.store.one(Participant, cohort_id, id_)
    if found is None:
        raise NotHere
    return found


async def sheet_sent(visit: Visit) -> Response:
    """Correct the contact, pause, resume or withdraw somebody on their behalf."""
    person = await _person(visit)
    cohort_id, here = person.cohort_id, f"/coordonner/{person.cohort_id}/participants/{person.id}"
    mentor = {"cohort_id": cohort_id, "mentor_id": person.id}
    commands: dict[str, tuple[Command, str]] = {
        "pause": (PauseMentor(**mentor), "pause"),
        "reprise": (ResumeMentor(**mentor), "reprise"),
        "quitter-mentor": (WithdrawMentor(**mentor), "parti"),
        "quitter-manager": (WithdrawManager(cohort_id=cohort_id, manager_id=person.id), "parti"),
    }
    action = visit.typed("action")
    if action == "contact":
        fields: dict[str, Any] = {"name": visit.typed("nom"), "email": visit.typed("adresse")}
        about = {"cohort_id": cohort_id, "person_id": person.id, "language": person.language}
        try:
            command: Command = PersonContact.model_validate(about | fields)
        except ValidationError as error:
            names = {"name": "nom", "email": "adresse"}
            wrong = visit.say("À corriger.", "To be corrected.")
            errors = {names.get(str(e["loc"][0]), "nom"): wrong for e in error.errors()}
            return await _sheet(visit, person, errors)
        said = "corrige"
    elif action in commands:
        command, said = commands[action]
    else:
        raise NotHere
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        return await visit.site.store.one(Participant, cohort_id, person.id) != person

    return onward(here, said if await visit.site.shown(shows) else "en-cours")
