"""Administrer: who has which role in the portal, by the settings of whoever runs it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fastapi.responses import Response

from schemas.roles import Role
from services.portal.web.rendering import page
from services.portal.web.site import Rules
from services.portal.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Given:
    """A role of somebody. `programmes`: by name; None: all. `organisations`: of a partner."""

    address: str
    role: Role
    programmes: tuple[str, ...] | None
    organisations: tuple[str, ...] = ()


async def roles(visit: Visit) -> Response:
    """Everybody who has one, by address."""
    names = {cohort.id: cohort.name for cohort in await visit.site.cohorts()}

    def named(cohorts: Collection[str] | None) -> tuple[str, ...] | None:
        return None if cohorts is None else tuple(sorted(names.get(one, one) for one in cohorts))

    rows = sorted(_given(visit.site.rules), key=lambda one: (one[0], one[1]))
    given = [Given(who, role, named(where), tuple(sorted(of))) for who, role, where, of in rows]
    return page(visit, "roles.html", given=given, by_provider=visit.site.provider is not None)


def _given(
    rules: Rules,
) -> Iterator[tuple[str, Role, frozenset[str] | None, frozenset[str]]]:
    for address, cohorts in rules.coordinators.items():
        role: Role = "administrator" if cohorts is None else "coordinator"
        yield address, role, cohorts, frozenset()
    for one in rules.partners:
        yield one.address, "partner", one.cohorts, one.organisations
