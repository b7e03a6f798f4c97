"""What a scrape shows, and what is looked up for it.

Always holds: nothing is counted when nobody scrapes; scrapes that follow one another closely share
one look; a database or broker that does not answer costs a scrape a few seconds, never its answer;
what cannot be counted in time hides no other figure, and is not counted on for nobody.
"""

import asyncio
import logging
import time
from collections import Counter as Count
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from prometheus_client import generate_latest

from services.chassis.documents import Counts
from services.chassis.domain import Document, RunningCount, Tally
from services.chassis.store.contract import Projections, Row, Where
from services.chassis.watch.metrics import Metrics, Programme, Reading

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""As long as figures count as current, however often somebody asks."""
RESTS = 10.0
"""And for so many times as long as the last look took: what is much is counted less often."""
LOOK_SECONDS = 4.0
"""Well below the ten seconds after which Prometheus gives a scrape up."""
MOST_ROWS = 10_000

Lags = Callable[[], Awaitable[Mapping[tuple[str, int], int]]]
Stopped = Callable[[], Mapping[tuple[str, int], str]]


class Scrape:
    """The answer to a scrape.

    `owned`: the partitions of this process; `lags`: what waits there; `stopped`: which of it cannot
    be read, and the name of the error.
    """

    def __init__(
        self,
        metrics: Metrics,
        programme: Programme,
        store: Projections,
        owned: Callable[[], Collection[int]],
        lags: Lags,
        stopped: Stopped = dict,
    ) -> None:
        self.metrics = metrics
        self.programme = programme
        self.store = store
        self._owned = owned
        self._lags = lags
        self._stopped = stopped
        self._looking = asyncio.Lock()
        self._current_until = float("-inf")

    async def text(self) -> bytes:
        """Every measure of the service, in Prometheus' format."""
        async with self._looking:
            if (began := time.monotonic()) >= self._current_until:
                await asyncio.gather(
                    self._unless_it_fails("database", self._look_at_the_programme()),
                    self._unless_it_fails("broker", self._look_at_the_lag()),
                )
                now = time.monotonic()
                self._current_until = now + max(FRESH_SECONDS, RESTS * (now - began))
        self.metrics.reading_stopped.clear()
        for (topic, partition), error in self._stopped().items():
            self.metrics.reading_stopped.labels(topic, str(partition), error).set(1)
        return generate_latest(self.metrics.registry)

    async def _unless_it_fails(self, part: str, look: Awaitable[None]) -> None:
        try:
            await look
        except Exception as error:  # noqa: BLE001  # the machine's own figures are shown all the same
            self.metrics.scrape_failures.labels(part).inc()
            cause = type(error.__cause__ or error).__name__
            logger.warning("figures of the %s not looked up: %s", part, cause)

    async def _look_at_the_programme(self) -> None:
        """Side by side, so that what takes too long hides no other figure."""
        running: list[RunningCount] = []
        readings: dict[type[Document], list[Reading]] = {}
        looks: list[Awaitable[None]] = []
        for measure in self.programme.measures:
            match measure:
                case RunningCount():
                    running.append(measure)
                case Reading():
                    readings.setdefault(measure.kind, []).append(measure)
                case Tally():
                    looks.append(self._count(measure))
        looks += (self._read(kind, of_kind) for kind, of_kind in readings.items())
        if running:
            looks.append(self._read_counts(running))
        ended = await asyncio.gather(*looks, return_exceptions=True)
        for error in filter(None, ended):
            raise error

    async def _count(self, tally: Tally) -> None:
        """Documents that are counted now, in an index."""
        async with asyncio.timeout(LOOK_SECONDS):
            self.programme.samples[tally] = await self.store.tally(
                tally.kind, tally.fields, self._mine(), LOOK_SECONDS
            )

    async def _read(self, kind: type[Document], readings: Sequence[Reading]) -> None:
        """Figures that stand in documents of a kind, each read once for all of them."""
        fields = sorted({field for reading in readings for field in reading.fields})
        rows = await self._rows(kind, fields)
        for reading in readings:
            found = (reading.read(row).items() for row in rows)
            self.programme.samples[reading] = {v: figure for of in found for v, figure in of}

    async def _read_counts(self, running: Sequence[RunningCount]) -> None:
        """What steps keep count of: a document for each cohort."""
        found: dict[str, Count[tuple[str, ...]]] = {}
        for row in await self._rows(Counts, ["counts"]):
            for (measure, *values), number in row["counts"]:
                found.setdefault(measure, Count())[tuple(values)] += number
        for one in running:
            self.programme.samples[one] = found.get(one.name, {})

    async def _rows(self, kind: type[Document], fields: Sequence[str]) -> list[Row]:
        async with asyncio.timeout(LOOK_SECONDS):
            return await self.store.extract(
                kind, fields, self._mine(), limit=MOST_ROWS, within=LOOK_SECONDS
            )

    def _mine(self) -> Where:
        """The partitions owned, so that the sum over processes is the whole."""
        return Where(partitions=self._owned())

    async def _look_at_the_lag(self) -> None:
        async with asyncio.timeout(LOOK_SECONDS):
            waiting = await self._lags()
        self.metrics.lag.clear()  # whoever owns a partition now tells of it
        for (topic, partition), lag in waiting.items():
            self.metrics.lag.labels(topic, str(partition)).set(lag)
