"""The explanation that is due to people: what counted, how much, and what it comes from, in words.

In French and in English, from the same data as the score; see French law on algorithmic decisions
(CRPA, L311-3-1 and R311-3-1-2).
"""

from schemas.families import job_families, needs_of
from schemas.values import FirstTool, ScoreReason, WaitingCause, Words
from services.matching.search.assignment import POINT
from services.matching.search.scoring import CRITERIA, QUARTER, REMOTE, Pool
from services.matching.search.unpaired import Unpaired
from services.matching.views import Manager, Mentor


def reasons_of(pool: Pool, i: int, j: int) -> tuple[ScoreReason, ...]:
    """The score of manager i with mentor j: what the criteria contribute adds up to it."""
    words = _words(pool.mentors[j], pool.managers[i], pool.shared(i, j))
    return tuple(
        ScoreReason(
            criterion=name,
            value=round(part / whole, 4),
            weight=getattr(pool.policy.weights, name),
            contribution=int(share * part / whole) / POINT,
            words=said,
        )
        for name, share, (part, whole), said in zip(
            CRITERIA, pool.shares, pool.parts(i, j), words, strict=True
        )
    )


def _words(mentor: Mentor, manager: Manager, quarters: int) -> tuple[Words, ...]:
    """What each criterion's value comes from, in the order of `CRITERIA`."""
    asked, hours = needs_of(manager.job_family), quarters * QUARTER / 60
    at_a_distance = REMOTE in (mentor.site, manager.site)
    return (
        _levels(mentor, manager.needs),
        _levels(mentor, asked) if asked else _NO_TABLE,
        Words(
            fr=f"{hours:g} h libres en commun par semaine".replace(".", ","),
            en=f"{hours:g} free hours in common in a week",
        ),
        _places(mentor.directorate, manager.directorate, _DIRECTORATES),
        _REMOTE if at_a_distance else _places(mentor.site, manager.site, _SITES),
    )


_NO_TABLE = Words(
    fr="aucun outil n’est conseillé pour ce poste", en="no tool is recommended for this job"
)
_DIRECTORATES = Words(fr="même direction", en="same directorate")
_REMOTE = Words(fr="à distance", en="at a distance")
_SITES = Words(fr="même site", en="same site")


def _levels(mentor: Mentor, asked: dict[str, int]) -> Words:
    found = [
        (tool.replace("-", " "), mentor.skills.get(tool, 0), level)
        for tool, level in sorted(asked.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Words(
        fr=", ".join(f"{tool} : niveau {own} pour {level}" for tool, own, level in found),
        en=", ".join(f"{tool}: level {own} for {level}" for tool, own, level in found),
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
    said = Words(
        fr=f"demandé au niveau {needed}, maîtrisé au niveau {mastered}",
        en=f"asked for at level {needed}, mastered at level {mastered}",
    )
    if (why := job_families().get(manager.job_family, {}).get(tool)) is not None:
        said = Words(
            fr=f"{why.fr} ({said.fr})",
            en=f"{why.en} ({said.en})",
        )
    return FirstTool(tool=tool, needed=needed, mastered=mastered, words=said)


_CAUSES: dict[WaitingCause, Words] = {
    "no-skill": Words(
        fr="aucun mentor ne maîtrise au niveau demandé un outil recherché",
        en="no mentor masters a needed tool at its level, but for those kept apart",
    ),
    "no-common-hour": Words(
        fr="aucun mentor qui maîtrise un outil recherché n’est libre au même moment",
        en="no mentor who masters a needed tool is free when the manager is",
    ),
}


NO_PLACE = Words(
    fr="les mentors qui pourraient accompagner ce manager n’ont plus de place",
    en="the mentors who could coach this manager have no place left",
)


def waiting_words(one: Unpaired) -> Words:
    """Why somebody stays without a mentor, as a sentence."""
    if (among := one.competition) is None:
        return _CAUSES[one.cause]
    managers = _counted(len(among.managers), "manager")
    mentors = _counted(len(among.mentors), "mentor")
    places = among.places
    return Words(
        fr=f"{managers} ne peuvent être accompagnés que par {mentors}, "
        f"qui ensemble ont {_counted(places, 'place')}",
        en=f"{managers} can only be coached by {mentors}, "
        f"who together have {_counted(places, 'place')}",
    )


def _counted(number: int, word: str) -> str:
    """In French and in English, as long as the word is the same."""
    return f"{number} {word}{'s' if number > 1 else ''}"
