"""How FastStream's broker is let in: what aiokafka's clients are given, in FastStream's words."""

from collections.abc import Mapping
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def security_of(connection: Mapping[str, Any]) -> BaseSecurity:
    """The same security as of these keyword arguments of an aiokafka client."""
    context = connection.get("ssl_context")
    if (mechanism := connection.get("sasl_mechanism")) is None:
        return BaseSecurity(ssl_context=context)
    name, password = connection["sasl_plain_username"], connection["sasl_plain_password"]
    return _SASL[mechanism](name, password, ssl_context=context)
