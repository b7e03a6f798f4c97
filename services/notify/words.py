"""Dates, points and lists in the words of a language. Pure.

Clock times are those of Europe/Paris.
"""

import unicodedata
from collections.abc import Sequence

from schemas.values import FirstTool, Language, ScoreReason, Words
from services.chassis import wording
from services.chassis.wording import (
    NARROW_NBSP,
    NBSP,
    clock,
    day,
    day_and_time,
    number,
    span,
    typeset,
)

__all__ = [
    "NARROW_NBSP",
    "NBSP",
    "clock",
    "day",
    "day_and_time",
    "listed",
    "number",
    "one_line",
    "points",
    "said",
    "span",
    "tools",
    "typeset",
]


_CRITERIA: dict[Language, dict[str, str]] = {
    "fr": {
        "coverage": "outils recherchés et maîtrisés",
        "job": "outils conseillés pour le poste",
        "availability": "créneaux libres en commun",
        "bridge": "ouverture entre directions",
        "proximity": "même site, ou à distance",
    },
    "en": {
        "coverage": "tools asked for and mastered",
        "job": "tools recommended for the job",
        "availability": "free hours in common",
        "bridge": "a bridge between directorates",
        "proximity": "same site, or at a distance",
    },
}


def listed(words: Sequence[str], language: Language) -> str:
    """`a, b et c`; empty for none. Tools are written as people say them: without dashes."""
    return wording.listed([word.replace("-", " ") for word in words], language)


def points(reasons: Sequence[ScoreReason], language: Language) -> list[str]:
    """One line per criterion that counts: its points of those it could give, and what they come
    from."""
    whole = sum(reason.weight for reason in reasons)
    lines = []
    for reason in reasons:
        if reason.weight > 0:
            most = number(reason.weight / whole * 100, language)
            got = number(reason.contribution, language)
            what = _CRITERIA[language][reason.criterion]
            of = f" : {got} points sur {most}" if language == "fr" else f": {got} points of {most}"
            why = f" ({said(reason.words, language)})" if reason.words else ""
            lines.append(typeset(what + of + why, language))
    return lines


def said(words: Words, language: Language) -> str:
    """A sentence that came in both languages."""
    return words.fr if language == "fr" else words.en


def tools(begin: Sequence[FirstTool], language: Language) -> list[str]:
    """One line per tool to begin with: which, and why."""
    colon = " :" if language == "fr" else ":"
    lines = (f"{listed([t.tool], language)}{colon} {said(t.words, language)}" for t in begin)
    return [typeset(line, language) for line in lines]


def one_line(text: str) -> str:
    """Text of unknown origin, made safe for a header: no control characters, no line breaks.

    Neither in disguise: a header's reader, and Python's own writer, decode `=?utf-8?q?=0D=0A?=`.
    """
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split()).replace("=?", "= ?")
