"""Composition root of matching. `python -m services.matching.app` runs it."""

import sys

from services.chassis.runtime import Parts, Service, main
from services.chassis.settings import Settings, load
from services.matching.api import PURPOSES
from services.matching.handlers import DOMAIN
from services.matching.views import LISTED, MEASURES


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    parts = Parts(DOMAIN, LISTED, MEASURES, purposes=PURPOSES)
    return Service(load(Settings), parts)


if __name__ == "__main__":
    sys.exit(main(build))
