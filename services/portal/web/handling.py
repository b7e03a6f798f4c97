"""For coordinators: what is stuck, each with who, since when, why, and one button that helps.

Always holds: what is settled is gone by itself; what somebody put away shows again when there is
news of it, or after a week.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlencode

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.matching import DissolvePair
from schemas.notify import RetryLetter
from schemas.people import PersonContact
from schemas.scheduling import CorrectAttendance
from schemas.taking_part import KeepPartner
from services.portal.views import Asked, Cohort, Dispute, FailedLetter, Pair, Participant
from services.portal.web.coordinating import tasks_of
from services.portal.web.queues import (
    QUEUES,
    STUCK,
    WATCHED,
    Queue,
    Some,
    Task,
    bring_back,
    how_many_new,
    marks_of,
    put_aside,
    put_away,
    some_of,
)
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit


async def to_handle(visit: Visit) -> Response:
    """What is stuck; below, what is to be watched."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return await _shown(visit, cohort, {})


async def _shown(visit: Visit, cohort: Cohort, errors: dict[str, str]) -> Response:
    followed = await visit.follow(cohort.id)
    away = await put_aside(visit, cohort)
    if away.gone and not await visit.hidden(cohort.id):
        await bring_back(visit, cohort, away.gone)  # settled meanwhile, for whoever sees everything
    kind, after = _place(visit)

    async def shown(queues: Sequence[Queue]) -> list[Some]:
        chosen = [queue for queue in queues if kind in ("", queue.kind)]
        found = [await some_of(visit, cohort, queue, away, after) for queue in chosen]
        return [some for some in found if some is not None]

    return page(
        visit,
        "to_handle.html",
        422 if errors else 200,
        follow="" if errors else followed,
        **await tasks_of(visit, cohort),
        stuck=await shown(STUCK),
        watched=await shown(WATCHED),
        kind=kind,
        place=_as_query(kind, after),
        further=lambda some: _as_query(some.kind, some.after),
        put_away=away.count,
        new=await how_many_new(visit, cohort),
        errors=errors,
        asker=_asker,
        typed=visit.typed("adresse"),
        reason=visit.typed("raison"),
    )


def _place(visit: Visit) -> tuple[str, str]:
    """The one kind that is looked at, and from where on; two times "" for all, from the first."""
    kind = visit.query.get("genre", "")
    return (kind, visit.query.get("apres", "")) if kind in QUEUES else ("", "")


def _as_query(kind: str, after: str) -> str:
    return f"?{urlencode({'genre': kind, 'apres': after})}" if kind else ""


def _here(visit: Visit, cohort: Cohort) -> str:
    """The page from which a form came, which is where one goes on."""
    return f"/coordonner/{cohort.id}{_as_query(*_place(visit))}"


def _asker(task: Task, wish: Asked) -> Participant | None:
    """Who of the two asked for another partner: the other is not to know."""
    return task.people[0 if wish.by == "mentor" else 1]


async def letter_again(visit: Visit) -> Response:
    """Have a letter tried again; to the address that was typed, which is then the person's."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    letter = await visit.site.store.one(FailedLetter, cohort.id, visit.typed("lettre"))
    if letter is None:
        return onward(_here(visit, cohort), "deja")
    person = await visit.site.store.one(Participant, cohort.id, letter.person_id)
    commands: list[Command] = []
    typed = visit.typed("adresse")
    if person is not None and typed and typed != person.email:
        try:
            commands.append(contact_of(person, email=typed))
        except ValidationError:
            wrong = visit.say(
                "Écrivez une adresse complète, par exemple prenom.nom@ministere.gouv.fr.",
                "Type a whole address, as first.last@ministry.example.",
            )
            return await _shown(visit, cohort, {f"adresse-{letter.id}": wrong})
    commands.append(RetryLetter(cohort_id=cohort.id, letter_id=letter.id))

    async def shows() -> bool:
        return await visit.site.store.one(FailedLetter, cohort.id, letter.id) is None

    return await _sent(visit, cohort, commands, shows, "relance")


def contact_of(person: Participant, **changes: str | Mapping[str, str] | None) -> PersonContact:
    """How to reach somebody, with these changes. Raises `ValidationError`."""
    known = (
        *("cohort_id", "name", "email", "language"),
        *("post", "presentation", "assistant", "role"),
    )
    fields = {name: getattr(person, name) for name in known}
    return PersonContact.model_validate({**fields, **changes, "person_id": person.id})


async def dispute_settled(visit: Visit) -> Response:
    """Say whether a session took place of which the two tell contrary things."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    dispute = await visit.site.store.one(Dispute, cohort.id, visit.typed("seance"))
    held = {"tenue": True, "manquee": False}.get(visit.typed("action"))
    if held is None:
        raise NotHere
    if dispute is None:
        return onward(_here(visit, cohort), "deja")
    about = {"cohort_id": cohort.id, "session_id": dispute.session_id, "attempt": dispute.attempt}
    command = CorrectAttendance.model_validate({**about, "held": held})

    async def shows() -> bool:
        return await visit.site.store.one(Dispute, cohort.id, dispute.id) is None

    return await _sent(visit, cohort, [command], shows, "presence")


async def wish_settled(visit: Visit) -> Response:
    """Two of whom one had asked for another partner go on together: it was talked over."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    pair = await store.one(Pair, cohort.id, visit.typed("binome"))
    if pair is None:
        raise NotHere
    about = {"cohort_id": cohort.id, "pair_id": pair.id}
    kept = [KeepPartner.model_validate({**about, "by": one.by}) for one in pair.asked_another]

    async def shows() -> bool:
        now = await store.one(Pair, cohort.id, pair.id)
        return now is not None and not now.wants_another

    return await _sent(visit, cohort, kept, shows, "binome-garde")


async def pair_ended(visit: Visit) -> Response:
    """End a pair before its last session; who waits goes back to the list."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    pair = await visit.site.store.one(Pair, cohort.id, visit.typed("binome"))
    if pair is None:
        raise NotHere
    command = DissolvePair(cohort_id=cohort.id, pair_id=pair.id, reason="")

    async def shows() -> bool:
        now = await visit.site.store.one(Pair, cohort.id, pair.id)
        return now is not None and now.state != "formed"

    return await _sent(visit, cohort, [command], shows, "arrete")


async def _sent(
    visit: Visit,
    cohort: Cohort,
    commands: Sequence[Command],
    shows: Callable[[], Awaitable[bool]],
    said: str,
) -> Response:
    here = _here(visit, cohort)
    for command in commands:
        outcome = await visit.send(command)
        if outcome.rule is not None:
            return refusal(visit, outcome.rule, here)
    return onward(here, said if await visit.site.shown(shows) else "en-cours")


async def handled(visit: Visit) -> Response:
    """Put something away for a week, or show again what was put away."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    here = _here(visit, cohort)
    if visit.typed("action") == "revoir":
        await bring_back(visit, cohort, await marks_of(visit, cohort))
        return onward(here, "revu")
    key = visit.typed("tache")
    if not 1 <= len(key) <= 400:
        raise NotHere
    await put_away(visit, cohort, key)
    return onward(here, "traite")
