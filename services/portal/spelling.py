"""How a text is spelt for searching and sorting: small letters without accents. Pure."""

import re
import unicodedata


def folded(text: str) -> str:
    """`Éloïse  d’Œuvre` is `eloise d'oeuvre`."""
    text = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as a search finds them, each once."""
    return tuple(sorted(set(re.findall(r"[a-z0-9]+", folded(text)))))


_DIGITS = 9
_SIGNS = 40
"""Of a number with decimals: a float has seventeen that count."""


def count_of(typed: str) -> int | None:
    """A whole number as somebody types it; None if it is none, or has more digits than any needs.

    `str.isdigit` alone takes "²" for one, of which `int` makes nothing.
    """
    plain = typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS
    return int(typed) if plain else None


def number_of(typed: str) -> float | None:
    """The same of a number that may have decimals, after a comma or a point."""
    whole, _, rest = typed.replace(",", ".").partition(".")
    plain = [part.isascii() and part.isdigit() for part in (whole, rest) if part]
    short = len(typed) <= _SIGNS
    return float(f"{whole or 0}.{rest or 0}") if plain and all(plain) and short else None
