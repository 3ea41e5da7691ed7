"""``EventStream``: one user's events, over as many connections as it takes.

Iterating gives ``Event`` and ``Notice`` in the order in which they happened. After a loss it connects again,
subscribes again, fetches what was missed and goes on: each message once, in order per conversation. The
iteration ends after ``close()`` or a normal close by the server; otherwise it raises the error that ended it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Any, Self

from tribe_ws.client.answers import Question
from tribe_ws.client.buffer import EventBuffer
from tribe_ws.client.connection import NO_CLOSE_FRAME, Connection
from tribe_ws.client.dialler import Dialler
from tribe_ws.client.events import Event, Lost, Opened, StreamItem, WireLine
from tribe_ws.client.memory import Memory
from tribe_ws.client.missed import History
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.outgoing import read_outgoing
from tribe_ws.client.session import Gap, Session
from tribe_ws.client.tokens import FixedToken, TokenSource
from tribe_ws.clock import Clock, SystemClock
from tribe_ws.errors import ConnectionLost, TribeError, WaitedInVain
from tribe_ws.protocol.close_codes import meaning_of
from tribe_ws.protocol.frames import Frame, PresenceStatus, SetPresence, SetTyping, Unsubscribe
from tribe_ws.protocol.urls import ServerAddress, parse_address


class StreamState(Enum):
    """Where a stream is; ``OPEN`` means that ``connected`` was seen."""

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    ENDED = "ended"


class EventStream:
    """The events of one user at one server; ``async with`` connects and closes.

    ``token`` may be a bare token or a source that renews it. ``history`` (a ``RestClient``) is where missed
    messages are fetched; without it a gap is only told. ``user_id`` is whose own messages a server does not
    send to this stream, so that they are left out of what is fetched. ``on_wire`` hears every frame, tokens
    hidden.
    """

    def __init__(
        self,
        address: ServerAddress | str,
        token: str | TokenSource,
        *,
        options: StreamOptions | None = None,
        history: History | None = None,
        user_id: str | None = None,
        on_wire: Callable[[WireLine], None] | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.address = parse_address(address) if isinstance(address, str) else address
        self.options = options or StreamOptions()
        self._memory = self._new_memory(token, history, user_id, clock or SystemClock(), rng)
        self._dialler = Dialler(self.address, self._memory, on_wire)
        self._session: Session | None = None
        self._runner: asyncio.Task[None] | None = None
        self._has_begun = False
        self._has_ended = False
        self._last_error: TribeError = ConnectionLost(NO_CLOSE_FRAME, "not connected")
        self._is_closing = False

    def __repr__(self) -> str:
        return f"EventStream({self.address.socket_url!r}, {self.state.value})"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamItem:
        return await self._memory.buffer.get()

    @property
    def state(self) -> StreamState:
        """Where the stream is now."""
        if self._has_ended:
            return StreamState.ENDED
        if self._session is not None:
            return StreamState.OPEN
        if self._dialler.is_dialling:
            return StreamState.CONNECTING
        return StreamState.WAITING if self._has_begun else StreamState.NEW

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The conversations that the server has confirmed, in the order of their confirmation."""
        return tuple(self._memory.confirmed)

    @property
    def unanswered(self) -> int:
        """How many pings and subscribes of this connection still wait for their answer."""
        return len(self._session.answers) if self._session else 0

    @property
    def unread(self) -> int:
        """How many events and notices have arrived and were not read yet."""
        return len(self._memory.buffer)

    @property
    def connection_id(self) -> str | None:
        """What the server calls the present connection; ``None`` without one, or without ``tribe.v2``."""
        return self._session.connection.connection_id if self._session else None

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────

    async def connect(self) -> None:
        """Open the first connection; returns when ``connected`` was seen.

        There are no further tries here, but for one with a renewed token: whoever begins wants to know what
        is wrong. Raises ``CannotConnect``, ``AuthenticationError`` or ``ConnectionLost``.
        """
        if self.state is not StreamState.NEW:
            raise RuntimeError("a stream is connected once; make another one")
        self._has_begun = True
        started = self._memory.clock.monotonic()
        try:
            connection = await self._dialler.first()
        except BaseException:
            self._end(None)
            raise
        await self._memory.buffer.put(
            Opened(self._memory.clock.now(), self._memory.clock.monotonic() - started)
        )
        session = self._use(connection, None)
        self._runner = asyncio.create_task(self._run(session), name="tribe-ws event stream")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the stream: close the connection, stop everything; what has arrived can still be read."""
        self._is_closing = True
        try:
            if self._session is not None:
                await self._session.connection.close(code, reason)
        finally:
            self._end(None)
            if self._runner is not None:
                self._runner.cancel()
                await asyncio.wait({self._runner})

    def reconnect_now(self) -> None:
        """Do not wait any longer: try at once, or break an open connection off and make another one."""
        self._dialler.hurry()
        if self._session is not None:
            self._session.connection.break_off("reconnect asked for")

    # ── talking ───────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, frame: Frame | Mapping[str, Any] | str | bytes) -> None:
        """Send one frame: typed, as an object, or as raw text or bytes, right or wrong.

        A ``ping`` or ``subscribe`` is recognised in any form, so that its answer gets its latency. Raises
        ``ConnectionLost`` while there is no connection.
        """
        outgoing = read_outgoing(frame)
        if outgoing.event == "subscribe" and outgoing.conversation_id:
            await self._memory.note_start(outgoing.conversation_id)
        await self._open_session().send(outgoing)
        if outgoing.event == "unsubscribe" and outgoing.conversation_id:
            self._memory.forget(outgoing.conversation_id)

    async def subscribe(self, conversation_id: str, *, timeout: float | None = None) -> float:  # noqa: ASYNC109
        """Subscribe to a conversation and wait for the confirmation; gives the seconds it took.

        Raises ``WaitedInVain`` when none comes: a server stays silent about a conversation that does not
        exist or is not one's own (contract 3.2).
        """
        if self._runner is None or self.state is StreamState.ENDED:
            raise self._last_error
        patience = self.options.answer_timeout if timeout is None else timeout
        confirmed: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        await self._memory.note_start(conversation_id)
        with self._memory.awaiting(conversation_id, confirmed):
            if self._session is not None:
                with suppress(TribeError):  # It has just ended; the next connection subscribes.
                    await self._session.subscribe(conversation_id)
            return await self._wait(
                confirmed,
                patience,
                f"the server did not confirm the subscription to {conversation_id}",
                "it stays silent where the conversation does not exist or is not yours",
            )

    async def unsubscribe(self, conversation_id: str) -> None:
        """Take back a subscription; the documented server does not answer this."""
        await self.send(Unsubscribe(conversation_id=conversation_id))

    async def typing(self, conversation_id: str, is_typing: bool) -> None:
        """Say that one began or stopped typing."""
        await self.send(SetTyping(conversation_id=conversation_id, is_typing=is_typing))

    async def presence(self, status: PresenceStatus) -> None:
        """Say how one wants to be seen."""
        await self.send(SetPresence(status=status))

    async def ping(self, *, timeout: float | None = None) -> float:  # noqa: ASYNC109
        """Send ``ping`` and wait for its pong; gives the seconds it took. Raises ``WaitedInVain``."""
        patience = self.options.answer_timeout if timeout is None else timeout
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        session = self._open_session()
        question = Question(
            self._memory.clock.monotonic(), on_answer=lambda latency: _settle(answered, latency)
        )
        try:
            await session.ask(question)
            return await self._wait(answered, patience, "no pong came")
        finally:
            session.answers.withdraw(question)

    async def wait_for(
        self,
        predicate: Callable[[Event], bool],
        timeout: float,  # noqa: ASYNC109 - the deadline is part of what is promised
        *,
        what: str = "a matching event",
    ) -> Event:
        """Read on until an event matches and give it; what came before it has then been read.

        Raises ``WaitedInVain`` after ``timeout`` seconds, and the stream's error if it ends before.
        """
        seen: dict[str, int] = {}
        try:
            async with asyncio.timeout(timeout):
                async for item in self:
                    if not isinstance(item, Event):
                        continue
                    if predicate(item):
                        return item
                    seen[item.name] = seen.get(item.name, 0) + 1
        except TimeoutError:
            pass
        else:
            raise ConnectionLost(1000, "the stream was closed")
        saw = ", ".join(f"{name or '(no name)'} {count}" for name, count in seen.items()) or "nothing"
        raise WaitedInVain(f"{what} did not come within {timeout:g} s (saw: {saw})", seconds=timeout)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _new_memory(
        self,
        token: str | TokenSource,
        history: History | None,
        user_id: str | None,
        clock: Clock,
        rng: random.Random | None,
    ) -> Memory:
        return Memory(
            options=self.options,
            buffer=EventBuffer(self.options.buffer, self.options.overflow, clock),
            source=FixedToken(token) if isinstance(token, str) else token,
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311 - jitter is no secret
            history=history,
            user_id=user_id,
        )

    def _open_session(self) -> Session:
        if self._session is None:
            raise self._last_error
        return self._session

    async def _wait(self, answer: asyncio.Future[float], patience: float, what: str, hint: str = "") -> float:
        """Wait for an answer, for the end of the stream, or in vain."""
        assert self._runner is not None
        waited_for: set[asyncio.Future[Any]] = {answer, self._runner}
        await asyncio.wait(waited_for, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        if self.state is StreamState.ENDED:
            raise self._last_error
        raise WaitedInVain(f"{what} within {patience:g} s", seconds=patience, hint=hint)

    async def _run(self, session: Session) -> None:
        """Go from connection to connection until there is a reason to end."""
        try:
            while True:
                ending = await session.run()
                lost_at = self._memory.clock.monotonic()
                self._session, self._last_error = None, ending
                if self._is_closing:
                    return
                await self._tell_loss(ending)
                found = await self._dialler.next(ending, open_for=lost_at - session.opened_at)
                if found is None:
                    return
                connection, attempt = found
                session = self._use(connection, Gap(lost_at, attempt))
        except Exception as error:  # noqa: BLE001 - also a bug of ours: the reader gets it, the task has no caller
            self._end(error)
        finally:
            self._end(None)

    def _use(self, connection: Connection, gap: Gap | None) -> Session:
        self._session = Session(connection, self._memory, gap)
        return self._session

    def _end(self, error: BaseException | None) -> None:
        self._has_ended = True
        if self._session is not None:
            self._session.connection.break_off("the stream has ended")
            self._session = None
        if isinstance(error, TribeError):
            self._last_error = error
        self._memory.buffer.finish(error)

    async def _tell_loss(self, ending: TribeError) -> None:
        code = getattr(ending, "close_code", None) or NO_CLOSE_FRAME
        reason = str(getattr(ending, "reason", ""))
        await self._memory.buffer.put(Lost(self._memory.clock.now(), code, reason, meaning_of(code, reason)))


def _settle(answer: asyncio.Future[float], latency: float) -> None:
    if not answer.done():
        answer.set_result(latency)
