"""The mutants: for each promise of the design, ways to break it that somebody could think of.

Always holds: `before` stands exactly once in `file`, or the run of the mutants stops and says so.
"""

from dataclasses import dataclass

SIMULATION = "simulation"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One promise, broken by replacing `before` with `after`.

    `by`: what has to find it, the simulation or a file of tests (for what no simulation runs:
    the code that speaks with Kafka and MongoDB).
    """

    name: str
    promise: str
    what: str
    file: str
    before: str
    after: str
    by: str = SIMULATION


_STEP = "services/chassis/step/step.py"
_ATTEMPTS = "services/chassis/step/attempts.py"
_OWNERSHIP = "services/chassis/step/ownership.py"
_DEADLINES = "services/chassis/step/deadlines.py"
_DECIDING = "services/chassis/step/deciding.py"
_DRAFT = "services/chassis/step/draft.py"
_PARKING = "services/chassis/step/parking.py"
_ADMISSION = "services/chassis/step/admission.py"
_MEMORY = "services/chassis/store/memory.py"
_REBUILD = "services/chassis/step/rebuild.py"

MUTANTS: tuple[Mutant, ...] = (
    # --- G1: nothing lost -----------------------------------------------------------------------
    Mutant(
        "positions-first",
        "G1",
        "the process moves on before the commit has worked",
        _STEP,
        """        await self.ports.store.commit(commit)
        owned.update({place.partition: place for place in commit.places})
""",
        """        owned.update({place.partition: place for place in commit.places})
        await self.ports.store.commit(commit)
""",
    ),
    Mutant(
        "outbox-deleted-first",
        "G1",
        "the outbox is deleted before the log has acknowledged it",
        "services/chassis/step/publishing.py",
        "        records = [record for item in items for record in item.records]\n",
        """        await self._ports.store.published(items)
        records = [record for item in items for record in item.records]
""",
    ),
    Mutant(
        "outbox-not-read",
        "G1",
        "who takes a partition over does not publish what was left",
        _OWNERSHIP,
        "        left = await self._publisher.left(partitions)\n",
        "        left = await self._publisher.left([])\n",
    ),
    Mutant(
        "refusal-forgotten",
        "G1",
        "a refused command leaves no trace",
        _DECIDING,
        "return [*retried(item, draft), self._refused(item, message, decision)]",
        "return [*retried(item, draft)]",
    ),
    Mutant(
        "rounds-see-nobody",
        "G1",
        "what a decision needs of many documents is not read",
        "services/chassis/domain.py",
        "self.read[need] = {row[0]: row[1:] for row in await reads.columns(*asked)}",
        "self.read[need] = dict[str, Cells](row for row in await reads.columns(*asked) if not row)",
        by="tests/chassis/step/test_reading_late.py",
    ),
    Mutant(
        "outbox-forgotten-in-the-database",
        "G1",
        "the outbox is not part of the transaction",
        "services/chassis/store/mongo.py",
        "            if chunks:\n",
        "            if chunks and not chunks:\n",
        by="tests/chassis/store/test_stores.py",
    ),
    # --- G2: nothing twice ----------------------------------------------------------------------
    Mutant(
        "publish-before-commit",
        "G2",
        "events are published before they are decided for good",
        _STEP,
        "        await self.ports.store.commit(commit)\n",
        """        await self.ports.log.publish([r for o in commit.outgoing for r in o.records])
        await self.ports.store.commit(commit)
""",
    ),
    Mutant(
        "no-position-check",
        "G2",
        "what was handled is handled again when it is delivered again",
        _ADMISSION,
        "    if received.offset < draft.positions.get(received.topic, 0):\n",
        "    if received.offset < 0:\n",
    ),
    Mutant(
        "no-sequence-check",
        "G2",
        "what was handled is handled again when it is published again",
        _ADMISSION,
        "        if sequence <= seen:\n",
        "        if sequence < 0:\n",
    ),
    Mutant(
        "no-increment",
        "G2",
        "events share a sequence number",
        _DRAFT,
        "        self.sequences[stream] = sequence\n",
        "        self.sequences[stream] = max(sequence - 1, 1)\n",
    ),
    Mutant(
        "refused-and-done",
        "G2",
        "a command is refused and carried out, too",
        _DECIDING,
        "            return [*retried(item, draft), *learned, *decision, *older]\n",
        """            if item.attributes and is_command(type(message)) and decision:
                no = Refusal("conflict", "mutant", "And yet it is done.")
                return [*decision, self._refused(item, message, no)]
            return [*retried(item, draft), *learned, *decision, *older]
""",
    ),
    Mutant(
        "second-message-id",
        "G2",
        "a letter that is handed over again has another Message-ID",
        "services/notify/rendering.py",
        "hashlib.sha256(letter.key.encode())",
        'hashlib.sha256(f"{letter.key}{letter.attempts}".encode())',
    ),
    Mutant(
        "letter-told-again",
        "G2",
        "a letter that was sent is concluded again",
        "services/notify/delivery.py",
        "    if letter is None or letter.due_at is None or letter.due_at > now:\n",
        "    if letter is None:\n",
    ),
    Mutant(
        "reminded-twice",
        "G2",
        "a reminder goes with a letter, and by itself as well",
        "services/notify/gathering.py",
        "entry for entry in ready if not TELLINGS[entry.template].waits",
        'entry for entry in ready if not TELLINGS[entry.template].waits or "Rem" in entry.template',
    ),
    # --- G3: order ------------------------------------------------------------------------------
    Mutant(
        "no-version-guard",
        "G3",
        "a step that is built on an outdated place is written",
        _MEMORY,
        "                raise Outpaced\n",
        "                continue\n",
    ),
    Mutant(
        "no-version-guard-in-the-database",
        "G3",
        "the same, in MongoDB",
        "services/chassis/store/mongo.py",
        'before = {"_id": place.partition, "step": place.step - 1, "fenced": None}',
        'before = {"_id": place.partition, "fenced": None}',
        by="tests/chassis/store/test_stores.py",
    ),
    Mutant(
        "zombie-writes",
        "G3",
        "who was outpaced goes on with what it knew, under the new number",
        _OWNERSHIP,
        "        self.owned |= {p: self.passing.past(at) for p, at in found.items() "
        "if p in self.owned}\n",
        """        again = __import__("dataclasses").replace
        self.owned |= {p: again(self.owned[p], step=at.step) for p, at in found.items()}
""",
    ),
    Mutant(
        "batch-reversed",
        "G3",
        "a batch is handled from its end",
        "services/chassis/step/catching_up.py",
        "        return list(inputs)\n",
        "        return list(reversed(inputs))\n",
    ),
    Mutant(
        "outpaced-does-not-publish",
        "G3",
        "who was outpaced goes on before what was committed is published",
        _OWNERSHIP,
        "            found = await self._adopt(self.active, self._check_kept)\n",
        """            known = await self._ports.store.places(self.active)
            found = {p: known.get(p, Place(p)) for p in self.active}
""",
    ),
    Mutant(
        "log-out-of-order",
        "G3",
        "the records of a partition are sent from the last to the first",
        "services/chassis/log/kafka.py",
        "            groups.setdefault((record.topic, record.partition), []).append(index)\n",
        "            groups.setdefault((record.topic, record.partition), []).insert(0, index)\n",
        by="tests/chassis/log/test_logs.py",
    ),
    # --- G4: poison parks -----------------------------------------------------------------------
    Mutant(
        "parse-error-swallowed",
        "G4",
        "what cannot be read is passed over",
        _ADMISSION,
        "        item.unreadable = Fault(error.reason, error.detail)\n",
        "        del error\n",
    ),
    Mutant(
        "nobody-waits-behind",
        "G4",
        "what comes after a parked record of its subject is handled",
        _PARKING,
        "return item.parked is None or blocked.origins[0] != item.parked.id",
        "return item.parked is not None and blocked.origins[0] != item.parked.id",
    ),
    Mutant(
        "everybody-waits-behind",
        "G4",
        "one parked record holds up every subject of its topic",
        _PARKING,
        """    return f"{topic}/{partition}/{key[:PARKED_KEY_BYTES].decode('latin-1')}"
""",
        """    return f"{topic}/{partition}/{key.decode('latin-1')[:2]}"
""",
    ),
    Mutant(
        "passing-fault-parks",
        "G4",
        "a record is set aside because the database was away for a moment",
        _ATTEMPTS,
        "                undecided = await self._steps.make(mine, self._ownership.owned, behind)\n",
        """                try:
                    undecided = await self._steps.make(mine, self._ownership.owned, behind)
                except Exception as error:
                    from services.chassis.inputs import Fault

                    passing = self._ports.nature_of(error) == "passing"
                    for item in mine if passing else ():
                        item.unreadable = item.received and Fault("fault", "away")
                    raise
""",
    ),
    Mutant(
        "passing-fault-ends-the-process",
        "G4",
        "a due worker that meets a passing fault is not asked again",
        _DEADLINES,
        "            return await self._retry.until_done(work)\n",
        "            return await work()\n",
        by="tests/chassis/step/test_time.py",
    ),
    Mutant(
        "too-large-is-committed",
        "G8",
        "an event that its topic does not take is committed",
        _DRAFT,
        "            check_size(record)  # once it is committed, it can only be published\n",
        "            pass\n",
    ),
    Mutant(
        "poison-takes-its-batch-along",
        "G8",
        "what stands in a batch with one that fails for good is set aside with it",
        _ATTEMPTS,
        """        if parts := halves(inputs):
            for part in parts:
                await self.make(part)
        else:
            await self._without(inputs[0])
""",
        """        for item in inputs:
            await self._without(item)
""",
        by="tests/chassis/step/test_lasting_faults.py",
    ),
    Mutant(
        "lasting-fault-ends-the-process",
        "G8",
        "what fails for good ends the process, and the next one",
        _ATTEMPTS,
        "            return error\n",
        "            raise error\n",
    ),
    Mutant(
        "surroundings-park-everything",
        "G8",
        "a database that takes nothing is the fault of whatever came",
        _ATTEMPTS,
        "            error = await self._stopped_by([item])\n",
        "            error = await self._stopped_by([without]) and surroundings\n",
        by="tests/chassis/step/test_lasting_faults.py",
    ),
    Mutant(
        "stopped-and-nobody-knows",
        "G8",
        "a partition over its limit of parked records is let go of, and the service says nothing",
        _ATTEMPTS,
        '                self._ownership.stop(full.partition, "parked-limit")\n',
        "                self._ownership.leave([full.partition])\n",
        by="tests/chassis/step/test_lasting_faults.py",
    ),
    Mutant(
        "denied-is-permanent",
        "G8",
        "what came while a permission was missing is set aside",
        "services/chassis/store/faults.py",
        '    13: "denied",  # Unauthorized\n',
        "",
        by="tests/chassis/step/test_lasting_faults.py",
    ),
    Mutant(
        "twin-takes-anything",
        "G8",
        "the store in memory takes what no database takes",
        _MEMORY,
        "        _check_writable(commit)\n",
        "",
        by="tests/chassis/store/test_stores.py",
    ),
    Mutant(
        "failing-deadlines-starve-the-others",
        "G8",
        "deadlines that are set aside count among those that are looked for at once",
        _DEADLINES,
        "list(owned), now, DUE_AT_ONCE, keys)",
        "list(owned), now, DUE_AT_ONCE)",
        by="tests/chassis/step/test_deadlines.py",
    ),
    Mutant(
        "own-deadline-not-noted",
        "G6",
        "a deadline that a step leaves is not known to come before the others",
        "services/chassis/step/step.py",
        "            self.horizon.note((change for _, change in changes.values()), now)\n",
        "",
        by="tests/chassis/step/test_horizon.py",
    ),
    Mutant(
        "deadline-of-others-not-looked-for",
        "G6",
        "what is known of deadlines is believed though somebody else may have written",
        "services/chassis/step/horizon.py",
        "        self._known.clear()\n",
        "        pass\n",
        by="tests/chassis/step/test_horizon.py",
    ),
    Mutant(
        "deadline-missed-while-asked",
        "G6",
        "what comes while the database is asked for the first deadline does not count",
        "services/chassis/step/horizon.py",
        "known.first = min(known.first, first or NEVER)",
        "known.first = first or NEVER",
        by="tests/chassis/step/test_horizon.py",
    ),
    Mutant(
        "worker-fault-ends-the-process",
        "G8",
        "a due worker that fails for one document does nothing for the others",
        _DEADLINES,
        "            if (middle := len(found) // 2) > 0:\n",
        "            if (middle := 0) > 0:\n",
        by="tests/chassis/step/test_deadlines.py",
    ),
    Mutant(
        "retry-at-once",
        "G8",
        "whatever number of large records is tried again in one step",
        _PARKING,
        "        room -= size\n",
        "        room -= 0\n",
        by="tests/chassis/step/test_lasting_faults.py",
    ),
    # --- G5: projections are disposable ---------------------------------------------------------
    Mutant(
        "learned-not-journaled",
        "G5",
        "what was learned is kept and not written into the journal",
        _DECIDING,
        "            draft.add(event, event_id, trace, actor)\n",
        """            if type(event) not in self.domain.learns:
                draft.add(event, event_id, trace, actor)
""",
    ),
    Mutant(
        "counts-known-for-ever",
        "G5",
        "what is known of counts is believed though somebody else may have written",
        "services/chassis/step/stepper.py",
        "        self._counting.forget()\n",
        "",
        by="tests/chassis/step/test_order.py",
    ),
    Mutant(
        "counts-of-nothing-stay",
        "G5",
        "how a journal was cut into steps shows in the counts",
        "services/chassis/step/counting.py",
        "changed.append(after if after.counts else Gone(after))",
        "changed.append(after)",
        by="tests/chassis/step/test_counting.py",
    ),
    Mutant(
        "rebuild-forgets-positions",
        "G5",
        "a rebuilt service does not know how far it has read",
        _REBUILD,
        "            positions |= entry.message.positions\n",
        "",
    ),
    Mutant(
        "rebuild-takes-streams-one-by-one",
        "G5",
        "a rebuild does not follow the order of the journal",
        _REBUILD,
        "following = [s for s, head in self.heads.items() if head.order == expected]",
        "following = sorted(self.heads)",
    ),
    Mutant(
        "corrected-outcome-unread",
        "G5",
        "a correction writes over an outcome that a rebuild has not read: it is counted twice",
        "services/scheduling/handlers.py",
        " | SessionDisputed() | AttendanceCorrected():",
        " | SessionDisputed():",
    ),
    Mutant(
        "journal-order",
        "G5",
        "parked records have no place of their own in the journal",
        _DRAFT,
        "        self.order += 1\n",
        "        self.order += kind is not RecordParked\n",
    ),
    Mutant(
        "steps-do-not-tell",
        "G5",
        "a step does not tell which sequences it has seen",
        _DRAFT,
        "                seen=self._seen,\n",
        "                seen={},\n",
    ),
    Mutant(
        "default-of-another-type",
        "G5",
        "a default that was left out is kept as its author wrote it: 45 for a float",
        "schemas/base.py",
        'extra="ignore", validate_default=True, allow_inf_nan=False',
        'extra="ignore", allow_inf_nan=False',
    ),
    # --- G6: time is an input -------------------------------------------------------------------
    Mutant(
        "deadline-twice",
        "G6",
        "a deadline is decided on whenever it is found",
        "services/feedback/surveys.py",
        "survey is None or survey.due_at is None or survey.due_at > now",
        "survey is None",
    ),
    Mutant(
        "heartbeat-twice",
        "G6",
        "a heartbeat is sent whenever it is found to be due",
        _DECIDING,
        "last is not None and last.due_at is not None and last.due_at > now",
        "last is not None and last.due_at is None",
        by="tests/chassis/step/test_heartbeats.py",
    ),
    Mutant(
        "deadline-lost",
        "G6",
        "of the deadlines that have come, one is left out",
        _DEADLINES,
        "for partition, d in found]\n",
        "for partition, d in found[1:]]\n",
    ),
    Mutant(
        "real-time",
        "G6",
        "a decision asks for the time",
        "services/feedback/surveys.py",
        "closes_at=now + timedelta",
        "closes_at=datetime.now(now.tzinfo) + timedelta",
    ),
    # --- G7: a reset is noticed -----------------------------------------------------------------
    Mutant(
        "reset-unnoticed",
        "G7",
        "a log that ends before the stored position is read on",
        "services/chassis/step/resets.py",
        "        elif position > ends[place] and not",
        "        elif position < 0 and not",
        by="tests/chassis/step/test_consumer.py",
    ),
    Mutant(
        "offsets-rule",
        "G7",
        "work begins where the broker remembers",
        "services/chassis/step/consumer.py",
        "            self._kafka.seek(at, start)\n",
        "            _ = position or self._kafka.seek(at, start)\n",
        by="tests/chassis/step/test_consumer.py",
    ),
    # --- G8: nothing that anybody sends stops a service -----------------------------------------
    Mutant(
        "one-partition-stops-all",
        "G8",
        "a step waits for ever for the slowest of its partitions",
        "services/chassis/step/publishing.py",
        "timeout=self._patience.seconds",
        "timeout=None",
        by="tests/chassis/step/test_isolation.py",
    ),
    Mutant(
        "owed-and-not-stopped",
        "G1",
        "what is handed over while an earlier step is owed is let go, and never read again",
        _OWNERSHIP,
        "self._check_kept)\n        finally:\n            self._stop_owing()\n",
        "self._check_kept)\n        finally:\n            pass\n",
        by="tests/chassis/step/test_isolation.py",
    ),
    Mutant(
        "stopped-and-still-looked-for",
        "G8",
        "who reads its places again asks after those of a stopped partition, too",
        _OWNERSHIP,
        "known = {p: self.owned[p] for p in found if p in self.owned}",
        "known = self.owned",
        by="tests/chassis/step/test_isolation.py",
    ),
    Mutant(
        "in-trouble-until-something-is-new",
        "G8",
        "a partition that may be read again is not ready before there is something to read",
        "services/chassis/log/reader.py",
        "isinstance(fetched, FetchError) and self._heard(place) != trouble.heard",
        "False",
        by="tests/chassis/log/test_reader.py",
    ),
    Mutant(
        "passed-over-twice-told",
        "G5",
        "what was passed over and is written is told again by a later step",
        "services/chassis/step/passing.py",
        "self.over(place.partition, Passed(positions, seen))",
        "pass",
        by="tests/chassis/step/test_nothing_lost.py",
    ),
    Mutant(
        "passed-over-and-never-written",
        "G2",
        "a step does not say what was passed over before it",
        "services/chassis/step/draft.py",
        "self._positions = dict(passed.positions)",
        "self._positions: dict[str, int] = {}",
        by="tests/chassis/step/test_step.py",
    ),
    Mutant(
        "missed-while-published",
        "G4",
        "deadlines are not looked for while a step of their partition is being published",
        "services/chassis/step/stepper.py",
        "                async with self._turn:  # while a step is being published",
        "                if True:  # while a step is being published",
        by="tests/chassis/step/test_deadlines.py",
    ),
    Mutant(
        "letters-left-in-the-air",
        "G8",
        "partitions are let go while letters of theirs are under way",
        "services/chassis/step/stepper.py",
        "async with asyncio.timeout(LEAVE_SECONDS), self._deciding:",
        "async with asyncio.timeout(LEAVE_SECONDS):",
        by="tests/chassis/step/test_isolation.py",
    ),
    Mutant(
        "one-trouble-for-all",
        "G8",
        "what cannot be read of one partition is raised, and what others gave is lost with it",
        "services/chassis/log/reader.py",
        "            self._in_trouble(place, fetched, error)\n        fetched._update_position()",
        "            raise error\n        fetched._update_position()",
        by="tests/chassis/log/test_reader.py",
    ),
    Mutant(
        "poll-without-measure",
        "G8",
        "a poll takes as many records as it may, however large they are",
        "services/chassis/log/reader.py",
        "if len(rows) >= most or size >= room:",
        "if len(rows) >= most:",
        by="tests/chassis/log/test_reader.py",
    ),
    Mutant(
        "unopened-is-raised",
        "G8",
        "a batch that cannot be opened is asked for again for ever",
        "services/chassis/log/tolerant.py",
        "            yield self._unread(str(error))",
        "            raise ValueError(error) from error",
        by="tests/chassis/log/test_opening.py",
    ),
    Mutant(
        "ready-though-unread",
        "G8",
        "a service is ready though none of its partitions can be read",
        "services/chassis/http/health.py",
        "unread = {partition for _, partition in self._reading.stopped}",
        "unread: set[int] = set()",
        by="tests/chassis/test_health.py",
    ),
    Mutant(
        "one-partition-for-all",
        "G8",
        "a service is not ready for one partition that is stopped",
        "services/chassis/http/health.py",
        'frozenset({"away", "denied", "environment", "late"})',
        'frozenset({"away", "denied", "environment", "late", "parked-limit"})',
        by="tests/chassis/test_health.py",
    ),
    Mutant(
        "unread-and-unsaid",
        "G8",
        "a partition cannot be read, and readiness does not say so",
        "services/chassis/http/health.py",
        "in sorted(self._reading.stopped.items()):",
        "in sorted(self._reading.stopped.items())[:0]:",
        by="tests/chassis/test_health.py",
    ),
    Mutant(
        "alive-though-nothing-is-read",
        "G8",
        "looking for deadlines counts as reading what waits",
        "services/chassis/http/health.py",
        "or not reading.waits",
        "or True",
        by="tests/chassis/test_health.py",
    ),
    # --- who may --------------------------------------------------------------------------------
    Mutant(
        "answer-without-a-proof",
        "G8",
        "a survey is answered by whoever can write to the topic",
        "services/feedback/handlers.py",
        "if not is_proven(links, command, now):",
        "if command.proof is not None and not is_proven(links, command, now):",
    ),
    Mutant(
        "proof-of-another-survey",
        "G8",
        "any link to a survey answers every survey",
        "services/feedback/proof.py",
        "return (link.purpose, link.cohort_id, link.id) == of_survey",
        "return (link.purpose, link.cohort_id) == of_survey[:2]",
    ),
    Mutant(
        "parked-is-done",
        "G8",
        "a command that was set aside is called carried out",
        "services/chassis/http/effects.py",
        "if (found := refused or aside) is not None:",
        "if (found := refused) is not None:",
        by="tests/chassis/http/test_commands.py",
    ),
    Mutant(
        "refusals-without-end",
        "G8",
        "a used link leaves a refusal each time that it is sent",
        "services/chassis/http/answering.py",
        "        if refusal is not None:\n",
        "        if refusal is not None and self.commands is None:\n",
        by="tests/chassis/http/test_pages.py",
    ),
    Mutant(
        "silent-and-ready",
        "G8",
        "a service whose broker answers nothing calls itself ready",
        "services/chassis/log/reader.py",
        "if not self.assignment() or self.polled - self.heard < SILENT_SECONDS:",
        "if self.polled - self.heard < 1e9:",
        by="tests/chassis/log/test_reader.py",
    ),
    Mutant(
        "libraries-at-debug",
        "G8",
        "what drivers tell at DEBUG is logged",
        "services/chassis/watch/logs.py",
        "record.levelno >= logging.WARNING or",
        "record.levelno >= logging.DEBUG or",
        by="tests/chassis/watch/test_discretion.py",
    ),
    # --- what operators do ----------------------------------------------------------------------
    Mutant(
        "retry-out-of-turn",
        "G4",
        "a record is retried before an earlier one of its subject",
        _PARKING,
        "return item.parked is None or blocked.origins[0] != item.parked.id",
        "return item.parked is None",
        by="tests/chassis/step/test_parked.py",
    ),
    Mutant(
        "retry-does-not-count",
        "G4",
        "after a gap a retried record is handled, and its source stays behind",
        _PARKING,
        'if parked.reason != "sequence-gap" or sequence is None:',
        "if parked.reason or sequence is None:",
        by="tests/chassis/step/test_parked.py",
    ),
    Mutant(
        "dropped-comes-back",
        "G5",
        "a rebuild mirrors what was dropped",
        _REBUILD,
        "aside = (ParkedRecord, DroppedRecord)",
        "aside = (ParkedRecord,)",
        by="tests/chassis/step/test_parked.py",
    ),
    Mutant(
        "fence-without-effect",
        "G5",
        "who was fenced out while a database changes over writes on",
        "services/chassis/store/mongo.py",
        '"step": place.step - 1, "fenced": None}',
        '"step": place.step - 1}',
        by="tests/chassis/store/test_generations.py",
    ),
    Mutant(
        "change-over-without-fence",
        "G5",
        "a rebuilt database becomes the live one though its fence has fallen",
        "services/chassis/store/generations.py",
        "if result.matched_count != partitions:",
        "if result.matched_count > partitions:",
        by="tests/chassis/store/test_generations.py",
    ),
    # --- who sees what --------------------------------------------------------------------------
    Mutant(
        "wall-down",
        "the wall",
        "whoever stands above somebody sees their part in the programme",
        "schemas/lines.py",
        "    return frozenset(found - set(viewer))",
        "    return frozenset()",
        by="tests/portal/test_wall.py",
    ),
    Mutant(
        "wall-one-storey-high",
        "the wall",
        "only whoever reports to somebody directly is hidden from them",
        "schemas/lines.py",
        "        ahead += new\n",
        "",
        by="tests/portal/test_wall.py",
    ),
    Mutant(
        "letters-over-the-wall",
        "the wall",
        "a letter to one of a pair is shown to whoever stands above the other",
        "services/portal/web/wall.py",
        """    Letter: ("person_id", "about"),""",
        """    Letter: ("person_id",),""",
        by="tests/portal/test_wall.py",
    ),
    Mutant(
        "digests-over-the-wall",
        "the wall",
        "a coordinator is told by letter of whoever reports to them",
        "services/notify/wall.py",
        "    return [matter for matter in matters if matter.about.isdisjoint(hidden)]",
        "    return [matter for matter in matters if hidden is not None]",
        by="tests/notify/test_wall.py",
    ),
    Mutant(
        "digests-over-the-wall-seen-from-outside",
        "the wall",
        "the same, for the independent check to find",
        "services/notify/wall.py",
        "    return [matter for matter in matters if matter.about.isdisjoint(hidden)]",
        "    return [matter for matter in matters if hidden is not None]",
    ),
    Mutant(
        "bounces-over-the-wall",
        "the wall",
        "that a letter to one of a pair came back is told to whoever stands above the other",
        "services/notify/handlers.py",
        "            told_of.get(about, frozenset()).union(concerned),",
        "            frozenset(concerned),",
        by="tests/notify/test_wall.py",
    ),
    Mutant(
        "silence-broken",
        "the wall",
        "a letter without anything new says that something new is hidden",
        "services/notify/attention.py",
        "    return theirs if not news or seen(news, behind) else ()",
        "    return theirs if not news or news else ()",
        by="tests/notify/test_wall.py",
    ),
    Mutant(
        "withdrawn-key-counts",
        "tokens",
        "a signature that was checked once counts though its key does no more",
        "services/chassis/http/issuers.py",
        "if known is not None and known[0] is key:",
        "if known is not None:",
        by="tests/chassis/http/test_issuers.py",
    ),
    Mutant(
        "commands-of-their-own-rights",
        "roles",
        "whoever may use one route of a command is told that they may use the command",
        "schemas/tools.py",
        """        if "own" not in rows:""",
        """        if rows:""",
        by="tests/deploy/operating/test_what_commands_ask.py",
    ),
    # --- what was answered ----------------------------------------------------------------------
    Mutant(
        "answers-in-the-clear",
        "answers",
        "what somebody answered stands next to the survey that it closes",
        "services/feedback/surveys.py",
        "        scores={},\n",
        "        scores=scores,\n",
        by="tests/feedback/test_counting.py",
    ),
    Mutant(
        "answers-counted-one-by-one",
        "answers",
        "answers are opened as soon as anybody is behind them",
        "services/feedback/counting.py",
        "if len(turnout.waiting_for) < smallest:",
        "if len(turnout.waiting_for) < 1:",
        by="tests/feedback/test_counting.py",
    ),
    Mutant(
        "people-counted-twice",
        "answers",
        "whoever is behind one count is behind the next one, too",
        "services/feedback/evolution.py",
        """turnout.model_copy(update={"waiting_for": ()})""",
        "turnout",
        by="tests/feedback/test_counting.py",
    ),
    Mutant(
        "seals-alike",
        "answers",
        "the same answers look the same",
        "services/feedback/sealing.py",
        "mark = hmac.new(self._marks, what.encode(), hashlib.sha256)",
        'mark = hmac.new(self._marks, b"", hashlib.sha256)',
        by="tests/feedback/test_sealing.py",
    ),
    Mutant(
        "seals-as-long-as-the-answers",
        "answers",
        "how much somebody answered shows from outside",
        "services/feedback/sealing.py",
        "filled = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)",
        "filled = plain",
        by="tests/feedback/test_sealing.py",
    ),
    # --- how often ------------------------------------------------------------------------------
    Mutant(
        "asks-without-end",
        "rates",
        "whoever asks too often is let through",
        "services/chassis/http/rates.py",
        "if (over := free_at - now - PERIOD) > _ROUNDING:",
        "if (over := free_at - now - PERIOD) > PERIOD * 1000:",
        by="tests/chassis/http/test_rates.py",
    ),
    Mutant(
        "everybody-is-remembered",
        "rates",
        "whoever asked once is remembered for ever",
        "services/chassis/http/rates.py",
        "if len(self._free_at) > self._most:",
        "if len(self._free_at) < 0:",
        by="tests/chassis/http/test_rates.py",
    ),
    Mutant(
        "neighbours-barred",
        "rates",
        "what strangers ask counts against whoever has a token at the same address",
        "services/chassis/http/guards.py",
        """    try:
        principal = await principal_of(request, authorities)
    except HTTPException:
        rates.of_stranger(request)
        raise
""",
        """    rates.of_stranger(request)
    principal = await principal_of(request, authorities)
""",
        by="tests/chassis/http/test_rates.py",
    ),
    Mutant(
        "links-guessed-without-end",
        "rates",
        "links can be guessed as often as somebody likes",
        "services/chassis/http/pages.py",
        "            counted.of_stranger(request)\n",
        "",
        by="tests/chassis/http/test_rates.py",
    ),
    Mutant(
        "forms-without-end",
        "rates",
        "forms of the portal can be sent as often as somebody likes",
        "services/portal/pages.py",
        "    _count(route, visit)\n",
        "",
        by="tests/portal/test_signing_in.py",
    ),
    # --- what people say ------------------------------------------------------------------------
    Mutant(
        "old-reply-taken",
        "sessions",
        "an answer to an invitation that a newer date has replaced counts",
        "services/scheduling/answering.py",
        "if command.sequence < session.invited:",
        "if command.sequence < 0:",
        by="tests/scheduling/test_answering.py",
    ),
    Mutant(
        "correction-ignored",
        "sessions",
        "who told it wrongly, and says so, is not heard",
        "services/scheduling/attendance.py",
        '    if command.held == (outcome.outcome == "completed"):\n        return []\n    last',
        "    if command.by == outcome.by:\n        return []\n    last",
        by="tests/scheduling/test_corrections.py",
    ),
    Mutant(
        "assistant-asks-for-anything",
        "assistants",
        "whoever acts on somebody's behalf may ask for whatever they may",
        "services/chassis/http/answering.py",
        "if link.role is not None and link.role not in",
        "if link.role is None and link.role not in",
        by="tests/chassis/http/test_pages.py",
    ),
    Mutant(
        "assistant-sees-everything",
        "assistants",
        "an assistant gets a copy of proposals and surveys",
        "services/notify/letters.py",
        'return self.link == "session" or',
        "return self.link is not None or",
        by="tests/notify/test_assistants.py",
    ),
    Mutant(
        "copied-again",
        "assistants",
        "a letter that is sent anew is copied anew",
        "services/notify/delivery.py",
        "if attempted.copied and copy is None else",
        "if attempted.copied else",
        by="tests/notify/test_assistants.py",
    ),
    # --- what is kept no longer than was said ---------------------------------------------------
    Mutant(
        "kept-for-ever",
        "retention",
        "a closed cohort's time never comes to its end",
        "services/matching/evolution.py",
        "due = None if until is None else until",
        "due = None if until is None or until else until",
        by="tests/matching/test_cohorts.py",
    ),
    Mutant(
        "nobody-forgotten",
        "retention",
        "a cohort's time is over, and nobody gets a tombstone",
        "services/notify/app.py",
        "await log.publish([_tombstone(",
        "await log.publish([] and [_tombstone(",
        by="tests/notify/test_retention.py",
    ),
    Mutant(
        "latecomers-kept",
        "retention",
        "whoever comes after the end of a cohort's time is kept",
        "services/notify/retention.py",
        "if retention is None or (retention.due_at is not None and retention.due_at > now):",
        "if retention is None or retention.due_at is None:",
        by="tests/notify/test_retention.py",
    ),
    Mutant(
        "latecomers-overlooked",
        "retention",
        "whoever comes between a look for people and its report is kept",
        "services/notify/retention.py",
        "if retention is None or (retention.due_at is not None and retention.due_at > now):",
        "if retention is None or retention.due_at is not None:",
        by="tests/notify/test_retention.py",
    ),
)
