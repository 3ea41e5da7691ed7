"""The Autobahn cases against our uvicorn settings, on both ways out: RFC 6455 as an outsider judges it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.server.socket_stage import QuietServer, until
from tribe_ws.hub.packet import Batch, make_packet
from tribe_ws.server.handshake import EXTENSION, Receive, Scope, Send
from tribe_ws.server.uvicorn_config import uvicorn_config
from tribe_ws.settings import ServerSettings

kosoku = pytest.importorskip("kosoku")

pytestmark = [pytest.mark.autobahn, pytest.mark.slow, pytest.mark.timeout(600)]

FUNCTIONAL = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
LIMITS = ["9.*"]
EXCUSED = [
    # A close frame cuts into a message of several parts. The case wants the close answered as if nothing were
    # wrong; the WebSocket library fails the connection with 1002, which its authors document as their one
    # deviation. The client broke the rules, and either way the connection ends.
    "7.1.5",
]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back what comes, texts on the same way as the hub's frames."""
    await receive()
    await send({"type": "websocket.accept"})
    fast = scope["extensions"].get(EXTENSION)
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text is None:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        elif fast is not None:
            fast.send(Batch([make_packet(text.encode())]))
        else:
            await send({"type": "websocket.send", "text": text})


@contextlib.asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[str]:
    server = QuietServer(uvicorn_config(settings, echo, lifespan="off", loop="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        await until(lambda: server.started)
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            await task


async def run(settings: ServerSettings, cases: list[str]) -> tuple[int, dict[str, str]]:
    """Run the cases; tells how many passed, and what went wrong with the others."""
    async with serving(settings) as url:
        try:
            results = await kosoku.run_fuzzingclient(url, cases, EXCUSED, 2)
        except kosoku.FailureError as error:
            return 0, {result.case_id: f"{result.result} {result.result_close}" for result in error.results}
    return len(results), {}


@pytest.mark.parametrize("fan_out", ["fast", "portable"])
async def test_the_functional_cases_pass(fan_out: Any) -> None:
    passed, failed = await run(ServerSettings(fan_out=fan_out), FUNCTIONAL)
    assert failed == {}
    assert passed == 247 - len(EXCUSED)


@pytest.mark.parametrize("fan_out", ["fast", "portable"])
async def test_the_limit_cases_pass_where_frames_may_be_large(fan_out: Any) -> None:
    settings = ServerSettings(fan_out=fan_out, max_frame_bytes=32 << 20)
    passed, failed = await run(settings, LIMITS)
    assert failed == {}
    assert passed == 54
