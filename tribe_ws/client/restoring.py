"""After a gap: subscribe again, fetch what was missed, then let the live messages that waited follow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from tribe_ws.client.backoff import Backoff
from tribe_ws.client.events import CatchUpFailed, Event, read_event
from tribe_ws.client.memory import Memory
from tribe_ws.client.missed import History, missed_messages
from tribe_ws.client.results import Message
from tribe_ws.errors import ApiError, CannotConnect, TribeError

FETCH_TRIES = 4
FETCHES_AT_ONCE = 4
FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER_ERROR = 403, 404, 429, 500

_MESSAGE_KEYS = ("id", "conversation_id", "sender", "content", "message_type", "created_at")
_SENDER_KEYS = ("id", "username", "full_name", "profile_image_url")

Subscribing = Callable[[str, Callable[[float], None], Callable[[], None]], Awaitable[Any]]
"""Subscribes to a conversation; hears the confirmation, or that the server said no."""


class Restorer:
    """Restores the subscriptions of one new connection; ``missed`` and ``unconfirmed`` tell how it went."""

    def __init__(self, memory: Memory, subscribe: Subscribing) -> None:
        self.missed = 0
        self.unconfirmed: set[str] = set()
        # Asked for while there was no connection: nothing can have been missed there before.
        self._fresh: set[str] = set()
        self._memory = memory
        self._subscribe = subscribe

    async def restore(self, conversations: tuple[str, ...]) -> None:
        """Return when everything missed was handed out; raises only if the connection ends meanwhile."""
        self._fresh = {one for one in conversations if one not in self._memory.confirmed}
        for one in self._fresh:
            await self._memory.note_start(one)
        await self._subscribe_to(conversations)
        if self._memory.history is None:
            return
        gate = asyncio.Semaphore(FETCHES_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for one in conversations:
                group.create_task(self._catch_up(self._memory.history, one, gate))

    async def _subscribe_to(self, conversations: tuple[str, ...]) -> None:
        self.unconfirmed = set(conversations)
        unanswered = set(conversations)
        all_answered = asyncio.Event()

        def answered(conversation_id: str) -> None:
            unanswered.discard(conversation_id)
            if not unanswered:
                all_answered.set()

        def confirmed(conversation_id: str, _latency: float) -> None:
            self.unconfirmed.discard(conversation_id)
            answered(conversation_id)

        for one in conversations:
            await self._subscribe(one, partial(confirmed, one), partial(answered, one))
        if unanswered:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._memory.options.answer_timeout):
                    await all_answered.wait()

    async def _catch_up(self, history: History, conversation_id: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            # Where the server replays what was missed, nothing is fetched.
            is_live = not self._memory.catch_up.begin_fetching(conversation_id)
            while not is_live:
                try:
                    await self._fetch_patiently(history, conversation_id)
                except TribeError as error:
                    await self._give_up(conversation_id, error)
                await self._release(conversation_id)
                is_live = self._memory.catch_up.go_live(conversation_id)

    async def _fetch_patiently(self, history: History, conversation_id: str) -> None:
        backoff = Backoff(0.2, 2.0, self._memory.rng)
        while True:
            try:
                await self._fetch(history, conversation_id)
            except (CannotConnect, ApiError) as error:
                if not _may_pass(error) or backoff.tries >= FETCH_TRIES:
                    raise
                asked_for = error.retry_after if isinstance(error, ApiError) else None
                await self._memory.clock.sleep(max(backoff.next_delay(), asked_for or 0.0))
            else:
                return

    async def _fetch(self, history: History, conversation_id: str) -> None:
        catch_up = self._memory.catch_up
        anchor = catch_up.anchor(conversation_id)
        if anchor is None and conversation_id in self._fresh:
            return
        if anchor is None:
            await self._memory.note_start(conversation_id)
            raise TribeError("no message of that conversation is known to fetch from, so some may be missing")
        is_known = partial(catch_up.is_known, conversation_id)
        async with aclosing(missed_messages(history, conversation_id, anchor, is_known)) as messages:
            async for message in messages:
                if not is_known(message.id):
                    await self._hand_out(conversation_id, message)

    async def _hand_out(self, conversation_id: str, message: Message) -> None:
        # Nobody is sent one's own messages live (owner's document, Integration 3), so not after a gap either.
        if message.sender.id != self._memory.user_id:
            await self._memory.buffer.put(self._event_of(conversation_id, message))
            self.missed += 1
        self._memory.catch_up.handed_out(conversation_id, message.id, is_fetched=True)

    async def _release(self, conversation_id: str) -> None:
        """Let the live messages that were held follow, until none is left."""
        catch_up = self._memory.catch_up
        while (held := catch_up.next_held(conversation_id)) is not None:
            fate, event = held
            await self._memory.hand_out(fate, event, conversation_id, event.message_id or "")
            catch_up.drop_held(conversation_id)

    async def _give_up(self, conversation_id: str, error: TribeError) -> None:
        is_gone = isinstance(error, ApiError) and error.status in (FORBIDDEN, NOT_FOUND)
        if is_gone and conversation_id in self.unconfirmed:
            # No participant any more: neither the socket nor REST knows us there.
            self._memory.confirmed.pop(conversation_id, None)
        await self._memory.buffer.put(CatchUpFailed(self._memory.clock.now(), conversation_id, error))

    def _event_of(self, conversation_id: str, message: Message) -> Event:
        """Make the ``message.new`` that a fetched message would have come as."""
        sender = message.raw.get("sender")
        known = sender if isinstance(sender, dict) else {}
        shown = {name: known.get(name) for name in _SENDER_KEYS}
        data = {name: shown if name == "sender" else message.raw.get(name) for name in _MESSAGE_KEYS}
        frame = {"event": "message.new", "conversation_id": conversation_id, "data": data}
        clock = self._memory.clock
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        return read_event(text, received_at=clock.monotonic(), at=clock.now(), is_recovered=True)


def _may_pass(error: CannotConnect | ApiError) -> bool:
    return isinstance(error, CannotConnect) or error.status >= SERVER_ERROR or error.status == TOO_MANY
