"""One person in several cohorts: who is known by the same address, and what they are told. Pure.

Always holds: each calendar is told by its own cohort alone, so its newest list has the highest
number; whoever hears of somebody's hours for the first time tells their own, so both know of each
other; and whoever was told once is told when it is over.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from schemas.base import Event
from schemas.calendars import HoursElsewhereNoted, NoteHoursElsewhere, TakenHours
from schemas.matching import PairFormed, PairProposed
from schemas.notify import AddressChanged, Hearer
from schemas.people import PersonContact, PersonErased
from services.notify.views import Elsewhere, Person, Tray

BEGINNINGS: tuple[type[Event], ...] = (PairProposed, PairFormed)
"""When it is looked for the same person elsewhere: before their first dates, and with them."""


MOST = 50
"""Other cohorts in which somebody is told of: each tells each, at every date that changes."""


class Known(NamedTuple):
    """Somebody with an address, as they are found among all cohorts."""

    cohort_id: str
    id: str
    address: str
    role: str | None


def reached(
    before: Person | None, waiting: Elsewhere | None, contact: PersonContact | PersonErased
) -> list[Event]:
    """Whether somebody of a pair is known by another address from now on, or by none any more."""
    address = contact.email.casefold() if isinstance(contact, PersonContact) else None
    if waiting is None or address == (before.address if before else None):
        return []
    if address is None and waiting.due_at is None and not waiting.hearers:
        return []  # nobody was told, nor is just being told
    return [AddressChanged(cohort_id=contact.cohort_id, person_id=contact.person_id)]


def answers(waiting: Elsewhere | None, event: HoursElsewhereNoted) -> bool:
    """Whether who hears has to tell their own hours, or that they are gone."""
    if waiting is not None and waiting.due_at is not None:
        return True  # to whom they are just being told was looked up before this
    known = waiting is not None and any(h.heard_as == event.calendar for h in waiting.hearers)
    return known == event.gone


def hearers_of(
    waiting: Elsewhere, person: Person | None, same: Iterable[Known], secret: str
) -> tuple[Hearer, ...]:
    """The same person in other cohorts. `same`: everybody who has their address.

    An address that two people of one cohort have is nobody's own, nor is one of more cohorts than
    anybody takes part in; a coordinator has no hours.
    """
    if person is None:
        return ()
    taking_part = [one for one in same if one.role != "coordinator"]
    cohorts = Counter(one.cohort_id for one in taking_part)
    if max(cohorts.values(), default=0) > 1 or len(cohorts) > MOST + 1:
        return ()
    before = {(h.cohort_id, h.person_id): h for h in waiting.hearers}
    found = (
        before.get((one.cohort_id, one.id)) or _hearer(waiting, one, secret)
        for one in taking_part
        if one.cohort_id != waiting.cohort_id
    )
    return tuple(sorted(found, key=lambda hearer: hearer.cohort_id))


def told(
    waiting: Elsewhere, tray: Tray | None, hearers: Sequence[Hearer], now: datetime
) -> list[NoteHoursElsewhere]:
    """What scheduling is told of somebody's hours, for each other cohort of theirs."""
    hours = tuple(
        TakenHours(starts_at=date.starts_at, ends_at=date.ends_at, given_at=date.given_at)
        for date in sorted(tray.dates if tray else (), key=lambda date: date.starts_at)
        if date.ends_at > now
    )
    over = [hearer for hearer in waiting.hearers if hearer not in hearers]
    return [
        *(_note(waiting, hearer, {"hours": hours}) for hearer in hearers),
        *(_note(waiting, hearer, {"gone": True}) for hearer in over),
    ]


def _note(waiting: Elsewhere, hearer: Hearer, what: Mapping[str, object]) -> NoteHoursElsewhere:
    about = {
        "cohort_id": hearer.cohort_id,
        "person_id": hearer.person_id,
        "calendar": hearer.calendar,
        "revision": waiting.changes,
        "goes_first": waiting.cohort_id < hearer.cohort_id,
    }
    return NoteHoursElsewhere.model_validate({**about, **what})


def _hearer(waiting: Elsewhere, other: Known, secret: str) -> Hearer:
    us, them = (waiting.cohort_id, waiting.id), (other.cohort_id, other.id)
    return Hearer(
        cohort_id=other.cohort_id,
        person_id=other.id,
        calendar=_word(us, them, secret),
        heard_as=_word(them, us, secret),
    )


def _word(of: tuple[str, str], to: tuple[str, str], secret: str) -> str:
    """By what the calendar of one is known to the other, and to nobody else."""
    text = " ".join((*of, *to)).encode()  # no id has a space
    return blake2b(text, key=secret.encode()[:64], digest_size=12).hexdigest()
