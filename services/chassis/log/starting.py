"""Starts of aiokafka's clients that leave nothing open when they are broken off."""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Around the start of any client of aiokafka, which is stopped afterwards as usual.

    While a client asks the first broker for the others, it knows the connection by a local name
    only (`AIOKafkaClient.bootstrap` of aiokafka 0.14): whoever breaks it off there, by a time-out
    or by ending, leaves it open until the collector finds it.
    """
    try:
        yield
    except BaseException as error:
        for frame, _ in walk_tb(error.__traceback__):
            if (connection := frame.f_locals.get("bootstrap_conn")) is not None:
                connection.close()
        raise
