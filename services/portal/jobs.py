"""Job families by the names that people write. Pure; the names are in `schemas.known`."""

from schemas.known.jobs import job_families
from schemas.values import Language
from services.portal.spelling import folded


def job_of(text: str) -> str:
    """The family that somebody names; what is none of the known ones stays as it was written."""
    written = folded(text)
    for job, family in job_families().items():
        if written in (folded(job), folded(family.fr), folded(family.en)):
            return job
    return text


def jobs_by_name(language: Language) -> list[tuple[str, str]]:
    """Every known family: id and name, by name."""
    found = [(job, getattr(family, language)) for job, family in job_families().items()]
    return sorted(found, key=lambda item: folded(item[1]))
