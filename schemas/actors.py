"""Who is behind a command, and all that follows from it, as CloudEvents attributes.

`ce_authtype` and `ce_authid` are those of CloudEvents' extension Auth Context; `ce_authrole` and
`ce_authvia` are ours. Always holds: an actor is an id, never a name or an address; an anonymous
message has none, nor has what follows from it, nor what a deadline decides.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

ActorType = Literal[
    "app_user", "user", "service_account", "api_key", "unauthenticated", "system", "unknown"
]
"""Kinds of principals, in the words of CloudEvents' Auth Context."""

Via = Literal["link", "mail", "portal", "api", "roster", "connecte"]
"""Through what: a link of a letter, an answer by mail, a page of the portal, HTTP, a list of people
that was entered, the operators' command on the broker."""

LONGEST = 128
"""Characters of each of the four."""


class Actor(NamedTuple):
    """Who is behind a message: `id` in the `role`, through (`via`) what.

    Read from a record they are texts, for a newer version may know more of each.
    """

    type: str
    id: str
    role: str
    via: str


@lru_cache(maxsize=4096)
def actor_headers(actor: Actor) -> tuple[tuple[str, bytes], ...]:
    """The headers that name an actor."""
    return (
        ("ce_authtype", actor.type.encode()),
        ("ce_authid", actor.id.encode()),
        ("ce_authrole", actor.role.encode()),
        ("ce_authvia", actor.via.encode()),
    )


def actor_among(found: Mapping[str, str]) -> Actor | None:
    """The actor that headers name; None where they name none, or what is longer than any is."""
    known = found.get("ce_authid")
    if known is None:
        return None
    kind, role, via = (found.get(f"ce_auth{name}", "unknown") for name in ("type", "role", "via"))
    actor = Actor(kind, known, role, via)
    return actor if all(0 < len(part) <= LONGEST for part in actor) else None


def pseudonym(key: str, *parts: str) -> str:
    """The id of somebody whom others know by these: the same each time, and telling nothing."""
    told = "\n".join(parts).encode()
    return f"s-{hmac.new(key.encode(), told, hashlib.sha256).hexdigest()[:20]}"


def of_address(address: str, key: str) -> str:
    """By what whoever signs in with an address, in small letters, acts for others."""
    return pseudonym(key, "address", address)
