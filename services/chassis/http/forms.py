"""What the page behind a link shows: who, when, where; what is asked; what will happen.

Always holds: a question has a name of its own, so that its answer is known in a form, in JSON and
in what is said of it where it is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby
from typing import Literal

from schemas.base import Command
from schemas.saying import Language
from services.chassis.domain import State
from services.chassis.http.links import Link


@dataclass(frozen=True, slots=True)
class Text:
    """The same in French and English."""

    fr: str
    en: str

    @classmethod
    def of(cls, say: Callable[[Language], str]) -> "Text":
        """What is said in each language."""
        return cls(say("fr"), say("en"))


@dataclass(frozen=True, slots=True)
class Field:
    """Something to enter; `kind` is that of an HTML input."""

    name: str
    label: Text
    kind: Literal["date", "time", "text"]
    required: bool = True

    def takes(self, entered: str) -> bool:
        """Whether it is of its kind, or may be left out and is."""
        if not entered.strip():
            return not self.required
        if self.kind == "text":
            return True
        try:
            (date if self.kind == "date" else time).fromisoformat(entered)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer. `under`: a heading that it shares with those beside it.

    `fields` are entered with this answer, and count with no other.
    """

    value: str
    text: Text
    under: Text | None = None
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with its possible answers.

    `several`: any of them can be ticked, each under its own value as its name; else one is chosen.
    """

    name: str
    label: Text
    options: Sequence[Option]
    required: bool = True
    several: bool = False

    @property
    def groups(self) -> list[tuple[Text | None, list[Option]]]:
        """The options in their order, with the heading that they share."""
        return [(under, list(those)) for under, those in groupby(self.options, lambda o: o.under)]

    def answered(self, answers: Mapping[str, str]) -> bool:
        """Whether anything was chosen or ticked."""
        names = [option.value for option in self.options] if self.several else [self.name]
        return any(answers.get(name) for name in names)

    def unfilled(self, answers: Mapping[str, str]) -> list[Field]:
        """What has still to be entered with the answer that was given."""
        given = answers.get(self.name)
        wanted = (field for o in self.options if o.value == given for field in o.fields)
        return [field for field in wanted if not field.takes(answers.get(field.name, ""))]


SEND = Text("Envoyer", "Send")


@dataclass(frozen=True, slots=True)
class Form:
    """What a person is asked. `then`: what will happen, said before the button.

    `notice`: what holds now; without choices there is nothing to answer, and it says why. `hint`:
    what to know for answering, which is nothing to whoever was refused.
    """

    title: Text
    choices: Sequence[Choice]
    notice: Text | None = None
    then: Text | None = None
    button: Text = SEND
    hint: Text | None = None

    def missing(self, answers: Mapping[str, str]) -> list[Choice | Field]:
        """What has no answer and wants one; every question if none is answered."""
        blank = [choice for choice in self.choices if not choice.answered(answers)]
        if len(blank) == len(self.choices):
            return [*blank]
        unfilled = (field for choice in self.choices for field in choice.unfilled(answers))
        return [*(choice for choice in blank if choice.required), *unfilled]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with their names. A row is (what it is about, the cells after it)."""

    caption: Text
    columns: Sequence[Text]
    rows: Sequence[tuple[Text, Sequence[Text]]]


@dataclass(frozen=True, slots=True)
class About:
    """What the link is about, as it now is: (what it is, how it is said).

    `tables` and `facts` are for pages that explain: the second is the same for machines.
    """

    lines: Sequence[tuple[Text, Text]] = ()
    tables: Sequence[Table] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


NOTHING = About()


def _about_nothing(*_: object) -> About:
    return NOTHING


def _no_more(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What a link is for: what its page shows and asks, and the command that the answers make.

    `form`, `about` and `after` (what comes next, once it is done) are made from the documents as
    they stand; where those cannot be read, none is there. `command` raises `Problem` or pydantic's
    error where the answers do not make one; the token is for commands that carry a proof.
    `refusals`: what a rule did not allow, by its name, in words.
    """

    form: Callable[[State, Link, datetime], Form]
    command: Callable[[Link, Mapping[str, str], str], Command]
    about: Callable[[State, Link], About] = _about_nothing
    after: Callable[[State, Link, Command], Text | None] = _no_more
    refusals: Mapping[str, Text] = field(default_factory=dict)
