"""Another system of the ministry: it subscribes to the topics, and answers for bulk cohorts.

Always holds: an event that comes again is passed over, by the rule that subscribers are given
(source and sequence); an answer depends on the seed and on what it is about, not on when it comes.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from deploy.trial.chaos.sender import PAUSE, Sender
from deploy.trial.habits import SIDES, Habits, Reaction, Side
from schemas.base import Command, people_of
from schemas.feedback import AnswerSurvey
from schemas.matching import AcceptProposal, DeclineProposal
from schemas.scheduling import CancelSession, ConfirmSession, ReportAttendance, RescheduleSession
from services.chassis.http.links import Link, LinkSigner
from services.chassis.log.reader import Reader

TOPICS = (
    "mentoring.matching.events",
    "mentoring.scheduling.events",
    "mentoring.scheduling.private",
    "mentoring.feedback.private",
)
PREFIX = "bulk-"
SCORES = ("1", "2", "3", "4", "5")
ON_SESSIONS = {
    "confirm": ConfirmSession,
    "reschedule": RescheduleSession,
    "cancel": CancelSession,
}
TYPE = "fr.gouv.mentoring."


class Answers:
    """Answers as long as `run` goes on. `closing`: everybody agrees, so that it comes to an end.

    `signer`: of the links that would be in people's letters, for what only a link can answer.
    """

    def __init__(
        self, bootstrap: str, partitions: int, sender: Sender, seed: int, signer: LinkSigner
    ) -> None:
        self.closing = False
        self.answered = 0
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._sender = sender
        self._signer = signer
        self._habits = Habits(seed)
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
        consumer = Reader(
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

    def _answer(self, name: str, event: dict[str, Any]) -> Iterator[Command]:
        match name:
            case "PairProposed":
                yield from self._proposal(event["cohort_id"], event["pair_id"])
            case "SessionPlanned" if event["attempt"] == 1 and not self.closing:
                yield from self._session(event)
            case "AttendanceRequested":
                yield from self._attendance(
                    event["cohort_id"], event["session_id"], event["attempt"]
                )
            case "SurveyOpened":
                yield from self._survey(event)

    def _proposal(self, cohort: str, pair: str) -> Iterator[Command]:
        for side, person in self._couple(pair):
            agreed = Reaction(0.0, "accept")
            reaction = agreed if self.closing else self._habits.proposal(cohort, pair, person)
            if reaction is not None:
                kind = AcceptProposal if reaction.answer == "accept" else DeclineProposal
                yield kind(cohort_id=cohort, pair_id=pair, by=side)

    def _session(self, event: dict[str, Any]) -> Iterator[Command]:
        cohort, session = event["cohort_id"], event["session_id"]
        for side, person in self._couple(session):
            reaction = self._habits.session(cohort, session, person)
            if reaction is None:
                continue
            if reaction.answer in ("to", "propose"):
                later = timedelta(hours=1 if reaction.answer == "to" else 24)
                at = datetime.fromisoformat(event["starts_at"]) + later
                yield RescheduleSession(cohort_id=cohort, session_id=session, by=side, starts_at=at)
            else:
                kind = ON_SESSIONS[reaction.answer]
                yield kind(cohort_id=cohort, session_id=session, by=side)

    def _attendance(self, cohort: str, session: str, attempt: int) -> Iterator[Command]:
        held = self.closing or attempt > self._habits.misses(cohort, session)
        for side in self._habits.reporters(cohort, session):
            yield ReportAttendance(
                cohort_id=cohort, session_id=session, attempt=attempt, by=side, held=held
            )

    def _survey(self, event: dict[str, Any]) -> Iterator[Command]:
        cohort, survey = event["cohort_id"], event["survey_id"]
        if not self.closing and self._habits.survey(cohort, survey) is None:
            return
        values = dict.fromkeys(event["questions"], SCORES)
        link = Link(
            purpose="survey",
            cohort_id=cohort,
            person_id=event["person_id"],
            side=event["side"],
            id=survey,
        )
        proof = self._signer.sign(link, datetime.fromisoformat(event["closes_at"]))
        changes = self._habits.thinks_again(cohort, survey) is not None
        for again in ("", "again")[: 1 + changes]:
            scores = self._habits.scores(cohort, survey, values, again)
            yield AnswerSurvey(
                cohort_id=cohort,
                survey_id=survey,
                scores={question: int(score) for question, score in scores.items()},
                proof=proof,
            )

    @staticmethod
    def _couple(subject: str) -> Iterator[tuple[Side, str]]:
        return zip(SIDES, people_of(subject), strict=True)


_ANSWERED = ("PairProposed", "SessionPlanned", "AttendanceRequested", "SurveyOpened")
