"""Composition root of the portal. `python -m services.portal.app` runs it."""

import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

import services.chassis.beginning  # noqa: F401  # before all that it spares
from services.chassis.clock import Clock
from services.chassis.http.authorities import authorities_of
from services.chassis.http.rates import rates_of
from services.chassis.log.contract import Log
from services.chassis.parts import Parts
from services.chassis.runtime import Service, main
from services.chassis.settings import load
from services.chassis.store.contract import Projections, Store
from services.chassis.store.kept import Kept
from services.portal.handlers import DOMAIN
from services.portal.pages import page_routes
from services.portal.settings import PartnerCoordinator, PortalSettings
from services.portal.views import LISTED
from services.portal.web.engine import Engine
from services.portal.web.look import Foot, look_of
from services.portal.web.mailing import Mailing, by_smtp
from services.portal.web.own_api import own_routes
from services.portal.web.provider import Client, IdentityProvider, issuer_for
from services.portal.web.sessions import Sessions
from services.portal.web.site import Partnership, Rules, Site

LARGEST_FILE = 4 * 1024 * 1024


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    settings = load(PortalSettings)
    token = settings.services_token or settings.http_token
    urls = {
        "matching": settings.matching_url,
        "scheduling": settings.scheduling_url,
        "notify": settings.notify_url,
    }
    engine = Engine(urls, token.get_secret_value() if token else None)  # type: ignore[arg-type]
    mailing = Mailing(settings.mail_from, by_smtp(settings))

    def routes(store: Projections, kept: Kept, clock: Clock) -> Sequence[APIRouter]:
        sessions = Sessions(
            kept,
            timedelta(minutes=settings.link_minutes),
            timedelta(minutes=settings.idle_minutes),
            timedelta(hours=settings.session_hours),
        )
        rules = Rules(
            coordinators_of(settings.coordinators),
            _listed(settings.sign_in_domains),
            settings.by_link,
            partners_of(settings.partners),
        )
        parts = (store, kept, clock, engine, mailing, sessions, rules)
        told = (settings.portal_url, settings.pseudonym_secret, settings.mail_contact)
        site = Site(
            *parts,
            *told,
            rates=rates_of(settings),
            provider=provider_of(settings),
            look=look_of(settings.theme, settings.theme_fonts, _foot(settings)),
            partitions=settings.partitions,
        )
        return [own_routes(site, authorities_of(settings)), page_routes(site)]

    @asynccontextmanager
    async def counted(
        _: Store, __: Log, ___: Clock, registry: CollectorRegistry
    ) -> AsyncIterator[None]:
        registry.register(mailing.counted)
        yield

    async def close() -> None:
        await mailing.settle()
        await engine.close()

    parts = Parts(
        DOMAIN, LISTED, routes=routes, largest_body=LARGEST_FILE, beside=counted, close=close
    )
    return Service(settings, parts)


def _foot(settings: PortalSettings) -> Foot:
    return Foot(
        settings.legal_url, settings.personal_url, settings.accessibility_url, settings.conformity
    )


def provider_of(settings: PortalSettings) -> IdentityProvider | None:
    """At which people sign in, if the settings name one."""
    if settings.sign_in_issuer is None:
        return None
    client = Client(
        settings.sign_in_client,
        settings.sign_in_secret.get_secret_value(),
        settings.sign_in_name,
        settings.sign_in_scopes,
        tuple(settings.sign_in_acr.split()),
        settings.sign_in_confirmed,
    )
    issuer = issuer_for(
        settings.sign_in_issuer, client.id, settings.sign_in_algorithms.split(), settings.issuers
    )
    return IdentityProvider(issuer, client, settings.portal_url, settings.pseudonym_secret)


def coordinators_of(text: str) -> dict[str, frozenset[str] | None]:
    """Address to the cohorts that stand behind it; None (all) where none do."""
    found: dict[str, frozenset[str] | None] = {}
    for one in filter(None, map(str.split, text.split(","))):
        found[one[0].casefold()] = frozenset(one[1:]) or None
    return found


def partners_of(named: Iterable[PartnerCoordinator]) -> tuple[Partnership, ...]:
    """Who coordinates the people of which organisations, and in which cohorts."""
    return tuple(
        Partnership(
            one.address.casefold(),
            frozenset(one.organisations),
            None if "*" in one.cohorts else frozenset(one.cohorts),
        )
        for one in named
    )


def _listed(text: str) -> frozenset[str]:
    return frozenset(one.strip().casefold() for one in text.split(",") if one.strip())


if __name__ == "__main__":
    sys.exit(main(build))
