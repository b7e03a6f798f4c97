"""What the clients of a run were told, and what was done to the log: what the check holds it to.

Always holds: a command counts as accepted only once its sender was answered so (2xx by HTTP, an
acknowledgement of all in-sync replicas by Kafka).
"""

from collections import Counter
from dataclasses import dataclass, field

import httpx


@dataclass(slots=True)
class Ledger:
    """`accepted`: ids of commands; `aborted`: of those that must have no effect.

    `poison`: kind to how many; `copies`: topic to how many.
    """

    accepted: set[str] = field(default_factory=set)
    aborted: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    poison: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)

    def answered(self, response: httpx.Response) -> None:
        """A service has answered to a command."""
        try:
            told = response.json()
        except ValueError:
            return
        if not isinstance(told, dict) or "command_id" not in told:
            return
        if response.is_success:
            self.sent["http"] += 1
            self.accepted.add(str(told["command_id"]))
        else:
            # It was sent, and refused: the log has both.
            self.accepted.add(str(told["command_id"]))
            self.refused[str(told.get("rule", "unknown"))] += 1

    def acknowledged(self, ids: list[str]) -> None:
        """The broker has acknowledged these commands."""
        self.sent["kafka"] += len(ids)
        self.accepted.update(ids)
