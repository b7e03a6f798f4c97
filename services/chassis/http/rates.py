"""How often somebody may ask: a person whom the request names, a stranger by their address.

Always holds: memory is bounded, however many ask; who is refused learns when to come back, and
takes nothing from anybody else; whoever proves who they are is never refused for their address's
sake, behind which a whole ministry may be.
"""

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from services.chassis.http.problems import Problem
from services.chassis.settings import Settings

PERIOD = 60.0
"""Seconds of which the allowance can be spent at once."""
MOST = 10_000
"""Of whom it is remembered how often they asked; of more, whoever asked last."""
_OF_IPV6 = 64
"""Bits of an address that are one place: whoever has one of these has all that begin so."""
_ROUNDING = 1e-6
"""Seconds that sums of seconds may be wrong by."""
RULE = "too-often"


class Rate:
    """So many requests in a minute for each of many: at once or evenly, then as they come free.

    Kept of each is the moment at which nothing is owed any more (the generic cell rate algorithm),
    so somebody who has been quiet for a minute is as good as unknown. `a_minute` 0: no bound.
    """

    def __init__(
        self, a_minute: int = 0, now: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._each = PERIOD / a_minute if a_minute else 0.0
        self._now = now
        self._most = most
        self._free_at: dict[str, float] = {}

    def take(self, who: str) -> None:
        """Count one request. Raises `Problem` 429, with the seconds to come back after."""
        if not self._each:
            return
        now = self._now()
        before = max(self._free_at.pop(who, now), now)  # whoever asked last stands last
        free_at = before + self._each
        if (over := free_at - now - PERIOD) > _ROUNDING:
            self._free_at[who] = before
            wait = max(1, math.ceil(over - _ROUNDING))
            title = f"too many requests: come back in {wait} s"
            raise Problem(429, title, rule=RULE, retry_after=wait)
        self._free_at[who] = free_at
        if len(self._free_at) > self._most:
            del self._free_at[next(iter(self._free_at))]

    def __len__(self) -> int:
        """Of how many it is remembered how often they asked."""
        return len(self._free_at)


@dataclass(frozen=True, slots=True)
class Rates:
    """What bounds people, and what bounds strangers: who asks much as one, takes from no other."""

    people: Rate = field(default_factory=Rate)
    strangers: Rate = field(default_factory=Rate)

    def of_person(self, *known_as: str) -> None:
        """Count a request of somebody who has shown who they are. Raises `Problem` 429."""
        self.people.take("\n".join(known_as))

    def of_stranger(self, request: HTTPConnection) -> None:
        """Count a request of somebody who has shown nothing. Raises `Problem` 429."""
        self.strangers.take(place_of(request.client.host if request.client else ""))


def rates_of(settings: Settings) -> Rates:
    """As the settings of a service have it."""
    return Rates(Rate(settings.person_rate), Rate(settings.stranger_rate))


def place_of(host: str) -> str:
    """What is counted as one address: of IPv6 the network that one subscriber has."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _OF_IPV6), strict=False))
