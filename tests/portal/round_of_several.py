"""A simulated round as a picture of it shows one: three pairs, and somebody who waits."""

from collections.abc import Iterator
from typing import Any

from schemas.base import Message
from schemas.matching import ManagerEnrolled, MentorVolunteered
from schemas.people import PersonContact
from schemas.rounds import PairsSimulated, RoundRequested, RoundSimulated
from schemas.values import SimulatedPair, SimulatedPlace, Waiting, Words
from tests.portal.stories import ASKED_FOR, MONDAYS, OPENED
from tests.scenario import NOW

MENTORS = {
    "m-1": ("Lise Œuvrard", "DGFiP", "linkedin"),
    "m-2": ("Samir Haddad", "Insee", "visio"),
    "m-3": ("Inès Morel", "DGDDI", "tchap"),
}
MANAGERS = {
    "g-1": ("Paul Lenoir", "DAE", "public-procurement", "linkedin"),
    "g-2": ("Claire Vidal", "DB", "budget", "visio"),
    "g-3": ("Marc Aubry", "SG", "human-resources", "tchap"),
    "g-4": ("Jean Pasquier", "AFT", "budget", "grist"),
}
"""Name, directorate, (job family,) and the tool that somebody explains or wants explained."""
SCORES = {("m-1", "g-1"): 88.0, ("m-2", "g-2"): 81.5, ("m-3", "g-3"): 77.0}


def _everybody() -> Iterator[Message]:
    for person, (name, directorate, tool) in MENTORS.items():
        yield _contact(person, name)
        yield MentorVolunteered(**_at(directorate), mentor_id=person, skills={tool: 4}, capacity=1)
    for person, (name, directorate, jobs, tool) in MANAGERS.items():
        yield _contact(person, name)
        yield ManagerEnrolled(
            **_at(directorate), manager_id=person, job_family=jobs, needs={tool: 3}
        )


def _at(directorate: str) -> dict[str, Any]:
    place = {"directorate": directorate, "site": "Paris Bercy"}
    return {"cohort_id": "c", **place, "availability": MONDAYS}


def _contact(id: str, name: str) -> PersonContact:
    address = f"{id}@ministere.example"
    return PersonContact(cohort_id="c", person_id=id, name=name, email=address)


WAITING = Waiting(
    round_id="tour-1",
    position=1,
    cause="no-skill",
    words=Words(fr="aucun mentor n’explique cet outil", en="no mentor explains this tool"),
)
ROUND_OF_SEVERAL: tuple[Message, ...] = (
    OPENED,
    *_everybody(),
    RoundRequested(**ASKED_FOR, mode="simulate", requested_at=NOW),
    PairsSimulated(
        **ASKED_FOR,
        part=1,
        pairs=tuple(
            SimulatedPair(
                mentor_id=mentor, manager_id=manager, score=score, tools=(MENTORS[mentor][2],)
            )
            for (mentor, manager), score in SCORES.items()
        ),
        left=(SimulatedPlace(manager_id="g-4", waiting=WAITING),),
    ),
    RoundSimulated(
        **ASKED_FOR,
        proposed=len(SCORES),
        managers_waiting=1,
        places_free=0,
        score=sum(SCORES.values()),
        optimal=True,
    ),
)
