"""The way to a client on any ASGI server: a writer task per connection that sends one frame after the other.

It keeps the same promises as the fast way and passes the same tests; it is slower, because every frame is an
ASGI message for every connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from tribe_ws.hub.connection import CLOSE_GRACE
from tribe_ws.hub.packet import Batch, Packet
from tribe_ws.protocol.close_codes import INTERNAL, CloseCode
from tribe_ws.server.handshake import Send

_NOTHING = (0, 0)


class PortableTransport:
    """Queues frames for a writer task; ``accompany`` runs that task for as long as the connection lives."""

    __slots__ = (
        "_asgi_send",
        "_close_code",
        "_cut",
        "_deadline",
        "_is_sending",
        "_queue",
        "_reading",
        "_size",
        "_wake",
        "_writer",
    )

    def __init__(self, asgi_send: Send, cut: Callable[[], None] | None = None) -> None:
        self._asgi_send = asgi_send
        self._cut = cut
        self._queue: deque[Packet] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._is_sending = False
        self._close_code: CloseCode | None = None
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def send(self, batch: Batch) -> bool:
        """Queue the batch; what comes after a close is dropped. Tells whether anything waits."""
        if self._close_code is None:
            self._queue.extend(batch.packets)
            self._size += batch.size
            self._wake.set()
        return self._is_sending

    def waiting(self) -> tuple[int, int]:
        """Tell how many bytes and frames wait for the ASGI server.

        Until the writer has had its turn nothing waits: it takes all that the server takes without a pause.
        """
        return (self._size, len(self._queue) + 1) if self._is_sending else _NOTHING

    def close(self, close_code: CloseCode) -> None:
        """Drop what is stuck behind a slow client, send the rest, then the close frame; idempotent."""
        if self._close_code is not None:
            return
        self._close_code = close_code
        if self._is_sending:
            self._queue.clear()
            self._size = 0
        self._wake.set()
        if self._reading is not None:
            # What it says counts no more, and the hub forgets it now, not when its close frame is taken.
            self._reading.cancel()
        if self._writer is not None:
            self._deadline = asyncio.get_running_loop().call_later(CLOSE_GRACE, self._writer.cancel)

    def reset(self) -> None:
        """Cut the connection off; plain ASGI has no word for that, so there it is a close."""
        if self._cut is None:
            self.close(INTERNAL)
            return
        self._queue.clear()
        self._size = 0
        self._cut()

    async def accompany(self, reader: Coroutine[Any, Any, None]) -> None:
        """Run the reader of this connection with a writer beside it, until the connection ends.

        Returns when the client is gone, or when a close frame of ours is sent or cannot be sent in time.
        """
        self._reading = reading = asyncio.create_task(reader)
        self._writer = asyncio.create_task(self._write())
        try:
            await asyncio.wait({reading, self._writer}, return_when=asyncio.FIRST_COMPLETED)
            if self._close_code is None:
                # A writer that failed says only that the client is gone; the reader is about to hear it.
                await asyncio.wait({reading})
        finally:
            await self._wind_up(reading, self._writer)

    async def _wind_up(self, reading: asyncio.Task[None], writing: asyncio.Task[None]) -> None:
        """End both tasks, the writer after its close frame if it can be sent in time."""
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        if self._close_code is not None:
            await asyncio.wait({writing}, timeout=CLOSE_GRACE)
        if self._deadline is not None:
            self._deadline.cancel()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while self._close_code is None or self._queue:
                await self._wake.wait()
                await self._write_queue()
            close = {
                "type": "websocket.close",
                "code": self._close_code.code,
                "reason": self._close_code.reason,
            }
            await self._asgi_send(close)
        except (OSError, RuntimeError):
            # The client is gone: ASGI servers say so by an OSError, or by refusing a message after the close.
            return

    async def _write_queue(self) -> None:
        self._wake.clear()
        while self._queue:
            packet = self._queue.popleft()
            self._is_sending = True
            await self._asgi_send({"type": "websocket.send", "text": packet.payload.decode()})
            self._is_sending = False
            self._size = max(0, self._size - len(packet.wire))
