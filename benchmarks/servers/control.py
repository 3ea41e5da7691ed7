"""The control socket: the driver orders messages, a publisher inside the server publishes them.

It takes the request path out of the measurement of fan-out. Orders that arrive together are published in one
loop turn, as the requests that one commit wakes are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from benchmarks.wire import publish_order, read_orders

Publish = Callable[[int, int], None]
"""Publishes one message with that time stamp, whose content has that many characters; never waits."""


class ControlProtocol(asyncio.Protocol):
    """The server's end: calls ``publish`` for each order."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Publish what was ordered."""
        orders, self._rest = read_orders(self._rest + data)
        for stamp, size in orders:
            self._publish(stamp, size)


class Control(asyncio.Protocol):
    """The driver's end."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, port: int) -> Control:
        """Connect to the publisher of the server under test."""
        _, control = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return control

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def publish(self, stamps: Iterable[int], size: int) -> None:
        """Order one message per stamp, in one write."""
        assert self._transport is not None
        self._transport.write(b"".join(publish_order(stamp, size) for stamp in stamps))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()
