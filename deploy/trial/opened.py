"""What somebody sees who opens a letter: what it tells, of what, and where its buttons lead."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from deploy.trial.check.letters import COPY
from schemas.base import people_of

_LINK = re.compile(r"https?://\S+/links/([\w.-]+)")
_BEGINS = re.compile(r"DTSTART;TZID=Europe/Paris:(\d{4})(\d\d)(\d\d)T")

Led = tuple[tuple[str, str], str]
"""What a link is for, and of what; its address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody sees when they open a letter: what it tells, of what, and where to act.

    One letter can tell several things: each is one of these. `day` is that of its invitation, as
    `2017-03-14`. `assistant`: it is a copy, and `person` whom its reader acts for. `mail` is the
    letter itself.
    """

    template: str
    cohort: str
    subject: str
    person: str
    attempt: int
    link: str | None
    day: str | None = None
    purpose: str | None = None
    letter_id: str = ""
    assistant: bool = False
    mail: EmailMessage | None = field(default=None, repr=False)

    @property
    def mentor(self) -> str:
        """The mentor of the pair that it is about; of a person alone, that person."""
        return people_of(self.subject)[0] if "~" in self.subject else self.person

    @property
    def side(self) -> str:
        return "mentor" if people_of(self.subject)[0] == self.person else "manager"


def read(message: EmailMessage) -> list[Letter]:
    """What a letter tells, one by one; what it asks after that is told as well."""
    first, _, person = str(message["X-Connecte-Letter"]).removeprefix(COPY).rpartition(":")
    body = message.get_body(("plain",))
    links = _links(body.get_content() if body else "")
    told = str(message["X-Connecte-Tells"] or first).replace(COPY, "").split()
    found = [_about(fact, person, links, message) for fact in told]
    asked = {link[0] for link in links} - {(one.purpose, one.subject) for one in found}
    surveys = sorted(survey for purpose, survey in asked if purpose == "survey")
    return found + [_about(f"SurveyOpened:{name}", person, links, message) for name in surveys]


def _about(fact: str, person: str, links: Sequence[Led], message: EmailMessage) -> Letter:
    template, subject, *rest = fact.split(":")
    attempt = rest[0].partition(".")[0] if rest else "1"
    purpose = _PURPOSES.get(template)
    return Letter(
        template=template,
        cohort=str(message["X-Connecte-Cohort"]),
        subject=subject,
        person=person,
        attempt=int(attempt) if attempt.isdigit() else 1,
        link=next((url for led, url in links if led == (purpose, subject)), None),
        day=_day_of(message),
        purpose=purpose,
        letter_id=str(message["X-Connecte-Letter"]),
        assistant=str(message["X-Connecte-Letter"]).startswith(COPY),
        mail=message,
    )


_PURPOSES = {
    "PairProposed": "proposal",
    "ProposalReminder": "proposal",
    "SurveyOpened": "survey",
    "SurveyReminder": "survey",
    "AttendanceRequested": "attendance",
    "AttendanceReminded": "attendance",
    "AttendanceCorrected": "attendance",
    "PlanningPostponed": "week",
    **dict.fromkeys(
        (
            "SessionPlanned",
            "SessionRescheduled",
            "SessionShifted",
            "SessionRelocated",
            "SessionMoveProposed",
            "SessionMoveDeclined",
            "SessionMoveRefused",
            "SessionReminder",
            "SessionMoveReminder",
        ),
        "session",
    ),
}
"""What the button under a fact is for."""


def _links(text: str) -> list[Led]:
    """Where the links of a letter lead: what for and to what, with the address."""
    found: list[Led] = []
    for link in _LINK.finditer(text):
        payload = link[1].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found.append(((claims["purpose"], claims["id"]), link[0]))
    return found


def _day_of(message: EmailMessage) -> str | None:
    """The day of a letter's invitation."""
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            found = _BEGINS.search(part.get_content())
            return "-".join(found.groups()) if found else None
    return None
