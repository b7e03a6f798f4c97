"""Who may do what on the broker: one account per service, one for operators, one per subscriber.

Always holds: an account may do what stands here and nothing else, for the broker refuses what no
rule allows; nobody may delete a topic or records, and names and addresses are read by notify, the
portal and operators alone. Derived from the table of topics and from what each service reads.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from schemas.topics import (
    COMMANDS,
    PARKED,
    PEOPLE,
    PUBLIC_EVENTS,
    TOPICS,
    Service,
    commands_topic,
    stream_topic,
)

Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"]

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
        PEOPLE,
    ),
    "portal": (
        "mentoring.matching.events",
        "mentoring.matching.private",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.events",
        "mentoring.notify.private",
        PEOPLE,
    ),
}
"""What each service reads beside its own commands."""

SENDS: dict[Service, tuple[str, ...]] = {
    "matching": (),
    "scheduling": (),
    "feedback": (),
    "notify": (PEOPLE, commands_topic("scheduling")),
    "portal": (),
}
"""What each service writes for its HTTP or by mail, beside its own commands."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to do these things with one topic or group, or (`prefix`) with all that begin so.

    Read and Write include Describe. An idempotent producer needs nothing beside Write.
    """

    resource: Literal["topic", "group"]
    name: str
    operations: tuple[Operation, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in at the broker: `name` is the user, `grants` all that it may do."""

    name: str
    purpose: str
    grants: tuple[Grant, ...]


def group_of(service: Service) -> str:
    """The consumer group of a service, without the prefix of an installation."""
    return f"mentoring.{service}"


def service_account(service: Service) -> Account:
    """A service reads what it handles, and writes its own; it cannot read what it has parked.

    Its own events it reads at an assignment, to know that its database is not older than these.
    """
    own = {stream_topic(service, "private")}
    if PUBLIC_EVENTS[service]:
        own.add(stream_topic(service, "events"))
    reads = {commands_topic(service), *READS[service], *own}
    writes = {commands_topic(service), *SENDS[service], *own, PARKED}
    topics = [Grant("topic", name, _both(name in reads, name in writes)) for name in TOPICS]
    return Account(
        f"mentoring-{service}",
        f"the processes of {service}",
        (*(g for g in topics if g.operations), Grant("group", group_of(service), ("Read",))),
    )


def _both(read: bool, write: bool) -> tuple[Operation, ...]:
    found: list[Operation] = ["Read"] if read else []
    return (*found, "Write") if write else tuple(found)


OPERATOR = Account(
    "mentoring-operator",
    "people who run `connecte`: topics, rebuilds, parked records, erasures",
    (
        Grant(
            "topic",
            "mentoring.",
            ("Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"),
            prefix=True,
        ),
    ),
)


def subscriber(name: str) -> Account:
    """A system of others: it reads what is public, with groups of its own.

    ValueError if the name is not of 1 to 30 small letters, digits and inner dashes.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a subscriber: 1 to 30 small letters, digits and dashes, "
            f"no dash at either end"
        )
    account = f"subscriber-{name}"
    public = (topic.name for topic in TOPICS.values() if topic.audience == "public")
    # The dot keeps the groups of `subscriber-a` from being those of `subscriber-ab` too.
    groups = Grant("group", f"{account}.", ("Read",), prefix=True)
    grants = (*(Grant("topic", topic, ("Read",)) for topic in public), groups)
    return Account(account, "reads the public events", grants)


def accounts(subscribers: Iterable[str] = (), prefix: str = "") -> tuple[Account, ...]:
    """Everybody: the services, the operators, and these subscribers.

    Of an installation whose topics and groups have a prefix: that stands before what they may use,
    and makes their own names those of no other installation.
    """
    services = (service_account(service) for service in COMMANDS)
    everybody = (*services, OPERATOR, *(subscriber(name) for name in subscribers))
    return tuple(_with(prefix, account) for account in everybody) if prefix else everybody


def _with(prefix: str, account: Account) -> Account:
    grants = tuple(replace(grant, name=prefix + grant.name) for grant in account.grants)
    return replace(account, name=account_name(prefix, account.name), grants=grants)


def account_name(prefix: str, name: str) -> str:
    """The name of an account of an installation: in small letters, as Kubernetes wants them."""
    words = re.sub("[^a-z0-9]+", "-", prefix.lower()).strip("-")
    return f"{words}-{name}" if words else name
