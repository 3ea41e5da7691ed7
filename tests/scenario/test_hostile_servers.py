"""Servers that say nothing, too much or nonsense: a scenario ends in its time, whatever they do."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from tests.scenario.staging import run
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import read_user
from tribe_ws.protocol.urls import parse_address
from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.running.accounts import Account, Target, by_password
from tribe_ws.scenario.running.runner import run_scenario

ROOM = "0190a000-0000-7000-8000-000000000001"
CONNECTED = '{"event":"connected","message":"WebSocket connection established"}'
HEAD = "name: Test\ntimeout: 20s\nactors: [alice]\nsteps:\n"


@asynccontextmanager
async def served(handler):
    """Serve sockets by a function, and no REST at all."""
    over = asyncio.Event()

    async def until_over(websocket):
        playing = asyncio.ensure_future(handler(websocket))
        await over.wait()
        websocket.transport.abort()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)

    async with serve(until_over, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield parse_address(f"127.0.0.1:{port}")
        finally:
            over.set()


async def play(address, steps):
    async def log_in(username, password):
        return Account(
            RestClient(address, "token", timeout=0.2), read_user({"id": "u1", "username": username})
        )

    target = Target(address, log_in, patience=0.5, is_throw_away=True)
    async with asyncio.timeout(60):
        return await run_scenario(parse_scenario(HEAD + steps), target)


async def silent(websocket):
    await asyncio.Event().wait()


async def flooding(websocket):
    await websocket.send(CONNECTED)
    while True:
        await websocket.send('{"event":"typing","data":{}}')


async def babbling(websocket):
    for frame in (
        "no json",
        "[1]",
        b"\x00\xff",
        "{",
        '{"event":7}',
        CONNECTED,
        '{"event":"\x1b[31m"}',
        "null",
    ):
        await websocket.send(frame)
    await asyncio.Event().wait()


async def deaf(websocket):
    await websocket.send(CONNECTED)
    websocket.transport.pause_reading()
    await asyncio.Event().wait()


async def test_a_server_that_never_says_connected_fails_the_step_in_its_time():
    async with served(silent) as address:
        result = await play(address, "  - alice: {connect: , within: 200ms}\n")
    assert result.status == "failed"
    assert "no connected came" in result.failure.problem
    assert 0.2 <= result.seconds < 15


async def test_a_connection_before_the_first_step_has_the_patience_of_the_target():
    async with served(silent) as address:
        result = await play(address, "  - alice: ping\n")
    assert result.failure.step == "alice: connect (before the first step)"


async def test_a_flood_changes_nothing_about_the_time_of_a_step():
    async with served(flooding) as address:
        result = await play(address, "  - alice: {expect: pong, within: 300ms}\n")
    assert result.status == "failed"
    assert 0.3 <= result.seconds < 30


async def test_nonsense_is_kept_and_shown_and_breaks_nothing():
    steps = "  - alice: {connect: , within: 2s}\n  - alice: {expect: pong, within: 200ms}\n"
    async with served(babbling) as address:
        result = await play(address, steps)
    assert "pong" in result.failure.problem
    assert "a frame that is no event" in result.failure.problem
    assert "\x1b" not in result.failure.problem
    assert len(result.logs[0].records) == 8


async def test_a_text_that_is_no_object_can_be_expected():
    async with served(babbling) as address:
        result = await play(address, '  - alice: {connect: }\n  - alice: {expect: {$regex: "^no "}}\n')
    assert result.status == "passed", result


async def test_a_server_that_does_not_read_fails_the_step_that_sends(monkeypatch):
    monkeypatch.setattr("tribe_ws.scenario.running.asking.SENDING", 0.2)
    steps = "  - repeat: 200\n    steps: [{alice: {raw: '%s'}}]\n" % ("x" * 100_000)
    async with served(deaf) as address:
        result = await play(address, steps)
    assert "did not read" in result.failure.problem
    assert result.seconds < 20


async def test_a_rest_side_that_never_answers_ends_with_the_scenarios_time():
    async def mute(reader, writer):
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        address = parse_address(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        target = Target(address, by_password(address, timeout=30.0, default="x"))
        text = "name: Test\ntimeout: 300ms\nactors: [alice]\nsteps: [{alice: ping}]"
        async with asyncio.timeout(30):
            result = await run_scenario(parse_scenario(text), target)
    assert result.failure is not None
    assert result.failure.step == "before the first step"


async def test_a_rest_call_that_is_not_answered_fails_its_step():
    async with served(silent) as address:
        result = await play(address, f"  - alice: {{send: Hello, to: {ROOM}, within: 300ms}}\n")
    assert result.status == "failed"


async def test_a_server_that_ends_meanwhile_is_told():
    async def short(websocket):
        await websocket.send(CONNECTED)
        await websocket.recv()
        websocket.transport.abort()

    async with served(short) as address:
        result = await play(address, "  - alice: {ping: , within: 10m}\n")
    assert "ended with 1006" in result.failure.problem


async def test_a_server_without_v2_is_told_when_v2_is_wanted():
    async def plain(websocket):
        await websocket.send(CONNECTED)
        await asyncio.Event().wait()

    async with served(plain) as address:
        result = await play(address, "  - alice: {connect: , profile: v2}\n")
    assert "does not speak tribe.v2" in result.failure.problem


async def test_two_steps_that_watch_the_same_connection_share_what_comes():
    async def two(websocket):
        await websocket.send(CONNECTED)
        await websocket.recv()
        for number in (1, 2):
            await websocket.send(json.dumps({"event": "typing", "data": {"n": number}}))
        await asyncio.Event().wait()

    steps = (
        "  - parallel:\n"
        "      - alice: {expect: typing, within: 5s}\n"
        "      - alice: {expect: [typing], within: 5s}\n"
        "      - alice: {raw: go}\n"
        "  - alice: {never: typing, for: 50ms}\n"
    )
    async with served(two) as address:
        result = await play(address, steps)
    assert result.status == "passed", result


@pytest.mark.parametrize("given", ["", "%7B%0A", "?q=ä b"])
async def test_paths_are_sent_as_written_and_never_break_the_request(server, given):
    step = f"  - alice: {{rest: 'GET /search/users{given}', status: {{$range: [200, 499]}}}}\n"
    assert (await run(server, HEAD + step)).status == "passed"
