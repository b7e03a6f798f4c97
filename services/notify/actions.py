"""The link of a letter: what its reader may do, where, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.matching import PairProposed
from schemas.scheduling import PlanningPostponed, SessionEvent
from schemas.topics import Service
from services.chassis.http.links import Link, LinkSigner
from services.notify.letters import LETTERS, TEMPLATES, LinkPurpose
from services.notify.views import Letter

SESSION_LINK = timedelta(days=30)
ATTENDANCE_LINK = timedelta(days=60)
WEEK_LINK = timedelta(days=60)

ANSWERED_BY: dict[LinkPurpose, Service] = {
    "proposal": "matching",
    "session": "scheduling",
    "attendance": "scheduling",
    "survey": "feedback",
    "week": "matching",
}
"""The service whose `/links/{token}` page serves a purpose."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of letters.

    `base_urls`: service to its public address, without a slash at the end.
    """

    signer: LinkSigner
    base_urls: Mapping[str, str]

    def of(self, letter: Letter) -> str | None:
        """The URL that lets the letter's reader act; None where there is nothing to do.

        It depends on nothing but the letter, so a letter that is sent again says the same.
        """
        kind = TEMPLATES[letter.template]
        purpose = LETTERS[kind].link
        if purpose is None:
            return None
        event = kind.model_validate(letter.facts)
        link = Link(
            purpose=purpose,
            cohort_id=letter.cohort_id,
            person_id=letter.person_id,
            side=letter.side,
            id=event.subject,
            attempt=event.attempt if isinstance(event, SessionEvent) else None,
        )
        token = self.signer.sign(link, _expires_at(purpose, event))
        return f"{self.base_urls[ANSWERED_BY[purpose]]}/links/{token}"


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
