"""A letter as an e-mail, in the language of its reader. Pure but for reading its templates once.

The texts are data (`templates/letters.*.toml`); one layout each for plain text and HTML. Always
holds: the same letter, people and time give the same e-mail, byte for byte; its Message-ID
depends on the letter alone, so that a mail program can tell a letter that was handed over twice.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas import saying
from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.known.tools import listed
from schemas.matching import ManagerWaitlisted, PairFormed, PairProposed
from schemas.places import MeetingPlace, where
from schemas.scheduling import (
    AttendanceReminded,
    AttendanceRequested,
    PairGraduated,
    PairStalled,
    PlanningPostponed,
    SessionConfirmed,
    SessionEvent,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionRescheduled,
    SessionShifted,
)
from schemas.values import BY_HAND, Language, Side
from services.notify import words
from services.notify.actions import Links
from services.notify.invitations import Invitation, Method, calendar_of
from services.notify.letters import LETTERS, TEMPLATES
from services.notify.views import Cohort, Letter, Person

_LINE = 76


class _Headers(HeaderRegistry):
    """As Python's own, which makes a class anew for every header of every letter."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        name = name.lower()
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


class _Mail(policy.EmailPolicy):
    """Lines as RFC 2045, 2047 and 5322 have them: 76 at most where they are folded or encoded.

    Names and subjects are folded here, for Python's own policy loses the quotes of a name that it
    folds. An id or an address stays whole, for it has no place to fold it at: as an encoded word
    not every reader would know it. It is shorter than the 998 that a line may have.
    """

    def fold(self, name: str, value: Any) -> str:
        match name.lower():
            case "from" | "to":
                [one] = value.addresses
                folded = _mailbox(name, one.display_name, one.addr_spec)
            case "subject":
                folded = f"{name}: {_said(name, str(value))}"
            case "message-id" | "x-connecte-letter" | "x-connecte-cohort" if value.isascii():
                folded = f"{name}: {value}"
            case _:
                folded = str(super().fold(name, value)).removesuffix(self.linesep)
        return folded + self.linesep

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")  # as it is without SMTPUTF8


def _mailbox(header: str, name: str, address: str) -> str:
    """A header with a name and an address; the address has a line of its own if it has to."""
    if not name:
        return f"{header}: {address}"
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    simple = name if re.fullmatch(r"[\w'*+/ -]+", name, re.ASCII) else quoted
    said = f"{header}: {_said(header, name, simple)}"
    space = " " if len(said.rpartition("\r\n")[2]) + len(address) + 3 <= _LINE else "\r\n "
    return f"{said}{space}<{address}>"


def _said(header: str, text: str, plain: str | None = None) -> str:
    """A text in a header: as it is, if it can be, or as encoded words on lines of their own."""
    plain = text if plain is None else plain
    fits = len(header) + 2 + len(plain) <= _LINE
    if fits and plain.isascii() and plain.isprintable() and "=?" not in plain:
        return plain
    return Header(text, "utf-8", _LINE, header).encode(linesep="\r\n")


MAIL_POLICY = _Mail(max_line_length=_LINE, linesep="\r\n", header_factory=_Headers())

_PLAIN = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
_LAYOUTS = {
    "txt": Environment(
        loader=PackageLoader("services.notify"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
    ),
    "html": Environment(
        loader=PackageLoader("services.notify"), undefined=StrictUndefined, autoescape=True
    ),
}


class UnusableAddress(ValueError):
    """An address that no e-mail can carry."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes. `domain` is that of message ids; `contact` is an address for questions,
    `answers` the one where calendar programs' answers are read, if they are."""

    address: str
    domain: str
    contact: str | None = None
    answers: str | None = None


def render(
    letter: Letter,
    person: Person,
    other: Person | None,
    links: Links,
    cohort: Cohort,
    head: Letterhead,
    now: datetime,
    place: MeetingPlace | None = None,
) -> EmailMessage:
    """The e-mail that tells `person` the letter's fact, dated `now`.

    `other` is the other side of the pair, `place` where they meet, if that is known. Raises
    `UnusableAddress`.
    """
    event = TEMPLATES[letter.template].model_validate(letter.facts)
    language = language_of(person, cohort)
    url = links.of(letter, language)
    facts = _facts(event, letter, person, other, cohort, language)
    facts["where"] = where(place, language) if place else None
    view = _view(letter.template, facts, language, head) | {
        "url": url,
        "explained_at": links.explaining(letter, language),
    }
    message = EmailMessage(policy=MAIL_POLICY)
    _address_to(message, person, cohort, head)
    message["Subject"] = view["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(letter, head.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Connecte-Letter"] = letter.id
    message["X-Connecte-Cohort"] = letter.cohort_id
    text = _LAYOUTS["txt"].get_template("layout.txt.jinja").render(view)
    html = _LAYOUTS["html"].get_template("layout.html.jinja").render(view)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    method = LETTERS[type(event)].invitation
    if method and isinstance(event, SessionEvent):
        invitation = Invitation(
            method=method,
            summary=_say(_texts(language)["_common"]["session"], facts, language),
            description=_description(view),
            organizer=(words.one_line(cohort.name), head.answers or head.address),
            attendees=_attendees(event, letter.side, person, other),
            url=url,
            domain=head.domain,
            answers=head.answers is not None,
            location=facts["where"],
            conference=place.link if place else None,
        )
        _attach(message, method, calendar_of(event, invitation, now))
    message["Content-Language"] = language  # the parts would take it with them if it came first
    # Quoted-printable text cannot contain it. A random one would make every copy different.
    message.set_boundary(f"=_{_digest(letter)[:24]}")
    return message


def _attendees(
    event: SessionEvent, side: Side, person: Person, other: Person | None
) -> list[tuple[str, str, bool]]:
    """Name, address, and whether they have confirmed the date that stands."""
    both = isinstance(event, SessionConfirmed)  # it is told once both have
    confirmed = getattr(event, "confirmed_by", ())
    theirs = "manager" if side == "mentor" else "mentor"
    people = ((person, side), (other, theirs))
    return [(words.one_line(p.name), p.email, both or who in confirmed) for p, who in people if p]


def message_id(letter: Letter, domain: str) -> str:
    """`<hash@domain>`: the same for the same letter, and nothing of the person in it."""
    return f"<{_digest(letter)}@{domain}>"


def _digest(letter: Letter) -> str:
    return hashlib.sha256(letter.key.encode()).hexdigest()[:40]


def language_of(person: Person, cohort: Cohort) -> Language:
    """The person's language if the cohort writes it, else the cohort's first."""
    if person.language in cohort.languages or not cohort.languages:
        return person.language
    return cohort.languages[0]


def _attach(message: EmailMessage, method: Method, calendar: str) -> None:
    # As a third alternative, not an attachment: so mail programs show it as an invitation.
    params = {"method": method}
    message.add_alternative(calendar, subtype="calendar", cte="base64", params=params)


def _description(view: Mapping[str, Any]) -> str:
    """What a calendar shows: all of the letter that some mail programs show of an invitation."""
    lines = view["body"][:-1]  # the last paragraph speaks of the calendar part itself
    if view["url"]:
        lines = [*lines, f"{view['action']}{view['colon']}", view["url"]]
    return "\n\n".join(lines)


def _address_to(message: EmailMessage, person: Person, cohort: Cohort, head: Letterhead) -> None:
    message["From"] = Address(words.one_line(cohort.name), addr_spec=head.address)
    try:
        message["To"] = Address(words.one_line(person.name), addr_spec=person.email)
    except (MessageError, ValueError, IndexError) as error:
        raise UnusableAddress(type(error).__name__) from None
    if head.contact:
        message["Reply-To"] = head.contact


def _facts(
    event: Event,
    letter: Letter,
    person: Person,
    other: Person | None,
    cohort: Cohort,
    language: Language,
) -> dict[str, Any]:
    """What the texts can speak of, in words."""
    someone = _texts(language)["_common"]["someone"]
    facts: dict[str, Any] = {
        "name": words.one_line(person.name),
        "other": words.one_line(other.name) if other else someone,
        "other_email": other.email if other else None,
        "cohort": words.one_line(cohort.name),
        "me": letter.side,
        "by": getattr(event, "by", None),
        "cause": getattr(event, "cause", None),
        "begin_with": None,
    }
    match event:
        case PairProposed():
            facts |= _proposal_facts(event, letter, other, language)
        case ManagerWaitlisted():
            facts["position"] = event.waiting.position
            facts["because"] = words.sentence(words.said(event.waiting.words, language))
        case PairFormed():
            facts["tools"] = words.said(listed(event.tools), language)
        case PairStalled():
            facts["since"] = saying.day(event.since, language)
        case PlanningPostponed():
            facts["numbers"] = saying.listed([str(n) for n in event.numbers], language)
            facts["several"] = len(event.numbers) > 1
        case PairGraduated():
            facts["sessions"] = event.sessions
        case SurveyOpened():
            facts["kind"], facts["questions"] = event.kind, len(event.questions)
            facts["closes"] = saying.day_and_time(event.closes_at, language)
        case SessionEvent():
            facts |= _session_facts(event, language)
        case _:
            pass
    return facts


def _proposal_facts(
    event: PairProposed, letter: Letter, other: Person | None, language: Language
) -> dict[str, Any]:
    """Who it is, why, and what the two begin with; a coordinator's choice has their reason."""
    theirs = event.manager_profile if letter.side == "mentor" else event.mentor_profile
    facts: dict[str, Any] = {
        "expires": saying.day_and_time(event.expires_at, language),
        "by_hand": event.round_id == BY_HAND,
        "because": event.chosen_because,
        "card": words.card(other.post if other else None, theirs, language),
        "presentation": other.presentation if other else None,
        "tools": words.said(listed(event.tools), language),
        "begin_with": words.tools(event.first_tools, language),
    }
    if not facts["by_hand"]:
        facts["why"] = words.best(event.reasons, language)
    return facts


def _session_facts(event: SessionEvent, language: Language) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "number": event.number,
        "attempt": event.attempt,
        "starts": saying.day_and_time(event.starts_at, language),
        "when": saying.span(event.starts_at, event.ends_at, language),
    }
    if isinstance(event, SessionMoveProposed | SessionMoveDeclined):
        end = event.proposed_at + (event.ends_at - event.starts_at)
        facts["proposed"] = saying.span(event.proposed_at, end, language)
    if isinstance(event, SessionMoveProposed):
        facts["answer_by"] = saying.day_and_time(event.answer_by, language)
    if isinstance(event, SessionRescheduled | SessionShifted):
        facts["previously"] = saying.day_and_time(event.previously_at, language)
    facts |= {
        name: getattr(event, name)
        for name in ("presumed", "held", "was_held")
        if hasattr(event, name)
    }
    if isinstance(event, AttendanceRequested | AttendanceReminded):
        by = event.report_by
        facts["report_by"] = saying.day_and_time(by, language) if by else None
    return facts


def _view(
    template: str, facts: Mapping[str, Any], language: Language, head: Letterhead
) -> dict[str, Any]:
    """What a layout shows. Everything is plain text: the HTML layout escapes all of it."""
    common, own = _texts(language)["_common"], _texts(language)[template]
    values: dict[str, Any] = dict(facts) | {"contact": head.contact}

    def say(text: str | None) -> str | None:
        return _say(text, values, language) if text else None

    return {
        "language": language,
        "subject": say(own["subject"]),
        "greeting": say(common["greeting"]),
        "body": [said for text in own["body"] if (said := say(text))],
        "write_to": values["other_email"] if own.get("write_to") else None,
        "action": say(own.get("action")),
        "colon": saying.typeset(" :", language) if language == "fr" else ":",
        "card": values.get("card"),
        "presentation": say(common["presentation"]) if values.get("presentation") else None,
        "heading": say(own.get("reasons")),
        "reasons": _reasons(own, values, language),
        "explained": say(own.get("explained")),
        "begin": say(common["begin"]) if values.get("tools") else None,
        "begin_with": values.get("begin_with"),
        "after": say(own.get("after")),
        "next_title": say(common["next"]),
        "next": say(own["next"]),
        "signature": say(common["signature"]),
        "footer": say(common["footer"]),
        "contact": say(common["contact"]) if head.contact else None,
    }


def _reasons(
    own: Mapping[str, Any], values: Mapping[str, Any], language: Language
) -> list[str] | None:
    """Three sentences at most, each of one criterion; None where there is nothing to explain."""
    return [
        _say(own["why"][criterion], {**values, "said": said}, language)
        for criterion, said in values.get("why", ())
    ] or None


def _say(text: str, facts: Mapping[str, Any], language: Language) -> str:
    return saying.typeset(_compiled(text).render(facts), language).strip()


@lru_cache(maxsize=512)
def _compiled(text: str) -> Any:
    return _PLAIN.from_string(text)


@lru_cache
def _texts(language: Language) -> dict[str, dict[str, Any]]:
    file = resources.files("services.notify") / "templates" / f"letters.{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))
