"""A service as a process: how it starts, refuses to start, and ends."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.broker import embedded_broker
from deploy.local.kafka import apache_kafka
from deploy.local.mongodb import Mongod, mongod_binary, mongodb
from deploy.local.process import free_port
from deploy.local.stack import ServiceProcess, Terms, environment, running_stack
from deploy.operating.topics import create_topics
from services.chassis.http.links import generate_keys
from tests.conftest import PATIENCE, eventually

pytestmark = pytest.mark.journey


def _start(**settings: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTE_", "KAFKA_"))}
    return subprocess.run(
        [sys.executable, "-m", "services.matching.app"],
        env={**env, **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
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


async def test_a_service_without_its_database_is_alive_says_so_and_works_once_it_is_there(
    tmp_path: Path,
) -> None:
    server = Mongod(tmp_path, mongod_binary(), free_port())
    terms, port = Terms(), free_port()
    async with embedded_broker(tmp_path) as kafka, httpx.AsyncClient(timeout=PATIENCE) as client:
        await create_topics(
            {"bootstrap_servers": kafka}, partitions=terms.partitions, replication=1
        )
        env = environment(terms, kafka, server.uri, free_port(), {}, datetime.now(UTC))
        service = ServiceProcess("matching", tmp_path, env, port)
        service.start()

        async def asked(path: str) -> httpx.Response | None:
            try:
                return await client.get(service.url + path)
            except httpx.ConnectError:
                return None

        async def says_why() -> Any:
            answer = await asked("/health/ready")
            wrong = answer.json()["wrong"] if answer else []
            return answer if "the database has not been there" in " ".join(wrong) else None

        try:
            refused = await eventually(says_why, PATIENCE)
            assert refused.status_code == 503
            live, metrics = await asked("/health/live"), await asked("/metrics")
            assert live is not None
            assert live.status_code == 200
            assert metrics is not None
            assert 'mentoring_trouble{reason="away"} 1.0' in metrics.text
            assert "mentoring_ready 0.0" in metrics.text
            assert "mentoring_partitions_assigned 0.0" in metrics.text

            await server.start()
            try:
                await service.ready()
                body = {"cohort_id": "late", "name": "Late"}
                answer = await client.post(f"{service.url}/commands/OpenCohort?wait=20", json=body)
                assert (answer.status_code, service.starts) == (200, 1), answer.text
                metrics = await asked("/metrics")
                assert metrics is not None
                assert 'mentoring_trouble{reason="away"} 0.0' in metrics.text
            finally:
                await service.stop()
        finally:
            await service.stop()
            if hasattr(server, "child"):
                await server.child.stop()


async def test_topics_with_another_number_of_partitions_stop_the_start_and_say_what_to_do(
    tmp_path: Path,
) -> None:
    async with embedded_broker(tmp_path) as kafka, mongodb(tmp_path) as database:
        await create_topics({"bootstrap_servers": kafka}, partitions=4, replication=1)
        env = environment(Terms(partitions=2), kafka, database, free_port(), {}, datetime.now(UTC))
        env = {**env, "CONNECTE_HTTP_PORT": str(free_port())}
        ended = await asyncio.to_thread(_start, **env)
    assert ended.returncode == 1
    said = "mentoring.matching.commands has 4 partitions, and CONNECTE_PARTITIONS is 2: give every"
    assert said in ended.stdout + ended.stderr


@pytest.mark.kafka
async def test_a_kafka_without_the_topics_is_said_until_they_are_made(tmp_path: Path) -> None:
    terms, port = Terms(), free_port()
    async with (
        apache_kafka(tmp_path / "kafka") as cluster,
        mongodb(tmp_path) as database,
        httpx.AsyncClient(timeout=PATIENCE) as client,
    ):
        env = environment(terms, cluster.bootstrap, database, free_port(), {}, datetime.now(UTC))
        service = ServiceProcess("matching", tmp_path, env, port)
        service.start()

        async def says_why() -> bool:
            try:
                answer = await client.get(f"{service.url}/health/ready")
            except httpx.ConnectError:
                return False
            return answer.status_code == 503 and any(
                "the broker has no mentoring.matching.commands, mentoring.scheduling.events: "
                "`connecte topics apply` makes topics" in line
                for line in answer.json()["wrong"]
            )

        try:
            assert await eventually(says_why, PATIENCE)
            live = await client.get(f"{service.url}/health/live")
            assert live.status_code == 200
            known = {"bootstrap_servers": cluster.bootstrap}
            await create_topics(known, partitions=terms.partitions, replication=1)
            await service.ready()
        finally:
            await service.stop()
