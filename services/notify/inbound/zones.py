"""The zones that a calendar brings with it: read for this calendar alone, and only so far.

The library would remember each for the life of the process, so that the zone of one stranger's mail
would be that of the next one's; and would follow any rule, be it one of every second since 1601.
"""

import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple

from dateutil.tz import tzical

MOST_RULES = 4
"""Two for the clocks of today, and some for those of before."""

_BEGINS = re.compile(r"(?i)BEGIN\b.*\bVTIMEZONE\b")
_ENDS = re.compile(r"(?i)END\b.*\bVTIMEZONE\b")
_RULE = re.compile(r"(?i)(?:RRULE|EXRULE|RDATE|EXDATE)\b")
_YEARLY = re.compile(
    r"(?i)RRULE:FREQ=YEARLY(?:;(?:INTERVAL=1|WKST=[A-Z]{2}|UNTIL=[0-9TZ]{8,16}"
    r"|BYMONTH=[0-9]{1,2}|BYDAY=[+-]?[1-5]?[A-Z]{2}))*"
)


class _Told(NamedTuple):
    """A text, where a file is asked for."""

    text: str

    def read(self) -> str:
        return self.text


def apart(text: str) -> tuple[str, list[str]]:
    """A calendar without its zones, and the lines of those, unfolded."""
    rest: list[str] = []
    zones: list[str] = []
    inside = False
    for line in re.sub(r"(?:\r\n|\r|\n)[ \t]", "", text).splitlines():
        inside = inside or _BEGINS.match(line) is not None
        (zones if inside else rest).append(line)
        inside = inside and _ENDS.match(line) is None
    return "\r\n".join(rest), zones


def zone(lines: Sequence[str], name: str) -> tzinfo | None:
    """The zone of this name among them; None if there is none, or none that clocks go by."""
    rules = [line.strip() for line in lines if _RULE.match(line.strip())]
    if len(rules) > MOST_RULES or not all(map(_YEARLY.fullmatch, rules)):
        return None
    try:
        found: tzinfo | None = tzical(_Told("\n".join(lines))).get(name)
    except (ValueError, KeyError):
        return None
    return found
