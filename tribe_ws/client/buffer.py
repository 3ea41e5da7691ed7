"""What has arrived and was not read yet: bounded, with a named policy for a reader that is too slow.

Where nobody reads at all, what a stream does by itself (its heartbeat, its tries to reconnect) must not fill
the buffer and bring it to a halt: of such items in a row only the newest is kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum

from tribe_ws.client.events import Dropped, Event, Reconnecting, StreamItem
from tribe_ws.clock import Clock


class Overflow(Enum):
    """What happens when the buffer is full.

    ``PAUSE`` stops reading from the server until there is room: nothing is lost, and a server that minds
    closes the connection, after which the missed messages are fetched. ``DROP_OLDEST`` keeps up with the
    server and puts a ``Dropped`` notice where something is missing.
    """

    PAUSE = "pause"
    DROP_OLDEST = "drop_oldest"


class EventBuffer:
    """A queue of items with one reader and several writers."""

    def __init__(self, limit: int, overflow: Overflow, clock: Clock) -> None:
        self._limit = max(1, limit)
        self._overflow = overflow
        self._clock = clock
        self._items: deque[StreamItem] = deque()
        self._dropped = 0
        self._is_finished = False
        self._error: BaseException | None = None
        self._is_read = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_stalled(self) -> bool:
        """Whether a writer has to wait for the reader."""
        return self._overflow is Overflow.PAUSE and len(self._items) >= self._limit

    async def put(self, item: StreamItem) -> None:
        """Add an item; a cancelled call has added nothing."""
        if self._items and _replaces(item, self._items[-1]):
            self._items[-1] = item
            return
        while self.is_stalled and not self._is_finished:
            self._room.clear()
            await self._room.wait()
        if self._is_finished:
            return
        if len(self._items) >= self._limit:
            self._items.popleft()
            self._dropped += 1
        self._items.append(item)
        self._arrived.set()

    async def get(self) -> StreamItem:
        """Take the oldest item; raises ``StopAsyncIteration`` or the final error when all is read."""
        if self._is_read:
            raise RuntimeError("a stream has one reader at a time: iterate, or wait_for, not both at once")
        self._is_read = True
        try:
            while not self._items:
                if self._is_finished:
                    raise self._error or StopAsyncIteration
                self._arrived.clear()
                await self._arrived.wait()
        finally:
            self._is_read = False
        if self._dropped:
            count, self._dropped = self._dropped, 0
            return Dropped(self._clock.now(), count)
        self._room.set()
        return self._items.popleft()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that nothing more will come; what is there can still be read, then ``error`` is raised."""
        if not self._is_finished:
            self._is_finished = True
            self._error = error
        self._arrived.set()
        self._room.set()


def _replaces(new: StreamItem, last: StreamItem) -> bool:
    if isinstance(new, Event) and isinstance(last, Event):
        return new.is_heartbeat and last.is_heartbeat
    return isinstance(new, Reconnecting) and isinstance(last, Reconnecting)
