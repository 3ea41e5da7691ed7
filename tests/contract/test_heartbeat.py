"""ping and pong, and what silence means (contract 3.2, 3.6)."""

from __future__ import annotations

import asyncio

import pytest
from websockets.frames import Opcode

from tests.contract.harness import DEADLINE, RunningServer, running_server
from tribe_ws.errors import ConfigurationError
from tribe_ws.settings import load_server_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.clause("ping.pong", "document.heartbeat", "document.client-ping", "document.server-pong")
async def test_ping_is_answered_by_pong(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await socket.send('{\n  "event": "ping"\n}')
        assert await socket.hear_text() == '{"event":"pong"}'


@pytest.mark.clause("ping.pong")
async def test_pongs_come_in_order_with_other_answers(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    async with server.connect(ana) as socket:
        await socket.say("ping")
        await socket.say("subscribe", conversation_id=room)
        await socket.say("ping")
        assert [(await socket.hear())["event"] for _ in range(3)] == ["pong", "subscribed", "pong"]


@pytest.mark.clause("close.no-timeout")
async def test_a_silent_client_is_left_alone(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        server.clock.advance(600)
        assert await socket.hears_nothing()
    with pytest.raises(ConfigurationError, match="75 s is the least"):
        load_server_settings(environ={}, files=(), heartbeat_timeout=60)


@pytest.mark.clause("close.heartbeat")
async def test_with_a_heartbeat_timeout_a_silent_client_is_closed(fan_out: str):
    async with running_server(fan_out=fan_out, heartbeat_timeout=75) as server:
        ana, ben = await server.people("ana", "ben")
        async with server.connect(ana) as silent, server.connect(ben) as lively:
            for _ in range(4):
                server.clock.advance(30)
                assert await lively.hears_nothing()
            assert await silent.end() == (4408, "heartbeat_timeout")
            assert await lively.hears_nothing()


@pytest.mark.clause("close.heartbeat")
async def test_a_client_whose_transport_answers_no_ping_is_closed(
    fan_out: str, monkeypatch: pytest.MonkeyPatch
):
    async with running_server(fan_out=fan_out, ping_interval=0.1, ping_timeout=0.1) as server:
        ana, ben = await server.people("ana", "ben")
        async with server.connect(ana) as deaf, server.connect(ben) as lively:
            # A client whose own pongs never leave: what a half-open connection looks like to the server.
            original = deaf.connection.protocol.send_frame

            def send_frame(frame):
                if frame.opcode is not Opcode.PONG:
                    original(frame)

            monkeypatch.setattr(deaf.connection.protocol, "send_frame", send_frame)
            assert await deaf.end() == (4408, "heartbeat_timeout")
            assert await lively.hears_nothing()


async def test_the_transports_own_ping_is_answered(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await asyncio.wait_for(await socket.connection.ping(b"x"), DEADLINE)
