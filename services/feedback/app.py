"""Composition root of feedback. `python -m services.feedback.app` runs it."""

import sys

from services.chassis.runtime import Parts, Service, main
from services.chassis.settings import Settings, load
from services.feedback.handlers import DOMAIN
from services.feedback.pages import LINK_PAGES
from services.feedback.views import COUNTED, LISTED, MEASURES


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    parts = Parts(DOMAIN, LISTED, MEASURES, COUNTED, link_pages=LINK_PAGES)
    return Service(load(Settings), parts)


if __name__ == "__main__":
    sys.exit(main(build))
