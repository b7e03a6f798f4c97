"""The one way in which anything here reads from a broker.

Always holds: only what is committed is handed out, and never what was aborted; a partition that
cannot be read holds up no other and makes nobody lose what another has given; it is asked for
again, and said to be in trouble until the broker answers there; a poll takes no more memory than
`POLL_BYTES` and one record.

aiokafka's own `getmany` drops what it has already taken from other partitions when one of them
raises, and they are not asked for again. So this one takes the client's fetches by itself: it knows
`Fetcher` (`_records`, `_fetch_task`, `_pending_tasks`, `_fetch_waiters`, `_fetch_max_wait_ms`),
`FetchResult` and `FetchError` of aiokafka 0.14.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaError,
    RecordTooLargeError,
)

from services.chassis.log import tolerant
from services.chassis.log.starting import nothing_left_open
from services.chassis.log.trouble import BrokerSilent, Trouble

tolerant.install()

POLL_BYTES = 4 * 1024 * 1024
"""What is handed out at a time, if one record is not more than that."""

REST_SECONDS = 5.0
"""Between two attempts on what could not be read."""

SILENT_SECONDS = 45.0
"""After which a broker that is asked and answers nothing is said to be away: above the longest that
one may take to answer that there is nothing new (`CONNECTE_FETCH_WAIT_MS`)."""


SOON_SECONDS = 0.1
"""After which who has something to look after is handed what there is, be it nothing."""

IDLE_SECONDS, IDLE_TIMES = 5.0, 4
"""A group that was given nothing for so long lets the broker wait so many times as long before it
answers that there is nothing: it answers at once when there is. Not where something is put down:
what is taken up again is asked for with the next request."""


class Reader(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is not typed
    """A consumer. `troubles`: of each partition that cannot be read now, why.

    `refused`: why the group cannot be worked with, the same way. `polled`: when somebody last asked
    for records, `heard`: when the broker last gave an answer, or was not asked, on the monotonic
    clock. `gather`: seconds from one hand-out to the next, at least, in which more comes together;
    what comes after a longer pause is handed out at once. `on_poll` is called at each poll, and
    says whether it has to be called again soon.
    """

    def __init__(
        self,
        *topics: str,
        on_error: Callable[[Exception], None] = lambda _: None,
        gather: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(*topics, **{**settings, "isolation_level": "read_committed"})
        self.troubles: dict[TopicPartition, Trouble] = {}
        self.refused: Trouble | None = None
        self.polled = self.heard = time.monotonic()
        self.on_poll: Callable[[], bool] = lambda: False
        self._on_error = on_error
        self._gather = gather
        self._gathered: dict[TopicPartition, list[Any]] = {}
        self._handed_out = -math.inf
        self._busy = time.monotonic()
        self._woken = False
        self._assigned: Any = None
        self._answers: list[Any] = []

    @property
    def answered(self) -> bool:
        """Whether the broker has told which topics there are."""
        return bool(self._client.cluster.brokers())

    async def start(self) -> None:
        """As the client's; broken off, it leaves no connection open."""
        with nothing_left_open():
            await super().start()
        # Its tasks begin: one that is ended before would be taken for the end of whoever stops it.
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """As the client's, once nothing is being fetched.

        It would break off what waits for a broker that is away, take that for the end of whoever
        called, and leave its connections open (aiokafka, issue 647).
        """
        try:
            if not self._closed and (fetcher := self._fetcher) is not None:
                fetcher._fetch_task.cancel()
                await asyncio.wait([fetcher._fetch_task])
                if fetching := list(fetcher._pending_tasks):
                    for task in fetching:
                        task.cancel()
                    await asyncio.wait(fetching)
                fetcher._pending_tasks.clear()
        finally:
            await super().stop()

    # --- where it is ----------------------------------------------------------------------

    def at(self, place: TopicPartition) -> int | None:
        """The offset from which it reads on, past what holds no record; None: not known yet.

        What is still being gathered has not been read.
        """
        rows = self._gathered.get(place)
        return rows[0].offset if rows else self._position(place)

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Read on from there; what was gathered of this partition is let go."""
        self._gathered.pop(place, None)
        super().seek(place, offset)

    def _position(self, place: TopicPartition) -> int | None:
        state = self._state(place)
        return state.position if state is not None and state.has_valid_position else None

    def end(self, place: TopicPartition) -> int | None:
        """Where what can be read ended at the last fetch; None: there was none.

        That is before what belongs to a transaction that is still open.
        """
        state = self._state(place)
        if state is None or state.highwater is None:
            return None
        stable = state.lso
        return int(state.highwater if stable is None or stable < 0 else stable)

    def _state(self, place: TopicPartition) -> Any:
        if not self._subscription.is_assigned(place):
            return None
        return self._subscription.subscription.assignment.state_value(place)

    def _heard(self, place: TopicPartition) -> Any:
        """When a fetch of it was answered last, by the client's clock; None: never."""
        state = self._state(place)
        return None if state is None else state.timestamp

    # --- taking ---------------------------------------------------------------------------

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """As the client's, but of one partition it never raises: see `troubles`."""
        self.polled = time.monotonic()
        self._listen()
        self._woken = False
        patience = timeout_ms / 1000
        if self.on_poll():
            patience = min(patience, SOON_SECONDS)
        self._fetcher._fetch_max_wait_ms = self._fetch_max_wait_ms * (
            IDLE_TIMES if self.idle else 1
        )
        try:
            return await self._many(partitions, patience, max_records)
        except ConsumerStoppedError:
            raise
        except KafkaError as error:
            if self._group_id is None:
                raise
            # The client has told of it and tries again.
            self._on_error(error)
            self.refused = Trouble(error, 0, time.monotonic() + 2 * REST_SECONDS, None)
            await asyncio.sleep(REST_SECONDS)
            return {}

    @property
    def idle(self) -> bool:
        """Whether a group has been given nothing for long, and asks for all it is to read."""
        long_ago = self.polled - self._busy > IDLE_SECONDS
        return long_ago and self._group_id is not None and not self.paused()

    def wake(self) -> None:
        """Have whoever polls be handed what there is, be it nothing, and poll again."""
        self._woken = True
        for waiter in list(self._fetcher._fetch_waiters):
            self._fetcher._notify(waiter)

    async def _many(
        self, partitions: tuple[TopicPartition, ...], patience: float, most: int | None
    ) -> dict[TopicPartition, list[Any]]:
        if self._closed:
            raise ConsumerStoppedError
        self._coordinator.check_errors()
        deadline = time.monotonic() + patience
        most = most or self._max_poll_records or 1_000_000
        with self._subscription.fetch_context():
            while True:
                if self._subscription.reassignment_in_progress and not self._gathered:
                    await self._subscription.wait_for_assignment()
                whole = self._take(partitions, most)
                until = self._handed_out + self._gather if self._gathered else deadline
                left = until - time.monotonic()
                turn = self._woken or self._subscription.reassignment_in_progress
                if whole or left <= 0 or turn:
                    return self._hand_out()
                waiter = self._fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([waiter], timeout=left)
                if self._closed:
                    waiter.cancel()
                    return {}
                if not done:
                    waiter.cancel()
                    return self._hand_out()
                waiter.result()  # raises what the group has to say

    def _hand_out(self) -> dict[TopicPartition, list[Any]]:
        found, self._gathered = self._gathered, {}
        if found:
            self._handed_out = self._busy = time.monotonic()
        return found

    def _take(self, partitions: tuple[TopicPartition, ...], most: int) -> bool:
        """Gather what has been fetched; whether that is as much as is handed out at a time."""
        self._forget_the_past()
        gathered = self._gathered
        left = most - sum(map(len, gathered.values()))
        room = POLL_BYTES - sum(_size(row) for rows in gathered.values() for row in rows)
        for place, fetched in list(self._fetcher._records.items()):
            if left <= 0 or room <= 0:
                return True
            if partitions and place not in partitions:
                continue
            if self._rests(place, fetched):
                continue
            if isinstance(fetched, FetchError):
                self._in_trouble(place, fetched, fetched._error)
                continue
            rows, size = self._rows(place, fetched, left, room)
            if rows:
                gathered.setdefault(place, []).extend(rows)
                left, room = left - len(rows), room - size
        return left <= 0 or room <= 0

    def _rows(
        self, place: TopicPartition, fetched: Any, most: int, room: int
    ) -> tuple[list[Any], int]:
        """What a fetch still has, up to a number and a size; where it breaks, what came before."""
        rows: list[Any] = []
        size = 0
        if not fetched.has_more() or not fetched.check_assignment(place):
            self._ask_again(place)
            return rows, size
        try:
            for row in fetched._partition_records:
                rows.append(row)
                size += _size(row)
                if len(rows) >= most or size >= room:
                    break
            else:
                self._ask_again(place)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this partition's own
            self._in_trouble(place, fetched, error)
        fetched._update_position()
        trouble = self.troubles.get(place)
        if trouble is not None and (self._position(place) or 0) > trouble.offset:
            del self.troubles[place]
        return rows, size

    # --- trouble --------------------------------------------------------------------------

    @property
    def silent(self) -> Trouble | None:
        """That the broker answers nothing, though it is asked for something.

        As of the last poll: while nobody polls, nobody listens.
        """
        if not self.assignment() or self.polled - self.heard < SILENT_SECONDS:
            return None
        return Trouble(BrokerSilent(), 0, 0.0, None)

    def _listen(self) -> None:
        """See whether there was an answer since, or nothing is asked for: all that is read is held
        here, or put down."""
        assigned = self.assignment()
        idle = self._fetcher._records.keys() | (self.paused() if assigned else set())
        asked = [at for at in assigned if at not in idle]
        answers = [self._heard(at) for at in asked]
        if not asked or answers != self._answers:
            self.heard = self.polled
        self._answers = answers

    def _in_trouble(self, place: TopicPartition, fetched: Any, error: Exception) -> None:
        self._on_error(error)
        at = self._position(place) or 0
        if isinstance(error, RecordTooLargeError):
            at = error.args[2]  # the client has gone one further, over what it has not read
        elif not isinstance(fetched, FetchError):
            at = fetched._partition_records.next_fetch_offset
        again = time.monotonic() + REST_SECONDS
        self.troubles[place] = Trouble(error, at, again, fetched, self._heard(place))

    def _rests(self, place: TopicPartition, fetched: Any) -> bool:
        """Whether this is what could not be read. It stays until its time, and is then dropped."""
        trouble = self.troubles.get(place)
        if trouble is None or trouble.fetched is not fetched:
            return False
        if time.monotonic() >= trouble.again:
            self._ask_again(place)
            if self._position(place) != trouble.offset:
                super().seek(place, trouble.offset)  # what was gathered comes before
        return True

    def _is_over(self, place: TopicPartition, trouble: Trouble) -> bool:
        """Whether the broker has answered since. Where nothing is new, nothing is handed out."""
        fetched = trouble.fetched
        asked = self._fetcher._records.get(place) is not fetched
        return asked and isinstance(fetched, FetchError) and self._heard(place) != trouble.heard

    def _ask_again(self, place: TopicPartition) -> None:
        """Let the client fetch more of a partition."""
        self._fetcher._records.pop(place, None)
        self._fetcher._notify(self._fetcher._wait_consume_future)

    def _forget_the_past(self) -> None:
        """Troubles end with the assignment in which they were, and with what was read since."""
        subscription = self._subscription.subscription
        assigned = subscription.assignment if subscription is not None else None
        if assigned is not self._assigned:
            self._assigned = assigned
            self._busy = time.monotonic()
            self.troubles.clear()
            self._gathered.clear()
        for place in [place for place, why in self.troubles.items() if self._is_over(place, why)]:
            del self.troubles[place]
        if self.refused is not None and time.monotonic() > self.refused.again:
            self.refused = None
        for place in [p for p in self._fetcher._records if not self._subscription.is_assigned(p)]:
            del self._fetcher._records[place]


def _size(row: Any) -> int:
    size: int = row.serialized_key_size + row.serialized_value_size
    for name, raw in row.headers:
        size += len(name) + len(raw or b"")
    return size
