"""What the envelope costs: an event to a record and back, against the bare JSON of its model."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from schemas.base import Event
from schemas.envelope import attributes, decode, encode
from schemas.matching import PairFormed, PairProposed
from schemas.scheduling import SessionCompleted
from schemas.values import ScoreReason, Window, Words

START = datetime(2017, 3, 6, 9, tzinfo=UTC)
WEEK = tuple(Window(day=day, start="09:00", end="12:00") for day in ("mon", "tue", "thu"))
PAIR = {"cohort_id": "bercy-2017", "mentor_id": "m-017", "manager_id": "g-004"}


def events(count: int) -> list[Event]:
    """Events of three sizes, all different."""
    found: list[Event] = []
    for number in range(count):
        pair = {**PAIR, "pair_id": f"m-{number}~g-004"}
        starts = START + timedelta(hours=number)
        match number % 3:
            case 0:
                found.append(
                    SessionCompleted(
                        **pair,
                        session_id=f"m-{number}~g-004~1",
                        number=1,
                        attempt=1,
                        revision=0,
                        starts_at=starts,
                        ends_at=starts + timedelta(hours=1),
                        by="mentor",
                        completed=1,
                    )
                )
            case 1:
                found.append(
                    PairFormed(
                        **pair,
                        tools=("linkedin",),
                        mentor_availability=WEEK,
                        manager_availability=WEEK,
                    )
                )
            case _:
                words = Words(fr="linkedin : niveau 4 pour 3", en="linkedin: level 4 for 3")
                reason = ScoreReason(
                    criterion="coverage", value=1, weight=45, contribution=45, words=words
                )
                found.append(
                    PairProposed(
                        **pair,
                        round_id="round-1",
                        score=71.25,
                        reasons=(reason,) * 5,
                        tools=("linkedin",),
                        expires_at=starts,
                    )
                )
    return found


def rates(count: int = 10_000, rounds: int = 15) -> tuple[float, float]:
    """Events a second there and back: ours, and bare, in turns; the best round of each."""
    some = events(count)
    found = [(_rate(_ours, some), _rate(_bare, some)) for _ in range(rounds)]
    return max(ours for ours, _ in found), max(bare for _, bare in found)


def _rate(way: Callable[[list[Event]], None], some: list[Event]) -> float:
    start = time.perf_counter()
    way(some)
    return len(some) / (time.perf_counter() - start)


def _ours(some: list[Event]) -> None:
    for number, event in enumerate(some):
        record = encode(
            event,
            "mentoring.matching.events",
            3,
            id=f"matching.events.3.{number}",
            source="/mentoring/matching/events/3",
            time=START,
            sequence=number + 1,
            order=number,
            cause="0123456789abcdef",
        )
        decode(attributes(record.headers), record.value)


def _bare(some: list[Event]) -> None:
    for event in some:
        type(event).model_validate_json(event.model_dump_json())
