"""What a letter says to somebody who was given a role, or from whom one was taken. Pure.

Always holds: it tells the moment from which that is so, and so stays true whatever comes after it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas import saying
from schemas.appointments import RoleGiven
from schemas.values import Language
from services.notify.actions import Links
from services.notify.letters import ROLE_LETTERS
from services.notify.views import Letter

Say = Callable[[str, Mapping[str, Any]], str]
"""A text with its facts, in the reader's language."""

_ELSEWHERE = (
    *("intro", "card", "write_to", "then", "then_action", "then_url", "dates", "sessions"),
    *("heading", "reasons", "begin", "begin_with", "explained", "explained_at", "after", "charter"),
    "entry",
)
"""What the layout shows of pairs and sessions."""


def role_view(
    letter: Letter,
    links: Links,
    own: Mapping[str, Any],
    values: Mapping[str, Any],
    language: Language,
    say: Say,
) -> dict[str, Any]:
    """What the layout shows. All is plain text: the HTML layout escapes all of it."""
    event = ROLE_LETTERS[letter.template].model_validate(letter.facts)
    given = isinstance(event, RoleGiven)
    when = event.given_at if isinstance(event, RoleGiven) else event.taken_at
    organisations = event.organisations if isinstance(event, RoleGiven) else ()
    facts = {
        **values,
        "role": event.role,
        "when": saying.day_and_time(when, language) if when else "",
        "organisations": saying.listed(organisations, language),
    }
    url = links.of_role(event.role) if given else None
    return {
        **dict.fromkeys(_ELSEWHERE),
        "upcoming": (),
        "subject": say(own["subject"], facts),
        "body": [said for text in own["body"] if (said := say(text, facts))],
        "action": say(own["action"], facts) if url else None,
        "url": url,
        "next": say(own["next"], facts),
    }
