"""`helm test` sees a service that works, and one that does not; the probes ask what is there."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import WITH_PORTAL, Terms, running_stack
from tests.deploy.chart.rendering import env_of, objects, of_kind, services

TOKEN = "0123456789abcdef"


async def helm_test(**environment: str) -> tuple[int, str]:
    """Run what the pod runs, as it runs it: from its arguments, with nothing else at hand."""
    (pod,) = of_kind(objects("minimal"), "Pod")
    (container,) = pod["spec"]["containers"]
    assert container["command"] == ["python", "-c"]
    assert environment.keys() <= env_of(pod["spec"]).keys()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        *container["args"],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.mark.journey
async def test_every_service_takes_a_command_shows_it_and_answers_its_probes(
    tmp_path: Path,
) -> None:
    terms = Terms(partitions=1, settings={"CONNECTE_HTTP_TOKEN": TOKEN}, services=WITH_PORTAL)
    async with running_stack(tmp_path, terms) as stack:
        urls = {f"CONNECTE_TEST_{name.upper()}": s.url for name, s in stack.services.items()}
        code, out = await helm_test(CONNECTE_HTTP_TOKEN=TOKEN, **urls)
        assert code == 0, out
        for service in stack.services:
            assert f"{service}: refused" in out
        code, out = await helm_test(CONNECTE_HTTP_TOKEN="wrong" * 4, **urls)
        assert code == 1
        assert "401" in out

        (monitor,) = of_kind(objects("production"), "PodMonitor")
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        async with httpx.AsyncClient() as client:
            for name, deployment in services(objects("minimal")).items():
                (container,) = deployment["spec"]["template"]["spec"]["containers"]
                probes = ("startupProbe", "livenessProbe", "readinessProbe")
                paths = [container[probe]["httpGet"]["path"] for probe in probes]
                for path in (*paths, endpoint["path"]):
                    answer = await client.get(stack.services[name].url + path)
                    assert answer.status_code == httpx.codes.OK, (name, path)


async def test_a_service_that_does_not_answer_fails_the_test() -> None:
    code, out = await helm_test(
        CONNECTE_HTTP_TOKEN=TOKEN, CONNECTE_TEST_MATCHING="http://127.0.0.1:1"
    )
    assert code == 1
    assert out.startswith("matching: ConnectError")


async def test_what_passes_is_waited_for() -> None:
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As feedback while its partitions are handed over: it is ready when asked again."""
        while line := await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            asked.append(line.split()[1].decode())
            of_a_cohort = asked[-1].startswith("/cohorts/")
            status = "404 Not Found" if of_a_cohort else "200 OK"
            if asked == ["/health/ready"]:
                status = "503 Service Unavailable"
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        code, out = await helm_test(CONNECTE_HTTP_TOKEN=TOKEN, CONNECTE_TEST_FEEDBACK=url)
    assert (code, out) == (0, "feedback: refused to show helm-test (not found)\n")
    assert asked == ["/health/ready", "/health/ready", "/cohorts/helm-test"]
