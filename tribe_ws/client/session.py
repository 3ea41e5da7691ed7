"""One connection's life inside a stream: reading, heartbeat, keeping the token fresh, restoring what was.

Everything here is bound to one connection and ends with it; what must outlive it is in ``Memory``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tribe_ws.client.answers import AnswerBook, Question
from tribe_ws.client.connection import Connection
from tribe_ws.client.events import Event, PongMissing, Reconnected, TokenRenewed
from tribe_ws.client.memory import Memory
from tribe_ws.client.outgoing import Outgoing
from tribe_ws.client.restoring import Restorer
from tribe_ws.client.tokens import TokenKeeper, TokenSource
from tribe_ws.errors import TribeError
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import Ping, Subscribe

RETRY_RENEWAL_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Gap:
    """The time without a connection: since when, and how many tries it took to get the next one."""

    lost_at: float
    attempt: int


class Session:
    """One open connection at work; ``run`` returns the error that ended it."""

    def __init__(self, connection: Connection, memory: Memory, gap: Gap | None = None) -> None:
        self.connection = connection
        self.answers = AnswerBook()
        self.opened_at = memory.clock.monotonic()
        self._memory = memory
        self._gap = gap
        self._missing_pong_told = False

    async def run(self) -> TribeError:
        """Read until the connection ends, and do all that goes along with it meanwhile."""
        restoring = self._memory.to_restore() if self._gap else ()
        self._memory.catch_up.begin_session(restoring if self._memory.history else ())
        async with asyncio.TaskGroup() as group:
            company = [group.create_task(self._beat()), group.create_task(self._keep_token_fresh())]
            if self._gap is not None:
                company.append(group.create_task(self._restore(restoring, self._gap)))
            ending = await self._read()
            for task in company:
                task.cancel()
        return ending

    async def send(self, outgoing: Outgoing) -> None:
        """Send a frame as it is, and note the question if it is one."""
        question = Question(self._memory.clock.monotonic())
        if outgoing.event == "ping":
            self.answers.pinged(question)
        elif outgoing.event == "subscribe" and outgoing.conversation_id:
            self.answers.subscribing(outgoing.conversation_id, question)
        await self.connection.send(outgoing.text)

    async def ask(self, ping: Question) -> None:
        """Send the documented ping; its question hears the latency."""
        self.answers.pinged(ping)
        await self.connection.send(encode(Ping()).decode())

    async def subscribe(self, conversation_id: str, on_answer: Callable[[float], None] | None = None) -> None:
        """Send ``subscribe``; ``on_answer`` hears the latency."""
        self.answers.subscribing(
            conversation_id, Question(self._memory.clock.monotonic(), on_answer=on_answer)
        )
        await self.connection.send(encode(Subscribe(conversation_id=conversation_id)).decode())

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> TribeError:
        for event in self.connection.early:
            await self._take(event)
        while True:
            try:
                event = await self.connection.receive()
            except TribeError as ending:
                return ending
            await self._take(event)

    async def _take(self, event: Event) -> None:
        event = self.answers.match(event)
        conversation_id, message_id = event.conversation_id, event.message_id
        if conversation_id is not None and message_id is not None:
            await self._take_message(event, conversation_id, message_id)
            return
        if conversation_id is not None:
            self._note_subscription(event, conversation_id.lower())
        await self._memory.buffer.put(event)

    async def _take_message(self, event: Event, conversation_id: str, message_id: str) -> None:
        fate = self._memory.catch_up.arrived(conversation_id, message_id, event)
        await self._memory.hand_out(fate, event, conversation_id, message_id)

    def _note_subscription(self, event: Event, conversation_id: str) -> None:
        if event.name == "subscribed" and event.latency is not None:
            self._memory.confirm(conversation_id, event.latency)
        elif event.name == "unsubscribed":
            self._memory.confirmed.pop(conversation_id, None)

    # ── heartbeat and token ───────────────────────────────────────────────────────────────────────────────

    async def _beat(self) -> None:
        options = self._memory.options
        if options.heartbeat is None:
            return
        while True:
            await self._memory.clock.sleep(self._memory.rng.uniform(*options.heartbeat))
            # While the reader pauses us, pongs cannot be seen, and their absence says nothing.
            if not self._memory.buffer.is_stalled and not await self._is_alive(options.pong_timeout):
                seconds = f"{options.pong_timeout:g} s"
                self.connection.break_off(f"no sign of life for {seconds} after a ping")
                return

    async def _is_alive(self, patience: float) -> bool:
        answered = asyncio.Event()
        asked_at = self._memory.clock.monotonic()
        question = Question(asked_at, is_heartbeat=True, on_answer=lambda _: answered.set())
        try:
            async with asyncio.timeout(patience):
                await self.ask(question)
                await answered.wait()
        except TimeoutError:
            self.answers.withdraw(question)
        except TribeError:
            return True  # The connection has ended; the reading side says how.
        else:
            return True
        has_life = (
            self.connection.last_received > asked_at
            or self._memory.buffer.is_stalled
            or await self.connection.answers_transport_ping(patience)
        )
        if has_life and not self._missing_pong_told:
            self._missing_pong_told = True
            await self._memory.buffer.put(PongMissing(self._memory.clock.now(), patience))
        return has_life

    async def _keep_token_fresh(self) -> None:
        source = self._memory.source
        while (due := source.renewal_due()) is not None:
            await self._memory.clock.sleep(max(due, 0.0))
            before = await self._try_renewal(source)
            if before:
                ends_at = source.tokens.ends_at if isinstance(source, TokenKeeper) else None
                await self._memory.buffer.put(TokenRenewed(self._memory.clock.now(), ends_at))
            else:
                await self._memory.clock.sleep(RETRY_RENEWAL_AFTER)

    async def _try_renewal(self, source: TokenSource) -> bool:
        """Renew if due; a failure is no end: the server may let the old token live, or say 4401 in time."""
        try:
            await source.current()
        except TribeError:
            return False
        due = source.renewal_due()
        return due is None or due > 0

    async def _restore(self, conversations: tuple[str, ...], gap: Gap) -> None:
        restorer = Restorer(self._memory, self.subscribe)
        try:
            await restorer.restore(conversations)
        except TribeError:
            return  # The connection has ended; the next one begins anew from the same positions.
        again = tuple(one for one in conversations if one not in restorer.unconfirmed)
        await self._memory.buffer.put(
            Reconnected(
                self._memory.clock.now(),
                self.opened_at - gap.lost_at,
                gap.attempt,
                restorer.missed,
                again,
                tuple(sorted(restorer.unconfirmed)),
            )
        )
