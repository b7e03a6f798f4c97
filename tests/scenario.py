"""Given what happened, when a message comes, then this is decided: without any I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.base import Event, Message
from services.chassis.domain import (
    Cells,
    Change,
    Columns,
    D,
    Decision,
    Document,
    Domain,
    Due,
    Gone,
    Refusal,
    State,
)

NOW = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Paris


class Everything(State):
    """A state in which every document has been read."""

    def get(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        return self.documents.get((kind, f"{cohort_id}/{id}"))  # type: ignore[return-value]

    def columns(self, need: Columns) -> list[Cells]:
        self.read[need] = {}
        return super().columns(need)

    def whole(self, kind: type[D], cohort_id: str) -> list[D]:
        """Every document of the kind in the cohort, by id."""
        found = [
            document
            for (its_kind, _), document in self.documents.items()
            if its_kind is kind and document is not None and document.cohort_id == cohort_id
        ]
        return sorted(found, key=lambda document: document.id)  # type: ignore[return-value]

    def apply(self, changes: Iterable[Change]) -> None:
        """`model_copy` takes any field; no database would give back one that is not declared."""
        changes = list(changes)
        for change in changes:
            document = change.document if isinstance(change, Gone) else change
            strange = vars(document).keys() - type(document).model_fields.keys()
            assert not strange, f"{type(document).__name__} has no field {strange}"
        State.apply(self, changes)


@dataclass
class Scenario:
    """One service's state, told by events, and what it decides."""

    domain: Domain
    state: Everything = field(default_factory=Everything)
    now: datetime = NOW
    events: list[Event] = field(default_factory=list)

    def given(self, *history: Message) -> "Scenario":
        """These things have happened."""
        for event in history:
            self.state.apply(self.domain.evolve(self.state, event))
        return self

    def later(self, **delta: float) -> "Scenario":
        """Time passes: `later(days=3)`."""
        self.now += timedelta(**delta)
        return self

    def when(self, message: Message) -> Decision:
        """The message is decided on, and what follows is folded, as the chassis does."""
        decision = self.domain.decide(self.state, message, self.now)
        if not isinstance(decision, Refusal):
            if type(message) in self.domain.learns:
                self.given(message)
            self.given(*decision)
            self.events.extend(decision)
        return decision

    def when_due(self) -> list[Event]:
        """Every deadline that has come is decided on, earliest first, until none is left."""
        found: list[Event] = []
        while due := self._due():
            decision = self.when(due)
            assert not isinstance(decision, Refusal), decision
            assert self._due() != due, f"{due} stays due after it was decided on: {decision}"
            found.extend(decision)
        return found

    def _due(self) -> Due | None:
        waiting = sorted(
            (document.due_at, document.key, document)  # type: ignore[attr-defined]
            for document in self.state.documents.values()
            if document is not None and document.timed and _moment(document) <= self.now
        )
        if not waiting:
            return None
        document = waiting[0][2]
        return Due(cohort_id=document.cohort_id, collection=document.collection, id=document.id)


def _moment(document: Document) -> datetime:
    return getattr(document, "due_at", None) or datetime.max.replace(tzinfo=UTC)


def kinds(decision: Decision | Iterable[Event]) -> list[str]:
    """The names of the events, in order."""
    assert not isinstance(decision, Refusal), decision
    return [type(event).__name__ for event in decision]


def refusal(decision: Decision) -> str:
    """The rule that said no."""
    assert isinstance(decision, Refusal), decision
    return decision.rule
