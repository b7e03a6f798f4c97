"""How many documents a page of a large programme reads: no more than ten for each row it shows."""

from typing import Any

import pytest

from services.chassis.domain import D
from services.chassis.store.contract import EVERYWHERE, Where
from services.chassis.store.memory import MemoryStore
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, OPENED
from tests.portal.test_coordinating import crowd

PEOPLE = 10_000
PER_ROW = 10
ALONE = 40
"""What a page reads for itself: the programme, what stands above it, who asks."""


class Counting(MemoryStore):
    """Counts the documents that leave it."""

    read = 0

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        self.read += 1
        return await super().one(kind, cohort_id, id)

    async def several(self, kind: type[D], cohort_id: str, ids: Any) -> list[D]:
        found = await super().several(kind, cohort_id, ids)
        self.read += len(found)
        return found

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        found = await super().page(kind, where, limit, after, by)
        self.read += len(found)
        return found

    async def extract(self, *args: Any, **more: Any) -> list[dict[str, Any]]:
        found = await super().extract(*args, **more)
        self.read += len(found)
        return found


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(store=Counting()).happens(OPENED, *crowd(PEOPLE), *GOING_ON[1:])


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("", 1),
        ("/participants", 50),
        ("/participants?q=durand", 50),
        ("/participants?etat=mentor-available", 50),
        ("/participants/m-1", 1),
        ("/tour", 1),
        ("/tour/a-la-main?manager=g-1", 50),
        ("/suivi", 1),
        ("/importer", 1),
        ("/reglages", 1),
    ],
)
async def test_a_page_reads_ten_documents_at_most_for_each_row(
    town: Town, path: str, rows: int
) -> None:
    anne = await town.signed_in(COORDINATOR)
    store = town.store
    assert isinstance(store, Counting)
    store.read = 0
    await anne.goes_to(f"/coordonner/c{path}")
    assert anne.status == 200
    assert store.read <= PER_ROW * rows + ALONE
