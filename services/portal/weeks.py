"""Somebody's week: half-days that are ticked, and what people write of it. Pure.

A half-day stands for the hours of its name; whoever writes "lundi 9h-12h" means just these.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas import saying
from schemas.dates import Absence
from schemas.values import WEEKDAYS, Language, Weekday, Window
from services.portal.spelling import folded

PARTS: tuple[str, ...] = ("am", "pm")
HOURS = {"am": ("09:00", "12:00"), "pm": ("14:00", "18:00")}
MOST_WINDOWS = 20
"""As many as a week may have where it is asked for."""
WHOLE_DAY = ("09:00", "18:00")

_NAMES: dict[Weekday, tuple[str, str]] = {
    "mon": ("lundi", "Monday"),
    "tue": ("mardi", "Tuesday"),
    "wed": ("mercredi", "Wednesday"),
    "thu": ("jeudi", "Thursday"),
    "fri": ("vendredi", "Friday"),
}
_PART_NAMES = {"am": ("matin", "morning"), "pm": ("après-midi", "afternoon")}

_DAYS: dict[str, Weekday] = {
    **{name: day for day, (fr, en) in _NAMES.items() for name in (fr, fr + "s", folded(en))},
    **{day: day for day in WEEKDAYS},
    **{_NAMES[day][0][:3]: day for day in WEEKDAYS},
}
_SIGNS = re.compile(r"\s*(?:;|,|\n|\bet\b|\band\b)\s*")
_TIME = re.compile(r"(\d{1,2})\s*(?:h|:)\s*(\d{2})?")
_SPAN = re.compile(
    r"(?:de |from )?(\d{1,2}\s*(?:h|:)?\s*(?:\d{2})?)\s*(?:-|–|—|a|to|jusqu'a)\s*"
    r"(\d{1,2}\s*(?:h|:)?\s*(?:\d{2})?)"
)
_AM = {"matin", "matinee", "morning", "am"}
_PM = {"apres-midi", "apres midi", "aprem", "afternoon", "pm"}


class NoWeek(ValueError):
    """What was written is no week; `part` is what cannot be read, `fr` and `en` what is wrong."""

    def __init__(self, part: str, fr: str, en: str) -> None:
        super().__init__(en)
        self.part, self.fr, self.en = part, fr, en


def day_name(day: Weekday, language: Language) -> str:
    """`lundi`; `Monday`."""
    return _NAMES[day][0 if language == "fr" else 1]


def of_half_days(ticked: Iterable[str]) -> tuple[Window, ...]:
    """`mon-am` and the like to windows; a morning and an afternoon of one day are two."""
    found = set(ticked)
    return tuple(
        Window(day=day, start=HOURS[part][0], end=HOURS[part][1])
        for day in WEEKDAYS
        for part in PARTS
        if f"{day}-{part}" in found
    )


def half_days_of(windows: Sequence[Window]) -> list[str]:
    """The half-days that a week covers, wholly or in part."""
    found = []
    for day in WEEKDAYS:
        for part in PARTS:
            start, end = HOURS[part]
            if any(w.day == day and w.start < end and start < w.end for w in windows):
                found.append(f"{day}-{part}")
    return found


def told(windows: Sequence[Window], language: Language) -> str:
    """`lundi 9 h – 12 h, jeudi 14 h – 18 h`."""
    said = []
    for window in windows:
        first, last = _clock(window.start, language), _clock(window.end, language)
        said.append(f"{day_name(window.day, language)} {first} – {last}")
    return ", ".join(said)


def absence_told(absence: Absence, language: Language) -> str:
    """`du lundi 3 avril 2017 au vendredi 7 avril 2017`; `mardi 4 avril 2017, 9 h – 12 h`."""
    first, last = (
        saying.day(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=saying.PARIS), language)
        for day in (absence.first_day, absence.last_day)
    )
    if absence.hours is not None:
        hours = (_clock(time, language) for time in (absence.hours.start, absence.hours.end))
        return f"{first}, {' – '.join(hours)}"
    if first == last:
        return first
    return f"du {first} au {last}" if language == "fr" else f"from {first} to {last}"


def _clock(time: str, language: Language) -> str:
    if language == "en":
        return time
    hours, minutes = int(time[:2]), time[3:]
    return f"{hours}\u00a0h" if minutes == "00" else f"{hours}\u00a0h\u00a0{minutes}"


def written(windows: Sequence[Window]) -> str:
    """As `read_week` reads it again: `lundi 9h-12h, jeudi 14h-18h`."""
    return ", ".join(f"{_NAMES[w.day][0]} {_short(w.start)}-{_short(w.end)}" for w in windows)


def _short(time: str) -> str:
    return f"{int(time[:2])}h{time[3:].replace('00', '', 1) if time[3:] == '00' else time[3:]}"


def read_week(text: str) -> tuple[Window, ...]:
    """ "lundi 9h-12h, jeudi après-midi"; "mon 09:00-12:00;thu 14:00-18:00". Raises `NoWeek`.

    A day alone is the whole day. Hours without a day belong to the day before them.
    """
    found: list[Window] = []
    last: Weekday | None = None
    for part in _SIGNS.split(folded(text).replace(".", "")):
        if part:
            days, rest = _days(part, last)
            last = days[-1]
            start, end = _hours(rest, part)
            found += [Window(day=day, start=start, end=end) for day in days]
    if not found:
        raise NoWeek(
            text,
            "une semaine, par exemple « lundi 9h-12h, jeudi après-midi »",
            "a week, as 'Monday 9:00-12:00, Thursday afternoon'",
        )
    if len(week := tuple(dict.fromkeys(found))) > MOST_WINDOWS:
        most = MOST_WINDOWS
        raise NoWeek("", f"{most} plages au plus", f"{most} windows at most")
    return week


def _days(part: str, last: Weekday | None) -> tuple[list[Weekday], str]:
    first, _, rest = part.partition(" ")
    if (day := _DAYS.get(first.rstrip(":"))) is not None:
        return [day], rest.strip(" :")
    if last is not None and (first[:1].isdigit() or first in _AM | _PM or part in _PM):
        return [last], part
    raise NoWeek(
        part,
        "un jour de lundi à vendredi, puis des heures",
        "a day from Monday to Friday, then hours",
    )


def _hours(rest: str, part: str) -> tuple[str, str]:
    if not rest:
        return WHOLE_DAY
    if rest in _AM:
        return HOURS["am"]
    if rest in _PM:
        return HOURS["pm"]
    span = _SPAN.fullmatch(rest)
    if span is None:
        raise NoWeek(
            part,
            "des heures comme « 9h-12h », « matin » ou « après-midi »",
            "hours as '9:00-12:00', 'morning' or 'afternoon'",
        )
    start, end = (_time(one, part) for one in span.groups())
    if end <= start:
        raise NoWeek(part, "une fin après le début", "an end after the start")
    return start, end


def _time(text: str, part: str) -> str:
    text = text.strip()
    found = _TIME.fullmatch(text)
    hours, minutes = (found.group(1), found.group(2)) if found else (text, None)
    if not hours.isdigit() or int(hours) > 23 or int(minutes or 0) > 59:
        raise NoWeek(part, "une heure de 0h à 23h59", "a time from 0:00 to 23:59")
    return f"{int(hours):02d}:{int(minutes or 0):02d}"  # digits are those of any writing
