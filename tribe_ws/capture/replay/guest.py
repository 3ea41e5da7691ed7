"""One client of a replay that plays the server: what it subscribes to, and the frames on their way to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tribe_ws.capture.record import compact_json
from tribe_ws.capture.replay.evening import Evening
from tribe_ws.capture.replay.world import Person
from tribe_ws.protocol.codec import object_in
from tribe_ws.protocol.ids import canonical_id

Message = MutableMapping[str, Any]

GREETING = {"event": "connected", "message": "WebSocket connection established"}
MOST_WAITING = 1024
"""So many frames may wait for a client; one that reads more slowly is closed with 4413."""

MOST_SUBSCRIPTIONS = 128
SLOW_CONSUMER = 4413


class Guest:
    """One connection; ``on_subscribe`` is called when it subscribes to something that it may."""

    def __init__(self, user: Person, evening: Evening, on_subscribe: Callable[[], None]) -> None:
        self.user = user
        self._evening = evening
        self._on_subscribe = on_subscribe
        self._subscribed: set[str] = set()
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._end: tuple[int, str] | None = None
        self._moved = asyncio.Event()

    def hears(self, conversation_id: str | None) -> bool:
        """Tell whether it gets what happens in a conversation; what belongs to none, everybody gets."""
        return conversation_id is None or conversation_id in self._subscribed

    def offer(self, text: str) -> None:
        """Put a frame on its way; never waits."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.end(SLOW_CONSUMER, "slow_consumer")
        self._moved.set()

    def end(self, code: int, reason: str) -> None:
        """Have the connection closed; the first reason counts."""
        self._end = self._end or (code, reason)
        self._moved.set()

    async def live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Greet, answer and deliver until one side ends the connection."""
        self.offer(compact_json(GREETING))
        tasks = {asyncio.create_task(self._read(receive)), asyncio.create_task(self._write(send))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, receive: Callable[[], Awaitable[Message]]) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            if isinstance(text := message.get("text"), str):
                self.take(text)

    async def _write(self, send: Callable[[Message], Awaitable[None]]) -> None:
        while (text := await self._next()) is not None:
            await send({"type": "websocket.send", "text": text})
        code, reason = self._end or (1000, "")
        await send({"type": "websocket.close", "code": code, "reason": reason})

    async def _next(self) -> str | None:
        """Give the next frame, when there is one; ``None`` when the connection is to be closed."""
        while self._end is None:
            if not self._waiting.empty():
                return self._waiting.get_nowait()
            self._moved.clear()
            await self._moved.wait()
        return None

    def take(self, text: str) -> None:
        """Do what a frame of the client asks for; whatever makes no sense is ignored, as documented."""
        frame = object_in(text)
        conversation_id = canonical_id(str(frame.get("conversation_id")))
        match frame.get("event"):
            case "ping":
                self.offer('{"event":"pong"}')
            case "subscribe" if conversation_id and self._may_see(conversation_id):
                if len(self._subscribed) < MOST_SUBSCRIPTIONS or conversation_id in self._subscribed:
                    self._subscribed.add(conversation_id)
                    self.offer(compact_json({"event": "subscribed", "conversation_id": conversation_id}))
                    self._on_subscribe()
            case "unsubscribe" if conversation_id:
                self._subscribed.discard(conversation_id)

    def _may_see(self, conversation_id: str) -> bool:
        talk = self._evening.talk(conversation_id)
        return talk is not None and self.user.id in talk.members
