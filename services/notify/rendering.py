"""A letter as an e-mail, in the language of its reader. Pure but for reading its templates once.

The texts are data (`templates/letters.*.toml`); one layout each for plain text and HTML. Always
holds: the same letter, people and time give the same e-mail, byte for byte; its Message-ID
depends on the letter alone, so that a mail program can tell a letter that was handed over twice.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from schemas import saying
from schemas.charter import CHARTER
from schemas.people import Assistant
from schemas.places import MeetingPlace, where
from schemas.scheduling import SessionConfirmed, SessionEvent
from schemas.values import Language
from services.notify import words
from services.notify.actions import Links
from services.notify.digesting import digest_view
from services.notify.invitations import Invitation, Method, calendar_of
from services.notify.letters import ROLE_LETTERS, TELLINGS, Told, event_of, other_of
from services.notify.mail_parts import ALTERNATIVES, Mail, address_of, for_programs, readable
from services.notify.proof import HEADER, proof
from services.notify.role_letters import role_view
from services.notify.sentences import say as _say
from services.notify.speaking import facts_of
from services.notify.texts import STANDARD, Texts
from services.notify.views import Cohort, Letter, Person


class _Layouts(Environment):
    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            loader=PackageLoader("services.notify"),
            undefined=StrictUndefined,
            autoescape=autoescape,
            auto_reload=False,
        )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a layout asks for by name is nearly always a key: that is looked up first."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_LAYOUTS = {"txt": _Layouts(autoescape=False), "html": _Layouts(autoescape=True)}


@lru_cache
def _layout(name: str, ending: str) -> Template:
    return _LAYOUTS[ending].get_template(f"{name}.{ending}.jinja")


class UnusableAddress(ValueError):
    """An address that no e-mail can carry."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes. `domain` is that of message ids; `contact` is an address for questions,
    `answers` the one where calendar programs' answers are read, if they are; `texts` what letters
    say; `secret` what their proofs are made with, if any (`proof`)."""

    address: str
    domain: str
    contact: str | None = None
    answers: str | None = None
    texts: Texts = STANDARD
    secret: str | None = None


_NOWHERE: Mapping[str, MeetingPlace] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Writing:
    """What every part of one letter is written with."""

    letter: Letter
    told: Sequence[Told]
    person: Person
    name: str
    others: Mapping[str, Person]
    places: Mapping[str, MeetingPlace]
    links: Links
    cohort: Cohort
    programme: str
    head: Letterhead
    language: Language

    @property
    def texts(self) -> Mapping[str, Mapping[str, Any]]:
        return self.head.texts.of(self.cohort.id, self.language)

    @property
    def reader(self) -> Person | Assistant:
        """Whom it greets: the person whom it concerns, or their assistant."""
        copied = self.person.assistant if self.letter.to_assistant else None
        return copied or self.person


def render(
    letter: Letter,
    person: Person,
    others: Mapping[str, Person],
    links: Links,
    cohort: Cohort,
    head: Letterhead,
    now: datetime,
    places: Mapping[str, MeetingPlace] = _NOWHERE,
) -> Mail:
    """The e-mail that tells `person`, or their assistant, the letter's facts, dated `now`.

    `others` are the other sides of its pairs, or whom a digest names, by id, `places` where pairs
    meet by the pair's id, as far as they are known. Raises `UnusableAddress`.
    """
    writing = _Writing(
        letter,
        [(part, event_of(part)) for part in letter.parts()],
        person,
        words.one_line(person.name),
        others,
        places,
        links,
        cohort,
        words.one_line(cohort.name),
        head,
        language_of(person, cohort),
    )
    main, sections, layout = _parts(writing)
    if letter.to_assistant:
        main |= _for_assistant(writing, main["subject"])
    view = _frame(writing) | {"main": main, "sections": sections}
    parts = [
        readable(kind, _layout(layout, ending).render(view))
        for ending, kind in (("txt", "plain"), ("html", "html"))
    ]
    if method := _method(letter):
        # As a third alternative, not an attachment: so mail programs show it as an invitation.
        parts.append(for_programs(method, _calendar(writing, method, main, now)))
    return Mail([*_headers(writing, main["subject"], now)], parts)


def _headers(writing: _Writing, subject: str, now: datetime) -> Iterator[tuple[str, str | Address]]:
    letter, head = writing.letter, writing.head
    yield "From", _programme(writing.programme, head.address)
    yield "To", _address(writing.reader)
    if head.contact:
        yield "Reply-To", head.contact
    yield "Subject", subject
    yield "Date", format_datetime(now)
    yield "Message-ID", message_id(letter, head.domain)
    yield "Auto-Submitted", "auto-generated"
    yield "X-Connecte-Letter", letter.id
    yield "X-Connecte-Cohort", letter.cohort_id
    if head.secret is not None:
        yield HEADER, proof(head.secret, letter.key)
    if len(writing.told) > 1:
        tells = (part.news_id.rpartition(":")[0] for part, _ in writing.told)
        yield "X-Connecte-Tells", " ".join(tells)
    yield from ALTERNATIVES
    yield "Content-Language", writing.language


def _parts(writing: _Writing) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """What the letter says first, what beside that, and the layout in which it does."""
    if writing.letter.template in ROLE_LETTERS:
        return _of_a_role(writing), [], "layout"
    if not writing.told:
        return _digest_of(writing), [], "digest"
    first, *more = writing.told
    main = _section(writing, first, alone=not more)
    layout = "invitation" if _method(writing.letter) else "layout"
    return main, [_section(writing, part) for part in more], layout


def _method(letter: Letter) -> Method | None:
    """What its calendar part asks for; None where it has none."""
    # An entry in the assistant's own calendar would be answered for the wrong person.
    if letter.to_assistant or letter.side is None:
        return None
    return TELLINGS[letter.template].invitation


def _of_a_role(writing: _Writing) -> dict[str, Any]:
    letter, language = writing.letter, writing.language

    def say(text: str, facts: Mapping[str, Any]) -> str:
        return _say(text, facts, language)

    values = {
        "name": writing.name,
        "cohort": writing.programme,
        "contact": writing.head.contact,
    }
    own = writing.texts[letter.template]
    return role_view(letter, writing.links, own, values, language, say)


def _digest_of(writing: _Writing) -> dict[str, Any]:
    letter, language = writing.letter, writing.language

    def say(text: str, facts: Mapping[str, Any]) -> str:
        return _say(text, facts, language)

    own = writing.texts[letter.template]
    return digest_view(letter, writing.others, writing.links, own, language, say)


def _for_assistant(writing: _Writing, subject: str) -> dict[str, str]:
    """What a copy says instead: for whom it is, and what its reader can do."""
    common = writing.texts["_common"]
    values = {"name": writing.name, "subject": subject}
    keys = {"subject": "copy_subject", "intro": "copy_intro", "next": "copy_next"}
    return {key: _say(common[text], values, writing.language) for key, text in keys.items()}


def _attendees(writing: _Writing, event: SessionEvent) -> list[tuple[str, str, bool]]:
    """Name, address, and whether they have confirmed the date that stands, the reader first."""
    both = isinstance(event, SessionConfirmed)  # it is told once both have
    confirmed = getattr(event, "confirmed_by", ())
    sides = {event.mentor_id: "mentor", event.manager_id: "manager"}
    people = (writing.person, *writing.others.values())
    return [(words.one_line(p.name), p.email, both or sides.get(p.id) in confirmed) for p in people]


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


def _calendar(writing: _Writing, method: Method, view: Mapping[str, Any], now: datetime) -> str:
    """The calendar part of an invitation. Its description is all that some programs show of it."""
    _, event = writing.told[0]
    if not isinstance(event, SessionEvent):
        raise TypeError(f"{writing.letter.template} has no place in a calendar")
    lines = view["body"]
    if view["url"]:
        lines = [*lines, f"{view['action']}{_colon(writing.language)}", view["url"]]
    head = writing.head
    invitation = Invitation(
        method=method,
        summary=view["entry"],
        description="\n\n".join(lines),
        organizer=(writing.programme, head.answers or head.address),
        attendees=_attendees(writing, event),
        url=view["url"],
        domain=head.domain,
        answers=head.answers is not None,
        location=view["where"],
        conference=place.link if (place := writing.places.get(event.pair_id)) else None,
    )
    return calendar_of(event, invitation, now)


def _address(reader: Person | Assistant) -> Address:
    try:
        return address_of(words.one_line(reader.name), reader.email)
    except (MessageError, ValueError, IndexError) as error:
        raise UnusableAddress(type(error).__name__) from None


@lru_cache(maxsize=256)
def _programme(name: str, address: str) -> Address:
    """Who writes; an address is taken to its parts, which takes a while, once."""
    return Address(name, addr_spec=address)


def _frame(writing: _Writing) -> dict[str, Any]:
    """What stands round the facts: greeting, signature, how to reach somebody."""
    language, contact = writing.language, writing.head.contact
    common = writing.texts["_common"]
    values = {
        "name": words.one_line(writing.reader.name),
        "cohort": writing.programme,
        "contact": contact,
    }

    def say(key: str) -> str:
        return _say(common[key], values, language)

    return {
        "language": language,
        "colon": _colon(language),
        "greeting": say("greeting"),
        "next_title": say("next"),
        "signature": say("signature"),
        "footer": say("footer"),
        "contact": say("contact") if contact else None,
        "ways": [(say(key), url) for key, url in _ways(writing) if url],
    }


def _ways(writing: _Writing) -> Iterator[tuple[str, str | None]]:
    """What a mentor or a manager can do whatever the letter tells: pause, leave, or change."""
    letter, links = writing.letter, writing.links
    if letter.side is None or letter.to_assistant:
        return
    yield "own_part", links.own_part(letter.cohort_id)
    pairs = (p.facts.get("pair_id") for p, _ in writing.told if p.template not in _NO_PAIR)
    if pair_id := next(filter(None, pairs), None):
        yield "another_partner", links.another_partner(letter.cohort_id, pair_id)


_NO_PAIR = {
    *("PairProposed", "ProposalReminder", "ProposalDeclined", "ProposalExpired"),
    *("PairDissolved", "PairGraduated"),
}
"""What tells of a pair that is not there yet, or not any more."""


def _section(writing: _Writing, told: Told, *, alone: bool = False) -> dict[str, Any]:
    """What a layout shows of one fact. All is plain text: the HTML layout escapes all of it."""
    language, letter, links, (part, event) = writing.language, writing.letter, writing.links, told
    other = writing.others.get(other_of(part) or "")
    place = writing.places.get(part.facts.get("pair_id", ""))
    common, own = writing.texts["_common"], writing.texts[part.template]
    values = facts_of(event, part, other, letter.dates, language) | {
        "name": writing.name,
        "other": words.one_line(other.name) if other else common["someone"],
        "cohort": writing.programme,
        "contact": writing.head.contact,
        "alone": alone,
        "where": where(place, language) if place else None,
        "charter": words.one_line(getattr(writing.cohort.charter or CHARTER, language)),
    }

    def say(text: str | None) -> str | None:
        return _say(text, values, language) if text else None

    def each(key: str, found: Any) -> list[str]:
        text = own.get(key)
        return [_say(text, {**values, **one}, language) for one in found or ()] if text else []

    url, then_url = links.of(letter, told, language), links.then(letter, told, language)
    return {
        "subject": say(own["subject"]),
        "intro": None,
        "where": values["where"],
        "body": [said for text in own["body"] if (said := say(text))],
        "write_to": values["other_email"] if own.get("write_to") else None,
        "action": say(own.get("action")),
        "url": url,
        "then": say(own.get("then")) if then_url else None,
        "then_action": say(own.get("then_action")),
        "then_url": then_url,
        "card": values.get("card"),
        "presentation": say(common["presentation"]) if values.get("presentation") else None,
        "heading": say(own.get("reasons")),
        "reasons": _reasons(own, values, language),
        "explained": say(own.get("explained")),
        "explained_at": links.explaining(letter, told, language),
        "begin": say(common["begin"]) if values.get("tools") else None,
        "begin_with": values.get("begin_with"),
        "dates": say(own.get("dates")),
        "sessions": each("date", values.get("sessions")),
        "upcoming": each("upcoming", [values["upcoming"]] if values.get("upcoming") else ()),
        "after": say(own.get("after")),
        "charter": say(own.get("charter")),
        "next": say(own.get("next")),
        "entry": say(common["session"]) if "number" in values else None,
    }


def _colon(language: Language) -> str:
    return saying.typeset(" :", language) if language == "fr" else ":"


def _reasons(
    own: Mapping[str, Any], values: Mapping[str, Any], language: Language
) -> list[str] | None:
    """Three sentences at most, each of one criterion; None where there is nothing to explain."""
    if "why" not in own:
        return None
    return [
        _say(own["why"][criterion], {**values, "said": said}, language)
        for criterion, said in values.get("why", ())
    ] or None
