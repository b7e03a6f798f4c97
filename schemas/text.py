"""Text as people see it: two spellings that look the same on a screen become one.

Always holds: what is tidy stays as it is, so it does not matter how often a text is made tidy.
Commands are tidied where they come in, and nothing else is: an event keeps its words for ever, so
what is in a journal is read back to the byte.
"""

import re
import unicodedata

from pydantic import BeforeValidator

# What is never drawn (Unicode's Default_Ignorable_Code_Point: no-width spaces and joiners, marks
# of direction, soft hyphens, fillers, variation selectors), and control signs that are no space.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"
)
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-"})  # the second is what keeps a line together


def tidied(text: str) -> str:
    """Composed letters (NFC), one plain space for any space or line break, nothing unseen."""
    if not text.isascii():
        text = _composed(text).translate(_HYPHENS)
    elif not text.isprintable():
        text = _UNSEEN.sub("", text)
    return " ".join(text.split())


def visible(text: str) -> str:
    """Composed letters (NFC), nothing unseen; spaces and lines stay as they were typed."""
    return text if text.isascii() and text.isprintable() else _composed(text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def _tidied(given: object) -> object:
    return tidied(given) if isinstance(given, str) else given


def tidied_lines(text: str) -> str:
    """The same line by line, which keep what they are indented by; no empty line at either end."""
    lines = [_line(line) for line in text.expandtabs(4).splitlines()]
    return "\n".join(lines).strip("\n")


def _line(line: str) -> str:
    said = tidied(line)
    indent = len(line) - len(line.lstrip(" ")) if said else 0
    return " " * min(indent, _DEEPEST) + said


_DEEPEST = 16


def _tidied_lines(given: object) -> object:
    return tidied_lines(given) if isinstance(given, str) else given


TIDY_LINES = BeforeValidator(_tidied_lines)
"""For free text of several lines."""

TIDY = BeforeValidator(_tidied)
"""For the free text of a command: it stands before the limits, which are of what people see."""
