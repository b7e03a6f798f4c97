"""Whether the catalogues are whole, with what a deployment adds: asked before they count."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from schemas.invalid import in_one_line
from schemas.known import added, jobs, tools


def check() -> None:
    """Raises ValueError that says all that is wrong: the file, the entry, and what is expected."""
    wrong: list[str] = []
    for name, read in zip(added.NAMES, (tools.catalogue, jobs.job_families), strict=True):
        try:
            read()
        except ValidationError as error:
            wrong.append(f"{name}: {in_one_line(error.errors())}")
        except ValueError as error:
            wrong.append(str(error))
    wrong += [f"{name}: nobody reads it" for name in added.strangers()]
    if wrong:
        raise ValueError("; ".join(wrong))


def _whole(folder: str | None) -> str | None:
    if folder:
        check()
    return folder


CatalogueFolder = Annotated[str | None, AfterValidator(_whole), Field(alias=added.FOLDER)]
"""The setting, for services that speak of tools: they do not start with what is not whole."""
