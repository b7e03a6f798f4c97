"""Composition root of scheduling. `python -m services.scheduling.app` runs it."""

import secrets
import sys

import services.chassis.beginning  # noqa: F401  # before all that it spares
from services.chassis.parts import Parts
from services.chassis.runtime import Service, main
from services.chassis.settings import Settings, load
from services.scheduling.handlers import with_rooms
from services.scheduling.pages import LINK_PAGES, LOOKS
from services.scheduling.views import LISTED, MEASURES, PERSONAL


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    # Each process draws its own: a room is told by the event that gives it to a pair.
    domain = with_rooms(secrets.token_bytes(32))
    parts = Parts(domain, LISTED, MEASURES, personal=PERSONAL, link_pages=LINK_PAGES, looks=LOOKS)
    return Service(load(Settings), parts)


if __name__ == "__main__":
    sys.exit(main(build))
