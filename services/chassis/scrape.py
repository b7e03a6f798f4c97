"""What a scrape is told, and what is looked up for it.

Always holds: nothing is counted when nobody scrapes; scrapes that follow one another closely share
one look; a database or broker that does not answer costs a scrape a few seconds, never its answer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from prometheus_client import generate_latest

from services.chassis.metrics import Metrics, Programme, Tally
from services.chassis.mongo import MongoStore

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""As long as figures count as current, however often somebody asks."""
LOOK_SECONDS = 4.0
"""Well below the ten seconds after which Prometheus gives a scrape up."""
MOST_ROWS = 10_000

Lags = Callable[[], Awaitable[Mapping[tuple[str, int], int]]]


class Scrape:
    """The answer to a scrape. `owned`: the partitions of this process; `lags`: what waits there."""

    def __init__(
        self,
        metrics: Metrics,
        programme: Programme,
        store: MongoStore,
        owned: Callable[[], Collection[int]],
        lags: Lags,
    ) -> None:
        self.metrics = metrics
        self.programme = programme
        self.store = store
        self._owned = owned
        self._lags = lags
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")

    async def text(self) -> bytes:
        """Every measure of the service, in Prometheus' format."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= FRESH_SECONDS:
                await asyncio.gather(
                    self._within("database", self._look_at_the_programme),
                    self._within("broker", self._look_at_the_lag),
                )
                self._looked_at = time.monotonic()
        return generate_latest(self.metrics.registry)

    async def _within(self, part: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await asyncio.wait_for(look(), LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001  # the machine's own figures are told all the same
            self.metrics.scrape_failures.labels(part).inc()
            logger.warning("figures of the %s not looked up: %s", part, type(error).__name__)

    async def _look_at_the_programme(self) -> None:
        """Over the partitions owned, so that the sum over processes is the whole."""
        query = {"partition": {"$in": list(self._owned())}}
        for measure in self.programme.measures:
            if isinstance(measure, Tally):
                self.programme.samples[measure] = await self.store.tally(
                    measure.kind, measure.fields, query
                )
            else:
                rows = await self.store.find(measure.kind, query, MOST_ROWS, measure.fields)
                self.programme.samples[measure] = {
                    values: figure for row in rows for values, figure in measure.read(row).items()
                }

    async def _look_at_the_lag(self) -> None:
        waiting = await self._lags()
        self.metrics.lag.clear()  # whoever owns a partition now tells of it
        for (topic, partition), lag in waiting.items():
            self.metrics.lag.labels(topic, str(partition)).set(lag)
