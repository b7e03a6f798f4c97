"""The tools by name: what they are called in each language, of which family, who provides them.

Data, in tools.toml and in what a deployment adds. Always holds: whatever tool somebody has named
can be said; one that is not in the catalogue is said as it is spelt, without its dashes.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated

from pydantic import Field, model_validator

from schemas.base import Value
from schemas.known.added import table
from schemas.values import Language, ToolName, Words


class Tool(Value):
    """A tool. `the`: the French article of a name that is a common noun, as a sentence has it."""

    fr: str
    en: str
    the: str = ""
    family: str
    by: str | None = None
    link: Annotated[str | None, Field(pattern=r"^https://[a-z0-9./-]+$")] = None

    @property
    def said(self) -> Words:
        """Its name within a sentence: `les documents partagés`, `shared documents`."""
        return Words(fr=self.the + self.fr, en=self.en)


class Catalogue(Value):
    """Every family and every tool, by id."""

    families: dict[ToolName, Words]
    tools: dict[ToolName, Tool]

    @model_validator(mode="after")
    def _families_are_known(self) -> "Catalogue":
        for name, tool in self.tools.items():
            if tool.family not in self.families:
                raise ValueError(f"{name}: there is no family {tool.family}")
        return self


@cache
def catalogue() -> Catalogue:
    """The catalogue, with what the deployment adds. Raises ValueError if that is not whole."""
    return Catalogue.model_validate(table("tools.toml"))


def tools() -> Mapping[str, Tool]:
    """Tool to what is known of it."""
    return catalogue().tools


def said(tool: str) -> Words:
    """The tool's name within a sentence, whether it is known or not."""
    known = tools().get(tool)
    spelt = tool.replace("-", " ")
    return known.said if known else Words(fr=spelt, en=spelt)


def label(tool: str, language: Language) -> str:
    """The tool's name where it stands alone, with a capital: `Documents partagés`."""
    known = tools().get(tool)
    name = getattr(known, language) if known else tool.replace("-", " ")
    return str(name[:1].upper() + name[1:])


def listed(names: Sequence[str], *, either: bool = False) -> Words:
    """Tools within a sentence: `Tchap, Visio et les tableurs`, or `ou`; empty for none."""
    found = [said(name) for name in names]
    return Words(
        fr=_joined([words.fr for words in found], " ou " if either else " et "),
        en=_joined([words.en for words in found], " or " if either else " and "),
    )


def _joined(said: Sequence[str], last: str) -> str:
    return last.join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)
