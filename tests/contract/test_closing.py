"""How connections end, what a client learns of it, and what is left behind: nothing (contract 3.6)."""

from __future__ import annotations

import asyncio
import gc
import socket as sockets
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.harness import (
    Person,
    RunningServer,
    Socket,
    assert_discreet,
    exchange,
    running_server,
    until,
)
from tribe_ws.hub.connection import Connection
from tribe_ws.server import secrets as server_secrets

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.clause("close.normal")
async def test_a_clients_close_is_answered_in_kind(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await socket.connection.close(1000, "bye")
        assert socket.connection.close_code == 1000
        assert socket.connection.protocol.close_rcvd is not None


@pytest.mark.clause("close.internal")
async def test_a_bug_of_the_server_closes_with_1011_and_harms_nobody_else(
    fan_out: str, monkeypatch: pytest.MonkeyPatch
):
    async with running_server(fan_out=fan_out, expects_bug=True) as server:
        ana, ben = await server.people("ana", "ben")
        async with server.connect(ben) as other, server.connect(ana) as socket:

            async def broken(*_: Any) -> bool:
                raise RuntimeError("a bug")

            monkeypatch.setattr(server.services.storage.conversations, "is_participant", broken)
            await socket.say("subscribe", conversation_id=ana.id)
            assert await socket.end() == (1011, "internal")
            assert await other.hears_nothing()
        assert "a bug" in server.log.getvalue()


@pytest.mark.clause("close.restart")
async def test_a_server_that_stops_tells_every_socket(fan_out: str):
    async with running_server(fan_out=fan_out) as server, AsyncExitStack() as stack:
        people = await server.people("ana", "ben", "cem")
        open_sockets = [await stack.enter_async_context(server.connect(person)) for person in people]
        server.begin_to_stop()
        for socket in open_sockets:
            assert await socket.end() == (1012, "restart")


@pytest.mark.clause("limit.stop")
async def test_a_stop_ends_in_time_even_if_a_client_never_reads(fan_out: str):
    async with running_server(fan_out=fan_out, stop_timeout=2) as server, AsyncExitStack() as stack:
        ana, ben = await server.people("ana", "ben")
        room = await server.group(ana, ben)
        deaf = await stack.enter_async_context(deaf_socket(server, ben))
        await fill(server, ana, room, deaf)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: unfinished")
        started = time.monotonic()
        server.begin_to_stop()
        await until(lambda: server.leftovers == (0, 0))
        assert time.monotonic() - started < 2.5
        writer.close()


@pytest.mark.clause("close.token-expires")
async def test_a_token_that_expires_closes_its_connection(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    short = server.services.tokens.access(await user_of(server, ana), ttl=30)
    async with server.dial(short) as socket, server.connect(ben) as other:
        await socket.hear("connected")
        server.clock.advance(29)
        assert await socket.hears_nothing()
        server.clock.advance(3)
        assert await socket.end() == (4401, "token_expired")
        assert await other.hears_nothing()


@pytest.mark.clause("close.expiry-ignored")
async def test_a_server_may_ignore_the_end_of_a_token(fan_out: str):
    async with running_server(fan_out=fan_out, on_expiry="ignore") as server:
        ana = await server.person()
        async with server.connect(ana) as socket:
            server.clock.advance(2 * 3600)
            assert await socket.hears_nothing()


async def user_of(server: RunningServer, person: Person) -> Any:
    return await server.services.storage.users.by_id(person.id)


# ── Clients that do not read ──────────────────────────────────────────────────────────────────────


def deaf_socket(server: RunningServer, person: Person) -> Any:
    """Connect with a small window, and read nothing beyond ``connected``."""
    endpoint = sockets.socket()
    endpoint.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 * 1024)
    endpoint.connect(("127.0.0.1", server.port))
    endpoint.setblocking(False)
    return server.connect(person, sock=endpoint, max_queue=1)


async def fill(server: RunningServer, sender: Person, room: str, deaf: Socket, *, at_least: int = 1) -> None:
    """Send until something waits for the client that does not read."""
    await deaf.subscribe(room)
    (connection,) = [each for each in server.hub.connections if room in each.subscriptions][-1:]
    for _ in range(1000):
        await asyncio.gather(*(server.post(sender, room, "😀" * 5000) for _ in range(8)))
        if connection.ended is not None or connection.transport.waiting()[1] >= at_least:
            return
    raise AssertionError("the kernel takes everything")


@pytest.mark.clause("close.slow-consumer", "close.others-unharmed")
async def test_a_client_that_never_reads_is_closed_and_the_others_do_not_notice(fan_out: str):
    async with running_server(fan_out=fan_out) as server:
        ana, ben, cem = await server.people("ana", "ben", "cem")
        room = await server.group(ana, ben, cem)
        async with deaf_socket(server, ben) as deaf, server.connect(cem) as other:
            await deaf.subscribe(room)
            await other.subscribe(room)
            sent, slowest = 0, 0.0
            while server.dropped("slow_consumer") == 0:
                assert sent < 2000, "the kernel takes everything"
                started = time.monotonic()
                message = await server.post(ana, room, "😀" * 5000)
                assert (await other.hear("message.new"))["data"]["id"] == message["id"]
                slowest = max(slowest, time.monotonic() - started)
                sent += 1
            assert slowest < 1.0
            await until(lambda: server.hub.recipients(room) == 1)
            assert await deaf.end() == (4413, "slow_consumer")
            await server.post(ana, room, "and on")
            await other.hear("message.new")


@pytest.mark.clause("close.slow-consumer")
async def test_the_number_of_waiting_frames_counts_too(fan_out: str):
    async with running_server(fan_out=fan_out, limit_outbox_bytes=0, limit_outbox_frames=8) as server:
        ana, ben = await server.people("ana", "ben")
        room = await server.group(ana, ben)
        async with deaf_socket(server, ben) as deaf:
            await fill(server, ana, room, deaf, at_least=10_000)
            assert await deaf.end() == (4413, "slow_consumer")


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clause("limit.connections")
async def test_the_newest_of_too_many_connections_is_closed_with_4409(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(server.connect(ana)) for _ in range(20)]
        async with server.dial(ana.token) as newest:
            assert await newest.end() == (4409, "too_many_connections")
        async with server.connect(ben) as another:
            assert await another.hears_nothing()
        await held[0].close()
        await until(lambda: sum(each.user_id == ana.id for each in server.hub.connections) == 19)
        async with server.connect(ana) as again:
            assert await again.hears_nothing()
        assert await held[1].hears_nothing()


@pytest.mark.clause("limit.subscriptions")
async def test_a_connection_holds_at_most_128_subscriptions(server: RunningServer):
    ana = await server.person()
    rooms = [await server.group(ana) for _ in range(129)]
    async with server.connect(ana) as socket:
        for room in rooms[:128]:
            await socket.subscribe(room)
        await socket.say("subscribe", conversation_id=rooms[128])
        assert await socket.hears_nothing()
        await socket.subscribe(rooms[0])
        await socket.say("unsubscribe", conversation_id=rooms[0])
        await socket.subscribe(rooms[128])


@pytest.mark.clause("limit.handshake")
@pytest.mark.parametrize(
    "data",
    [b"", b"GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\n", b"POST /api/v1/auth/login HTTP/1.1\r\nHo"],
    ids=["nothing", "half an upgrade", "half a header"],
)
async def test_a_client_that_does_not_finish_its_request_is_dropped(fan_out: str, data: bytes):
    async with running_server(fan_out=fan_out, handshake_timeout=0.2) as server:
        answer = await exchange(server, data)
        assert answer == b"" or answer.split()[1] == b"408"


# ── Nothing is left ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.clause("close.cleaned-up", "document.cleaned-up")
async def test_500_sockets_that_come_and_go_leave_nothing_behind(fan_out: str):
    async with running_server(fan_out=fan_out) as server:
        people = await server.people(*["user"] * 25)
        room = await server.group(*people)

        async def visit(person: Person, number: int) -> None:
            async with server.connect(person) as socket:
                await socket.say("subscribe", conversation_id=room)
                await socket.say("typing", conversation_id=room, is_typing=True)
                await socket.say("presence", status="away")
                await socket.say("ping")
                await socket.skip_to("pong")
                if number % 3 == 1:
                    socket.connection.transport.abort()
                elif number % 3 == 2:
                    await socket.send("x" * 70_000)

        for round_ in range(10):
            await asyncio.gather(*(visit(person, round_ + turn) for person in people for turn in range(2)))
        await until(lambda: server.hub.connection_count == 0)
        server.clock.advance(60)
        await until(lambda: server.leftovers[1] == 0)
        assert server.hub.footprint() == dict.fromkeys(server.hub.footprint(), 0)
        gc.collect()
        assert [each for each in gc.get_objects() if isinstance(each, Connection)] == []


@pytest.mark.clause("connect.token-never-shown")
async def test_no_token_gets_into_a_log_line_or_an_error(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    escaped = "".join(f"%{ord(letter):02X}" for letter in ana.token)
    for query in (
        f"token={ana.token}",
        f"%74oken={ana.token}",
        f"token={escaped}",
        f"x=1&token={ana.token}&y",
    ):
        async with server.dial(url=f"{server.socket_url}?{query}") as socket:
            await socket.hear("connected")
            await socket.say(ana.token)
            await socket.say("subscribe", conversation_id=ana.token)
            await socket.send(f"token={ana.token}")
            await socket.settle()
    texts = []
    for path in (f"/users/{ana.token}", f"/search/users?q={ana.token}", f"/auth/me?token={ana.token}"):
        texts.append((await server.request(ana, "GET", path)).text)
        texts.append((await server.http.get(f"/api/v1{path}")).text)
    body = {"content": "x", "message_type": ana.token}
    texts.append((await server.request(ana, "POST", f"/conversations/{room}/messages", json=body)).text)
    texts.append((await server.http.post("/api/v1/auth/refresh", json={"refresh_token": ana.token})).text)
    await exchange(server, f"GET /nowhere?token={ana.token} HTTP/1.1\r\nHost: evil.test\r\n\r\n".encode())
    assert_discreet("\n".join(texts))
    assert "token=***" in server.log.getvalue()
    assert_discreet(server.log.getvalue())


def files_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@pytest.mark.clause("connect.token-never-shown")
async def test_no_token_gets_into_a_file(fan_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_secrets, "data_folder", lambda: tmp_path)
    async with running_server(fan_out=fan_out, db=str(tmp_path / "tribe.db"), secret="") as server:
        body = {"email": "a@tribe.test", "username": "ana", "full_name": "Ana", "password": "Secret-77"}
        answer = await server.http.post(
            "/api/v1/auth/register", json={**body, "confirm_password": "Secret-77"}
        )
        tokens = [answer.json()[name] for name in ("access_token", "refresh_token")]
        async with server.dial(tokens[0]) as socket:
            await socket.hear("connected")
        files = files_in(tmp_path)
        assert len(files) >= 2
        for hidden in (*tokens, "Secret-77"):
            assert not any(hidden.encode() in content for content in files)
