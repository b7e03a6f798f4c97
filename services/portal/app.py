"""Composition root of the portal. `python -m services.portal.app` runs it."""

import sys

from services.chassis.runtime import Parts, Service, main
from services.chassis.settings import load
from services.portal.handlers import DOMAIN
from services.portal.settings import PortalSettings


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    return Service(load(PortalSettings), Parts(DOMAIN, {}))


if __name__ == "__main__":
    sys.exit(main(build))
