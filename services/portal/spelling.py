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
