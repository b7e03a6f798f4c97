"""What drills begin with: the broker of the journeys, and a site whose parts can be replaced."""

from tests.journeys.conftest import kafka_if_real

__all__ = ["kafka_if_real"]
