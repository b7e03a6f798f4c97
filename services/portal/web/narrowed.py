"""What a service shows, less what somebody may not see: the part that every such view has alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.chassis.domain import D, Document
from services.chassis.store.contract import (
    EVERYWHERE,
    DeadlineAside,
    Projections,
    Row,
    Where,
)


@dataclass(frozen=True, slots=True)
class Narrowed(ABC):
    """Projections of which a part is shown. What is extracted comes out of what is shown."""

    store: Projections

    @abstractmethod
    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        """Some documents, without what is not to be seen."""

    async def extract(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        *,
        limit: int,
        within: float | None = None,
    ) -> list[Row]:
        del within
        found = await self.page(kind, where, limit)  # a part of what is whole, and cut
        return [document.model_dump(include=set(fields)) for document in found]

    async def deadlines_aside(self, limit: int) -> list[DeadlineAside]:
        return await self.store.deadlines_aside(limit)

    async def positions(self, partitions: Iterable[int]) -> dict[tuple[str, int], int]:
        return await self.store.positions(partitions)

    async def refresh(self) -> None:
        await self.store.refresh()
