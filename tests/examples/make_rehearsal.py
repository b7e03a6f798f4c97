"""Makes docs/examples/rehearsal.jsonl: the public records of a short programme, a line for each.

The four services run in one process over a log in memory, on a clock that jumps; so the same code
gives the same bytes. Two pairs are formed: one graduates, the other is dissolved after its first
session. Afterwards three things are added that a subscriber has to cope with: an unknown type, an
unknown field, and records that were published again.

Run: python -m tests.examples.make_rehearsal
"""

import asyncio
import heapq
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from deploy.trial.habits import Habits
from schemas.base import people_of
from schemas.matching import DissolvePair, OpenCohort, RunRound
from schemas.scheduling import ConfirmSession
from schemas.topics import TOPICS
from schemas.values import CohortPolicy
from services.notify.views import Letter
from tests.simulation.faults import DAY, HOUR
from tests.simulation.loop import VirtualLoop
from tests.simulation.people import Cohort, People
from tests.simulation.world import Plan, World

REHEARSAL = Path(__file__).parents[2] / "docs" / "examples" / "rehearsal.jsonl"
COHORT = "rehearsal"
SESSIONS = 3
UNKNOWN_TYPE = "SessionPraised"  # nobody publishes it
PLAN = Plan(
    seed=1,
    partitions=4,
    cohorts=(COHORT,),
    processes=dict.fromkeys(("matching", "scheduling", "feedback", "notify"), 1),
    batch=500,
    tick=60.0,
    latency=0.04,
    skew=0.0,
    faults=(),
)

Row = dict[str, Any]
"""A record: topic, partition, offset, key, headers and value; texts, and the value's JSON."""


class Middling(random.Random):
    """Neither high nor low."""

    def random(self) -> float:
        return 0.5


class EvenHabits(Habits):
    """Those of people to whom nothing out of the ordinary happens."""

    def chance(self, *about: str) -> random.Random:
        return Middling(0)


class Cast(People):
    """Two volunteers and two managers, who do what they are asked; one couple is parted."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.habits = EvenHabits(world.seed)

    def mood(self, *about: str) -> float:
        return 0.5  # an even one, in which nobody does anything twice

    def _open(self, cohort: Cohort) -> None:
        send, its = self.world.send, cohort.id
        policy = CohortPolicy(sessions=SESSIONS, cadence_days=7, measure_days=30, survey_days=3)
        send(OpenCohort(cohort_id=its, name="Rehearsal", policy=policy))
        for number in (1, 2):
            self._volunteer(cohort, f"m-{number}")
            self._enrol(cohort, f"g-{number}")
        self.later(HOUR, lambda: send(RunRound(cohort_id=its, round_id="round-1")))
        self.later(90 * DAY, lambda: self._end(cohort))

    def _session(self, letter: Letter) -> None:
        if letter.side == "manager":
            session = letter.facts["session_id"]
            confirm = ConfirmSession(cohort_id=COHORT, session_id=session, by="manager")
            self.ask(confirm, about="c")

    def _attendance(self, letter: Letter) -> None:
        session, attempt = letter.facts["session_id"], int(letter.facts["attempt"])
        if letter.side != "mentor":
            return
        self._report(COHORT, session, attempt, "mentor", held=True)
        mentor, manager = people_of(session)
        if mentor == "m-2":
            parted = DissolvePair(
                cohort_id=COHORT, pair_id=f"{mentor}~{manager}", reason="changed posts"
            )
            self.ask(parted, 1)


def programme() -> World:
    """The programme, at its end."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        world = World(PLAN, loop, Counter())
        world.people = Cast(world)
        loop.run_until_complete(world.live())
        assert world.found == [], world.found
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)
        loop.run_forever()
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return world


def public_rows(world: World) -> list[Row]:
    """What it has published for everybody: by time, each topic in its order."""
    topics: list[list[Row]] = []
    for topic in (t for t in TOPICS.values() if t.audience == "public"):
        topics += [
            [
                {
                    "topic": record.topic,
                    "partition": record.partition,
                    "offset": record.offset,
                    "key": (record.key or b"").decode(),
                    "headers": {name: (raw or b"").decode() for name, raw in record.headers},
                    "value": json.loads(record.value or b""),
                }
                for record in world.log.records.get((topic.name, partition), ())
            ]
            for partition in range(PLAN.partitions)
        ]
    return list(heapq.merge(*topics, key=lambda row: row["headers"]["ce_time"]))


def with_surprises(rows: list[Row]) -> list[Row]:
    """The same, with what a subscriber has to cope with; numbers and offsets fit again."""
    held = [n for n, row in enumerate(rows) if row["headers"]["ce_type"].endswith("Completed.v1")]
    sessions = [n for n in held if rows[n]["topic"] == "mentoring.scheduling.events"]
    newer, again = sessions[1], sessions[2]
    rows[newer]["value"]["added_later"] = "a field that is newer than you"
    unknown = json.loads(json.dumps(rows[newer]))
    unknown["headers"]["ce_type"] = f"fr.gouv.mentoring.{UNKNOWN_TYPE}.v1"
    unknown["headers"]["ce_dataschema"] = f"urn:mentoring:schema:{UNKNOWN_TYPE}:1"
    # A publisher that died before it could note what it had published begins again somewhere.
    topic = rows[again]["topic"]
    twice = [row for row in rows[: again + 1] if row["topic"] == topic][-3:]
    whole = [*rows[:newer], unknown, *rows[newer : again + 1], *twice, *rows[again + 1 :]]
    return _numbered(whole)


def _numbered(rows: list[Row]) -> list[Row]:
    """Sequences and ids without a gap, the same for a record that is there again; offsets too."""
    numbers: Counter[str] = Counter()
    offsets: Counter[tuple[str, int]] = Counter()
    ids: dict[str, str] = {}
    done: dict[int, dict[str, str]] = {}
    numbered: list[Row] = []
    for row in rows:
        place = row["topic"], row["partition"]
        if id(row) not in done:
            headers = dict(row["headers"])
            source, old = headers["ce_source"], headers["ce_id"]
            numbers[source] += 1
            headers["ce_sequence"] = f"{numbers[source]:012d}"
            headers["ce_id"] = f"{old.rpartition('.')[0]}.{numbers[source]}"
            ids[old] = headers["ce_id"]
            if (cause := headers.get("ce_cause")) is not None:
                headers["ce_cause"] = ids.get(cause, cause)
            done[id(row)] = headers
        numbered.append({**row, "offset": offsets[place], "headers": done[id(row)]})
        offsets[place] += 1
    return numbered


def rehearsal() -> str:
    """The file, as it has to be."""
    rows = with_surprises(public_rows(programme()))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    REHEARSAL.write_text(rehearsal(), encoding="utf-8", newline="\n")
