"""For coordinators: what is stuck, each with who, since when, why, and one button that helps.

Always holds: what is settled is gone by itself; what somebody put away shows again when there is
news of it, or after a week.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.matching import DissolvePair
from schemas.notify import RetryLetter
from schemas.people import PersonContact
from schemas.scheduling import CorrectAttendance
from schemas.taking_part import KeepPartner
from services.chassis.store.contract import Where
from services.portal.views import Asked, Cohort, Dispute, FailedLetter, Pair, Participant
from services.portal.web.coordinating import STUCK, bring_back, marks_of, put_away, tasks_of
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

EACH = 50
"""Of a kind that are shown; the rest comes up when these are settled."""
SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a coordinator. `key`: what it is, with all that is news of it.

    `people` are those whom it concerns; `since` and `until` are moments, where they are known.
    """

    kind: str
    key: str
    people: tuple[Participant | None, ...]
    since: datetime | None = None
    until: datetime | None = None
    letter: FailedLetter | None = None
    pair: Pair | None = None
    dispute: Dispute | None = None


async def to_handle(visit: Visit) -> Response:
    """What is stuck; below, what is to be watched."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return await _shown(visit, cohort, {})


async def _shown(visit: Visit, cohort: Cohort, errors: dict[str, str]) -> Response:
    marks = await marks_of(visit, cohort)
    stuck, watched, new = await _stuck(visit, cohort), *await _watched(visit, cohort)
    there = {task.key for task in (*stuck, *watched)}
    gone = marks - there  # settled meanwhile, for whoever sees everything
    if gone and not await visit.hidden(cohort.id):
        await bring_back(visit, cohort, gone)
        marks -= gone
    given = await tasks_of(visit, cohort)
    return page(
        visit,
        "to_handle.html",
        422 if errors else 200,
        **given,
        tasks=[task for task in stuck if task.key not in marks],
        watched=[task for task in watched if task.key not in marks],
        put_away=len(marks),
        new=new,
        errors=errors,
        asker=_asker,
        typed=visit.typed("adresse"),
        reason=visit.typed("raison"),
    )


def _asker(task: Task, wish: Asked) -> Participant | None:
    """Who of the two asked for another partner: the other is not to know."""
    return task.people[0 if wish.by == "mentor" else 1]


async def _stuck(visit: Visit, cohort: Cohort) -> list[Task]:
    """The most urgent first."""
    store, at = visit.site.store, cohort.id
    letters = await store.page(FailedLetter, Where(at), EACH)
    disputes = await store.page(Dispute, Where(at), EACH)
    pairs: dict[str, list[Pair]] = {}
    for field in STUCK:
        pairs[field] = await store.page(Pair, Where(at, {field: True}), EACH)
    twos: list[Pair | Dispute] = [*disputes, *(pair for some in pairs.values() for pair in some)]
    ids = [i for two in twos for i in (two.mentor_id, two.manager_id)]
    people = await visit.site.people(at, [*ids, *(letter.person_id for letter in letters)])

    def both(two: Pair | Dispute) -> tuple[Participant | None, ...]:
        return people.get(two.mentor_id), people.get(two.manager_id)

    tasks = [
        Task(
            "letter",
            f"letter/{one.id}",
            (people.get(one.person_id),),
            since=one.failed_at,
            letter=one,
        )
        for one in letters
    ]
    tasks += [
        Task("disputed", f"disputed/{one.id}/{one.by}", both(one), one.starts_at, dispute=one)
        for one in disputes
    ]
    tasks += [
        Task("wants-another", f"another/{pair.id}/{len(pair.asked_another)}", both(pair), pair=pair)
        for pair in pairs["wants_another"]
    ]
    tasks += [
        Task("no-date", f"no-date/{pair.id}/{pair.undated}", both(pair), pair=pair)
        for pair in pairs["without_date"]
    ]
    at_risk = {
        pair.id: pair for field in ("stalled", "often_missed", "at_risk") for pair in pairs[field]
    }
    tasks += [
        Task(
            "at-risk",
            f"at-risk/{pair.id}/{pair.completed}/{pair.missed}/{pair.stalled}",
            both(pair),
            pair.stalled_since if pair.stalled else None,
            pair=pair,
        )
        for pair in at_risk.values()
    ]
    return tasks


async def _watched(visit: Visit, cohort: Cohort) -> tuple[list[Task], int]:
    """Proposals that soon expire or that nobody answers, and who waits; and how many wait anew."""
    store, at = visit.site.store, cohort.id
    proposed = await store.page(Pair, Where(at, {"state": "proposed"}), EACH, by="order")
    waiting = await store.page(
        Participant, Where(at, {"manager_state": "waiting"}), EACH, by="order"
    )
    ids = [i for pair in proposed for i in (pair.mentor_id, pair.manager_id)]
    people = await visit.site.people(at, ids)
    tasks = []
    for pair in proposed:
        if pair.expires_at is None:
            continue
        left = pair.expires_at - visit.now
        half = timedelta(days=cohort.policy.proposal_days) / 2
        kind = "expiring" if left <= SOON else "no-answer"
        if kind == "no-answer" and left > half:
            continue
        silent = [
            people.get(pair.mentor_id) if side == "mentor" else people.get(pair.manager_id)
            for side in ("mentor", "manager")
            if side not in pair.accepted
        ]
        since = pair.expires_at - timedelta(days=cohort.policy.proposal_days)
        key = f"{kind}/{pair.id}/{len(pair.accepted)}"
        tasks.append(Task(kind, key, tuple(silent), since, pair.expires_at, pair=pair))
    for one in waiting:
        if one.waiting is not None:
            key = f"waiting/{one.id}/{one.waiting.round_id}"
            tasks.append(Task("waiting", key, (one,), since=one.enrolled_at))
    return tasks, sum(one.waiting is None for one in waiting)


async def letter_again(visit: Visit) -> Response:
    """Have a letter tried again; to the address that was typed, which is then the person's."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    letter = await visit.site.store.one(FailedLetter, cohort.id, visit.typed("lettre"))
    if letter is None:
        return onward(f"/coordonner/{cohort.id}", "deja")
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
        return onward(f"/coordonner/{cohort.id}", "deja")
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
    here = f"/coordonner/{cohort.id}"
    for command in commands:
        outcome = await visit.send(command)
        if outcome.rule is not None:
            return refusal(visit, outcome.rule, here)
    return onward(here, said if await visit.site.shown(shows) else "en-cours")


async def handled(visit: Visit) -> Response:
    """Put something away for a week, or show again what was put away."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    here = f"/coordonner/{cohort.id}"
    if visit.typed("action") == "revoir":
        await bring_back(visit, cohort, await marks_of(visit, cohort))
        return onward(here, "revu")
    key = visit.typed("tache")
    if not 1 <= len(key) <= 400:
        raise NotHere
    await put_away(visit, cohort, key)
    return onward(here, "traite")
