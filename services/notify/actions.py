"""The link of a letter: what its reader may do, where, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.matching import PairProposed
from schemas.notify import News
from schemas.scheduling import (
    AttendanceReminded,
    AttendanceRequested,
    PlanningPostponed,
    SessionEvent,
)
from schemas.topics import Service
from schemas.values import Language
from services.chassis.http.links import Link, LinkSigner
from services.notify.letters import TELLINGS, LinkPurpose, Told
from services.notify.views import Letter

SESSION_LINK = timedelta(days=30)
ATTENDANCE_LINK = timedelta(days=60)
EXPLAINED = timedelta(days=365)
WEEK_LINK = timedelta(days=60)

ANSWERED_BY: dict[str, Service] = {
    "proposal": "matching",
    "explanation": "matching",
    "session": "scheduling",
    "attendance": "scheduling",
    "survey": "feedback",
    "week": "matching",
}
"""The service whose `/links/{token}` page serves a purpose."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of letters.

    `base_urls`: service to its public address, without a slash at the end; that of the portal may
    not be there. `after`: how many revocations of the reader's links there have been.
    """

    signer: LinkSigner
    base_urls: Mapping[str, str]
    after: int = 0

    def written_after(self, revocations: int) -> "Links":
        """Those of a reader whose links have been revoked so often: these count."""
        return replace(self, after=revocations) if revocations else self

    def of(self, letter: Letter, told: Told, language: Language) -> str | None:
        """The URL that lets the letter's reader act on one fact; None where there is nothing to do.

        It depends on nothing but the letter, the language in which its page speaks first, and what
        was revoked, so a letter that is sent again says the same, and has links that count.
        """
        part, event = told
        purpose = TELLINGS[part.template].link
        if purpose is None:
            return None
        attempt = event.attempt if isinstance(event, SessionEvent) else None
        until = _expires_at(purpose, event)
        return self._url(_link(letter, part, purpose, event.subject, attempt), until, language)

    def then(self, letter: Letter, told: Told, language: Language) -> str | None:
        """The URL of what can be done after that: to a session that took place, the questions."""
        part, event = told
        if not isinstance(event, AttendanceRequested | AttendanceReminded):
            return None
        survey_id = f"{event.pair_id}~s{event.number}~{part.side}"
        until = event.ends_at + ATTENDANCE_LINK
        return self._url(_link(letter, part, "survey", survey_id), until, language)

    def explaining(self, letter: Letter, told: Told, language: Language) -> str | None:
        """The URL of the full calculation behind a proposal; None where nothing was worked out."""
        part, event = told
        if part.template != PairProposed.__name__ or not isinstance(event, PairProposed):
            return None
        link = _link(letter, part, "explanation", event.subject)
        return self._url(link, event.expires_at + EXPLAINED, language)

    def coordinating(self, cohort_id: str, person_id: str | None = None) -> str | None:
        """The coordinators' page of what is to be handled, or of a person: behind their sign-in."""
        if (portal := self.base_urls.get("portal")) is None:
            return None
        whose = f"/participants/{person_id}" if person_id else ""
        return f"{portal}/coordonner/{cohort_id}{whose}"

    def of_role(self, role: str) -> str | None:
        """The pages that a role opens, behind their sign-in."""
        portal = self.base_urls.get("portal")
        return f"{portal}/{'controler' if role == 'auditor' else 'coordonner'}" if portal else None

    def own_part(self, cohort_id: str) -> str | None:
        """The page on which somebody pauses, comes back or leaves: behind their sign-in."""
        portal = self.base_urls.get("portal")
        return f"{portal}/mon-espace/{cohort_id}/participation" if portal else None

    def another_partner(self, cohort_id: str, pair_id: str) -> str | None:
        """The page on which somebody asks for another partner in confidence."""
        portal = self.base_urls.get("portal")
        return f"{portal}/mon-espace/{cohort_id}/binomes/{pair_id}/autre" if portal else None

    def _url(self, link: Link, expires_at: datetime, language: Language) -> str:
        if self.after:
            link = link.model_copy(update={"after": self.after})
        token = self.signer.sign(link, expires_at)
        return f"{self.base_urls[ANSWERED_BY[link.purpose]]}/links/{token}?lang={language}"


def _link(
    letter: Letter, part: News, purpose: LinkPurpose, id: str, attempt: int | None = None
) -> Link:
    return Link(
        purpose=purpose,
        cohort_id=letter.cohort_id,
        person_id=letter.person_id,
        side=part.side,
        id=id,
        attempt=attempt,
        role="assistant" if letter.to_assistant else None,
    )


def _expires_at(purpose: LinkPurpose, event: Event) -> datetime:
    match event:
        case PairProposed():
            return event.expires_at
        case SurveyOpened():
            return event.closes_at
        case PlanningPostponed():
            return event.retry_at + WEEK_LINK
        case SessionEvent() if purpose == "session":
            return event.starts_at + SESSION_LINK
        case SessionEvent():
            return event.ends_at + ATTENDANCE_LINK
        case _:
            raise TypeError(f"no link for a {type(event).__name__}")
