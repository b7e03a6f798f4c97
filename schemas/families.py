"""What a job asks for: the tools of its family, with the reasons. Data, in job_families.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from schemas.base import Value
from schemas.values import JobFamily, Level, ToolName


class Recommended(Value):
    """Why a job asks for a tool, and to what level."""

    level: Level
    fr: str
    en: str


@cache
def job_families() -> Mapping[str, Mapping[str, Recommended]]:
    """Job family to tool to recommendation."""
    text = files(__package__).joinpath("job_families.toml").read_text(encoding="utf-8")
    table: TypeAdapter[dict[JobFamily, dict[ToolName, Recommended]]] = TypeAdapter(
        dict[JobFamily, dict[ToolName, Recommended]]
    )
    return table.validate_python(tomllib.loads(text))


def needs_of(job_family: str) -> dict[str, int]:
    """The tools that the job asks for, with levels; none for a family that is not in the table."""
    return {tool: why.level for tool, why in job_families().get(job_family, {}).items()}
