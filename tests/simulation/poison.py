"""Records that nobody can read, that nobody can carry out, or that are not where they belong.

Always holds: what is put in is noted in `World.poisoned`, origin to kind, and has to be parked;
none of it claims to be the next event of a source, for everything after a gap in a source has to
park.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from schemas.envelope import Headers, Record, encode
from schemas.matching import MentorVolunteered, VolunteerAsMentor
from schemas.topics import PEOPLE, TOPICS, commands_topic, partition_of
from services.chassis.domain import Decision, Domain, State
from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

_OF_COHORT: dict[str, tuple[str, ...]] = {
    "mentoring.matching.commands": ("m0~g0", "m1~g0", "g0", "m0"),
    "mentoring.scheduling.commands": ("m0~g0~1", "m0~g0~2"),
    "mentoring.feedback.commands": ("m0~g0~start~mentor", "m0~g0~s1~manager"),
    "mentoring.notify.commands": ("LetterSent",),
    "mentoring.matching.events": ("m0~g0", "m1~g0"),
    "mentoring.scheduling.events": ("m0~g0~1", "m0~g0~2", "m0~g0"),
    "mentoring.scheduling.private": ("m0~g0~1",),
    "mentoring.feedback.private": ("m0~g0~start~mentor", "m0~g0~s1~mentor"),
    PEOPLE: ("m0", "g0"),
}
"""Topics that somebody reads, and subjects of theirs."""

GIANT = "giant"
MORE_THAN_FIT = 21_500
GIANTS = 0.2  # of all poison: within ten worlds there is one

_GOOD = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"stranger-1"),
    ("ce_source", b"/stranger"),
    ("ce_time", b"2017-03-06T09:00:00.000Z"),
    ("ce_subject", b"x"),
)


def _no_headers(world: "World", topic: str, cohort: str) -> tuple[bytes | None, Headers]:
    return b"\x00\xff", ()


def _not_utf8(world: "World", topic: str, cohort: str) -> tuple[bytes | None, Headers]:
    return b"{}", (*_GOOD, ("ce_type", b"\xff\xfe"))


def _unknown_type(world: "World", topic: str, cohort: str) -> tuple[bytes | None, Headers]:
    kind = b"fr.gouv.mentoring.TeleportManager.v1"
    return b"{}", (*_GOOD, ("ce_type", kind), ("ce_partitionkey", cohort.encode()))


def _bad_json(world: "World", topic: str, cohort: str) -> tuple[bytes | None, Headers]:
    kind = f"fr.gouv.mentoring.{TOPICS[topic].types[0].__name__}.v1".encode()
    return b'{"cohort_id":', (*_GOOD, ("ce_type", kind), ("ce_partitionkey", cohort.encode()))


def _too_large(world: "World", topic: str, cohort: str) -> tuple[bytes | None, Headers]:
    """A command in order, of which a flaw in the decision makes an event that no topic takes."""
    message = VolunteerAsMentor(
        cohort_id=cohort,
        mentor_id=GIANT,
        directorate="A",
        site="P",
        skills={"linkedin": 4},
        availability=[{"day": "mon", "start": "09:00", "end": "12:00"}],
    )
    record = encode(message, topic, 0, id=GIANT, source="/stranger", time=world.now())
    return record.value, record.headers


def flawed(matching: Domain) -> Domain:
    """The domain, with a flaw: it wants to note of a giant more than fits.

    Nothing that a command may say leads to that, so no command alone can show what comes of it.
    """
    decide = matching.handlers[VolunteerAsMentor]

    def volunteer(state: State, command: VolunteerAsMentor, now: datetime) -> Decision:
        if command.mentor_id != GIANT:
            return decide(state, command, now)
        people = [f"p-{number:045d}" for number in range(MORE_THAN_FIT)]
        return [MentorVolunteered.model_validate({**command.model_dump(), "excludes": people})]

    return replace(matching, handlers={**matching.handlers, VolunteerAsMentor: volunteer})


_KINDS: tuple[Callable[["World", str, str], tuple[bytes | None, Headers]], ...] = (
    _no_headers,
    _not_utf8,
    _unknown_type,
    _bad_json,
)


def poison(world: "World", fault: Fault) -> None:
    """Put one unreadable record somewhere."""
    chance = fault.chance()
    cohort = chance.choice(world.plan.cohorts)
    topic = chance.choice(list(_OF_COHORT))
    mood = chance.random()
    key: bytes | None = f"{cohort}/stranger-{fault.salt}".encode()
    if mood < 0.2:
        key = None
    elif mood < 0.5:
        key = f"{cohort}/{chance.choice(_OF_COHORT[topic])}".encode()
    partition = partition_of(cohort, world.partitions)
    make = chance.choice(_KINDS)
    if chance.random() < GIANTS:
        topic, make = commands_topic("matching"), _too_large
    value, headers = make(world, topic, cohort)
    offset = world.log._append(Record(topic, partition, key, value, headers))
    world.poisoned[f"{topic}/{partition}/{offset}"] = make.__name__
