"""What somebody reads before a session: the portal's guides and sheets, and the programme's own.

Pure. Always holds: what coordinators wrote for their programme comes before what everybody has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.saying import typeset
from schemas.values import Language
from services.portal import guides

MOST = 3
OWN_FIELDS = ("id", "cohort_id", "tool", "jobs", "titles", "minutes")
"""What is read of a programme's own sheets where they are listed: not their text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Something to read: where, what it is called, in which language, in how many minutes."""

    path: str
    title: str
    language: Language
    minutes: int


@dataclass(frozen=True, slots=True)
class Own:
    """One of a programme's own sheets, as far as it is listed."""

    tool: str
    jobs: Sequence[str]
    reading: Reading

    def suits(self, tool: str, job: str) -> bool:
        """Whether it is for this tool, and for this job or everybody."""
        return self.tool == tool and (not self.jobs or job in self.jobs)


def guide(name: str, language: Language) -> Reading:
    """One of the portal's."""
    return Reading(
        f"/guides/{name}", guides.title(name, language), language, guides.sheets()[name].minutes
    )


def own(row: Any, wanted: Language) -> Own:
    """One of a programme's own, from `OWN_FIELDS`; in French where it has no English."""
    language: Language = wanted if wanted in row["titles"] else "fr"
    path = f"/mon-espace/{row['cohort_id']}/fiches/{row['id']}"
    title = typeset(row["titles"][language], language)
    return Own(row["tool"], row["jobs"], Reading(path, title, language, row["minutes"][language]))


def to_prepare(
    number: int, tools: Iterable[str], job: str, owned: Sequence[Own], language: Language
) -> tuple[Reading, ...]:
    """What two people read before their session `number`: the guide, then sheets by tool."""
    found = [guide(guides.for_exchange(number), language)]
    for tool in tools:
        mine = [one for one in owned if one.suits(tool, job)]
        found += [one.reading for one in sorted(mine, key=lambda one: not one.jobs)]
        found += [guide(name, language) for name in guides.for_tool(tool, job)]
    return tuple(found[:MOST])
