"""A service as a process: how it starts, refuses to start, and ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Terms, running_stack
from services.chassis.http.links import generate_keys

pytestmark = pytest.mark.journey


def _start(**settings: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTE_", "KAFKA_"))}
    return subprocess.run(
        [sys.executable, "-m", "services.matching.app"],
        env={**env, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_missing_setting_stops_the_start_and_is_named() -> None:
    ended = _start(MONGODB_URI="mongodb://127.0.0.1:1")
    assert ended.returncode == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in ended.stderr
    assert "CONNECTE_LINK_VERIFY_KEY" in ended.stderr


def test_a_wrong_key_is_named_and_not_shown() -> None:
    ended = _start(
        MONGODB_URI="mongodb://127.0.0.1:1",
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        CONNECTE_LINK_VERIFY_KEY="not-a-key-at-all",
    )
    assert ended.returncode == 2
    assert "CONNECTE_LINK_VERIFY_KEY" in ended.stderr
    assert "not-a-key-at-all" not in ended.stderr


def test_beyond_the_loopback_a_service_wants_a_token() -> None:
    ended = _start(
        MONGODB_URI="mongodb://127.0.0.1:1",
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        CONNECTE_LINK_VERIFY_KEY=generate_keys()[1],
        CONNECTE_HTTP_HOST="0.0.0.0",
    )
    assert ended.returncode == 2
    assert "CONNECTE_HTTP_TOKEN" in ended.stderr


async def test_services_end_cleanly_at_a_termination_and_tell_how_they_are(tmp_path: Path) -> None:
    async with running_stack(tmp_path, Terms()) as stack:
        async with httpx.AsyncClient() as client:
            for service in stack.services.values():
                for path in ("/health/live", "/health/ready", "/metrics", "/asyncapi"):
                    assert (await client.get(service.url + path)).status_code == 200, path
                metrics = (await client.get(f"{service.url}/metrics")).text
                assert "mentoring_partitions_assigned 4.0" in metrics
        for service in stack.services.values():
            service.stopping = True
            assert service.child is not None
            service.child.send(signal.SIGTERM)
            assert await service.child.wait() == 0, service.child.tail()
    for service in stack.services.values():
        assert "Traceback" not in (tmp_path / f"{service.name}.log").read_text()
