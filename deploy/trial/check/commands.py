"""Every command has its effect or its refusal, once for each record of it, in the log's order.

A step tells which offsets it handled; so what follows from a command has to stand in the step that
covers a record of it. A command whose wish is fulfilled already changes nothing: then somebody
else's effect, or an earlier one of its own, has to be there to show for it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from deploy.trial.check.effects import EFFECTS, SHOWING
from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Asked, Entry, Log
from schemas.topics import commands_topic


@dataclass(slots=True)
class _Step:
    """What one step made of commands: `covers` are offsets, `outcomes` stand in their order."""

    first: int
    covers: range
    last: int
    outcomes: list[Entry] = field(default_factory=list)


def check_commands(log: Log, accepted: Set[str], aborted: Set[str], report: Report) -> None:
    """Hold what was asked against what came of it.

    `accepted` are ids that must have arrived, `aborted` those of which nothing may have come.
    """
    for command_id in sorted(accepted - log.said):
        report.lost.append(f"Command {command_id} was accepted, and is in no topic.")
    report.doubled += (
        f"{entry} follows from command {wanted}, whose transaction was aborted."
        for service in log.services
        for entry in log.journal(service)
        if not entry.copy and (wanted := _command_of(entry)) in aborted
    )
    facts: dict[tuple[str, str], list[Entry]] = {}
    for entry in log.facts(*SHOWING):
        facts.setdefault((entry.name, entry.key), []).append(entry)
    asked: dict[tuple[str, int], list[Asked]] = {}
    for command in log.commands:
        if command.name in EFFECTS and command.origin not in log.parked.get(command.service, ()):
            asked.setdefault((command.service, command.partition), []).append(command)
    for service in log.services:
        journals: dict[int, list[Entry]] = {}
        for entry in log.journal(service):
            journals.setdefault(entry.partition, []).append(entry)
        for partition, journal in journals.items():
            commands = asked.pop((service, partition), [])
            _partition(service, journal, commands, facts, report)
    # What is left is on partitions that the service has never written to: `positions` tells.


def _partition(
    service: str,
    journal: Sequence[Entry],
    commands: Sequence[Asked],
    facts: Mapping[tuple[str, str], Sequence[Entry]],
    report: Report,
) -> None:
    known: dict[str, list[Asked]] = {}
    for command in commands:
        known.setdefault(command.id, []).append(command)
    steps = _steps(service, journal, known)
    offsets = [command.offset for command in commands]
    for step in steps:
        first, last = (bisect_right(offsets, o - 1) for o in (step.covers.start, step.covers.stop))
        _step(step, commands[first:last], known, facts, report)


def _steps(service: str, journal: Iterable[Entry], known: Mapping[str, object]) -> list[_Step]:
    """The steps of a partition, each with what it made of commands."""
    topic = commands_topic(service)  # type: ignore[arg-type]
    steps: list[_Step] = []
    position = first = 0
    outcomes: list[Entry] = []
    for entry in journal:
        order = entry.order or 0
        if entry.name == "StepCompleted":
            end = int((entry.data.get("positions") or {}).get(topic, position))
            steps.append(_Step(first, range(position, end), order, outcomes))
            position, first, outcomes = end, order + 1, []
        elif not entry.copy and _command_of(entry) in known:
            outcomes.append(entry)
    return steps


def _command_of(entry: Entry) -> str:
    """The id of the command that an event is an answer to, as far as the event tells."""
    return entry.text("command_id") if entry.name == "CommandRefused" else entry.cause or ""


def _step(
    step: _Step,
    commands: Sequence[Asked],
    known: Mapping[str, Sequence[Asked]],
    facts: Mapping[tuple[str, str], Sequence[Entry]],
    report: Report,
) -> None:
    """Each outcome belongs to the next record of its command; what has none needs none."""
    unanswered = list(commands)
    for outcome in step.outcomes:
        wanted = _command_of(outcome)
        name = known[wanted][0].name
        if outcome.name not in ("CommandRefused", *EFFECTS[name].events):
            continue  # it comes with the effect
        place = next((n for n, command in enumerate(unanswered) if command.id == wanted), None)
        if place is None:
            here = any(command.id == wanted for command in commands)
            why = "had its outcome or came after others" if here else "is not of its step"
            report.doubled.append(f"{outcome} follows from {name} {wanted}, which {why}.")
            continue
        # Records before it had no outcome of their own.
        for command in unanswered[:place]:
            _fulfilled(command, step, facts, report)
        unanswered = unanswered[place + 1 :]
    for command in unanswered:
        _fulfilled(command, step, facts, report)


def _fulfilled(
    command: Asked,
    step: _Step,
    facts: Mapping[tuple[str, str], Sequence[Entry]],
    report: Report,
) -> None:
    """What nothing followed from was so already."""
    effect = EFFECTS[command.name]
    for name in effect.already:
        for fact in facts.get((name, command.key), ()):
            early = fact.order is not None and fact.order < step.last
            if early and effect.fits(command, fact):
                return
    report.lost.append(f"{command} has neither an effect nor a refusal.")
