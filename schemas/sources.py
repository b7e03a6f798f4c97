"""How what a service publishes is named and counted.

A source is one stream of a service on one partition. Always holds: its events are counted from 1
without gaps, and an event keeps id, source and sequence however often it is published.
"""


def source_of(service: str, stream: str, partition: int) -> str:
    """`ce_source`: `/mentoring/matching/events/3`.

    The parked topic is shared by the services, so its source names the service.
    """
    return f"/mentoring/{service}/{stream}/{partition}"


def id_of(service: str, stream: str, partition: int, sequence: int) -> str:
    """`ce_id`: `matching.events.3.1042`."""
    return f"{service}.{stream}.{partition}.{sequence}"


def following(sequence: int) -> int:
    """`ce_sequence` of what comes next in a source; of the first after 0, which is none."""
    return sequence + 1
