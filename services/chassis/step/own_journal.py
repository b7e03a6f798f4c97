"""Whether a service's database is older than what the service has published (G7).

Who went on from an older database would give numbers a second time, to other events, and readers
would pass over them. Always holds: no database is called older that is not; one that is, is
recognized by the newest events in the log, whatever was published again among the last of them.
"""

import asyncio
from collections.abc import Mapping

from schemas.envelope import Unreadable, attributes
from schemas.topics import PUBLIC_EVENTS, Service, Stream, stream_topic
from services.chassis.log.contract import Log, Spot
from services.chassis.step.admission import source_of
from services.chassis.store.contract import Place

TAIL = 500  # offsets that are read of the end of a partition, if that tells something


class DatabaseOutdated(Exception):
    """The database is older than the journal that the service has written."""


def own_streams(service: Service) -> dict[str, Stream]:
    """The topics of which a service is the only publisher, and how its places call them."""
    streams: list[Stream] = ["private"]
    if PUBLIC_EVENTS[service]:
        streams.append("events")
    return {stream_topic(service, stream): stream for stream in streams}


async def last_numbers(
    service: Service, log: Log, ends: Mapping[Spot, int], places: Mapping[int, Place]
) -> dict[Spot, int]:
    """The greatest number near these ends; not where there cannot be more than the place says.

    A number is at least one record, so a log without republished events need not be read.
    """
    streams = own_streams(service)
    asked = [
        (topic, p) for (topic, p), end in ends.items() if end > known(places, streams[topic], p)
    ]
    found = await asyncio.gather(*(_last(log, spot, ends[spot]) for spot in asked))
    return dict(zip(asked, found, strict=True))


def known(places: Mapping[int, Place], stream: Stream, partition: int) -> int:
    """The last number of a stream that the database knows."""
    place = places.get(partition)
    return place.sequences.get(stream, 0) if place else 0


def check_known(service: Service, numbers: Mapping[Spot, int], places: Mapping[int, Place]) -> None:
    """Raise `DatabaseOutdated` if the log has numbers that the places do not know."""
    streams = own_streams(service)
    for (topic, partition), number in numbers.items():
        if number > (newest := known(places, streams[topic], partition)):
            raise DatabaseOutdated(
                f"{topic}/{partition} has event {number} of this service and the database knows "
                f"of {newest}: it is older than what was published; "
                f"run `connecte rebuild {service}`"
            )


async def _last(log: Log, spot: Spot, end: int) -> int:
    """The greatest number among the last records, however far back these lie.

    Where somebody else's records or markers of transactions fill the end, more of it is read.
    """
    tail = TAIL
    while True:
        last = await _greatest(log, spot, max(end - tail, 0))
        if last or tail >= end:
            return last
        tail *= 8


async def _greatest(log: Log, spot: Spot, start: int) -> int:
    source, last = source_of(*spot), 0
    async for rows in log.read(*spot, start):
        for row in rows:
            try:
                found = attributes(row.headers)
            except Unreadable:  # somebody else's
                continue
            if found.source == source:
                last = max(last, found.sequence or 0)
    return last
