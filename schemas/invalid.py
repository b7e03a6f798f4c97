"""What validation has found to be wrong, field by field, in words for people."""

from collections.abc import Iterable, Mapping
from typing import Any

_WORDS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "model_type": "it should be an object with named fields",
    "model_attributes_type": "it should be an object with named fields",
    "dict_type": "it should be an object with named fields",
}

_TOO_SHORT = {"too_short", "string_too_short", "bytes_too_short"}


def wrong_fields(errors: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(field, what is wrong) for each of pydantic's errors; the field is a path with dots.

    The field is empty where all of it is meant, as of what is no JSON.
    """
    return [(_field(error), _words(error)) for error in errors]


def in_one_line(errors: Iterable[Mapping[str, Any]], whole: str = "") -> str:
    """`field: what is wrong; …`. `whole` is what is written where all of it is meant; without it
    the words stand alone, as those of a rule that names its fields itself."""
    named = ((field or whole, words) for field, words in wrong_fields(errors))
    return "; ".join(f"{field}: {words}" if field else words for field, words in named)


def _field(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":  # FastAPI tells the place in the text as if it was a field
        return ""
    return ".".join(str(part) for part in error["loc"] if part != "body")


def _words(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"it is no JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}"
    if error["type"] in _TOO_SHORT and error.get("ctx", {}).get("min_length") == 1:
        return "it is empty"
    words = str(error["msg"]).removeprefix("Value error, ")
    return _WORDS.get(error["type"], words)
