"""What the page behind a link shows: who, when, where; what is asked; what will happen.

Always holds: a question has a name of its own, so that its answer is known in a form, in JSON and
in what is said of it where it is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.base import Command
from services.chassis.domain import Document, One
from services.chassis.http.links import Link


@dataclass(frozen=True, slots=True)
class Text:
    """The same in French and English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with its possible answers: value and text."""

    name: str
    label: Text
    options: Sequence[tuple[str, Text]]
    required: bool = True


SEND = Text("Envoyer", "Send")


@dataclass(frozen=True, slots=True)
class Form:
    """What a person is asked. `then`: what will happen, said before the button."""

    title: Text
    choices: Sequence[Choice]
    notice: Text | None = None
    then: Text | None = None
    button: Text = SEND

    def missing(self, answers: Mapping[str, str]) -> list[Choice]:
        """The questions that have no answer and want one; all of them if nothing is answered."""
        blank = [choice for choice in self.choices if not answers.get(choice.name)]
        if len(blank) == len(self.choices):
            return blank
        return [choice for choice in blank if choice.required]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with their names. A row is (what it is about, the cells after it)."""

    caption: Text
    columns: Sequence[Text]
    rows: Sequence[tuple[Text, Sequence[Text]]]


@dataclass(frozen=True, slots=True)
class About:
    """What the link is about, as it now is: (what it is, how it is said).

    `closed`: why there is nothing to answer any more; then no form is shown. `tables` and `facts`
    are for pages that explain: the second is the same for machines.
    """

    lines: Sequence[tuple[Text, Text]] = ()
    closed: Text | None = None
    tables: Sequence[Table] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def _nothing(*_: object) -> Sequence[One]:
    return ()


def _about_nothing(*_: object) -> About:
    return About()


def _no_more(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What a link is for: what its page asks, and the command that the answers make.

    `command` raises `Problem` or pydantic's error where the answers do not make one; the token is
    for commands that carry a proof. `needs` are the documents of which `about` makes what is
    shown; of those that cannot be read, nothing is. `after` is what comes next, once it is done.
    """

    form: Callable[[Link], Form]
    command: Callable[[Link, Mapping[str, str], str], Command]
    needs: Callable[[Link], Sequence[One]] = _nothing
    about: Callable[[Link, Sequence[Document]], About] = _about_nothing
    after: Callable[[Link, Command], Text | None] = _no_more
