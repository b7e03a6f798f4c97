"""Decisions about the reporting line: who stands above whom, whether or not they take part.

Always holds: what a directory says counts before what people say of themselves.
"""

from schemas.base import recast
from schemas.lines import LineManagerNamed, NameLineManager
from services.chassis.domain import Decision
from services.matching.people import unknown_cohort
from services.matching.views import Cohort, Line


def name(cohort: Cohort | None, known: Line | None, command: NameLineManager) -> Decision:
    """Keep who somebody reports to; what is known already changes nothing."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if known is not None and known.line_manager == command.line_manager:
        return []
    return [recast(LineManagerNamed, command)]
