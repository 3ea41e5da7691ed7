"""What a stream remembers from one connection to the next: subscriptions, positions, what is unread."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tribe_ws.client.buffer import EventBuffer
from tribe_ws.client.catch_up import CatchUp, Fate
from tribe_ws.client.events import Event, Repeated
from tribe_ws.client.missed import History, newest_id
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.tokens import TokenSource
from tribe_ws.clock import Clock
from tribe_ws.errors import TribeError, WaitedInVain


@dataclass(slots=True)
class Memory:
    """What a stream remembers from one connection to the next.

    ``confirmed`` are the conversations subscribed to; ``waiting`` those whose ``subscribe`` somebody awaits.
    """

    options: StreamOptions
    buffer: EventBuffer
    source: TokenSource
    clock: Clock
    rng: random.Random
    history: History | None
    user_id: str | None
    catch_up: CatchUp = field(default_factory=CatchUp)
    confirmed: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, list[asyncio.Future[float]]] = field(default_factory=dict)

    def to_restore(self) -> tuple[str, ...]:
        """List the conversations to subscribe to on a new connection."""
        return tuple({**self.confirmed, **dict.fromkeys(self.waiting)})

    async def note_start(self, conversation_id: str) -> None:
        """Note where a conversation stands *before* it is subscribed to: nothing after that may be missed."""
        if self.history is None or self.catch_up.knows_start(conversation_id):
            return
        try:
            async with asyncio.timeout(self.options.answer_timeout):
                newest = await newest_id(self.history, conversation_id)
        except (TribeError, TimeoutError):
            # A server without history: live events work all the same.
            return
        self.catch_up.begins_at(conversation_id, newest)

    async def hand_out(self, fate: Fate, event: Event, conversation_id: str, message_id: str) -> None:
        """Put a live or held message before the reader, as its fate says."""
        if fate is Fate.HAND_OUT:
            # It counts as handed out in the same step in which the buffer has it: nothing is awaited between.
            await self.buffer.put(event)
            self.catch_up.handed_out(conversation_id, message_id)
        elif fate is Fate.REPEATED:
            await self.buffer.put(Repeated(self.clock.now(), event))
        if fate is not Fate.HOLD and event.seq is not None:
            self.catch_up.moved_to(conversation_id, event.seq)

    def forget(self, conversation_id: str) -> None:
        """Take a conversation out of what is restored and caught up with."""
        self.confirmed.pop(conversation_id.lower(), None)
        self.catch_up.forget(conversation_id)

    def confirm(self, conversation_id: str, latency: float) -> None:
        """Note that the server has confirmed a subscription."""
        self.confirmed[conversation_id.lower()] = None
        for waiting in self.waiting.get(conversation_id.lower(), ()):
            if not waiting.done():
                waiting.set_result(latency)

    def refuse(self, conversation_id: str, error: WaitedInVain) -> None:
        """Note that the server said no to a subscription, where it says so."""
        for waiting in self.waiting.get(conversation_id.lower(), ()):
            if not waiting.done():
                waiting.set_exception(error)

    @contextmanager
    def awaiting(self, conversation_id: str, confirmed: asyncio.Future[float]) -> Iterator[None]:
        """Have ``confirmed`` resolved by the next confirmation, over this connection or a later one."""
        key = conversation_id.lower()
        self.waiting.setdefault(key, []).append(confirmed)
        try:
            yield
        finally:
            self.waiting[key].remove(confirmed)
            if not self.waiting[key]:
                del self.waiting[key]
