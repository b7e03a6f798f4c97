"""Réglages: the rules of a programme; what may change changes for those to come, and it is closed.

Always holds: what cannot change says why; rules that somebody else has changed since the page was
opened are shown, and not written over.
"""

import hashlib
from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.charter import CHARTER
from schemas.cohorts import ChangePolicy, CloseCohort
from schemas.letter_rules import LetterRules
from schemas.organisations import MOST_NAMED, each_once, organisations_in
from schemas.values import CohortPolicy, QuietHours, Weights
from services.portal.spelling import count_of, number_of
from services.portal.views import Cohort
from services.portal.web.coordinating import LINES, tasks_of
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.visit import Visit

DAYS: dict[str, tuple[int, int]] = {
    "proposal_days": (1, 90),
    "cadence_days": (1, 90),
    "report_days": (1, 90),
    "stalled_days": (1, 365),
    "survey_days": (1, 90),
}
WEIGHTS = tuple(Weights.model_fields)
QUIET = ("start", "end")
LETTERS = ("gather_minutes", "urgent_at_night")
CHARTER_TEXTS = ("charte_fr", "charte_en")
FIELDS = (*DAYS, *WEIGHTS, *QUIET, *LETTERS, *CHARTER_TEXTS, "reporting_line", "organismes")
MOST_GATHERED = 1440
LONGEST_CHARTER = 2000


async def settings(visit: Visit) -> Response:
    """The rules as they are."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return await _shown(visit, cohort, typed_of(cohort.policy), {})


async def _shown(
    visit: Visit,
    cohort: Cohort,
    given: dict[str, str],
    errors: dict[str, str],
    *,
    changed: bool = False,
) -> Response:
    return page(
        visit,
        "policy.html",
        409 if changed else 422 if errors else 200,
        **await tasks_of(visit, cohort),
        given=given,
        errors=errors,
        changed=changed,
        policy=cohort.policy,
        lines=LINES,
        weights=WEIGHTS,
    )


def typed_of(policy: CohortPolicy) -> dict[str, str]:
    """The rules that may change, as they would be typed."""
    letters, charter = policy.letters or LetterRules(), policy.charter or CHARTER
    return {
        "gather_minutes": str(letters.gather_minutes),
        "urgent_at_night": "oui" if letters.urgent_at_night else "",
        "charte_fr": charter.fr,
        "charte_en": charter.en,
        **{name: str(getattr(policy, name)) for name in DAYS},
        **{name: f"{getattr(policy.weights, name):g}" for name in WEIGHTS},
        **{name: getattr(policy.quiet_hours, name) for name in QUIET},
        "reporting_line": policy.reporting_line,
        "organismes": "\n".join(policy.organisations or ()),
    }


async def settings_sent(visit: Visit) -> Response:
    """Change the rules for those to come, or close the programme."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    if visit.typed("action") == "fermer":
        return await _sent(visit, cohort, CloseCohort(cohort_id=cohort.id), "ferme")
    given = {name: visit.typed(name) for name in FIELDS}
    policy, errors = _changed(visit, cohort.policy, given)
    if policy is None:
        return await _shown(visit, cohort, given, errors)
    if policy == cohort.policy:
        return onward(f"/coordonner/{cohort.id}/reglages", "regle")
    if visit.typed("version") != str(cohort.changes):
        return await _shown(visit, cohort, given, {}, changed=True)
    command = ChangePolicy(cohort_id=cohort.id, policy=policy)
    return await _sent(visit, cohort, command, "regle")


def _changed(
    visit: Visit, policy: CohortPolicy, given: dict[str, str]
) -> tuple[CohortPolicy | None, dict[str, str]]:
    errors: dict[str, str] = {}
    fields: dict[str, Any] = {"reporting_line": given["reporting_line"]}
    for name, (least, most) in DAYS.items():
        count = count_of(given[name])
        if count is not None and least <= count <= most:
            fields[name] = count
        else:
            errors[name] = visit.say(
                f"Écrivez un nombre de {least} à {most}.", f"Type a number from {least} to {most}."
            )
    weights: dict[str, float] = {}
    for name in WEIGHTS:
        weight = number_of(given[name])
        if weight is not None and weight <= 1000:
            weights[name] = weight
        else:
            errors[name] = visit.say(
                "Écrivez un nombre de 0 à 1000.", "Type a number from 0 to 1000."
            )
    if not errors and not any(weights.values()):
        errors[WEIGHTS[0]] = visit.say(
            "Un critère au moins doit compter.", "One criterion at least has to count."
        )
    for name in QUIET:
        try:
            QuietHours.model_validate({name: given[name]})
        except ValidationError:
            errors[name] = visit.say("Écrivez une heure : 20:00.", "Type a time: 20:00.")
    fields |= _letters(visit, policy, given, errors) | _charter(visit, policy, given, errors)
    fields |= _organisations(visit, given, errors)
    if errors or given["reporting_line"] not in LINES:
        return None, errors
    quiet = {name: given[name] for name in QUIET}
    known = policy.model_dump()
    return CohortPolicy.model_validate(
        {**known, **fields, "weights": weights, "quiet_hours": quiet}
    ), {}


def _letters(
    visit: Visit, policy: CohortPolicy, given: dict[str, str], errors: dict[str, str]
) -> dict[str, Any]:
    """How letters are gathered; null for as long as it is as usual."""
    minutes = count_of(given["gather_minutes"])
    if minutes is None or minutes > MOST_GATHERED:
        errors["gather_minutes"] = visit.say(
            f"Écrivez un nombre de 0 à {MOST_GATHERED}.",
            f"Type a number from 0 to {MOST_GATHERED}.",
        )
        return {}
    known = policy.letters or LetterRules()
    asked = {"gather_minutes": minutes, "urgent_at_night": bool(given["urgent_at_night"])}
    rules = known.model_copy(update=asked)
    return {"letters": policy.letters if rules == known else rules}


def _charter(
    visit: Visit, policy: CohortPolicy, given: dict[str, str], errors: dict[str, str]
) -> dict[str, Any]:
    """A text that says something else has another version; the programme's own text is null."""
    known = policy.charter or CHARTER
    texts = {name[-2:]: " ".join(given[name].split()) for name in CHARTER_TEXTS}
    for name, text in zip(CHARTER_TEXTS, texts.values(), strict=True):
        if not 1 <= len(text) <= LONGEST_CHARTER:
            errors[name] = visit.say(
                f"Écrivez un texte, de {LONGEST_CHARTER} caractères au plus.",
                f"Type a text, of {LONGEST_CHARTER} characters at most.",
            )
    if texts == {"fr": known.fr, "en": known.en}:
        return {"charter": policy.charter}
    if texts == {"fr": CHARTER.fr, "en": CHARTER.en}:
        return {"charter": None}
    written = hashlib.sha256("\n".join(texts.values()).encode()).hexdigest()[:12]
    return {"charter": {**texts, "version": f"{visit.now:%Y-%m}.{written}"}}


def _organisations(visit: Visit, given: dict[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """One a line; without any, nobody is asked of which they are."""
    named = organisations_in(given["organismes"].splitlines()) or ()
    fits = len(named) <= MOST_NAMED and all(len(name) <= 64 for name in named)
    if not fits or not each_once(named):
        errors["organismes"] = visit.say(
            f"Écrivez un organisme par ligne, chacun une fois : {MOST_NAMED} au plus, de "
            "64 caractères au plus.",
            f"Type an organisation a line, each once: {MOST_NAMED} at most, of 64 "
            "characters at most.",
        )
    return {"organisations": named or None}


async def _sent(visit: Visit, cohort: Cohort, command: Command, said: str) -> Response:
    here = f"/coordonner/{cohort.id}/reglages"
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        now = await visit.site.cohort(cohort.id)
        return now.closed if isinstance(command, CloseCohort) else now.changes > cohort.changes

    return onward(here, said if await visit.site.shown(shows) else "en-cours")
