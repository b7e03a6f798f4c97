"""FastStream's broker with our reader.

Apart from `reader.py`, so that who only reads a log, such as `connecte`, does not load FastStream.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from faststream.kafka import KafkaBroker

from services.chassis.log.reader import Reader


class ReadingBroker(KafkaBroker):
    """FastStream's broker, whose subscribers read with a `Reader`.

    `on_error` is told of every fault of theirs in reading; `gather`: of each of them.
    """

    gather = 0.0
    on_error: Callable[[Exception], None] = staticmethod(lambda _: None)

    async def _connect(self) -> Callable[..., Any]:
        builder = await super()._connect()
        assert isinstance(builder, partial), "as FastStream 0.7 makes it"
        reading = partial(Reader, **builder.keywords, on_error=self.on_error, gather=self.gather)
        self.config.broker_config.builder = reading
        return reading
