"""Another system of the ministry: it subscribes to the topics, and answers for bulk cohorts.

Always holds: an event that comes again is passed over, by the rule that subscribers are given
(source and sequence); an answer depends on the seed and on what it is about, not on when it comes.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.trial.chaos.sender import PAUSE, Sender
from schemas.base import Command
from schemas.feedback import AnswerSurvey
from schemas.matching import AcceptProposal, DeclineProposal
from schemas.scheduling import CancelSession, ConfirmSession, ReportAttendance, RescheduleSession

TOPICS = (
    "mentoring.matching.events",
    "mentoring.scheduling.events",
    "mentoring.scheduling.private",
    "mentoring.feedback.private",
)
PREFIX = "bulk-"
SIDES = ("mentor", "manager")
TYPE = "fr.gouv.mentoring."


class Answers:
    """Answers as long as `run` goes on. `closing`: everybody agrees, so that it comes to an end."""

    def __init__(self, bootstrap: str, partitions: int, sender: Sender, seed: int) -> None:
        self.closing = False
        self.answered = 0
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._sender = sender
        self._seed = seed
        self._seen: dict[str, int] = {}
        self._next: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Subscribe and answer, again after each time that the broker went away."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(PAUSE)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            spots = [TopicPartition(t, p) for t in TOPICS for p in range(self._partitions)]
            consumer.assign(spots)
            for spot in spots:
                consumer.seek(spot, self._next.get(spot, 0))
            while True:
                batch = await consumer.getmany(timeout_ms=500, max_records=1000)
                wishes = [w for rows in batch.values() for row in rows for w in self._heard(row)]
                if wishes:
                    await self._sender.send(wishes)
                    self.answered += len(wishes)
                self._next |= {spot: rows[-1].offset + 1 for spot, rows in batch.items()}
        finally:
            await consumer.stop()

    def _heard(self, row: Any) -> Iterator[Command]:
        """What an event makes somebody ask for."""
        headers = {name: (raw or b"").decode(errors="replace") for name, raw in row.headers}
        source, sequence = headers.get("ce_source", ""), headers.get("ce_sequence", "")
        if source != f"/{row.topic.replace('.', '/')}/{row.partition}" or not sequence.isdigit():
            return
        if int(sequence) != self._seen.get(source, 0) + 1:
            return  # seen before, or nothing that its publisher has sent
        name = headers.get("ce_type", "").removeprefix(TYPE).partition(".")[0]
        self._seen[source] = int(sequence)
        if headers.get("ce_partitionkey", "").startswith(PREFIX) and name in _ANSWERED:
            yield from self._answer(name, json.loads(row.value))

    def _answer(self, name: str, told: dict[str, Any]) -> Iterator[Command]:
        cohort = {"cohort_id": told["cohort_id"]}
        about = ":".join(
            str(told.get(field)) for field in ("pair_id", "session_id", "attempt", "survey_id")
        )
        chance = random.Random(f"{self._seed}:{name}:{told['cohort_id']}:{about}")  # noqa: S311
        mood = 0.5 if self.closing else chance.random()
        match name:
            case "PairProposed":
                yield from self._proposal(cohort, told["pair_id"], mood)
            case "SessionPlanned":
                yield from self._session(cohort, told, mood)
            case "AttendanceRequested":
                yield from self._attendance(cohort, told, mood, chance)
            case "SurveyOpened" if mood < 0.7:
                scores = {question: chance.randint(2, 5) for question in told["questions"]}
                yield AnswerSurvey(**cohort, survey_id=told["survey_id"], scores=scores)

    def _proposal(self, cohort: dict[str, str], pair: str, mood: float) -> Iterator[Command]:
        if mood < 0.02:
            return  # the proposal expires
        if mood < 0.06:
            yield DeclineProposal(**cohort, pair_id=pair, by="manager")
            return
        for side in SIDES:
            yield AcceptProposal.model_validate({**cohort, "pair_id": pair, "by": side})

    def _session(self, cohort: dict[str, str], told: dict[str, Any], mood: float) -> Iterator[Any]:
        if told["attempt"] > 1:
            return
        session = {**cohort, "session_id": told["session_id"]}
        if mood < 0.03:
            yield CancelSession(**session, by="mentor")
        elif mood < 0.08:
            yield RescheduleSession(**session, by="manager")
        elif mood < 0.6:
            yield ConfirmSession(**session, by="mentor")
            yield ConfirmSession(**session, by="manager")

    def _attendance(
        self, cohort: dict[str, str], told: dict[str, Any], mood: float, chance: random.Random
    ) -> Iterator[Command]:
        attempt = {"session_id": told["session_id"], "attempt": told["attempt"]}
        held = mood > 0.06
        sides = SIDES if mood > 0.8 else [chance.choice(SIDES)]
        for side in sides:
            yield ReportAttendance.model_validate({**cohort, **attempt, "by": side, "held": held})


_ANSWERED = ("PairProposed", "SessionPlanned", "AttendanceRequested", "SurveyOpened")
