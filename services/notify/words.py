"""Dates, points and lists in the words of a language. Pure.

Clock times are those of Europe/Paris.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from schemas.known.tools import label
from schemas.values import FirstTool, Language, ScoreReason, Words
from services.notify.calendar import PARIS

NBSP, NARROW_NBSP = "\u00a0", "\u202f"

_DAYS: dict[Language, tuple[str, ...]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS: dict[Language, tuple[str, ...]] = {
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
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


def day(moment: datetime, language: Language) -> str:
    """`lundi 6 mars 2017`; `Monday 6 March 2017`."""
    local = moment.astimezone(PARIS)
    number = "1er" if language == "fr" and local.day == 1 else str(local.day)
    weekday, month = _DAYS[language][local.weekday()], _MONTHS[language][local.month - 1]
    return f"{weekday} {number}{NBSP}{month} {local.year}"


def clock(moment: datetime, language: Language) -> str:
    """`10 h`, `10 h 30`; `10:00`."""
    local = moment.astimezone(PARIS)
    if language == "en":
        return f"{local:%H:%M}"
    hours = f"{local.hour}{NBSP}h"
    return f"{hours}{NBSP}{local:%M}" if local.minute else hours


def day_and_time(moment: datetime, language: Language) -> str:
    """`lundi 6 mars 2017 à 10 h`; `Monday 6 March 2017 at 10:00`."""
    at = "à" if language == "fr" else "at"
    return f"{day(moment, language)} {at} {clock(moment, language)}"


def span(start: datetime, end: datetime, language: Language) -> str:
    """`lundi 6 mars 2017, de 10 h à 11 h (heure de Paris)`."""
    first, last = clock(start, language), clock(end, language)
    if language == "fr":
        return f"{day(start, language)}, de {first} à {last} (heure de Paris)"
    return f"{day(start, language)}, {first} to {last} (Paris time)"


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


def sentence(text: str) -> str:
    """With a capital and a full stop: what was told when less was asked of it may have neither."""
    closed = text if text.endswith((".", "!", "?")) else f"{text}."
    return closed[:1].upper() + closed[1:]


def tools(begin: Sequence[FirstTool], language: Language) -> list[str]:
    """One line per tool to begin with: which, and why."""
    colon = " :" if language == "fr" else ":"
    lines = (f"{label(t.tool, language)}{colon} {said(t.words, language)}" for t in begin)
    return [typeset(line, language) for line in lines]


def number(value: float, language: Language) -> str:
    """To one decimal, which is left out where it is zero: `36,5`, `36.5`, `40`."""
    text = f"{value:.1f}".removesuffix(".0")
    return text.replace(".", ",") if language == "fr" else text


def typeset(text: str, language: Language) -> str:
    """French puts a space before high punctuation, on which no line may break."""
    if language != "fr":
        return text
    text = re.sub(r" ([;!?])", rf"{NARROW_NBSP}\1", text)
    text = re.sub(r" ([:»])", rf"{NBSP}\1", text)
    return text.replace("« ", f"«{NBSP}")


def one_line(text: str) -> str:
    """Text of unknown origin, made safe for a header: no control characters, no line breaks.

    Neither in disguise: a header's reader, and Python's own writer, decode `=?utf-8?q?=0D=0A?=`.
    """
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split()).replace("=?", "= ?")
