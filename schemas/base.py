"""What every message is made of: identifiers, time, and the two kinds of message.

Always holds: a message is frozen; it belongs to exactly one cohort, which is the unit of
order; its `subject` is the thing that it is about, and the key of its record.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from schemas.recasting import cast, changed
from schemas.roles import Rights


def described(description: str, example: Any, **limits: Any) -> Any:
    """What a field holds, with the unit where it has one; an example; its limits."""
    return Field(description=description, examples=[example], **limits)


LARGEST = 2**63 - 1
"""No count is above it: what nothing here can hold is refused before anything has to hold it."""

Count = Annotated[int, Field(ge=-LARGEST - 1, le=LARGEST)]
"""A whole number of 64 bits: what BSON holds, and most languages. The catalogue does not say it:
no record was ever above, and a bound that appears would look like one that breaks readers."""


def at_most(length: int) -> AfterValidator:
    """For a text or a list in a command, where an event that holds the same has no bound."""

    def short(given: Any) -> Any:
        if len(given) > length:
            raise PydanticCustomError(
                "too_long", "it has more than {length} parts or characters", {"length": length}
            )
        return given

    return AfterValidator(short)


_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}"

CohortId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_ID}$"),
    described("One run of the programme for one population.", "bercy-2017"),
]
PersonId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_ID}$"),
    described("Pseudonymous id of a person, unique in the cohort.", "m-017"),
]
MentorId = Annotated[
    PersonId,
    described("The mentor's pseudonymous id, unique in the cohort.", "m-017"),
]
ManagerId = Annotated[
    PersonId,
    described("The manager's pseudonymous id, unique in the cohort.", "g-004"),
]
RoundId = Annotated[PersonId, described("The round, unique in the cohort.", "round-1")]
PairId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_ID}~{_ID}$"),
    described("`mentor~manager`: the pair in its cohort.", "m-017~g-004"),
]
SessionId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_ID}~{_ID}~[0-9]{{1,2}}$"),
    described("`mentor~manager~number`.", "m-017~g-004~3"),
]
SurveyId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_ID}~{_ID}~(start|end|s[0-9]{{1,2}})~(mentor|manager)$"),
    described(
        "`mentor~manager~occasion~side`; the occasion is start, s1, s2, … or end.",
        "m-017~g-004~s3~mentor",
    ),
]


EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""The bounds of a moment: a year from where the calendar ends, so that no zone leaves it, and no
deadline that is counted from there."""


def to_milliseconds(moment: datetime) -> datetime:
    """Time as the platform keeps it: UTC, cut to the millisecond (what MongoDB can hold).

    ValueError if it is not between `EARLIEST` and `LATEST`.
    """
    if moment.tzinfo is not UTC:  # most have been here before
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise ValueError(_NO_MOMENT) from None
    if not EARLIEST <= moment < LATEST:
        raise ValueError(_NO_MOMENT)
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


_NO_MOMENT = "a moment is of the years 2 to 9998, in UTC"

Moment = Annotated[
    AwareDatetime,
    AfterValidator(to_milliseconds),
    described("UTC, to the millisecond.", "2017-03-06T09:00:00Z"),
]


class Value(BaseModel):
    """Frozen data. Unknown fields are ignored, so that a reader survives a newer writer.

    A default is validated as what is given is: left out, a field is to the byte what it is where
    it was written and read (a 45 for a float would be kept as an integer, and rebuilt as none).
    """

    # No JSON can say infinity: it would be published as null, and could not be read back.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_default=True,
        allow_inf_nan=False,
        defer_build=True,
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same with these changes, which nobody validates. What is frozen is shared."""
        return super().model_copy(update=update, deep=True) if deep else changed(self, update or {})


V = TypeVar("V", bound=Value)
M = TypeVar("M", bound="Message")


def recast(kind: type[V], source: BaseModel, /, **changes: Any) -> V:
    """A value of another kind with the fields that both have, and these changes.

    What is validated already is taken over as it is, values inside and all.
    """
    return cast(kind, source, changes)


Audience = Literal["public", "internal", "restricted"]
"""Who may read a message: everybody on the broker, the platform's services, or notify alone."""


Reading = Literal["record", "taken-in"]
"""What a message is read from, where validation asks (it is its context): a record that comes in,
or one that was taken in before, when less may have been asked. None of them: it is made here."""
TAKEN_IN: Reading = "taken-in"


class Message(Value):
    """Something that travels: it has a cohort, and a subject within it.

    Its class says who may read it, and so on which of its service's topics it travels. Of an
    `anonymous` one, and of what follows from it, nobody is to know who is behind it.
    """

    audience: ClassVar[Audience]
    anonymous: ClassVar[bool] = False
    version: ClassVar[int] = 1
    subject_field: ClassVar[str] = "cohort_id"

    cohort_id: CohortId

    @property
    def subject(self) -> str:
        """What the message is about; the key of its record."""
        return str(getattr(self, self.subject_field))


class Command(Message):
    """A wish, in the imperative. It is carried out or refused, exactly once.

    A field that nobody knows is refused: a sender learns of what it misspelt (`read_message`). Its
    class says who may ask for it over HTTP, which is nobody where it says nothing.
    """

    asked_by: ClassVar[Rights]
    audience: ClassVar[Audience] = "internal"
    # FastAPI takes no body of a kind whose validator is built when it is first needed.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=False)


def read_message(kind: type[M], value: str | bytes, reading: Reading | None = None) -> M:
    """A message of its JSON. Raises ValidationError.

    A command that comes in is taken as its schema says and no other way: "3" is no number, nor a
    number a moment. A field that nobody knows is refused of it, in the values inside, too.
    """
    read: Callable[..., M] = partial(kind.__pydantic_validator__.validate_json, value)
    if not issubclass(kind, Command):
        return read(context=reading)
    if reading == TAKEN_IN:
        return read(context=reading, extra="forbid")
    try:
        return read(context=reading, extra="forbid", strict=True)
    except ValidationError as error:
        if all(map(_is_whole, error.errors(include_url=False))):
            return read(context=reading, extra="forbid")
        raise


def _is_whole(error: Mapping[str, Any]) -> bool:
    """Whether what is wrong is no more than a 3.0 where JSON's integers have a 3."""
    given = error["input"]
    return error["type"] == "int_type" and isinstance(given, float) and given.is_integer()


class Event(Message):
    """A fact, in the past tense. It is never changed.

    An `anonymous` one carries no trace of the message that led to it.
    """


class MentorEvent(Event):
    """What concerns a mentor."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class ManagerEvent(Event):
    """What concerns a manager."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId


class MentorCommand(Command):
    """What is asked of or for a mentor."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class ManagerCommand(Command):
    """What is asked of or for a manager."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId


class SessionCommand(Command):
    """What is asked of one of a pair's sessions."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId


class PairCommand(Command):
    """What is asked of a pair."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId


class PairEvent(Event):
    """What concerns a pair."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    mentor_id: MentorId
    manager_id: ManagerId


def pair_of(mentor_id: str, manager_id: str) -> str:
    """The id of a pair: who it joins is readable from it, so nobody has to look it up."""
    return f"{mentor_id}~{manager_id}"


def people_of(subject: str) -> tuple[str, str]:
    """(mentor, manager) of a pair, session or survey id."""
    mentor_id, manager_id, *_ = subject.split("~")
    return mentor_id, manager_id


def session_of(pair_id: str, number: int) -> str:
    """The id of a pair's session `number` (1 is the first); a new attempt keeps it."""
    return f"{pair_id}~{number}"


def parent_pair(subject: str) -> str:
    """The pair that a session or a survey belongs to."""
    return pair_of(*people_of(subject))
