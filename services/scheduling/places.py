"""Where a pair meets: as the cohort's policy says, in a room of their own, or as one side chose.

Always holds: a room is in an event once it is known, so that a rebuild gives the same; nobody can
guess it who has not the key, which no event and no document has.
"""

import base64
import hashlib
import hmac
from datetime import datetime

from schemas.base import Event
from schemas.meeting import MeetingPlaceSet, SessionRelocated, SetMeetingPlace
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda

_BYTES = 20
"""160 bits, which nobody guesses; 32 letters and digits in a link."""


def first_place(agenda: Agenda, key: bytes) -> list[Event]:
    """Where a pair that has just been formed meets; nothing where the policy says nothing."""
    place = agenda.policy.where
    if place is None:
        return []
    return [agenda.pair_event(MeetingPlaceSet, place=place.in_room(_room(agenda, key)))]


def _room(agenda: Agenda, key: bytes) -> str:
    named = f"{agenda.pair.cohort_id}/{agenda.pair.id}".encode()
    digest = hmac.digest(key, named, hashlib.sha256)
    return base64.b32encode(digest[:_BYTES]).decode().lower()


def choose(agenda: Agenda | None, command: SetMeetingPlace, now: datetime) -> Decision:
    """One side says where; the other is told, with the next session's invitation."""
    if agenda is None:
        return Refusal("unknown", "unknown-pair", "There is no such pair in this cohort.")
    if agenda.pair.state != "active":
        return Refusal("conflict", "pair-ended", "The pair meets no more.")
    if agenda.pair.place == command.place:
        return []
    chosen = agenda.pair_event(MeetingPlaceSet, place=command.place, by=command.by)
    lines = (line for line in agenda.pair.plan if line.state == "planned")
    coming = [line for line in lines if line.starts_at is not None and line.starts_at > now]
    if not coming:
        return [chosen]
    following = min(coming, key=lambda line: line.number)
    by, confirmed = command.by, following.confirmed_by
    return [
        chosen,
        agenda.session_event(SessionRelocated, following, by=by, confirmed_by=confirmed),
    ]
