"""Opening a connection: who is let in, who is turned away, and how that is said (contract 3.1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from tests.contract.harness import DEADLINE, RunningServer, exchange, running_server, until
from tribe_ws.protocol.urls import parse_address

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECTED = '{"event":"connected","message":"WebSocket connection established"}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rejecting(fan_out: str) -> AsyncIterator[RunningServer]:
    async with running_server(fan_out=fan_out, reject="http") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def generous(fan_out: str) -> AsyncIterator[RunningServer]:
    async with running_server(
        fan_out=fan_out, allow_origin="https://app.tribe.test, http://Other.test:81/", allow_host="tribe.test"
    ) as running:
        yield running


@pytest.mark.clause("connect.connected-first", "document.server-connected", "document.authentication")
@pytest.mark.clause("document.url", "document.token-required", "socket.text-frames")
async def test_a_valid_token_gets_connected_as_the_first_frame(server: RunningServer):
    ana = await server.person()
    async with server.dial(ana.token) as socket:
        assert await socket.hear_text() == CONNECTED
        assert await socket.hears_nothing()


@pytest.mark.clause("document.scheme", "document.final-url", "document.api-version")
async def test_the_address_is_made_of_the_base_url_as_the_app_makes_it(server: RunningServer):
    ana = await server.person()
    url = parse_address(f"http://localhost:{server.port}").socket_url_with(ana.token)
    assert url == f"ws://localhost:{server.port}/api/v1/ws?token={ana.token}"
    async with server.dial(url=url) as socket:
        assert await socket.hear_text() == CONNECTED


@pytest.mark.clause("document.url-development", "document.base-url")
async def test_without_settings_it_is_the_documents_address():
    from tribe_ws.settings import ServerSettings

    settings = ServerSettings()
    base_url = f"http://localhost:{settings.port}"
    assert base_url == "http://localhost:8000"
    assert parse_address(base_url).socket_url == "ws://localhost:8000/api/v1/ws"


@pytest.mark.clause("document.url-production")
async def test_in_production_it_is_wss():
    address = parse_address("https://api.tribe.app")
    assert address.socket_url_with("eyJ") == "wss://api.tribe.app/api/v1/ws?token=eyJ"


@pytest.mark.clause("document.concurrent", "document.tracking")
async def test_one_user_may_have_several_connections_which_are_tracked(server: RunningServer):
    ana = await server.person()
    before = (await server.http.get("/health")).json()["connections"]
    async with server.connect(ana) as first, server.connect(ana) as second:
        await first.hears_nothing()
        await second.hears_nothing()
        assert (await server.http.get("/health")).json()["connections"] == before + 2
    await until(lambda: server.hub.connection_count == before)


@pytest.mark.clause("connect.bearer-header")
async def test_a_token_may_come_in_the_authorization_header(server: RunningServer):
    ana = await server.person()
    async with server.dial(headers=ana.headers) as socket:
        assert await socket.hear_text() == CONNECTED
    async with server.dial(headers={"Authorization": f"bEARER  {ana.token}"}) as socket:
        assert await socket.hear_text() == CONNECTED


@pytest.mark.clause("connect.token-missing")
@pytest.mark.parametrize("query", ["", "?", "?token=", "?other=1"])
async def test_no_token_is_closed_with_token_missing(server: RunningServer, query: str):
    async with server.dial(url=server.socket_url + query) as socket:
        assert await socket.end() == (4401, "token_missing")


@pytest.mark.clause("connect.accepted-then-closed")
async def test_a_bad_token_is_accepted_then_closed_and_hears_nothing(server: RunningServer):
    async with server.dial("nonsense") as socket:
        with pytest.raises(Exception, match="token_invalid"):
            await asyncio.wait_for(socket.connection.recv(), DEADLINE)
        assert await socket.end() == (4401, "token_invalid")


@pytest.mark.clause("connect.account-disabled")
async def test_a_disabled_account_is_closed_with_4403(server: RunningServer):
    ana = await server.person()
    await server.services.storage.users.update(ana.id, {"is_active": False})
    async with server.dial(ana.token) as socket:
        assert await socket.end() == (4403, "account_disabled")


@pytest.mark.clause("connect.reject-http")
async def test_a_hardened_server_refuses_the_upgrade_with_json(rejecting: RunningServer):
    async def refused(token: str | None) -> tuple[int, Any, str | None]:
        with pytest.raises(InvalidStatus) as caught:
            async with rejecting.dial(token):
                pass
        response = caught.value.response
        return (
            response.status_code,
            json.loads(response.body or b""),
            response.headers.get("WWW-Authenticate"),
        )

    assert await refused(None) == (401, {"detail": "token_missing"}, "Bearer")
    assert await refused("nonsense") == (401, {"detail": "token_invalid"}, "Bearer")
    ana = await rejecting.person()
    await rejecting.services.storage.users.update(ana.id, {"is_active": False})
    assert await refused(ana.token) == (403, {"detail": "account_disabled"}, None)
    async with rejecting.connect(await rejecting.person()) as socket:
        assert await socket.hears_nothing()


# ── Origin and Host ───────────────────────────────────────────────────────────────────────────────


async def status_of_upgrade(server: RunningServer, **headers: str) -> int:
    """Ask for an upgrade by hand, with just these headers besides the usual ones."""
    ana = await server.person()
    lines = [
        f"GET /api/v1/ws?token={ana.token} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {"Host": f"127.0.0.1:{server.port}", **headers}.items()),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    answer = await exchange(server, "\r\n".join([*lines, "", ""]).encode())
    return int(answer.split()[1])


@pytest.mark.clause("connect.origin-local")
@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:5173",
        "https://127.0.0.1",
        "http://[::1]:8080",
        "http://192.168.0.7:3000",
    ],
)
async def test_a_local_page_may_connect(server: RunningServer, origin: str):
    assert await status_of_upgrade(server, Origin=origin) == 101


@pytest.mark.clause("connect.origin-local")
async def test_no_origin_at_all_may_connect(server: RunningServer):
    assert await status_of_upgrade(server) == 101


@pytest.mark.clause("connect.origin-foreign")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "http://localhost.evil.test",
        "http://127.0.0.1.evil.test",
        "http://8.8.8.8",
        "null",
        "file://",
        "",
        "http://[",
        "http://localhost@evil.test",
    ],
)
async def test_a_foreign_page_is_refused_with_403(server: RunningServer, origin: str):
    assert await status_of_upgrade(server, Origin=origin) == 403


@pytest.mark.clause("connect.origin-allowed")
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://app.tribe.test", 101),
        ("https://APP.tribe.test", 101),
        ("http://other.test:81", 101),
        ("http://app.tribe.test", 403),
        ("https://app.tribe.test:444", 403),
        ("http://localhost:1", 101),
    ],
)
async def test_origins_can_be_added(generous: RunningServer, origin: str, status: int):
    assert await status_of_upgrade(generous, Origin=origin) == status


@pytest.mark.clause("connect.host-foreign")
@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8000", "localhost.evil.test", "10.0.0.1", "0.0.0.0"]
)
async def test_a_foreign_host_is_refused_with_421(server: RunningServer, host: str):
    assert await status_of_upgrade(server, Host=host) == 421


@pytest.mark.clause("connect.host-foreign")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:1", "app.localhost"])
async def test_a_loopback_host_is_this_server(server: RunningServer, host: str):
    assert await status_of_upgrade(server, Host=host) == 101


@pytest.mark.clause("connect.host-allowed")
async def test_host_names_can_be_added(generous: RunningServer):
    assert await status_of_upgrade(generous, Host="Tribe.test:8000") == 101
    assert await status_of_upgrade(generous, Host="evil.test") == 421
