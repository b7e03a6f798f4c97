"""Where HTTP listens: on every address of both families, if it is asked to."""

import asyncio
import socket

import httpx
import pytest

from deploy.local.process import free_ports
from services.chassis.http.application import create_app
from services.chassis.http.connections import listening_everywhere, server_of


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
async def test_who_listens_everywhere_is_reached_by_ipv4_and_by_ipv6(address: str) -> None:
    (port,) = free_ports(1)
    server = server_of(create_app("listening", "For tests."), "::", port)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{address}:{port}/nothing")
        assert answer.status_code == httpx.codes.NOT_FOUND
    finally:
        server.should_exit = True
        await serving


def test_without_ipv6_it_is_ipv4_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listening_everywhere(0) as found:
        assert found.family is socket.AF_INET


async def test_a_port_that_is_taken_ends_the_process() -> None:
    with listening_everywhere(0) as taken:
        server = server_of(create_app("listening", "For tests."), "::", taken.getsockname()[1])
        with pytest.raises(SystemExit):
            await server.startup()
