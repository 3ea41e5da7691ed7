"""Faults on the way in: stands between a connection's frames and whoever reads them, once there are any.

A visit puts it in place when it reads a frame while the plan has rules, and not before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import MutableMapping
from typing import Any

from tribe_ws.hub.connection import Connection
from tribe_ws.hub.faults import CUT, Fate, FaultPlan, conversation_of, corrupted, event_of
from tribe_ws.hub.journal import Journal, Verdict
from tribe_ws.server.handshake import Receive

MOST_HELD = 1024
"""Frames of one client that are held up at most; what comes on top of them is lost."""


class FaultyReceive:
    """An ASGI ``receive`` that loses, holds up or breaks frames; the end of the connection comes at once."""

    def __init__(
        self,
        receive: Receive,
        connection: Connection,
        plan: FaultPlan,
        journal: Journal,
        first: MutableMapping[str, Any],
    ) -> None:
        self._receive = receive
        self._connection = connection
        self._plan = plan
        self._journal = journal
        self._ready: deque[MutableMapping[str, Any]] = deque()
        self._wake = asyncio.Event()
        self._reading: asyncio.Future[MutableMapping[str, Any]] | None = None
        self._line = plan.line(connection, self._give_text)
        self._take(first)

    async def __call__(self) -> MutableMapping[str, Any]:
        """Wait for the next message that got through."""
        while not self._ready:
            if self._reading is None:
                self._reading = asyncio.ensure_future(self._receive())
                self._reading.add_done_callback(lambda _: self._wake.set())
            await self._wake.wait()
            self._wake.clear()
            if self._reading.done():
                message, self._reading = self._reading.result(), None
                self._take(message)
        return self._ready.popleft()

    def close(self) -> None:
        """Read nothing any more."""
        self._line.drop()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _take(self, message: MutableMapping[str, Any]) -> None:
        text = message.get("text")
        if message["type"] != "websocket.receive" or text is None or self._connection.ended is not None:
            self._give(message)
            return
        fate = self._plan.judge(self._connection, "in", event_of(text), conversation_of(text))
        if fate is not None and fate.ending is not None:
            self._end(fate)
        elif fate is not None and len(self._line) < MOST_HELD:
            self._pass(text, fate)
        elif self._journal.is_watched:
            self._journal.received(self._connection, text, Verdict.FAULT_DROPPED)

    def _pass(self, text: str, fate: Fate) -> None:
        if fate.is_corrupt:
            text = corrupted(text.encode()).decode()
        for _ in range(fate.copies):
            if fate.is_aside and not self._line.has_aside:
                self._line.set_aside(text)
            else:
                self._line.push(text, fate.delay)

    def _end(self, fate: Fate) -> None:
        assert fate.ending is not None
        (close_code,) = fate.ending
        if close_code is not None:
            self._connection.close(close_code)
        elif self._connection.ended is None:
            self._connection.ended = CUT
            self._connection.transport.reset()

    def _give_text(self, text: str) -> None:
        self._give({"type": "websocket.receive", "text": text})

    def _give(self, message: MutableMapping[str, Any]) -> None:
        self._ready.append(message)
        self._wake.set()
