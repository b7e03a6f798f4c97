"""Dates as a page says them, in both languages. Pure; clock times are those of Europe/Paris."""

from datetime import datetime

from schemas.values import Words
from services.scheduling.slots import PARIS

_DAYS = (
    ("lundi", "Monday"),
    ("mardi", "Tuesday"),
    ("mercredi", "Wednesday"),
    ("jeudi", "Thursday"),
    ("vendredi", "Friday"),
    ("samedi", "Saturday"),
    ("dimanche", "Sunday"),
)
_MONTHS = (
    ("janvier", "January"),
    ("février", "February"),
    ("mars", "March"),
    ("avril", "April"),
    ("mai", "May"),
    ("juin", "June"),
    ("juillet", "July"),
    ("août", "August"),
    ("septembre", "September"),
    ("octobre", "October"),
    ("novembre", "November"),
    ("décembre", "December"),
)
_NBSP = "\u00a0"


def day(moment: datetime) -> Words:
    """`mardi 14 mars 2017`; `Tuesday 14 March 2017`."""
    local = moment.astimezone(PARIS)
    (jour, weekday), (mois, month) = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    first = "1er" if local.day == 1 else str(local.day)
    return Words(
        fr=f"{jour} {first}{_NBSP}{mois} {local.year}",
        en=f"{weekday} {local.day}{_NBSP}{month} {local.year}",
    )


def span(start: datetime, end: datetime) -> Words:
    """`mardi 14 mars 2017, 10 h – 11 h`; `Tuesday 14 March 2017, 10:00 – 11:00`."""
    on = day(start)
    return Words(
        fr=f"{on.fr}, {_clock(start)} – {_clock(end)}",
        en=f"{on.en}, {start.astimezone(PARIS):%H:%M} – {end.astimezone(PARIS):%H:%M}",
    )


def until(moment: datetime) -> Words:
    """`mardi 14 mars 2017 à 10 h`; `Tuesday 14 March 2017 at 10:00`."""
    on = day(moment)
    clock = f"{moment.astimezone(PARIS):%H:%M}"
    return Words(fr=f"{on.fr} à {_clock(moment)}", en=f"{on.en} at {clock}")


def _clock(moment: datetime) -> str:
    local = moment.astimezone(PARIS)
    hours = f"{local.hour}{_NBSP}h"
    return f"{hours}{_NBSP}{local:%M}" if local.minute else hours
