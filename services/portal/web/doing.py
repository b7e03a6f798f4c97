"""What somebody does in their own space: it is sent, and they are told what came of it.

Always holds: whoever asks twice, or too late, is told what holds now.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from schemas.base import Command
from services.portal import refusals
from services.portal.web.rendering import message, onward
from services.portal.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Refused:
    """What somebody is told of a refusal: its `rule` in words, and what `holds` now.

    `done`: what they wanted holds already, by this name among the notices.
    """

    rule: str
    holds: str = ""
    done: str = ""


async def done(
    visit: Visit,
    command: Command,
    shows: Any,
    said: str | Callable[[], str],
    otherwise: Callable[[str], Awaitable[Refused]] | None = None,
) -> Response:
    """Send it, and say what was done: `said`, which may depend on what `shows` has seen.

    `otherwise`: what is said of a rule that did not allow it.
    """
    outcome = await visit.send(command)
    if outcome.rule is not None:
        refused_by = Refused(outcome.rule) if otherwise is None else await otherwise(outcome.rule)
        if refused_by.done:
            return onward("/mon-espace", refused_by.done)
        return refused(visit, refused_by.rule, refused_by.holds)
    if not await visit.site.shown(shows):
        return onward("/mon-espace", "en-cours")
    return onward("/mon-espace", said if isinstance(said, str) else said())


def refused(visit: Visit, rule: str, holds: str = "") -> Response:
    """A page that says what a rule did not allow, what holds now, and the way back."""
    return message(
        visit,
        visit.say("Ce n’est plus possible", "This is no longer possible"),
        *filter(None, (refusals.refused(rule, visit.language), holds)),
        status=409,
        way=("/mon-espace", visit.say("Revenir à mon espace", "Back to my space")),
    )
