"""Composition root of scheduling. `python -m services.scheduling.app` runs it."""

import sys

from services.chassis.parts import Parts
from services.chassis.runtime import Service, main
from services.chassis.settings import Settings, load
from services.scheduling.handlers import DOMAIN
from services.scheduling.pages import LINK_PAGES, LOOKS
from services.scheduling.views import LISTED, MEASURES


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    parts = Parts(DOMAIN, LISTED, MEASURES, link_pages=LINK_PAGES, looks=LOOKS)
    return Service(load(Settings), parts)


if __name__ == "__main__":
    sys.exit(main(build))
