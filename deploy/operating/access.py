"""The table of who may do what, as the two things that put it in force.

Always holds: each says exactly what the table says, and holds no secret.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.access import Account, Grant

SCRIPT = """\
#!/bin/sh
# Who may do what on the broker; made by `connecte topics access --format kafka-acls`.
# It only adds. KAFKA_COMMAND_CONFIG may name a file with the client's settings of an administrator.
set -eu
allow() {
    kafka-acls.sh --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" \\
        ${KAFKA_COMMAND_CONFIG:+--command-config "$KAFKA_COMMAND_CONFIG"} --add --force "$@"
}
"""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")


def rows(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """The table for machines."""
    return [
        {
            "account": account.name,
            "purpose": account.purpose,
            "grants": [
                {
                    "resource": grant.resource,
                    "name": grant.name,
                    "pattern": _pattern(grant),
                    "operations": list(grant.operations),
                }
                for grant in account.grants
            ],
        }
        for account in accounts
    ]


def _pattern(grant: Grant) -> str:
    return "prefix" if grant.prefix else "literal"


def acl_arguments(accounts: Iterable[Account]) -> list[list[str]]:
    """What `kafka-acls.sh --add` is given, call by call: what an account may do alike is one."""
    calls: list[list[str]] = []
    for account in accounts:
        alike: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
        for grant in account.grants:
            named = alike.setdefault((grant.prefix, tuple(grant.operations)), [])
            named += [f"--{grant.resource}", grant.name]
        for (prefix, operations), named in alike.items():
            pattern = "prefixed" if prefix else "literal"
            calls.append(
                [
                    *("--allow-principal", f"User:{account.name}"),
                    *(part for operation in operations for part in ("--operation", operation)),
                    *("--resource-pattern-type", pattern),
                    *named,
                ]
            )
    return calls


def acl_script(accounts: Iterable[Account]) -> str:
    """A shell script that puts the table in force with Kafka's own command."""
    return SCRIPT + "".join(f"allow {' '.join(call)}\n" for call in acl_arguments(accounts))


def kafka_users(accounts: Iterable[Account], cluster: str) -> list[dict[str, Any]]:
    """A KafkaUser for each account (Strimzi, v1); `cluster` is the name of the Kafka resource."""
    return [
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": account.name, "labels": {"strimzi.io/cluster": cluster}},
            "spec": {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {
                    "type": "simple",
                    "acls": [
                        {
                            "resource": {
                                "type": grant.resource,
                                "name": grant.name,
                                "patternType": _pattern(grant),
                            },
                            "operations": list(grant.operations),
                        }
                        for grant in account.grants
                    ],
                },
            },
        }
        for account in accounts
    ]


def as_yaml(documents: Sequence[Any]) -> str:
    """Documents of mappings, lists and texts."""
    return "".join(f"---\n{_yaml(document, '')}" for document in documents)


def _yaml(value: Any, indent: str) -> str:
    lines = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                lines.append(f"{indent}{key}: {_text(inner)}\n")
            else:
                lines.append(f"{indent}{key}:\n{_yaml(inner, indent + '  ')}")
    else:
        for item in value:
            if isinstance(item, str):
                lines.append(f"{indent}- {_text(item)}\n")
            else:
                lines.append(f"{indent}- {_yaml(item, indent + '  ').lstrip()}")
    return "".join(lines)


def _text(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and value.lower() not in (
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "y",
        "n",
    )
    return value if plain else json.dumps(value)
