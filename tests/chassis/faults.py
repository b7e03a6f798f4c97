"""Hand-made faults: a part that goes wrong at one chosen call, before, half-way or after it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

When = Literal["before", "halfway", "after"]
Effect = Callable[[], Awaitable[None]]


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Trip:
    """At call number `at` (1 is the first), or at that call of `name`, `effect` happens once."""

    at: int = 0
    when: When = "before"
    effect: Effect | None = None
    name: str | None = None
    calls: int = 0
    trace: list[str] = field(default_factory=list)
    sprung: bool = False

    async def around(self, name: str, call: Callable[..., Awaitable[Any]], arguments: Any) -> Any:
        self.trace.append(name)
        self.calls += self.name in (None, name)
        here = not self.sprung and self.calls == self.at and self.name in (None, name)
        if here:
            self.sprung = True
            if self.when == "halfway" and name == "publish":
                [records] = arguments
                await call(records[: (len(records) + 1) // 2])
            if self.when != "after":
                await self._happen()
        result = await call(*arguments)
        if here and self.when == "after":
            await self._happen()
        return result

    async def _happen(self) -> None:
        if self.effect is not None:
            await self.effect()


def raising(error: type[BaseException]) -> Effect:
    async def effect() -> None:
        raise error("here")

    return effect


class Tripping:
    """A store or a log whose every call goes past a trip wire."""

    def __init__(self, inner: Any, trip: Trip) -> None:
        self.inner = inner
        self.trip = trip

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)

        async def call(*arguments: Any) -> Any:
            return await self.trip.around(name, found, arguments)

        return call


class Replaceable:
    """A store or a log in whose place another one can be put, under whoever uses it: `inner`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Unwilling:
    """A store or a log of which one method fails a number of times, then works."""

    def __init__(self, inner: Any, method: str, errors: Sequence[BaseException]) -> None:
        self.inner = inner
        self.method = method
        self.errors = list(errors)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name != self.method:
            return found

        async def call(*arguments: Any) -> Any:
            if self.errors:
                raise self.errors.pop(0)
            return await found(*arguments)

        return call
