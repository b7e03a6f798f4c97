"""How dates, numbers and French typography are said. Pure.

Clock times are those of Europe/Paris.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
PARIS = ZoneInfo("Europe/Paris")
NBSP, NARROW_NBSP = "\u00a0", "\u202f"
_SPACED = (*((mark, NARROW_NBSP) for mark in ";!?"), *((mark, NBSP) for mark in ":»"))
"""High punctuation, and the space before it."""

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
    zone = "heure de Paris" if language == "fr" else "Paris time"
    return f"{day(start, language)}, {hours(start, end, language)} ({zone})"


def hours(start: datetime, end: datetime, language: Language) -> str:
    """`de 10 h à 11 h`; `10:00 to 11:00`: of a day that is told beside it."""
    first, last = clock(start, language), clock(end, language)
    return f"de {first} à {last}" if language == "fr" else f"{first} to {last}"


def listed(words: Sequence[str], language: Language) -> str:
    """`a, b et c`; empty for none."""
    last = " et " if language == "fr" else " and "
    return last.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def number(value: float, language: Language, decimals: int = 1) -> str:
    """To so many decimals, without zeros at the end: `36,5`, `36.5`, `40`."""
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "fr" else text


def typeset(text: str, language: Language) -> str:
    """French puts a space before high punctuation, on which no line may break."""
    if language != "fr":
        return text
    for mark, space in _SPACED:
        text = text.replace(f" {mark}", f"{space}{mark}")
    return text.replace("« ", f"«{NBSP}")
