"""The chat inspector: loading what a day has left, and following a flood without making a key wait."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.contestants import Stable
from benchmarks.figures import Figure, percentile
from benchmarks.inspector.feed import CONNECTED, SUBSCRIBED, frame
from benchmarks.inspector.terminal import InspectorTerminal
from benchmarks.machine import cpu_seconds, resident_bytes
from benchmarks.metrics import OURS
from benchmarks.sockets import DriverError

HELD = 100_000
RATE = 2_000
SECONDS = 10.0
_BATCH = 0.05
_BETWEEN_KEYS = 0.1
_SETTLE = 1.0


class Flood:
    """A socket endpoint that says ``connected``, answers ``subscribe``, and then sends what it is told."""

    def __init__(self) -> None:
        self.listener: ServerConnection | None = None
        self.is_subscribed = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        """Be the server of one connection."""
        with suppress(ConnectionClosed):
            await self._talk(connection)

    async def _talk(self, connection: ServerConnection) -> None:
        await connection.send(CONNECTED)
        async for text in connection:
            event = json.loads(text).get("event")
            if event == "subscribe":
                await connection.send(SUBSCRIBED)
                self.listener = connection
                self.is_subscribed.set()
            elif event == "ping":
                await connection.send('{"event":"pong"}')

    async def pour(self, seconds: float) -> None:
        """Send messages at the rate, in batches, for so long."""
        assert self.listener is not None
        start, sent = asyncio.get_running_loop().time(), 0
        while sent < RATE * seconds:
            for _ in range(int(RATE * _BATCH)):
                sent += 1
                await self.listener.send(frame(HELD + sent))
            await asyncio.sleep(max(0.0, start + sent / RATE - asyncio.get_running_loop().time()))


@asynccontextmanager
async def _flood() -> AsyncIterator[tuple[Flood, int]]:
    flood = Flood()
    async with serve(flood.serve, "127.0.0.1", 0, compression=None) as server:
        yield flood, next(iter(server.sockets)).getsockname()[1]


async def measure(_stable: Stable, number: int) -> list[Figure]:
    """Measure one pass: the load first, then the flood in the same process."""
    async with _flood() as (flood, port), InspectorTerminal(port, HELD) as terminal:
        loaded = await terminal.reported("loaded")
        async with asyncio.timeout(30):
            await flood.is_subscribed.wait()
        await asyncio.sleep(_SETTLE)
        pid = terminal.process.pid
        before = cpu_seconds(pid)
        async with asyncio.TaskGroup() as group:
            pouring = group.create_task(flood.pour(SECONDS))
            while not pouring.done():
                terminal.press()
                await asyncio.sleep(_BETWEEN_KEYS)
        waits = tuple(terminal.waits)
        await terminal.taken(HELD + int(RATE * SECONDS))
        spent = cpu_seconds(pid) - before
        await asyncio.sleep(_SETTLE)
        memory = resident_bytes(pid)
    if len(waits) < SECONDS / _BETWEEN_KEYS / 2:
        raise DriverError(f"only {len(waits)} keys were handled during the flood")
    return [
        Figure("inspector/load", OURS, number, loaded),
        Figure("inspector/cpu", OURS, number, spent / SECONDS * 100),
        Figure("inspector/key/p50", OURS, number, statistics.median(waits)),
        Figure("inspector/key/p99", OURS, number, percentile(waits, 0.99)),
        Figure("inspector/memory", OURS, number, memory / 1e6),
    ]
