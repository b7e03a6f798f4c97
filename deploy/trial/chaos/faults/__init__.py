"""Everything that can be done to a running platform, by name.

Always holds: a fault is one function that does it, lets it last, and heals it, whatever ends it;
what it does follows from its draw and from who is there, never from chance of its own.
"""

from deploy.trial.chaos.faults import (
    brokers,
    databases,
    mail,
    network,
    permissions,
    rebuilds,
    records,
    services,
    strangers,
)
from deploy.trial.chaos.faults.kinds import KINDS, Kind, Lane, Scene

__all__ = ["KINDS", "Kind", "Lane", "Scene"]

_ENTERED = brokers, databases, mail, network, permissions, rebuilds, records, services, strangers
