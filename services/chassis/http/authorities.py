"""Who knows the tokens of a service, as its settings have it."""

from collections.abc import Sequence

from services.chassis.http.identity import Authority, Principal, static
from services.chassis.settings import Settings


def authorities_of(settings: Settings) -> Sequence[Authority]:
    """Its own static tokens, then the issuers that are named; none, where neither is."""
    anything = Principal("api_key", "token", ("machine",), None)
    own = [(token, anything) for token in settings.http_tokens]
    for one in settings.narrow_tokens:
        cohorts = None if "*" in one.cohorts else frozenset(one.cohorts)
        principal = Principal("api_key", one.name, (one.role,), cohorts)
        own.append((one.token.get_secret_value(), principal))
    found = [static(own)] if own else []
    if settings.issuers:
        # Loaded only if it is used: it brings an HTTP client.
        from services.chassis.http.issuers import providers  # noqa: PLC0415

        found.append(providers(settings.issuers, settings.pseudonym_secret))
    return found
