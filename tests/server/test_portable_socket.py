"""The portable transport on an ASGI server of cardboard, which takes frames when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tests.server.socket_stage import until
from tribe_ws.hub.packet import Batch, make_packet
from tribe_ws.protocol.close_codes import RESTART, SLOW_CONSUMER, TOKEN_EXPIRED
from tribe_ws.server.portable_socket import PortableTransport


class Cardboard:
    """Takes messages while ``open`` is set, and writes them down; fails with ``error`` where one is given."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.leave = asyncio.Event()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.took.append(message.get("text") or f"close {message['code']} {message['reason']}")

    async def read(self) -> None:
        """Read frames until the client leaves."""
        await self.leave.wait()


class Scene:
    def __init__(self) -> None:
        self.server = Cardboard()
        self.transport = PortableTransport(self.server.send)
        self.running = asyncio.create_task(self.transport.accompany(self.server.read()))

    async def end(self) -> None:
        self.server.leave.set()
        await asyncio.wait_for(self.running, 5)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


def batch(*names: str) -> Batch:
    return Batch([make_packet(name.encode()) for name in names])


async def test_frames_go_out_one_by_one_in_order(scene: Scene) -> None:
    scene.transport.send(batch("1", "2"))
    assert not scene.transport.send(batch("3"))
    await until(lambda: len(scene.server.took) == 3)
    assert scene.server.took == ["1", "2", "3"]
    assert scene.transport.waiting() == (0, 0)
    await scene.end()


async def test_nothing_waits_until_the_server_refuses_to_take(scene: Scene) -> None:
    scene.server.open.clear()
    scene.transport.send(batch("1", "2"))
    assert scene.transport.waiting() == (0, 0)
    await asyncio.sleep(0.01)
    assert scene.transport.waiting() == (batch("1", "2").size, 2)
    assert scene.transport.send(batch("3"))
    assert scene.transport.waiting() == (batch("1", "2", "3").size, 3)
    scene.server.open.set()
    await until(lambda: scene.transport.waiting() == (0, 0))
    await scene.end()


async def test_a_close_comes_after_what_was_sent_before_and_nothing_after_it(scene: Scene) -> None:
    scene.transport.send(batch("1"))
    scene.transport.close(TOKEN_EXPIRED)
    scene.transport.close(RESTART)
    scene.transport.send(batch("2"))
    await asyncio.wait_for(scene.running, 5)
    assert scene.server.took == ["1", "close 4401 token_expired"]


async def test_what_is_stuck_behind_a_slow_client_is_dropped_at_the_close(scene: Scene) -> None:
    scene.server.open.clear()
    scene.transport.send(batch("1", "2", "3"))
    await asyncio.sleep(0.01)
    scene.transport.close(SLOW_CONSUMER)
    scene.server.open.set()
    await asyncio.wait_for(scene.running, 5)
    assert scene.server.took == ["1", "close 4413 slow_consumer"]


async def test_a_server_that_never_takes_anything_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tribe_ws.server.portable_socket.CLOSE_GRACE", 0.05)
    scene = Scene()
    scene.server.open.clear()
    scene.transport.send(batch("1"))
    await asyncio.sleep(0.01)
    scene.transport.close(SLOW_CONSUMER)
    await asyncio.wait_for(scene.running, 5)
    assert scene.server.took == []


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("after websocket.close")])
async def test_a_client_that_is_gone_ends_the_writer_and_the_reader_hears_of_it(
    scene: Scene, error: Exception
) -> None:
    scene.server.error = error
    scene.transport.send(batch("1"))
    await asyncio.sleep(0.01)
    assert not scene.running.done()
    await scene.end()
    assert scene.server.took == []


async def test_a_close_before_the_writer_runs_is_sent_all_the_same() -> None:
    server = Cardboard()
    transport = PortableTransport(server.send)
    transport.close(RESTART)
    await asyncio.wait_for(transport.accompany(server.read()), 5)
    assert server.took == ["close 1012 restart"]


async def test_cancelling_ends_both_tasks(scene: Scene) -> None:
    await asyncio.sleep(0)
    scene.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scene.running
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert [task for task in others if not task.done()] == []
