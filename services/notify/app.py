"""Composition root of notify. `python -m services.notify.app` runs it."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

import services.chassis.beginning  # noqa: F401  # before all that it spares
from schemas.actors import Actor
from schemas.base import Message
from schemas.calendars import NoteHoursElsewhere
from schemas.envelope import Record, encode
from schemas.notify import Hearer, ToldHours
from schemas.people import PersonContact, PersonErased
from schemas.topics import PEOPLE, commands_topic, partition_of
from services.chassis.clock import Clock
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Document, One, Refusal
from services.chassis.http.commands import CommandTopic
from services.chassis.http.links import LinkSigner
from services.chassis.log.contract import Log
from services.chassis.parts import Beside, Parts
from services.chassis.runtime import Service, main
from services.chassis.settings import WrongSetting, load
from services.chassis.step.deadlines import DueWorker
from services.chassis.store.contract import Projections, Store
from services.chassis.tracing import Tracing
from services.notify import elsewhere
from services.notify.actions import Links
from services.notify.handlers import with_secret
from services.notify.letters import to_hand_over
from services.notify.messages import HoursGathered, TombstonesWritten
from services.notify.rendering import Letterhead
from services.notify.retention import ERASED_AT_ONCE
from services.notify.sender import Sender, Smtp
from services.notify.settings import NotifySettings, read_texts
from services.notify.texts import STANDARD, WrongTexts
from services.notify.views import (
    LISTED,
    MEASURES,
    PERSONAL,
    Cohort,
    Elsewhere,
    Letter,
    Pair,
    Person,
    Retention,
    Tray,
)

LEEWAY = timedelta(seconds=2)  # real time in which a due letter is surely found


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    settings = load(NotifySettings)
    sender = _sender(settings)

    def due_workers(store: Store, log: Log, tracing: Tracing) -> Mapping[type[Document], DueWorker]:
        sender.tracing = tracing
        erase = erasing(store, log, settings.partitions)
        tell = telling_hours(store, log, settings.partitions, settings.pseudonym_secret)
        return {Letter: handing_over(sender, store), Retention: erase, Elsewhere: tell}

    parts = Parts(
        with_secret(settings.pseudonym_secret),
        LISTED,
        MEASURES,
        personal=PERSONAL,
        due_workers=due_workers,
        topics={PersonContact: PEOPLE, PersonErased: PEOPLE},
        checks={PersonContact: from_a_roster},
        close=sender.close,
        beside=_inbound(settings),
    )
    return Service(settings, parts)


async def from_a_roster(
    store: Projections, contact: PersonContact, actor: Actor | None
) -> PersonContact | Refusal:
    """A roster makes nobody's contact somebody else's, and what it does not say of somebody who is
    there stays as it is; whoever changes an address, or takes something away, says so."""
    if actor is None or actor.via != "roster":
        return contact
    known = await store.one(Person, contact.cohort_id, contact.person_id)
    if known is None:
        return contact
    if known.email.casefold() != contact.email.casefold():
        return Refusal(
            "conflict",
            "id-of-another",
            "Somebody has this id, with another address: give another, or change their address "
            "first.",
        )
    unsaid = PersonContact.model_fields.keys() & Person.model_fields.keys()
    unsaid -= contact.model_fields_set
    return contact.model_copy(update={name: getattr(known, name) for name in unsaid})


def handing_over(sender: Sender, store: Store) -> DueWorker:
    """What is done for letters that are due: read what they need, and hand them over."""

    async def hand_over(
        due: Sequence[Document], now: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        letters = [letter for letter in due if isinstance(letter, Letter)]
        needs = {need for letter in letters for need in to_hand_over(letter)}
        found = await store.load(needs)
        people = {d.key: d for d in found if isinstance(d, Person)}
        cohorts = {d.key: d for d in found if isinstance(d, Cohort)}
        pairs = {d.key: d for d in found if isinstance(d, Pair)}
        revoked = {d.key: d for d in found if isinstance(d, RevokedLinks)}
        return await sender.perform(letters, people, cohorts, now, leaving, pairs, revoked)

    return hand_over


def erasing(store: Store, log: Log, partitions: int) -> DueWorker:
    """What is done for cohorts whose people's time is over: some of them get their tombstones."""

    async def erase(
        due: Sequence[Document], now: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        reports: list[Message] = []
        for cohort_id in (one.cohort_id for one in due):
            if leaving.is_set():
                break
            known = await store.columns(Person, cohort_id, ("id",), {})
            some = [str(person_id) for (person_id,) in known[:ERASED_AT_ONCE]]
            await log.publish([_tombstone(cohort_id, one, partitions, now) for one in some])
            reports.append(TombstonesWritten(cohort_id=cohort_id, erased=len(some)))
        return reports

    return erase


def telling_hours(store: Store, log: Log, partitions: int, secret: str) -> DueWorker:
    """What is done for people whose hours are to be told: other cohorts of theirs are looked for.

    `secret`: what words for calendars are made with.
    """

    async def tell(
        due: Sequence[Document], now: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        waiting = [one for one in due if isinstance(one, Elsewhere)]
        if leaving.is_set():
            return []
        reached = await store.load(One(Person, one.cohort_id, one.id) for one in waiting)
        people = {person.key: person for person in reached if isinstance(person, Person)}
        same = await _same_address(store, people.values())
        hearers: dict[str, tuple[Hearer, ...]] = {}
        for one in waiting:
            person = people.get(one.key)
            alike = same.get(person.address, ()) if person else ()
            hearers[one.key] = elsewhere.hearers_of(one, person, alike, secret)
        telling = [one for one in waiting if hearers[one.key] or one.hearers]
        found = await store.load([One(Tray, one.cohort_id, one.id) for one in telling])
        trays = {tray.key: tray for tray in found if isinstance(tray, Tray)}
        commands = [
            _noting(one, command, partitions, now)
            for one in telling
            for command in elsewhere.told(one, trays.get(one.key), hearers[one.key], now)
        ]
        if commands:
            await log.publish(commands)
        told: dict[str, list[ToldHours]] = {}
        for one in waiting:
            row = ToldHours(person_id=one.id, revision=one.changes, hearers=hearers[one.key])
            told.setdefault(one.cohort_id, []).append(row)
        return [HoursGathered(cohort_id=c, told=tuple(rows)) for c, rows in told.items()]

    return tell


async def _same_address(
    store: Store, people: Iterable[Person]
) -> Mapping[str, Sequence[elsewhere.Known]]:
    """By address, everybody of any cohort who has it."""
    addresses = sorted({person.address for person in people if person.address})
    if not addresses:
        return {}
    rows = await store.alike(Person, elsewhere.Known._fields, "address", addresses)
    found: dict[str, list[elsewhere.Known]] = {}
    for row in rows:
        known = elsewhere.Known(*row)
        found.setdefault(known.address, []).append(known)
    return found


def _noting(one: Elsewhere, command: NoteHoursElsewhere, partitions: int, now: datetime) -> Record:
    of = f"hours.{one.cohort_id}.{one.id}.{one.changes}.{command.cohort_id}.{now:%Y%m%dT%H%M%S}"
    spot = commands_topic("scheduling"), partition_of(command.cohort_id, partitions)
    return encode(command, *spot, id=of, source="/mentoring/notify/hours", time=now)


def _tombstone(cohort_id: str, person_id: str, partitions: int, now: datetime) -> Record:
    erased = PersonErased(cohort_id=cohort_id, person_id=person_id)
    of = f"retention.{cohort_id}.{person_id}.{now:%Y%m%dT%H%M%S}"
    spot = PEOPLE, partition_of(cohort_id, partitions)
    return encode(erased, *spot, id=of, source="/mentoring/notify/retention", time=now)


def _inbound(settings: NotifySettings) -> Beside | None:
    """The mailbox for answers, if a port is set."""
    port, address = settings.inbound_port, settings.answers
    if port is None or address is None:
        return None
    # What speaks LMTP is loaded where somebody listens.
    from services.notify.inbound.server import Inbound, Mailbox  # noqa: PLC0415

    where = settings.inbound_host, port, address, settings.inbound_bytes
    mailbox = Mailbox(*where, contact=settings.mail_contact)
    secret = settings.pseudonym_secret

    def listening(
        store: Store, log: Log, clock: Clock, registry: CollectorRegistry
    ) -> AbstractAsyncContextManager[object]:
        scheduling = CommandTopic("scheduling", log, clock, settings.partitions)
        own = CommandTopic("notify", log, clock, settings.partitions)
        return Inbound(mailbox, store, scheduling, own, registry, secret).listening()

    return listening


def _sender(settings: NotifySettings) -> Sender:
    password = settings.smtp_password
    smtp = Smtp(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        timeout=settings.smtp_timeout,
    )
    domain = settings.mail_from.partition("@")[2]
    try:
        texts = read_texts(settings.letters_dir) if settings.letters_dir else STANDARD
    except WrongTexts as error:
        raise WrongSetting(f"CONNECTE_LETTERS_DIR: {error}") from None
    told = settings.mail_contact, settings.answers, texts, settings.pseudonym_secret
    head = Letterhead(settings.mail_from, domain, *told)
    try:
        signer = LinkSigner(settings.link_signing_key.get_secret_value())
    except ValueError as error:
        raise WrongSetting(f"CONNECTE_LINK_SIGNING_KEY: {error}") from None
    urls = {
        "matching": settings.matching_url,
        "scheduling": settings.scheduling_url,
        "feedback": settings.feedback_url,
    }
    if settings.portal_url is not None:
        urls["portal"] = settings.portal_url
    leeway = LEEWAY * settings.clock_rate
    return Sender(smtp, head, Links(signer, urls), leeway)


if __name__ == "__main__":
    sys.exit(main(build))
