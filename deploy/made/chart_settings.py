"""What services read from their environment, as the chart checks and tells it.

The truth is in the services' settings. Always holds: a setting that a service reads has a row here,
and with it a way in from the values; what the chart is told of is what pydantic would say.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from schemas.topics import Service
from services.chassis.settings import Issuer, Settings
from services.feedback.settings import FeedbackSettings
from services.matching.settings import MatchingSettings
from services.notify.settings import NotifySettings
from services.portal.settings import PartnerCoordinator, PortalSettings

Schema = dict[str, Any]

KINDS: Mapping[Service, type[Settings]] = {
    "matching": MatchingSettings,
    "scheduling": Settings,
    "feedback": FeedbackSettings,
    "notify": NotifySettings,
    "portal": PortalSettings,
}
"""What each service reads its settings into."""

FROM: Mapping[str, str] = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.bootstrapServers",
    "KAFKA_SECURITY_PROTOCOL": "kafka.securityProtocol",
    "KAFKA_SASL_MECHANISM": "kafka.mechanism",
    "KAFKA_SASL_USERNAME": "kafka.username",
    "KAFKA_SASL_PASSWORD": "kafka.secret",
    "KAFKA_SSL_CAFILE": "kafka.ca",
    "KAFKA_SSL_CERTFILE": "kafka.certificateSecret",
    "KAFKA_SSL_KEYFILE": "kafka.certificateSecret",
    "SSL_CERT_FILE": "trust",
    "REQUESTS_CA_BUNDLE": "trust",
    "MONGODB_URI": "mongodb.secret",
    "SMTP_HOST": "smtp.host",
    "SMTP_PORT": "smtp.port",
    "SMTP_SECURITY": "smtp.security",
    "SMTP_USERNAME": "smtp.secret",
    "SMTP_PASSWORD": "smtp.secret",
    "LOG_LEVEL": "logLevel",
    "CONNECTE_PARTITIONS": "kafka.partitions",
    "CONNECTE_TOPIC_PREFIX": "kafka.topicPrefix",
    "CONNECTE_DATABASE_PREFIX": "mongodb.databasePrefix",
    "CONNECTE_HTTP_HOST": "http.host",
    "CONNECTE_HTTP_PORT": "nothing, for it is 8080",
    "CONNECTE_HTTP_TOKEN": "http.tokenSecret",
    "CONNECTE_LINK_VERIFY_KEY": "linkKeys",
    "CONNECTE_LINK_SIGNING_KEY": "linkKeys",
    "CONNECTE_MAIL_FROM": "smtp.from",
    "CONNECTE_MAIL_CONTACT": "smtp.contact",
    "CONNECTE_MATCHING_URL": "urls.matching",
    "CONNECTE_SCHEDULING_URL": "urls.scheduling",
    "CONNECTE_FEEDBACK_URL": "urls.feedback",
    "CONNECTE_NOTIFY_URL": "nothing, for it is the release's own Service",
    "CONNECTE_PORTAL_URL": "urls.portal",
    "CONNECTE_PROXIES": "portal.proxies",
    "CONNECTE_SIGN_IN_DOMAINS": "portal.signInDomains",
    "CONNECTE_SIGN_IN_ISSUER": "portal.provider.issuer",
    "CONNECTE_SIGN_IN_CLIENT": "portal.provider.client",
    "CONNECTE_SIGN_IN_SECRET": "portal.provider.secret",
    "CONNECTE_SIGN_IN_NAME": "portal.provider.name",
    "CONNECTE_SIGN_IN_SCOPES": "portal.provider.scopes",
    "CONNECTE_SIGN_IN_ACR": "portal.provider.acr",
    "CONNECTE_SIGN_IN_ALGORITHMS": "portal.provider.algorithms",
    "CONNECTE_SIGN_IN_CONFIRMED": "portal.provider.confirmed",
    "CONNECTE_SIGN_IN_BY_LINK": "portal.provider.byLink",
    "CONNECTE_THEME": "portal.theme",
    "CONNECTE_THEME_FONTS": "portal.themeFonts",
    "CONNECTE_ACCESSIBILITY": "portal.foot.conformity",
    "CONNECTE_ACCESSIBILITY_URL": "portal.foot.accessibility",
    "CONNECTE_LEGAL_URL": "portal.foot.legal",
    "CONNECTE_PERSONAL_DATA_URL": "portal.foot.personalData",
    "CONNECTE_SIGN_IN_LINK_MINUTES": "portal.linkMinutes",
    "CONNECTE_SESSION_IDLE_MINUTES": "portal.idleMinutes",
    "CONNECTE_SESSION_HOURS": "portal.sessionHours",
}
"""Variables that the chart sets, and the value that each comes from."""

IF_SET: Mapping[str, str] = {
    "CONNECTE_COORDINATORS": "portal.coordinators",
    "CONNECTE_PARTNERS": "portal.partners",
    "CONNECTE_OIDC_ISSUERS": "http.issuers",
    "CONNECTE_HTTP_TOKENS": "http.tokensSecret",
    "CONNECTE_PSEUDONYM_KEY": "http.pseudonymSecret",
    "CONNECTE_ANSWERS_KEY": "answers.secret",
    "CONNECTE_LETTERS_DIR": "letters.configMap",
    "CONNECTE_CATALOGUE_DIR": "catalogue.configMap",
    "CONNECTE_INBOUND_PORT": "inbound.port",
    "CONNECTE_INBOUND_HOST": "http.host",
    "CONNECTE_INBOUND_ADDRESS": "inbound.address",
    "CONNECTE_INBOUND_BYTES": "inbound.maxBytes",
}
"""Those that it sets where that value is not empty, or of `inbound` where that is enabled; else
they are anybody's to set, from a Secret for instance."""

NOWHERE = {
    "CONNECTE_CLOCK_FILE": "a trial's on one machine; CONNECTE_CLOCK_RATE, _START and _ORIGIN are "
    "the same for every process",
}
"""Settings that have no place on a cluster, and what to do instead."""

PARTS: Mapping[str, type[BaseModel]] = {"issuer": Issuer, "partner": PartnerCoordinator}
"""Parts of settings that the values have as they are, by the name of their definition."""

_SAID = ("type", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "minLength")
_KEPT = (*_SAID, "maxLength", "minItems", "required", "additionalProperties")


def settings() -> dict[str, Schema]:
    """By name of the variable: the `services` that read it, whether it is `secret`, what it takes.

    `type` is that of what it is read as, and `empty` whether it may be so.
    """
    found: dict[str, Schema] = {}
    for service, kind in KINDS.items():
        whole = kind.model_json_schema()
        for name, node in whole["properties"].items():
            row = found.setdefault(name, {"services": [], **_row(whole, node)})
            row["services"].append(service)
    for name in FROM:  # of libraries, too
        found.setdefault(name, {"services": list(KINDS)})
    return {name: found[name] | _where(name) for name in sorted(found)}


def _where(name: str) -> Schema:
    """Where it comes from, and `when` (the value that has to be there) if that is not always."""
    if name in NOWHERE:
        return {"instead": NOWHERE[name]}
    if name in IF_SET:
        value = IF_SET[name]
        inbound = name.startswith("CONNECTE_INBOUND_")
        return {"from": value, "when": "inbound.enabled" if inbound else value}
    return {"from": FROM[name]} if name in FROM else {}


def _row(whole: Schema, node: Schema) -> Schema:
    one, empty = _without_null(node)
    row = {key: one[key] for key in _SAID if key in one}
    if empty:
        row["empty"] = True
    if '"writeOnly": true' in json.dumps(_resolved(whole, one)):
        row["secret"] = True
    return row


def _resolved(whole: Schema, node: Any) -> Any:
    if isinstance(node, list):
        return [_resolved(whole, one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolved(whole, whole["$defs"][node["$ref"].rpartition("/")[2]])
    return {key: _resolved(whole, value) for key, value in node.items()}


def _without_null(node: Schema) -> tuple[Schema, bool]:
    kinds = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    return (kinds[0], True) if kinds else (node, False)


def definitions() -> dict[str, Schema]:
    """The parts of settings as definitions of `values.schema.json`."""
    found = {name: _strict(part.model_json_schema()) for name, part in PARTS.items()}
    # What its own function checks, pydantic does not tell.
    found["partner"]["properties"]["address"]["pattern"] = r"^[^@\s,]+@[^@\s,]+$"
    return found


def _strict(node: Schema) -> Schema:
    """Without what is for people, and without null, which Helm takes for "no default"."""
    one, _ = _without_null(node)
    found = {key: one[key] for key in _KEPT if key in one}
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _strict(found["additionalProperties"])
    if "items" in one:
        found["items"] = _strict(one["items"])
    if "properties" in one:
        found["properties"] = {name: _strict(inner) for name, inner in one["properties"].items()}
    return found


def readme() -> list[str]:
    """Lines of the chart's README: every setting of the services, and where it is in the values."""
    rows = ["| setting | services | in the values |", "| --- | --- | --- |"]
    for name, row in settings().items():
        who = "all" if len(row["services"]) == len(KINDS) else ", ".join(row["services"])
        rows.append(f"| `{name}` | {who} | {_told(row)} |")
    return rows


def _told(row: Schema) -> str:
    if "instead" in row:
        return f"not on a cluster: {row['instead']}"
    own = "`secretEnv`" if row.get("secret") else "`env` or `secretEnv`"
    if "from" not in row:
        return own
    value = row["from"] if row["from"].startswith("nothing") else f"`{row['from']}`"
    return f"{value}; or {own}" if "when" in row else value
