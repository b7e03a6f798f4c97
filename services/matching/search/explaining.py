"""The explanation that is due to people: what counted, how much, and what it comes from, in words.

In French and in English, from the same data as the score; see French law on algorithmic decisions
(CRPA, L311-3-1 and R311-3-1-2).
"""

from typing import assert_never

from schemas.known.jobs import needs_of, recommended
from schemas.known.tools import label, listed
from schemas.values import (
    REMOTE,
    CohortPolicy,
    FirstTool,
    ScoreReason,
    Tools,
    WaitingCause,
    Words,
)
from services.matching.search.fit import (
    CRITERIA,
    POINT,
    QUARTER,
    parts,
    shared_quarters,
    shares_of,
)
from services.matching.views import Manager, Mentor


def reasons_of(mentor: Mentor, manager: Manager, policy: CohortPolicy) -> tuple[ScoreReason, ...]:
    """The score of the two as a pair: what the criteria contribute adds up to it."""
    words = _words(mentor, manager, shared_quarters(mentor, manager))
    return tuple(
        ScoreReason(
            criterion=name,
            value=round(part / whole, 4),
            weight=getattr(policy.weights, name),
            contribution=int(share * part / whole) / POINT,
            words=said,
        )
        for name, share, (part, whole), said in zip(
            CRITERIA, shares_of(policy), parts(mentor, manager), words, strict=True
        )
    )


def _words(mentor: Mentor, manager: Manager, quarters: int) -> tuple[Words, ...]:
    """What each criterion's value comes from, in the order of `CRITERIA`."""
    hours = quarters * QUARTER / 60
    at_a_distance = REMOTE in (mentor.site, manager.site)
    return (
        _levels(mentor, manager.needs),
        _levels(mentor, needs_of(manager.job_family)),
        Words(
            fr=f"{hours:g} h libres en commun par semaine".replace(".", ","),
            en=f"{hours:g} free hours in common in a week",
        ),
        _places(mentor.directorate, manager.directorate, _DIRECTORATES),
        _REMOTE if at_a_distance else _places(mentor.site, manager.site, _SITES),
    )


_DIRECTORATES = Words(fr="même direction", en="same directorate")
_REMOTE = Words(fr="à distance", en="at a distance")
_SITES = Words(fr="même site", en="same site")


def _levels(mentor: Mentor, asked: dict[str, int]) -> Words:
    found = [
        (tool, mentor.skills.get(tool, 0), level)
        for tool, level in sorted(asked.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Words(
        fr=", ".join(f"{label(t, 'fr')} : niveau {own} pour {level}" for t, own, level in found),
        en=", ".join(f"{label(t, 'en')}: level {own} for {level}" for t, own, level in found),
    )


def _places(one: str, other: str, same: Words) -> Words:
    if one == other:
        return Words(fr=f"{same.fr} : {one}", en=f"{same.en}: {one}")
    return Words(fr=f"{one} et {other}", en=f"{one} and {other}")


def first_tools(mentor: Mentor, manager: Manager, most: int = 3) -> tuple[FirstTool, ...]:
    """The tools to begin with, and why: what the manager needs most and the mentor masters."""
    able = [t for t, level in manager.needs.items() if mentor.skills.get(t, 0) >= level]
    able.sort(key=lambda tool: (-manager.needs[tool], tool))
    return tuple(_first(tool, mentor, manager) for tool in able[:most])


def _first(tool: str, mentor: Mentor, manager: Manager) -> FirstTool:
    needed, mastered = manager.needs[tool], mentor.skills[tool]
    said = _ASKED_FOR
    if (why := recommended(manager.job_family).get(tool)) is not None:
        said = Words(fr=f"pour {why.fr}", en=f"to {why.en}")
    return FirstTool(tool=tool, needed=needed, mastered=mastered, words=said)


_ASKED_FOR = Words(fr="comme demandé", en="as asked for")
_NAMED = 3
"""Tools that a sentence names at most."""


def waiting_words(cause: WaitingCause, needs: Tools) -> Words:
    """Why somebody stays without a mentor, as a sentence to them."""
    most_needed = sorted(needs, key=lambda tool: (-needs[tool], tool))[:_NAMED]
    tools = listed(most_needed, either=True)
    match cause:
        case "no-skill":
            return Words(
                fr=f"Pour le moment, aucun mentor ne peut vous accompagner sur {tools.fr}.",
                en=f"For the moment, no mentor can coach you in {tools.en}.",
            )
        case "no-common-hour":
            return Words(
                fr=f"Les mentors qui maîtrisent {tools.fr} ne sont pas libres aux heures que "
                "vous avez indiquées.",
                en=f"The mentors who master {tools.en} are not free at the hours that you gave.",
            )
        case "no-place" | "competition":
            return Words(
                fr=f"Les mentors qui maîtrisent {tools.fr} sont tous pris pour le moment.",
                en=f"The mentors who master {tools.en} are all taken for the moment.",
            )
        case _:
            assert_never(cause)
