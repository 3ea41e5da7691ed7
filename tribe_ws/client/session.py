"""One connection's life inside a stream: reading, heartbeat, keeping the token fresh, restoring what was.

Everything here is bound to one connection and ends with it; what must outlive it is in ``Memory``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tribe_ws.client.answers import AnswerBook, Question
from tribe_ws.client.catch_up import Fate, Position
from tribe_ws.client.connection import Connection
from tribe_ws.client.events import Event, PongMissing, Reconnected
from tribe_ws.client.memory import Memory
from tribe_ws.client.outgoing import Outgoing
from tribe_ws.client.renewing import Renewal
from tribe_ws.client.restoring import Restorer
from tribe_ws.errors import TribeError, WaitedInVain
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import Frame, Ping, Subscribe
from tribe_ws.protocol.frames_v2 import PingV2, SubscribeV2


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
        self._asked = 0
        self._renewal = Renewal(connection, memory, self._ask)
        # Conversation → the number up to which messages are replayed, not live.
        self._replayed_to: dict[str, int] = {}
        self._replayed = 0

    async def run(self) -> TribeError:
        """Read until the connection ends, and do all that goes along with it meanwhile."""
        restoring = self._memory.to_restore() if self._gap else ()
        self._memory.catch_up.begin_session(restoring if self._memory.history else ())
        async with asyncio.TaskGroup() as group:
            company = [group.create_task(self._beat()), group.create_task(self._renewal.run())]
            if self._gap is not None:
                company.append(group.create_task(self._restore(restoring, self._gap)))
            ending = await self._read()
            for task in company:
                task.cancel()
        return ending

    async def send(self, outgoing: Outgoing) -> None:
        """Send a frame as it is, and note the question if it is one."""
        ref = outgoing.ref if self.connection.is_v2 else ""
        question = Question(self._memory.clock.monotonic(), ref=ref)
        if outgoing.event == "ping":
            self.answers.pinged(question)
        elif outgoing.event == "subscribe" and outgoing.conversation_id:
            self.answers.subscribing(outgoing.conversation_id, question)
        await self.connection.send(outgoing.text)

    async def ask(self, ping: Question) -> None:
        """Send the documented ping; its question hears the latency."""
        ping.ref = self._new_ref()
        self.answers.pinged(ping)
        await self._send(PingV2(ref=ping.ref) if self.connection.is_v2 else Ping())

    async def subscribe(
        self,
        conversation_id: str,
        on_answer: Callable[[float], None] | None = None,
        on_refusal: Callable[[], None] | None = None,
    ) -> None:
        """Send ``subscribe``, with our position where it is understood; ``on_answer`` hears the latency."""
        refused = partial(self._refused, conversation_id, on_refusal)
        question = Question(
            self._memory.clock.monotonic(), on_answer=on_answer, on_error=refused, ref=self._new_ref()
        )
        self.answers.subscribing(conversation_id, question)
        await self._send(self._subscribe_frame(conversation_id, question.ref))

    def _subscribe_frame(self, conversation_id: str, ref: str) -> Frame:
        if not self.connection.is_v2:
            return Subscribe(conversation_id=conversation_id)
        memory, position = self._memory, None
        if conversation_id.lower() in memory.confirmed:
            position = memory.catch_up.position(conversation_id)
        if position is None:
            return SubscribeV2(conversation_id=conversation_id, ref=ref)
        return SubscribeV2(
            conversation_id=conversation_id, after_seq=position.seq, epoch=position.epoch, ref=ref
        )

    def _refused(self, conversation_id: str, on_refusal: Callable[[], None] | None, error: Event) -> None:
        code, message = error.data.get("code"), error.data.get("message")
        if on_refusal is not None:
            if error.data.get("retryable") is True:
                self.connection.break_off(f"a subscription was not restored: {code}")
                return
            on_refusal()
        said = f"the server refused the subscription to {conversation_id}: {code} ({message})"
        self._memory.refuse(conversation_id, WaitedInVain(said, seconds=error.latency or 0.0))

    async def _ask(self, frame: Frame, question: Question) -> None:
        self.answers.named(question)
        await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        await self.connection.send(encode(frame).decode())

    def _new_ref(self) -> str:
        """Name a question where the server gives the name back; empty where it does not."""
        self._asked += 1
        return f"tribe-ws-{self._asked}" if self.connection.is_v2 else ""

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
        if event.name == "token.expiring":
            self._renewal.hurry()
        await self._memory.buffer.put(event)

    async def _take_message(self, event: Event, conversation_id: str, message_id: str) -> None:
        replayed_to = self._replayed_to.get(conversation_id.lower(), 0)
        if event.seq is not None and event.seq <= replayed_to:
            event = replace(event, is_recovered=True)
        fate = self._memory.catch_up.arrived(conversation_id, message_id, event)
        await self._memory.hand_out(fate, event, conversation_id, message_id)
        self._replayed += event.is_recovered and fate is Fate.HAND_OUT

    def _note_subscription(self, event: Event, conversation_id: str) -> None:
        if event.name == "subscribed" and event.latency is not None:
            self._memory.confirm(conversation_id, event.latency)
        elif event.name == "unsubscribed":
            self._memory.confirmed.pop(conversation_id, None)
            self._memory.catch_up.forget_position(conversation_id)
        begin = event.subscription
        if begin is not None:
            at = Position(begin.epoch, begin.seq)
            if self._memory.catch_up.subscribed_at(conversation_id, at, is_recovered=begin.recovered is True):
                self._replayed_to[conversation_id] = begin.seq

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

    async def _is_ponged(self, patience: float) -> bool:
        answered = asyncio.Event()
        question = Question(
            self._memory.clock.monotonic(), is_heartbeat=True, on_answer=lambda _: answered.set()
        )
        try:
            async with asyncio.timeout(patience):
                await self.ask(question)
                await answered.wait()
        except TimeoutError:
            self.answers.withdraw(question)
            return False
        return True

    async def _is_alive(self, patience: float) -> bool:
        asked_at = self._memory.clock.monotonic()
        try:
            if await self._is_ponged(patience):
                return True
        except TribeError:
            return True  # The connection has ended; the reading side says how.
        has_life = (
            self.connection.last_received > asked_at
            or self._memory.buffer.is_stalled
            or await self.connection.answers_transport_ping(patience)
        )
        if has_life and not self._missing_pong_told:
            self._missing_pong_told = True
            await self._memory.buffer.put(PongMissing(self._memory.clock.now(), patience))
        return has_life

    async def _restore(self, conversations: tuple[str, ...], gap: Gap) -> None:
        restorer = Restorer(self._memory, self.subscribe)
        try:
            await restorer.restore(conversations)
            if self._replayed_to:
                # Frames are answered in their order: this pong comes after everything that is replayed.
                while not await self._is_ponged(self._memory.options.answer_timeout):
                    if not self._memory.buffer.is_stalled:
                        break
        except TribeError:
            return  # The connection has ended; the next one begins anew from the same positions.
        again = tuple(one for one in conversations if one not in restorer.unconfirmed)
        await self._memory.buffer.put(
            Reconnected(
                self._memory.clock.now(),
                self.opened_at - gap.lost_at,
                gap.attempt,
                restorer.missed + self._replayed,
                again,
                tuple(sorted(restorer.unconfirmed)),
            )
        )
