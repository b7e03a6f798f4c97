"""Guides for the exchanges of a pair, and sheets by tool and job family. Pure but for reading once.

Data, in `sheets/`: an index, and a text in Markdown for each language. Always holds: each has its
text in both languages; a text cannot bring markup of its own, nor a picture from elsewhere.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated

from markupsafe import Markup
from pydantic import Field, TypeAdapter, model_validator

from schemas.base import Value
from schemas.saying import typeset
from schemas.values import JobFamily, Language, ToolName
from services.portal.markdown import html_of

_FOLDER = files("services.portal") / "sheets"


class Sheet(Value):
    """Whom a sheet is for: a pair at an `exchange`, or whoever learns a `tool` (in these `jobs`).

    `minutes`: to read it.
    """

    exchange: Annotated[int | None, Field(ge=1)] = None
    tool: ToolName | None = None
    jobs: tuple[JobFamily, ...] = ()
    minutes: Annotated[int, Field(ge=1, le=10)]

    @model_validator(mode="after")
    def _is_for_somebody(self) -> "Sheet":
        if (self.exchange is None) == (self.tool is None):
            raise ValueError("a sheet is for an exchange or for a tool")
        return self


@cache
def sheets() -> Mapping[str, Sheet]:
    """Every sheet by its name, in the order of the index."""
    index = tomllib.loads((_FOLDER / "index.toml").read_text("utf-8"))
    return TypeAdapter(dict[str, Sheet]).validate_python(index)


@cache
def title(name: str, language: Language) -> str:
    """`LinkedIn : suivre ses fournisseurs`."""
    first, _, _ = typeset(_text(name, language), language).partition("\n")
    return first.removeprefix("# ").strip()


@cache
def body(name: str, language: Language) -> Markup:
    """What stands under the title, as HTML."""
    _, _, rest = _text(name, language).partition("\n")
    return html_of(rest, language)


def _text(name: str, language: Language) -> str:
    return (_FOLDER / language / f"{name}.md").read_text("utf-8")


def for_exchange(number: int) -> str:
    """The guide for a pair's session, from 1; the last one for all that follow."""
    guides = {one.exchange: name for name, one in sheets().items() if one.exchange is not None}
    return guides[min(number, max(guides))]


def for_tool(tool: str, job: str) -> list[str]:
    """The sheets for a tool; those for the job first."""
    mine = [(name, one) for name, one in sheets().items() if one.tool == tool]
    fitting = [name for name, one in mine if job in one.jobs]
    return [*fitting, *(name for name, one in mine if not one.jobs)]
