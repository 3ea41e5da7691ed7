"""The driver against the raw server, in process: what it counts, and what it refuses to count."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from benchmarks import wire
from benchmarks.driver import all_delivered, keep_outstanding, publish_steadily
from benchmarks.posting import open_posters, post_for
from benchmarks.servers.child import local_socket, open_control
from benchmarks.servers.control import Control
from benchmarks.servers.limit import Limit, LimitProtocol
from benchmarks.sockets import Crowd, DriverError


@pytest.fixture(params=[False, True], ids=["one write per frame", "batched"])
async def limit(request, tmp_path) -> AsyncIterator[tuple[Limit, int]]:
    """A raw server in this loop, and its port."""
    server = Limit(str(tmp_path / "limit.db"), batched=request.param)
    listener = local_socket()
    listening = await asyncio.get_running_loop().create_server(lambda: LimitProtocol(server), sock=listener)
    yield server, listener.getsockname()[1]
    listening.close()
    server.close()


@pytest.fixture
async def crowd(limit) -> AsyncIterator[Crowd]:
    """Five subscribers of it."""
    _, port = limit
    crowd = Crowd(port, wire.CONVERSATION, ("none",))
    await crowd.grow(5)
    yield crowd
    crowd.close()


@pytest.fixture
async def control(limit) -> AsyncIterator[Control]:
    """The publisher inside it."""
    server, _ = limit
    async with await open_control(server.publish) as listening:
        control = await Control.connect(listening.sockets[0].getsockname()[1])
        yield control
        control.close()


@pytest.mark.parametrize("window", [1, 16])
async def test_every_delivery_is_counted_once(crowd, control, window):
    run = await keep_outstanding(crowd, control, os.getpid(), window=window, seconds=0.05)
    assert run.deliveries == 5 * crowd.progress.complete
    assert crowd.progress.complete >= window
    assert run.cpu_seconds > 0


async def test_latency_is_taken_of_every_delivery(crowd, control):
    run = await publish_steadily(crowd, control, rate=200, seconds=0.1, size=4000)
    assert run.published == 20
    assert run.deliveries == len(run.latencies) == 100
    assert all(0 <= latency < 10 for latency in run.latencies)


async def test_sends_are_answered_and_reach_everybody(crowd, limit):
    _, port = limit
    posters = await open_posters(4, port, wire.CONVERSATION, ("none",))
    crowd.begin()
    sends = await post_for(posters, 0.05)
    await all_delivered(crowd, sends.count)
    assert sends.count == len(sends.latencies) >= 4
    for poster in posters:
        poster.close()


async def test_doubled_delivery_is_an_error(crowd, limit, control):
    server, _ = limit
    server.subscribers.append(server.subscribers[0])
    with pytest.raises(DriverError, match=r"one\s+subscriber got"):
        await keep_outstanding(crowd, control, os.getpid(), window=1, seconds=0)


async def test_lost_socket_is_an_error(crowd, limit, control):
    server, _ = limit
    server.subscribers[0].abort()
    with pytest.raises(DriverError, match="lost"):
        await keep_outstanding(crowd, control, os.getpid(), window=1, seconds=0)


async def test_refused_socket_is_an_error():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        crowd = Crowd(listening.sockets[0].getsockname()[1], wire.CONVERSATION, ("none",))
        with pytest.raises(DriverError, match="403"):
            await crowd.grow(1)
        crowd.close()


async def test_refused_send_is_an_error():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        (poster,) = await open_posters(1, port, wire.CONVERSATION, ("none",))
        with pytest.raises(DriverError, match="503"):
            await post_for([poster], 0.05)
        poster.close()


async def test_stalled_reader_does_not_count(crowd, control):
    await crowd.add_stalled()
    run = await publish_steadily(crowd, control, rate=100, seconds=0.05)
    assert run.deliveries == run.published * 5
