"""What a service hands to the chassis: documents, decisions, and how a document changes.

Everything here is data and plain functions. Always holds: a decision sees nothing but the
documents, the message and the time that it is given, so the same three give the same events.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from schemas.actors import Actor
from schemas.base import Event, Message, Moment, Value
from schemas.journal import RefusalKind
from schemas.topics import Service


class OtherVersion(Exception):
    """A document as another version of a service keeps it, which this one cannot read.

    Its text quotes nobody: a collection, its fields, and what to do.
    """

    def __init__(self, collection: str, fields: Iterable[str]) -> None:
        super().__init__(
            f"a document of {collection} is not as this version keeps it ({', '.join(fields)}): "
            "`connecte rebuild` makes the database anew"
        )


class Document(Value):
    """One document of a service's database: state and projection in one.

    `id` is unique within its cohort and kind. A kind with `timed = True` declares `due_at`, and
    its service is asked to decide (with a `Due`) once that moment has come.
    """

    collection: ClassVar[str]
    timed: ClassVar[bool] = False
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()

    id: str
    cohort_id: str

    @property
    def key(self) -> str:
        """The document's id in the database."""
        return f"{self.cohort_id}/{self.id}"


class Timed(Document):
    """A document with a deadline."""

    timed: ClassVar[bool] = True
    due_at: Moment | None = None


D = TypeVar("D", bound=Document)


class Due(Message):
    """The deadline of a document has come. Not a record: the partition's owner finds it."""

    subject_field: ClassVar[str] = "id"
    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Personal:
    """How documents of a kind are a person's.

    `fields` name the person, or `of` (field and kind) a document of theirs; `withheld` are fields
    that are somebody else's confidence.
    """

    fields: tuple[str, ...] = ()
    of: tuple[str, type[Document]] | None = None
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Documents of a kind, counted by fields. `labels`: the name of each and its field."""

    name: str
    help: str
    kind: type[Document]
    labels: tuple[tuple[str, str], ...]

    @property
    def label_names(self) -> Sequence[str]:
        return [label for label, _ in self.labels]

    @property
    def fields(self) -> Sequence[str]:
        """The documents' fields to count by."""
        return [field for _, field in self.labels]


@dataclass(frozen=True, slots=True)
class RunningCount(Tally):
    """The same where there can be very many: counted as they change, not when somebody asks.

    Whoever writes a document of such a kind without having read it knows that it is new.
    """


def text_of(value: object) -> str:
    """A field's value as a text to count by; "" where there is none."""
    return "" if value is None else str(value)


class One(NamedTuple):  # made and hashed for every message: the cheapest of the frozen kinds
    """A decision may need this document."""

    kind: type[Document]
    cohort_id: str
    id: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A decision may need these fields of every document of this kind in the cohort of which the
    fields of `equal` have these values: little of many, never the documents themselves."""

    kind: type[Document]
    cohort_id: str
    fields: tuple[str, ...]
    equal: tuple[tuple[str, Any], ...] = ()


Need = One | Columns

Cells = tuple[Any, ...]
"""Some fields of a document, in the order in which they were asked for."""


class Reads(Protocol):
    """Who reads what decisions need."""

    async def load(self, needs: Iterable[One]) -> list[Document]:
        """The documents asked for that exist."""

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        """These fields of each document of a cohort that has these values, by its id."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The document is deleted."""

    document: Document


Change = Document | Gone


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule says no. `rule` is for machines (kebab-case), `detail` is a sentence for people.

    `kind` says whether what the message names is `unknown`, whether the present state does not
    allow it (`conflict`), or whether it is wrong in any state (`invalid`). A refused command goes
    back to its sender; a refused event of another service is parked, for the rule is not its
    sender's to break.
    """

    kind: RefusalKind
    rule: str
    detail: str


Decision = Sequence[Event] | Refusal


class NotLoaded(Exception):
    """A decision asked for a document that has not been read yet; it is read, and asked again."""

    def __init__(self, need: Need) -> None:
        super().__init__(f"not loaded: {need}")
        self.need = need


@dataclass(frozen=True, slots=True)
class NeverRead:
    """A document that is written and was never read: what there was before is not known."""

    document: Document


_Key = tuple[type[Document], str]


@dataclass(slots=True)
class State:
    """The documents that decisions of one batch can see, changes of the batch included.

    `before`: what was there of what has changed since the last `keep`; `first`: of all that was
    kept.
    """

    documents: dict[_Key, Document | None] = field(default_factory=dict)
    read: dict[Columns, dict[str, Cells]] = field(default_factory=dict)
    before: dict[_Key, Document | NeverRead | None] = field(default_factory=dict)
    first: dict[_Key, Document | NeverRead | None] = field(default_factory=dict)

    def get(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        """The document, or None if there is none."""
        key = (kind, f"{cohort_id}/{id}")
        if key not in self.documents:
            raise NotLoaded(One(kind, cohort_id, id))
        return self.documents[key]  # type: ignore[return-value]  # the key holds the kind

    def columns(self, need: Columns) -> list[Cells]:
        """The fields of each of these documents, by its id."""
        if need not in self.read:
            raise NotLoaded(need)
        found = dict(self.read[need])
        for (kind, key), document in self.documents.items():
            cohort_id, _, name = key.partition("/")
            if kind is need.kind and cohort_id == need.cohort_id:
                found.pop(name, None)  # what is here is newer
                if document is not None and all(getattr(document, n) == v for n, v in need.equal):
                    found[name] = tuple(getattr(document, field) for field in need.fields)
        return [cells for _, cells in sorted(found.items())]

    async def load(self, reads: Reads, needs: Iterable[Need]) -> None:
        """Read what is needed and not known yet. What has changed here is newer: it stays."""
        ones: list[One] = []
        for need in needs:
            if isinstance(need, One):
                if (need.kind, f"{need.cohort_id}/{need.id}") not in self.documents:
                    ones.append(need)
            elif need not in self.read:
                asked = need.kind, need.cohort_id, ("id", *need.fields), dict(need.equal)
                self.read[need] = {row[0]: row[1:] for row in await reads.columns(*asked)}
        if not ones:
            return
        for document in await reads.load(ones):
            self.documents.setdefault((type(document), document.key), document)
        for one in ones:
            self.documents.setdefault((one.kind, f"{one.cohort_id}/{one.id}"), None)

    def apply(self, changes: Iterable[Change]) -> None:
        """Let the changes be seen by what comes after."""
        for change in changes:
            after = None if isinstance(change, Gone) else change
            document = after or change.document  # type: ignore[union-attr]
            key = (type(document), document.key)
            if key not in self.before:
                there = key in self.documents
                self.before[key] = self.documents[key] if there else NeverRead(document)
            self.documents[key] = after

    def keep(self) -> list[Change]:
        """What was changed since the last `keep`; it stands."""
        changes: list[Change] = []
        for key, before in self.before.items():
            after = self.documents[key]
            if key not in self.first:
                self.first[key] = before
            if after is not None:
                changes.append(after)
            elif before is not None:
                changes.append(Gone(before.document if isinstance(before, NeverRead) else before))
        self.before.clear()
        return changes

    def undo(self) -> None:
        """Take back what was changed since the last `keep`."""
        for key, before in self.before.items():
            if isinstance(before, NeverRead):
                del self.documents[key]
            else:
                self.documents[key] = before
        self.before.clear()


Handlers = Mapping[type[Message], Callable[[State, Any, datetime], Decision]]
"""Message to its decision `(state, message, now)`: the events, or why not. Pure."""

Evolution = Mapping[type[Message], Callable[[State, Any], Iterable[Change]]]
"""Event to its fold `(state, event)`: the documents that it changes. Pure; knows no time."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One service, as the chassis runs it.

    - `reads`: topics beside its own commands, causes before effects; `tables`: compacted topics,
      mirrored by `evolution`.
    - `handlers`: what the service decides on (commands and learned events included); others on
      the topics are passed over.
    - `learns`: other services' events that become part of its state; the chassis writes a copy
      into the service's own journal, so that the state stays a fold of that journal alone.
    - `evolution`: every message that the service publishes, keeps, learns or mirrors, those that
      change nothing included; what every service notes for itself is the chassis' to fold.
    - `needs`: what a message's decision and its events will touch, told from the message alone,
      so that a batch is read at once. What it cannot know is read when it is asked for.
    - `counts`: how many documents there are of kinds that can be very many, kept by each step.
    - `forgets`: of which owners all that is kept beside the documents (`Kept`) goes with a message
      of a mirrored topic, told from the state before it; a rebuild forgets nothing.
    - `signs`: commands whose events say in `asker`, where they have it, who asked for them, for the
      state to know it.
    - `untold`: messages whose number is nobody's business while it grows; no metric has their type.
    """

    name: Service
    reads: tuple[str, ...]
    documents: tuple[type[Document], ...]
    learns: frozenset[type[Event]]
    handlers: Handlers
    evolution: Evolution
    needs: Callable[[Message], Iterable[Need]]
    tables: tuple[str, ...] = ()
    counts: tuple[RunningCount, ...] = ()
    forgets: Callable[[State, Message], Iterable[str]] = lambda *_: ()
    signs: frozenset[type[Message]] = frozenset()
    untold: frozenset[type[Message]] = frozenset()

    @property
    def handles(self) -> AbstractSet[type[Message]]:
        """Every message type that the service decides on."""
        return self.handlers.keys()

    def decide(self, state: State, message: Message, now: datetime) -> Decision:
        """What follows from a message that the service handles."""
        return self.handlers[type(message)](state, message, now)

    def signed(self, events: Sequence[Event], actor: Actor | None) -> Sequence[Event]:
        """The events of a command that it `signs`, once it is known who is behind it."""
        asker = None if actor is None else actor.id
        return [
            event.model_copy(update={"asker": asker})
            if "asker" in type(event).model_fields
            else event
            for event in events
        ]

    def evolve(self, state: State, event: Message) -> Iterable[Change]:
        """The documents that an event changes."""
        return self.evolution[type(event)](state, event)
