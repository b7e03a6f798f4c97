"""The roles, and whom a command can be asked by: a message's class says which of these.

Always holds: what a class does not say, nobody may ask for over HTTP.
"""

from collections.abc import Mapping
from typing import Literal

Role = Literal[
    "participant",
    "assistant",
    "coordinator",
    "administrator",
    "partner",
    "operator",
    "auditor",
    "subscriber",
    "machine",
]

Rows = Literal["all", "cohorts", "organisation", "own"]
"""Of every cohort; of the cohorts that the caller's token names; of the people of the organisations
that somebody coordinates; of the person alone. The last two are for whoever knows who these are to
see to: the portal, on their behalf."""

BY_TOKEN: frozenset[Rows] = frozenset({"all", "cohorts"})
"""What a token of one's own opens: whose the rows are otherwise, it cannot tell."""

Rights = Mapping[Role, Rows]
"""Which roles may, and of which rows. A role that is not there may not."""

COORDINATORS: Rights = {"coordinator": "cohorts", "administrator": "cohorts", "machine": "cohorts"}
"""Whoever runs a programme."""
PARTICIPANTS: Rights = {"participant": "own", **COORDINATORS}
"""Whom it concerns, and on their behalf whoever runs their programme."""
TAKING_PART: Rights = {"partner": "organisation", **PARTICIPANTS}
"""The same of what somebody's part is, for which whoever coordinates their organisation answers,
too."""
KEEPERS_OF_THE_DIARY: Rights = {"assistant": "own", **PARTICIPANTS}
"""Whose date it is, and whoever keeps their diary."""
ADMINISTRATORS: Rights = {"administrator": "cohorts", "machine": "cohorts"}
"""Whoever opens and closes programmes."""
MACHINES: Rights = {"machine": "cohorts"}
"""The platform itself: what no person has to say."""
CONCERNED: Rights = {"participant": "own", **ADMINISTRATORS}
"""The person whose data it is, and whoever answers for these."""
