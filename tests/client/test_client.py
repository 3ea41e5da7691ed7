"""The whole of it: login, REST and events as one user."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.client.scripted_server import ALICE, GENERAL, ScriptedServer, message_id, scripted
from tests.client.test_stream import FAST
from tribe_ws.client.client import TribeClient
from tribe_ws.client.events import Event, Opened
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.tokens import Tokens
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, WaitedInVain

OPTIONS = StreamOptions(**FAST)
USER = {"id": ALICE, "username": "alice", "full_name": "Alice"}


def accounts(request: httpx.Request) -> httpx.Response | None:
    """Log alice in, and take her messages."""
    if request.url.path == "/api/v1/auth/login":
        body = json.loads(request.content)
        if body["password"] != "right":
            return httpx.Response(401, json={"detail": "Incorrect email or password"})
        return httpx.Response(200, json={"user": USER, "access_token": "from-login", "refresh_token": "r"})
    if request.method == "POST" and request.url.path.endswith("/messages"):
        body = json.loads(request.content)
        return httpx.Response(201, json={"id": message_id(77), "content": body["content"]})
    return None


def login(server: ScriptedServer, password: str = "right", **options: Any) -> TribeClient:
    return TribeClient.login(
        server.url, "alice@tribe.test", password, transport=server.transport, options=OPTIONS, **options
    )


async def test_one_login_serves_rest_and_socket() -> None:
    kept: list[Tokens] = []
    async with scripted(rest=accounts) as server, login(server, on_tokens=kept.append) as tribe:
        assert tribe.user.username == "alice"
        assert await tribe.subscribe(GENERAL) >= 0
        sent = await tribe.send(GENERAL, "Hello")
        assert (sent.message.id, sent.message.conversation_id) == (message_id(77), GENERAL)
        assert await tribe.ping() >= 0
        await tribe.typing(GENERAL, True)
        await tribe.presence("online")
        await tribe.send_frame('{"event":"ping"}')
        await tribe.unsubscribe(GENERAL)
        server.store(1)
        assert [message.id for message in (await tribe.history(GENERAL)).messages] == [message_id(1)]
        assert repr(tribe) == f"TribeClient('{server.url}', alice)"
    assert server.paths == ["/api/v1/ws?token=from-login"]
    assert [tokens.refresh_token for tokens in kept] == ["r"]
    assert server.requests[-1].headers["authorization"] == "Bearer from-login"


async def test_events_come_with_and_without_notices() -> None:
    async with scripted(rest=accounts) as server:
        async with login(server) as tribe:
            items = [item async for item in first(tribe.events(notices=True), 2)]
            assert isinstance(items[0], Opened)
            assert isinstance(items[1], Event)
        async with login(server) as tribe:
            await tribe.subscribe(GENERAL)
            events = [event async for event in first(tribe.events(), 2)]
            assert [event.name for event in events] == ["connected", "subscribed"]


async def first(items: Any, count: int) -> Any:
    async for item in items:
        yield item
        count -= 1
        if count == 0:
            await items.aclose()
            return


async def test_waiting_for_an_event_gives_it_or_says_in_vain() -> None:
    async with scripted(rest=accounts) as server, login(server) as tribe:
        await tribe.subscribe(GENERAL)
        await server.peers[0].deliver(5)
        event = await tribe.wait_for(lambda event: event.name == "message.new")
        assert event.message_id == message_id(5)
        with pytest.raises(WaitedInVain, match="a reply"):
            await tribe.wait_for(lambda event: event.name == "message.new", 0.05, what="a reply")


async def test_with_tokens_it_is_asked_who_one_is() -> None:
    async with scripted() as server:
        tokens = Tokens("kept", "refresh")
        async with TribeClient.with_tokens(server.url, tokens, transport=server.transport) as tribe:
            assert tribe.user.id == ALICE
    assert server.paths == ["/api/v1/ws?token=kept"]


async def test_before_connecting_there_is_no_user_and_no_stream() -> None:
    tribe = TribeClient.with_tokens("http://127.0.0.1:1", "token")
    assert "nobody yet" in repr(tribe)
    with pytest.raises(AuthenticationError, match="not logged in"):
        _ = tribe.user
    with pytest.raises(AuthenticationError, match="not connected"):
        _ = tribe.stream
    await tribe.close()


async def test_a_wrong_password_opens_nothing() -> None:
    async with scripted(rest=accounts) as server:
        with pytest.raises(AuthenticationError, match="Incorrect email or password"):
            async with login(server, "wrong"):
                pass
        assert server.connections == 0


async def test_a_socket_that_does_not_open_closes_the_rest_as_well() -> None:
    async with scripted(rest=accounts, refuse=(404,)) as server:
        with pytest.raises(CannotConnect, match="404"):
            async with login(server):
                pass


async def test_leaving_with_an_error_closes_everything() -> None:
    async with scripted(rest=accounts) as server:
        with pytest.raises(ApiError):
            async with login(server) as tribe:
                await tribe.rest.call("GET", "/nowhere")
        await server.peers[0].websocket.wait_closed()
        assert server.peers[0].websocket.close_code == 1000
