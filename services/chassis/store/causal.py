"""Reading no older than what was written, whichever member of a replica set answers.

Always holds: who reads sees all that the store itself has committed, and all that others had when
it last asked for places.

A member that has just become the primary has everything that a majority has ever confirmed, and
does not know it: until a majority has confirmed something of its own term, it shows at "majority"
what it knew to be confirmed before, be it from before its last restart. So each read says from
which moment on it wants to know, and waits until the member does (MongoDB's causal consistency,
without a session for each read).
"""

from typing import Any

from bson.timestamp import Timestamp
from pymongo.read_concern import ReadConcern


class Confirmed(ReadConcern):
    """What a majority has confirmed, and not of before the moment that is known."""

    def __init__(self) -> None:
        super().__init__("majority")
        self._since: Timestamp | None = None

    @property
    def document(self) -> dict[str, Any]:
        """As the driver sends it with each read."""
        asked = super().document
        return asked if self._since is None else {**asked, "afterClusterTime": self._since}

    def learn(self, session: Any) -> None:
        """Whoever reads from now on knows of what this session (of the driver) has done."""
        moment: Timestamp | None = session.operation_time
        if moment is not None and (self._since is None or moment > self._since):
            self._since = moment
