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


@pytest.mark.parametrize("address", ["::", "127.0.0.1", "no-such-address.invalid"])
async def test_where_nothing_can_listen_the_process_ends_with_a_line_that_names_the_settings(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with listening_everywhere(0) as taken:
        app = create_app("listening", "For tests.")
        server = server_of(app, address, taken.getsockname()[1])
        with pytest.raises(SystemExit) as end:
            await server.serve()
    assert end.value.code == 1
    assert "CONNECTE_HTTP_HOST" in caplog.text
    assert "CONNECTE_HTTP_PORT" in caplog.text
