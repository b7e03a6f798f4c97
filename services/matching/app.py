"""Composition root of matching. `python -m services.matching.app` runs it."""

import sys
from collections.abc import Mapping

import services.chassis.beginning  # noqa: F401  # before all that it spares
from schemas.matching import RunRound
from services.chassis.domain import Document
from services.chassis.log.contract import Log
from services.chassis.parts import Parts
from services.chassis.runtime import Service, main
from services.chassis.settings import load
from services.chassis.step.deadlines import DueWorker
from services.chassis.store.contract import Store
from services.chassis.tracing import Tracing
from services.matching.handlers import DOMAIN
from services.matching.pages import LINK_PAGES
from services.matching.search.worker import RoundSearch, Solver
from services.matching.settings import MatchingSettings
from services.matching.views import LISTED, MEASURES, PERSONAL, Round


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    solver = Solver()

    def due_workers(store: Store, _: Log, __: Tracing) -> Mapping[type[Document], DueWorker]:
        return {Round: RoundSearch(store, solver)}

    parts = Parts(
        DOMAIN,
        LISTED,
        MEASURES,
        personal=PERSONAL,
        due_workers=due_workers,
        link_pages=LINK_PAGES,
        done_when={RunRound: Round},
    )
    return Service(load(MatchingSettings), parts)


if __name__ == "__main__":
    sys.exit(main(build))
