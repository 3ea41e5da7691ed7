"""One connection against a server that is not ours: every way in which it can fail to come about, or end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.client.scripted_server import Peer, ScriptedServer, scripted, until, well_behaved
from tribe_ws.client.connection import MOST_EARLY, Connection, open_connection
from tribe_ws.client.events import WireLine
from tribe_ws.client.options import Timeouts
from tribe_ws.clock import SystemClock
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.urls import parse_address

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
SHORT = Timeouts(handshake=2.0, connected=0.2, close=0.5)


async def connect(url: str, **options: Any) -> Connection:
    timeouts = options.pop("timeouts", SHORT)
    return await open_connection(parse_address(url), TOKEN, clock=SystemClock(), timeouts=timeouts, **options)


@asynccontextmanager
async def raw_server(
    play: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Anything that listens, but speaks something else."""

    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await play(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)


async def refusal(server: ScriptedServer | str, **options: Any) -> TribeError:
    with pytest.raises(TribeError) as raised:
        await connect(server if isinstance(server, str) else server.url, **options)
    assert TOKEN not in str(raised.value) + raised.value.hint + repr(raised.value)
    return raised.value


async def ending(connection: Connection) -> TribeError:
    while True:
        try:
            await connection.receive()
        except TribeError as error:
            return error


async def test_a_connection_is_open_when_connected_was_seen() -> None:
    async with scripted() as server:
        connection = await connect(server.url)
        assert [event.name for event in connection.early] == ["connected"]
        assert connection.early[0].complaint == ""
        assert server.paths == [f"/api/v1/ws?token={TOKEN}"]
        await connection.close()


async def test_what_comes_before_connected_is_kept_with_a_complaint() -> None:
    async def hasty(peer: Peer) -> None:
        await peer.send({"event": "pong"})
        await peer.send("nonsense")
        await well_behaved(peer)

    async with scripted(hasty) as server:
        connection = await connect(server.url)
        assert [event.name for event in connection.early] == ["pong", "", "connected"]
        assert 'before "connected"' in connection.early[0].complaint
        assert "not JSON" in connection.early[1].complaint
        await connection.close()


async def test_silence_after_the_handshake_is_no_open_connection() -> None:
    async def silent(peer: Peer) -> None:
        await peer.websocket.wait_closed()

    async with scripted(silent) as server:
        error = await refusal(server)
    assert isinstance(error, CannotConnect)
    assert error.reason == "timeout"
    assert 'took the WebSocket handshake, but sent no "connected" within 200 ms' in str(error)


async def test_a_server_that_talks_without_ever_connecting_us_is_left() -> None:
    async def chatty(peer: Peer) -> None:
        for _ in range(2 * MOST_EARLY):
            await peer.send({"event": "pong"})
        await peer.websocket.wait_closed()

    async with scripted(chatty) as server:
        error = await refusal(server, timeouts=Timeouts(connected=5.0, close=0.5))
    assert 'sends everything but "connected" (pong)' in str(error)


@pytest.mark.parametrize(
    ("code", "reason", "kind", "says"),
    [
        (4401, "token_invalid", AuthenticationError, 'close 4401 "token_invalid"'),
        (4403, "account_disabled", AuthenticationError, "refuses this account"),
        (4413, "slow_consumer", ConnectionLost, "4413"),
        (1012, "restart", ConnectionLost, '1012 "restart"'),
    ],
)
async def test_a_close_in_place_of_connected_says_why(
    code: int, reason: str, kind: type[TribeError], says: str
) -> None:
    async with scripted(lambda peer: peer.close(code, reason)) as server:
        error = await refusal(server)
    assert isinstance(error, kind)
    assert says in str(error)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_upgrade_is_a_refused_token(status: int) -> None:
    async with scripted(refuse=(status,)) as server:
        error = await refusal(server)
    assert isinstance(error, AuthenticationError)
    assert str(error) == f"the server refused the connection (HTTP {status}): not here"


@pytest.mark.parametrize("status", [404, 421, 429, 500, 503])
async def test_another_answer_to_the_upgrade_is_quoted(status: int) -> None:
    async with scripted(refuse=(status,)) as server:
        error = await refusal(server)
    assert isinstance(error, CannotConnect)
    assert (error.reason, error.status) == ("handshake", status)
    assert str(error).endswith(f"answered HTTP {status} to the WebSocket handshake at /api/v1/ws: not here")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"detail":"no"}', ": no"),
        (b'{"detail":[1]}', "/ws"),
        (b"<html>", "/ws"),
        (b"plain\n words", ": plain words"),
        (b"\xff", "/ws: \ufffd"),
    ],
)
async def test_the_servers_own_words_are_taken_from_any_body(body: bytes, says: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async with raw_server(answer) as url:
        assert str(await refusal(url)).endswith(says)


async def test_nobody_listening_is_told_in_a_sentence() -> None:
    async with scripted() as server:
        url = server.url
    error = await refusal(url)
    assert isinstance(error, CannotConnect)
    assert (error.reason, error.url) == ("refused", url)


async def test_something_that_speaks_no_http_is_told() -> None:
    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await writer.drain()

    async with raw_server(ssh) as url:
        error = await refusal(url)
    assert isinstance(error, CannotConnect)
    assert error.reason == "handshake"
    assert "did not take the WebSocket handshake" in str(error)


async def test_a_server_that_hangs_up_at_once_is_told() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with raw_server(hang_up) as url:
        assert isinstance(await refusal(url), CannotConnect)


async def test_a_server_that_never_answers_is_waited_for_no_longer_than_allowed() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(mute) as url:
        error = await refusal(url, timeouts=Timeouts(handshake=0.1))
    assert isinstance(error, CannotConnect)
    assert error.reason == "timeout"


async def test_a_plain_server_is_not_taken_for_a_tls_one() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(1)

    async with raw_server(plain) as url:
        error = await refusal(url.replace("http:", "https:"))
    assert isinstance(error, CannotConnect)
    assert error.reason == "tls"


async def test_a_host_that_does_not_exist_is_told() -> None:
    error = await refusal("http://no-such-host.invalid")
    assert isinstance(error, CannotConnect)
    assert error.reason == "dns"


async def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with scripted() as server:
        await (await connect(server.url)).close()


async def test_other_hosts_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        await writer.drain()

    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with raw_server(proxy) as url:
        monkeypatch.setenv("http_proxy", url)
        error = await refusal("http://chat.invalid:8000")
    assert isinstance(error, CannotConnect)
    assert error.reason == "proxy"
    assert "407" in str(error)
    assert asked[0].startswith(b"CONNECT chat.invalid:8000")


async def test_a_close_frame_ends_a_connection_with_its_code() -> None:
    async def goodbye(peer: Peer) -> None:
        await peer.connected()
        await peer.close(1012, "restart")

    async with scripted(goodbye) as server:
        error = await ending(await connect(server.url))
    assert isinstance(error, ConnectionLost)
    assert (error.close_code, error.reason) == (1012, "restart")


async def test_a_cut_in_the_middle_of_a_frame_is_an_end_without_a_close_frame() -> None:
    async def cut(peer: Peer) -> None:
        await peer.connected()
        peer.write_raw(b"\x81\x7e\x01\x00half a fra")
        await peer.answer()
        peer.cut()

    async with scripted(cut) as server:
        connection = await connect(server.url)
        await connection.send('{"event":"ping"}')
        error = await ending(connection)
    assert isinstance(error, ConnectionLost)
    assert error.close_code == 1006


@pytest.mark.parametrize("garbage", [b"\x81\x02\xff\xfe", b"\xf1\x00", b"\x83\x00"])
async def test_a_server_that_breaks_the_protocol_itself_is_no_fault_of_this_client(garbage: bytes) -> None:
    async def broken(peer: Peer) -> None:
        await peer.connected()
        peer.write_raw(garbage)
        await peer.websocket.wait_closed()

    async with scripted(broken) as server:
        error = await ending(await connect(server.url))
    assert isinstance(error, ConnectionLost)
    assert error.close_code == 1006
    assert "we closed with" in error.reason


async def test_text_binary_and_broken_frames_are_all_events() -> None:
    async def mixed(peer: Peer) -> None:
        await peer.connected()
        await peer.send("{broken")
        await peer.send(b"\x00\x01")
        await peer.send({"event": "pong"})
        await peer.websocket.wait_closed()

    async with scripted(mixed) as server:
        connection = await connect(server.url)
        events = [await connection.receive() for _ in range(3)]
        await connection.close()
    assert [(event.name, bool(event.complaint)) for event in events] == [
        ("", True),
        ("", True),
        ("pong", False),
    ]


async def test_sending_over_an_ended_connection_says_how_it_ended() -> None:
    async def goodbye(peer: Peer) -> None:
        await peer.connected()
        await peer.close(4401, "token_expired")

    async with scripted(goodbye) as server:
        connection = await connect(server.url)
        await ending(connection)
        with pytest.raises(AuthenticationError):
            await connection.send("x")
        assert not await connection.answers_transport_ping(1.0)


async def test_a_connection_broken_off_says_for_what_reason() -> None:
    async with scripted() as server:
        connection = await connect(server.url)
        connection.break_off("no sign of life")
        error = await ending(connection)
    assert isinstance(error, ConnectionLost)
    assert (error.close_code, error.reason) == (1006, "no sign of life")


async def test_every_frame_is_heard_on_the_wire_and_no_token_is() -> None:
    lines: list[WireLine] = []
    async with scripted() as server:
        connection = await connect(server.url, on_wire=lines.append)
        await connection.send(f'{{"event":"auth","token":"{TOKEN}"}}')
        await connection.send(b"\x00")
        await connection.close()
    directions = [line.direction for line in lines]
    assert directions == ["note", "note", "in", "out", "out"]
    assert lines[3].text == '{"event":"auth","token":"***"}'
    assert lines[0].text.endswith("/api/v1/ws?token=***")
    assert not any(TOKEN in line.text for line in lines)


async def test_not_even_debug_logs_hold_the_token(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with scripted() as server:
            await (await connect(server.url)).close()
    ours = [record for record in caplog.records if record.name.startswith("tribe_ws")]
    assert any("token=***" in record.getMessage() for record in ours)
    assert not any(TOKEN in record.getMessage() for record in ours)


async def test_being_cancelled_while_connecting_leaves_no_connection_behind() -> None:
    async def silent(peer: Peer) -> None:
        await peer.websocket.wait_closed()

    async with scripted(silent) as server:
        connecting = asyncio.create_task(connect(server.url, timeouts=Timeouts(connected=30.0)))
        async with asyncio.timeout(5):
            await until(lambda: bool(server.peers))
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            await server.peers[0].websocket.wait_closed()
