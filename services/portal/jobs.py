"""Job families as people call them. Pure; the names are data, in jobs.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from schemas.families import job_families
from schemas.values import Language
from services.portal.spelling import folded


@cache
def known_jobs() -> Mapping[str, Mapping[str, str]]:
    """Job family to its name by language."""
    text = files(__package__).joinpath("jobs.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


def job_name(job: str, language: Language) -> str:
    """What people call it; a family that nobody named is called by its id."""
    names = known_jobs().get(job)
    return job if names is None else names[language]


def job_of(text: str) -> str:
    """The family that somebody names; what is none of the known ones stays as it was written."""
    said = folded(text)
    for job, names in known_jobs().items():
        if said in (folded(job), *(folded(name) for name in names.values())):
            return job
    return text


def jobs_by_name(language: Language) -> list[tuple[str, str]]:
    """Every job family with tools of its own: id and name, by name."""
    found = [(job, job_name(job, language)) for job in job_families()]
    return sorted(found, key=lambda item: folded(item[1]))
