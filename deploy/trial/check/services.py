"""Who took part in a run, and who takes note of what: told apart from the services' own code."""

from collections.abc import Iterable

from deploy.trial.check.evidence import Evidence
from schemas.topics import PEOPLE, Service, commands_topic

SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify", "portal")
"""The last one need not be there: `took_part` tells which were."""
READS: dict[Service, tuple[str, ...]] = {
    "matching": ("mentoring.scheduling.events",),
    "scheduling": ("mentoring.matching.events",),
    "feedback": ("mentoring.matching.events", "mentoring.scheduling.events"),
    "notify": (
        "mentoring.matching.events",
        "mentoring.matching.private",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.private",
    ),
    "portal": (
        "mentoring.matching.events",
        "mentoring.matching.private",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.events",
        "mentoring.notify.private",
    ),
}
"""Which numbered topics each service has to have handled."""

MIRRORS: tuple[Service, ...] = ("notify", "portal")
"""Who keeps the newest contact of every person."""


def readers_of(topic: str, services: Iterable[Service]) -> tuple[Service, ...]:
    """Those of the services that have to take note of every record of a topic."""
    return tuple(
        service
        for service in services
        if topic in READS[service]
        or topic == commands_topic(service)
        or (topic == PEOPLE and service in MIRRORS)
    )


def took_part(evidence: Evidence) -> tuple[Service, ...]:
    """Every service but the portal, and this one too where it has left anything behind."""
    journal = "mentoring.portal.private"
    there = bool(evidence.databases.get("portal", {}).get("places")) or any(
        record.topic == journal for record in evidence.records
    )
    return tuple(service for service in SERVICES if there or service != "portal")
