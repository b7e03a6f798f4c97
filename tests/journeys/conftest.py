"""What journeys begin with."""

import os

import pytest


@pytest.fixture
def kafka_if_real(request: pytest.FixtureRequest) -> str | None:
    """A real Kafka without topics where the connected tests use one; None: the embedded broker."""
    if os.environ.get("CONNECTE_TEST_KAFKA") != "apache":
        return None
    bootstrap: str = request.getfixturevalue("fresh_kafka")
    return bootstrap
