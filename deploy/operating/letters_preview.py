"""Every letter that there can be, as files to look at: with nobody's name and no server.

Always holds: a letter is rendered by the code that sends it; the links in it lead nowhere.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from deploy.errors import BadInput
from deploy.operating.letter_examples import (
    COHORT,
    COORDINATOR,
    WRITTEN_AT,
    contact,
    dates,
    digests,
    roles,
    told,
)
from schemas.appointments import RoleGiven, RoleTaken
from schemas.attention import AttentionGathered
from schemas.base import Event, recast
from schemas.notify import News
from schemas.people import PersonContact
from schemas.saying import LANGUAGES, Language
from schemas.values import Side
from services.chassis.http.links import LinkSigner, generate_keys
from services.notify import appointing
from services.notify.actions import ANSWERED_BY, Links
from services.notify.letters import letters_of
from services.notify.mail_policy import MAIL_POLICY
from services.notify.rendering import Letterhead, render
from services.notify.texts import STANDARD, Texts
from services.notify.views import Cohort, Letter, Person

_OTHER: dict[Side, Side] = {"mentor": "manager", "manager": "mentor"}
_NOWHERE = "https://connecte.example"


@dataclass(frozen=True, slots=True)
class Previewed:
    """One letter in one language; `name` is that of its files, without what they end in."""

    name: str
    template: str
    branch: str
    side: Side | None
    language: Language
    subject: str
    eml: bytes
    html: str
    text: str


def letters(
    name: str | None = None,
    contact_at: str | None = None,
    texts: Texts = STANDARD,
    cohort_id: str = COHORT.cohort_id,
) -> Iterator[Previewed]:
    """Every letter of every event, branch, reader and language; `name` is the programme's.

    `texts`: as a deployment has changed them; shown are those of `cohort_id`.
    """
    pages: list[str] = [*ANSWERED_BY.values(), "portal"]
    urls = dict.fromkeys(pages, _NOWHERE)
    links = Links(LinkSigner(generate_keys()[0]), urls)
    policy = COHORT.policy
    cohort = Cohort(
        id=cohort_id,
        cohort_id=COHORT.cohort_id,
        name=name or COHORT.name,
        quiet_hours=policy.quiet_hours,
        languages=policy.languages,
    )
    head = Letterhead("connecte@programme.example", "programme.example", contact_at, None, texts)
    for branch, letter in every_letter():
        for language in LANGUAGES:
            reader, others = people_of_example(letter, language)
            message = render(letter, reader, others, links, cohort, head, WRITTEN_AT).as_message()
            parts = [letter.template, branch, letter.side, language]
            page, plain = message.get_body(("html",)), message.get_body(("plain",))
            assert page is not None and plain is not None
            yield Previewed(
                name="-".join(part for part in parts if part),
                template=letter.template,
                branch=branch,
                side=letter.side,
                language=language,
                subject=str(message["Subject"]),
                eml=message.as_bytes(policy=MAIL_POLICY),
                html=page.get_content(),
                text=plain.get_content(),
            )


def every_letter() -> Iterator[tuple[str, Letter]]:
    """Every letter that there can be, with its branch: to mentors, managers and coordinators,
    and to whoever has a role."""
    for template, branch, facts in told():
        for letter in letters_about(template, facts):
            yield branch, letter
    for branch, gathered in digests():
        yield branch, _digest(gathered)
    for branch, event in roles():
        yield branch, _of_a_role(event)


def people_of_example(letter: Letter, language: Language) -> tuple[Person, dict[str, Person]]:
    """The reader of an example, and whoever it speaks of, by id."""
    sides: list[Side] = [_OTHER[letter.side]] if letter.side else ["mentor", "manager"]
    others = [_person(contact(side), language) for side in sides]
    reader = contact(letter.side) if letter.side else COORDINATOR
    return _person(reader, language), {other.id: other for other in others}


def _digest(gathered: AttentionGathered) -> Letter:
    return Letter(
        id=f"AttentionGathered:20170306T090000Z:{COORDINATOR.person_id}",
        cohort_id=gathered.cohort_id,
        state="queued",
        person_id=COORDINATOR.person_id,
        template=AttentionGathered.__name__,
        facts=gathered.model_dump(mode="json"),
        owed_since=WRITTEN_AT,
        due_at=WRITTEN_AT,
    )


def _of_a_role(event: RoleGiven | RoleTaken) -> Letter:
    queued = appointing.told(None, event, WRITTEN_AT)
    due = {"owed_since": queued.send_at, "due_at": queued.send_at}
    return recast(Letter, queued, id=queued.letter_id, state="queued", **due)


def letters_about(template: str, facts: Sequence[tuple[str, Event]]) -> Iterator[Letter]:
    """The letter that tells these facts, for each of its readers; the first names it."""
    for _, person_id, side in letters_of(facts[0][1]):
        parts = [
            News(
                news_id=letter_id.replace(type(event).__name__, kind, 1),
                template=kind,
                side=side,
                facts=event.model_dump(mode="json"),
            )
            for kind, event in facts
            for letter_id, to, _ in letters_of(event)
            if to == person_id
        ]
        yield Letter(
            id=parts[0].news_id,
            cohort_id=facts[0][1].cohort_id,
            state="queued",
            person_id=person_id,
            side=side,
            template=template,
            facts=parts[0].facts,
            also=tuple(parts[1:]),
            dates=dates(event for _, event in facts),
            owed_since=WRITTEN_AT,
            due_at=WRITTEN_AT,
        )


def _person(found: PersonContact, language: Language) -> Person:
    return recast(Person, found, id=found.person_id, language=language)


def write(directory: Path, found: list[Previewed]) -> None:
    """The letters as `.eml`, `.html` and `.txt`, and `index.html`. Raises BadInput."""
    page = _INDEX.get_template("letters_index.html").render(letters=found, languages=LANGUAGES)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for letter in found:
            (directory / f"{letter.name}.eml").write_bytes(letter.eml)
            (directory / f"{letter.name}.html").write_text(letter.html, encoding="utf-8")
            (directory / f"{letter.name}.txt").write_text(letter.text, encoding="utf-8", newline="")
        (directory / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"{directory}: cannot be written ({os.strerror(error.errno or 0)})"
        ) from None


_INDEX = Environment(
    loader=PackageLoader("deploy.operating", "."), autoescape=True, undefined=StrictUndefined
)
