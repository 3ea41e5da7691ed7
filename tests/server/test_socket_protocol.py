"""How a connection ends on uvicorn, when the client breaks RFC 6455 or falls silent (contract 3.2, 3.6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.server.raw_client import BINARY, CLOSE, PING, PONG, TEXT, frame
from tests.server.socket_stage import CONNECTED, LOOPS, MakeStage, Stage, end_of, hear, until

LOOP_FACTORIES = LOOPS
CONTINUATION = 0


BROKEN = {
    "invalid UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "half a character": (frame(TEXT, "é".encode()[:1]), 1007),
    "a surrogate as bytes": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "invalid UTF-8 in two parts": (
        frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"("),
        1007,
    ),
    "one byte over 64 KiB": (frame(TEXT, b" " * 65537), 1009),
    "17 MiB": (frame(BINARY, b"x" * (17 << 20)), 1009),
    "too much in two parts": (
        frame(TEXT, b" " * 40_000, fin=False) + frame(CONTINUATION, b" " * 40_000),
        1009,
    ),
    "unmasked": (frame(TEXT, b"{}", masked=False), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"{}"), 1002),
    "a long ping": (frame(PING, b"x" * 126), 1002),
    "an unknown opcode": (frame(3, b""), 1002),
}


@pytest.mark.parametrize(("bytes_", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_client_that_breaks_the_rules_reads_why_and_leaves_no_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture, bytes_: bytes, code: int
) -> None:
    client = await stage.join_raw("ana")
    writing = asyncio.create_task(client.write(bytes_))
    _, close = await client.read_until_close()
    assert close[0] == code
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    client.close()
    await until(lambda: not stage.cast.hub.connection_count)
    await until(lambda: not stage.server.server_state.connections)
    assert [record for record in caplog.records if record.exc_info] == []
    assert "exception" not in stage.cast.log_lines.getvalue()


@pytest.mark.parametrize("size", [65535, 65536])
async def test_a_frame_of_64_kib_is_not_too_big(stage: Stage, size: int) -> None:
    client = await stage.join_raw("ana")
    await client.send(TEXT, b'{"event":"ping"}'.ljust(size))
    assert (await client.read()).payload == b'{"event":"pong"}'


async def test_a_text_in_many_parts_is_one_frame(stage: Stage) -> None:
    client = await stage.join_raw("ana")
    text = b'{"event":"ping"}'
    await client.send(TEXT, text[:1], fin=False)
    for byte in text[1:-1]:
        await client.send(CONTINUATION, bytes([byte]), fin=False)
        await client.send(PING, b"between")
        assert await client.read() == (await _pong(b"between"))
    await client.send(CONTINUATION, text[-1:])
    assert (await client.read()).payload == b'{"event":"pong"}'


async def _pong(payload: bytes) -> Any:
    from tests.server.raw_client import RawFrame

    return RawFrame(PONG, payload)


async def test_what_comes_after_a_broken_frame_is_dropped(stage: Stage) -> None:
    client = await stage.join_raw("ana")
    await client.write(frame(TEXT, b"\xff") + frame(TEXT, b'{"event":"ping"}') * 3)
    assert await client.read_until_close() == ([], (1007, ""))
    await client.send(TEXT, b'{"event":"ping"}')
    await client.send(TEXT, b"\xff", masked=False)
    client.close()
    await until(lambda: not stage.server.server_state.connections)
    assert stage.cast.counts.frames_in == []


async def test_a_broken_client_that_does_not_hang_up_is_cut_off(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tribe_ws.server.socket_protocol.LINGER", 0.2)
    async with make_stage() as stage:
        client = await stage.join_raw("ana")
        await client.send(TEXT, b"\xff")
        await client.read_until_close()
        await until(lambda: not stage.server.server_state.connections)


async def test_a_client_that_never_answers_a_close_is_cut_off(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tribe_ws.server.socket_protocol.CLOSE_GRACE", 0.2)
    async with make_stage() as stage:
        client = await stage.dial_raw()
        await client.read_head()
        assert (await client.read()).close == (4401, "token_missing")
        await until(lambda: not stage.server.server_state.connections)
        await client.read_to_end()


async def test_the_close_handshake_is_answered_with_the_same_code(stage: Stage) -> None:
    client = await stage.join_raw("ana")
    await client.send(CLOSE, b"\x0f\xa0bye")
    assert (await client.read()).close == (4000, "bye")
    await client.read_to_end()
    await until(lambda: not stage.server.server_state.connections)


async def test_who_does_not_answer_pings_is_gone(make_stage: MakeStage) -> None:
    async with make_stage(overrides={"ws_ping_interval": 0.05, "ws_ping_timeout": 0.1}) as stage:
        deaf = await stage.join_raw("ana")
        lively = await stage.join("ben")
        _, close = await deaf.read_until_close()
        assert close == (4408, "heartbeat_timeout")
        await until(lambda: stage.cast.hub.connection_count == 1)
        await lively.ping()


async def test_a_ping_before_the_accept_goes_unanswered_and_harms_nothing(stage: Stage) -> None:
    stage.cast.gate = asyncio.Event()
    client = await stage.dial_raw("ana")
    await client.send(PING, b"early")
    await until(lambda: stage.server.server_state.connections)
    await asyncio.sleep(0.05)
    stage.cast.gate.set()
    assert " 101 " in await client.read_head()
    assert (await client.read()).payload.decode() == CONNECTED
    await client.send(PING, b"late")
    assert (await client.read()).payload == b"late"


async def test_a_close_before_the_accept_leaves_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cast.gate = asyncio.Event()
    client = await stage.dial_raw("ana")
    await client.send(CLOSE, b"\x03\xe8")
    await client.read_to_end()
    stage.cast.gate.set()
    await until(lambda: not stage.server.server_state.tasks)
    await until(lambda: not stage.server.server_state.connections)
    assert stage.cast.hub.is_empty
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_stop_before_the_accept_answers_with_a_status(stage: Stage) -> None:
    stage.cast.gate = asyncio.Event()
    client = await stage.dial_raw("ana")
    await until(lambda: stage.server.server_state.tasks)
    stopping = asyncio.create_task(stage.stop())
    assert " 500 " in await client.read_head()
    stage.cast.gate.set()
    await stopping


async def test_a_stop_while_a_client_is_closing_disturbs_nothing(stage: Stage) -> None:
    client = await stage.join_raw("ana")
    protocol = stage.protocol
    await client.send(CLOSE, b"\x03\xe8")
    await until(lambda: protocol.transport.is_closing())
    protocol.shutdown()
    other = await stage.join_raw("ben")
    stage.connection("ben").close(stage.cast.refusals.get("x") or _restart())
    await stage.stop()
    assert (await other.read()).close == (1012, "restart")


def _restart() -> Any:
    from tribe_ws.protocol.close_codes import RESTART

    return RESTART


async def test_an_unreadable_request_gets_an_answer(make_stage: MakeStage) -> None:
    async with make_stage(overrides={"http": "httptools"}) as stage:
        client = await stage.dial_raw(target="/api/v1/ws?token=" + "x" * 9000)
        assert " 414 " in await client.read_head()
        await client.read_to_end()
        await until(lambda: not stage.server.server_state.connections)


async def test_closing_twice_sends_one_close(stage: Stage) -> None:
    client = await stage.join("ana")
    protocol = stage.protocol
    protocol.end(_restart())
    protocol.end(_restart())
    protocol.keepalive_timeout()
    protocol.shutdown()
    assert await end_of(client) == (1012, "restart")


async def test_the_reader_is_paused_while_the_endpoint_is_busy(stage: Stage) -> None:
    client = await stage.dial("ana")
    assert await hear(client) == CONNECTED
    stage.cast.gate = asyncio.Event()
    for _ in range(20):
        await client.send('{"event":"presence","status":"away"}')
    await until(lambda: stage.protocol.read_paused)
    stage.cast.gate.set()
    await until(lambda: len(stage.cast.statuses) == 20)
    assert not stage.protocol.read_paused
