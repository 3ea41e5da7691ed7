"""The fast transport counts what the kernel refused, frame by frame, and never writes where it must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests.server.socket_stage import LOOPS, ROOM, Stage, end_of, hear, hears_nothing, stage_with, until
from tribe_ws.hub.packet import Batch, make_packet
from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.server.fast_socket import FastTransport, TribeSocketProtocol

LOOP_FACTORIES = LOOPS


class Kernel:
    """A transport of cardboard: takes ``room`` bytes, and keeps the rest until there is room again."""

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.kept = 0
        self.fast: FastTransport | None = None

    def write(self, data: bytes) -> None:
        taken = min(self.room, len(data)) if not self.kept else 0
        self.room -= taken
        self.kept += len(data) - taken
        if self.kept and self.fast is not None:
            self.fast.is_congested = True

    def take(self, size: int) -> None:
        self.kept -= size
        if not self.kept and self.fast is not None:
            self.fast.decongest()

    def get_write_buffer_size(self) -> int:
        return self.kept

    def get_extra_info(self, name: str) -> None:
        """Have no socket to reach through to."""


class Protocol:
    def __init__(self, kernel: Kernel) -> None:
        self.transport = kernel


def transport_on(kernel: Kernel) -> FastTransport:
    fast = FastTransport(cast("Any", Protocol(kernel)))
    fast.is_open = True
    kernel.fast = fast
    return fast


def batch(*sizes: int) -> Batch:
    """A batch of frames that take exactly these sizes on the wire."""
    return Batch([make_packet(b"x" * (size - 2)) for size in sizes])


def test_while_the_kernel_takes_everything_nothing_waits() -> None:
    fast = transport_on(Kernel(room=1000))
    assert not fast.send(batch(100, 100))
    assert fast.waiting() == (0, 0)


def test_frames_wait_until_their_last_byte_is_taken() -> None:
    kernel = Kernel(room=150)
    fast = transport_on(kernel)
    assert fast.send(batch(100, 100, 100))
    assert fast.waiting() == (150, 2)
    assert fast.send(batch(50))
    assert fast.waiting() == (200, 3)
    kernel.take(49)
    assert fast.waiting() == (151, 3)
    kernel.take(1)
    assert fast.waiting() == (150, 2)
    kernel.take(150)
    assert fast.waiting() == (0, 0)


def test_counting_begins_anew_with_each_congestion() -> None:
    kernel = Kernel()
    fast = transport_on(kernel)
    fast.send(batch(100))
    kernel.take(100)
    kernel.room = 60
    fast.send(batch(100))
    assert fast.waiting() == (40, 1)


def test_a_control_frame_that_waits_is_bytes_but_no_frame() -> None:
    kernel = Kernel()
    fast = transport_on(kernel)
    kernel.write(b"pong")
    assert fast.waiting() == (0, 0)
    fast.send(batch(100))
    assert fast.waiting() == (104, 1)


def test_a_transport_that_is_not_open_writes_nothing() -> None:
    kernel = Kernel()
    fast = transport_on(kernel)
    fast.is_open = False
    assert not fast.send(batch(100))
    assert kernel.kept == 0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with stage_with(fan_out="fast") as running:
        yield running


def fast_of(stage: Stage) -> FastTransport:
    protocol = stage.protocol
    assert isinstance(protocol, TribeSocketProtocol)
    assert protocol.fast is not None
    return protocol.fast


async def test_before_the_accept_nothing_is_written(stage: Stage) -> None:
    stage.cast.gate = asyncio.Event()
    client = await stage.dial_raw("ana")
    await until(lambda: stage.server.server_state.tasks)
    fast_of(stage).send(Batch([make_packet(b"early")]))
    stage.cast.gate.set()
    assert " 101 " in await client.read_head()
    assert b"connected" in (await client.read()).payload


@pytest.mark.parametrize("way", ["our close", "the client's close", "a broken frame", "half-close", "abort"])
async def test_after_any_end_nothing_is_written(stage: Stage, way: str) -> None:
    client = await stage.join_raw("ana", ROOM)
    fast, protocol = fast_of(stage), stage.protocol
    if way == "our close":
        fast.close(RESTART)
    elif way == "the client's close":
        await client.send(8, b"\x03\xe8")
    elif way == "a broken frame":
        await client.send(1, b"\xff")
    elif way == "half-close":
        client.socket.shutdown(1)
    else:
        protocol.transport.abort()
    await until(lambda: not fast.is_open)
    fast.send(Batch([make_packet(b"late")]))
    if way not in {"half-close", "abort"}:
        assert (await client.read_until_close())[0] == []
    await until(lambda: not stage.cast.hub.connection_count)


async def test_raw_writes_and_the_close_handshake_go_together(stage: Stage) -> None:
    client = await stage.join("ana", ROOM)
    for number in range(100):
        stage.publish(f"m{number}", author="ben")
        await asyncio.sleep(0)
    for _ in range(100):
        await hear(client)
    await hears_nothing(client)
    fast_of(stage).close(RESTART)
    assert await end_of(client) == (1012, "restart")


async def test_the_kernel_says_when_something_waits_from_the_first_byte_on(stage: Stage) -> None:
    await stage.join_raw("ana", ROOM)
    assert stage.protocol.transport.get_write_buffer_limits() == (0, 0)


async def test_an_upgrade_that_is_no_websocket_gets_no_transport(stage: Stage) -> None:
    client = await stage.dial_raw("ana")
    await client.read_head()
    other = await type(client).dial(stage.port)
    stage.stack.callback(other.close)
    await other.write(
        f"GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 12\r\n\r\n".encode()
    )
    assert " 4" in (await other.read_head()).splitlines()[0]
    await other.read_to_end()
