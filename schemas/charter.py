"""What two people agree to when they accept each other: goals, confidence, a free way out."""

from typing import Annotated

from pydantic import Field

from schemas.base import Value, described

CharterVersion = Annotated[
    str,
    described(
        "Which text of the charter.",
        "2026-11",
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9._-]+$",
    ),
]
_TEXT = {"min_length": 1, "max_length": 2000}


class Charter(Value):
    """The text of a charter. A text that says something else has another version."""

    version: CharterVersion
    fr: Annotated[str, Field(description="In French.", examples=["Nous fixons nos buts."], **_TEXT)]
    en: Annotated[str, Field(description="In English.", examples=["We set our goals."], **_TEXT)]


CHARTER = Charter(
    version="2026-11",
    fr="Nous fixons nos buts ensemble, dès la première séance. Ce que nous nous disons reste entre "
    "nous. Chacun de nous peut s’arrêter à tout moment, sans avoir à se justifier.",
    en="We set our goals together, from the first session on. What we tell each other stays "
    "between us. Each of us can stop at any time, and need not say why.",
)
"""That of a cohort that has none of its own."""
