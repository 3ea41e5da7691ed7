"""``LiveSession``: one user at work on a server, in tasks that it owns; the real ``InspectorSession``.

It logs in, connects, connects again after a loss, and says in its state where it is. A refusal is never
answered by a retry loop. Nothing here touches a widget: what happens is posted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from textual.message import Message

from tribe_ws.capture.names import Names
from tribe_ws.client.backoff import Backoff
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream, StreamState
from tribe_ws.clock import Clock, SystemClock
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws_tui.endings import link_of
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import Broke, LoginWanted, NotSent, Said
from tribe_ws_tui.observing import Observer
from tribe_ws_tui.setup import LogIn
from tribe_ws_tui.state import Link, LinkKind, SessionState
from tribe_ws_tui.store import MarkedRead, Watched
from tribe_ws_tui.typing_events import TypingEvents

MOST_WAITING = 2_000
"""Frames that wait to be taken; with more the server has to wait for us."""
_LONGEST_TURN = 0.003
"""Seconds after which a session that reads a flood lets others run."""
_STOPS_WITHIN = 5.0
_LOOKS_AGAIN_WITHIN = 5.0
"""The longest wait, in seconds, between two looks whether a server listens by now."""
_GOES_ON = (StreamState.OPEN, StreamState.WAITING)


class LiveSession:
    """One user's session; see ``InspectorSession`` for what its calls promise."""

    def __init__(
        self,
        label: str,
        username: str,
        log_in: LogIn,
        address: ServerAddress,
        inspection: Inspection,
        post: Callable[[Message], object],
        *,
        options: StreamOptions | None = None,
        clock: Clock | None = None,
        is_tapped: bool = False,
    ) -> None:
        self.label = label
        self.username = username
        self.is_read_only = False
        self._log_in = log_in
        self._address = address
        self._post = post
        self._options = options or StreamOptions(buffer=MOST_WAITING)
        self._clock = clock or SystemClock()
        self._observer = Observer(
            label,
            username,
            inspection,
            post,
            self._clock,
            is_same_clock=address.is_loopback,
            is_tapped=is_tapped,
        )
        self._typing = TypingEvents(self.typing, self._clock)
        self._rest: RestClient | None = None
        self._stream: EventStream | None = None
        self._wanted: dict[str, None] = {}
        self._main: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._backoff = Backoff(ceiling=_LOOKS_AGAIN_WITHIN)

    @property
    def state(self) -> SessionState:
        """What it knows now."""
        return self._observer.state

    @property
    def names(self) -> Names:
        """The conversations by every name they answer to."""
        return self._observer.names

    @property
    def sends_typing(self) -> bool:
        """Whether typing in the composer is told to the others."""
        return self._typing.is_on

    def now(self) -> float:
        """Tell the seconds of the clock that its state counts by."""
        return self._observer.now()

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to connect, in a task of its own."""
        if self._main is None:
            self._main = asyncio.get_running_loop().create_task(self._live(), name=f"session {self.label}")

    async def stop(self) -> None:
        """Close the connection and end every task."""
        self._typing.forget()
        self._observer.close()
        with suppress(TribeError, TimeoutError):
            async with asyncio.timeout(_STOPS_WITHIN):
                if self._stream is not None:
                    await self._stream.close()
                if self._rest is not None:
                    await self._rest.close()
        tasks = {*self._tasks, *({self._main} if self._main else ())}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOPS_WITHIN)

    def disconnect(self) -> None:
        """Close the connection and stay away until ``reconnect``."""
        self.close_with(1000)

    def reconnect(self) -> None:
        """Connect at once."""
        is_away = self.state.link.kind is LinkKind.DISCONNECTED
        if self._stream is not None and not is_away and self._stream.state in _GOES_ON:
            self._stream.reconnect_now()
        elif self.state.link.kind is not LinkKind.DIALLING:
            self._dial_again()

    def log_in(self, rest: RestClient) -> None:
        """Go on with another login of this user."""
        self._rest = rest
        if self._stream is not None and self._stream.state is not StreamState.ENDED:
            self._do(self._stream.close())
        self._dial_again()

    def renew_token(self) -> None:
        """Renew the access token before its time, and connect with it."""
        self._do(self._renew())

    # ── talking ───────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, conversation_id: str) -> None:
        """Subscribe; the state says when the server has confirmed it."""
        self._wanted[conversation_id] = None
        self._do(self._subscribe(conversation_id))

    def unsubscribe(self, conversation_id: str) -> None:
        """Take back a subscription."""
        self._wanted.pop(conversation_id, None)
        if self._stream is not None:
            self._do(self._stream.unsubscribe(conversation_id))

    def say(self, conversation_id: str, text: str) -> None:
        """Send a message by REST."""
        self.stop_typing()
        self._do(self._say(conversation_id, text))

    def key_pressed(self, conversation_id: str) -> None:
        """Note a key in the composer."""
        self._typing.key_pressed(conversation_id)

    def stop_typing(self) -> None:
        """Tell the others, if they were told, that one types no more."""
        self._typing.stop()

    def send_typing_events(self, is_on: bool) -> None:
        """Switch real typing events on or off."""
        if not is_on:
            self._typing.stop()
        self._typing.is_on = is_on

    def typing(self, conversation_id: str, is_typing: bool) -> None:
        """Send a typing event; where there is no connection, nobody is told."""
        if self._stream is not None and self._stream.state is StreamState.OPEN:
            self._do(self._stream.typing(conversation_id, is_typing))

    def set_presence(self, status: PresenceStatus) -> None:
        """Say how one wants to be seen."""
        self._do(self._open_stream().presence(status)) if self._stream else self._say_not_connected()

    def ping(self, count: int = 1) -> None:
        """Send the documented ping, so often."""
        self._do(self._ping(count))

    def send_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is, right or wrong."""
        self._do(self._send(frame))

    def close_with(self, code: int, reason: str = "") -> None:
        """Close the connection with a code of one's own choice."""
        self._observer.move(Link(LinkKind.DISCONNECTED, since=self.now(), code=code, reason=reason))
        if self._stream is not None:
            self._do(self._stream.close(code, reason))

    def mark_read(self, conversation_id: str) -> None:
        """Tell the server that one has read everything in a conversation."""
        self._do(self._mark_read(conversation_id))

    def watch(self, conversation_id: str) -> None:
        """Count nothing as unread that comes into the conversation somebody reads."""
        self._observer.apply(Watched(conversation_id))

    def refetch(self) -> None:
        """Fetch the conversations anew."""
        self._do(self._fetch())

    def say_note(self, words: str) -> None:
        """Put a note of one's own into the stream."""
        self._observer.note("note", words)

    # ── inside: life ──────────────────────────────────────────────────────────────────────────────────────

    async def _live(self) -> None:
        """Go from connection to connection; wait for somebody where there is no use in trying."""
        while True:
            self._wake.clear()
            try:
                await self._one_life()
                if self.state.link.is_open:
                    self._observer.move(Link(LinkKind.DISCONNECTED, since=self.now(), code=1000))
            except TribeError as error:
                self._ended(error)
            except Exception as error:  # noqa: BLE001 - a bug of ours: it is told, and one can connect again
                self._observer.move(Link(LinkKind.DISCONNECTED, since=self.now()))
                self._post(Broke(error))
            await self._wait_for_a_reason()

    def _dial_again(self) -> None:
        self._observer.move(Link(LinkKind.DIALLING, since=self.now()))
        self._wake.set()

    async def _one_life(self) -> None:
        if self._rest is None:
            self._rest = await self._log_in(self.username, None)
        rest = self._rest
        rest.report_to(self._observer.hear_call)
        await self._fetch()
        assert rest.source is not None
        stream = self._stream = EventStream(
            self._address,
            rest.source,
            options=self._options,
            history=rest,
            user_id=self.state.my_id or None,
            on_wire=self._observer.hear_wire,
            clock=self._clock,
        )
        self._observer.journal.begin_anew()
        try:
            await stream.connect()
            self._backoff.reset()
            for conversation_id in self._wanted:
                self._do(self._subscribe(conversation_id))
            await self._read(stream)
        finally:
            await stream.close()

    async def _read(self, stream: EventStream) -> None:
        began = self.now()
        async for item in stream:
            opened = self.state.opened
            self._observer.take(item, waiting=stream.unread)
            if self.state.opened > opened > 0:
                self.refetch()
            if self.now() - began > _LONGEST_TURN:
                await asyncio.sleep(0)
                began = self.now()

    def _ended(self, error: TribeError) -> None:
        link = link_of(error, self.now())
        is_known = self.state.link.kind is link.kind is LinkKind.UNREACHABLE
        self._observer.move(link)
        if not is_known:
            self._observer.note("closed", str(error), tag="error")
        if link.kind is LinkKind.LOGIN_NEEDED:
            self._post(LoginWanted(self.label, self.username, link.reason))
        if isinstance(error, AuthenticationError):
            self._rest, rest = None, self._rest
            if rest is not None:
                self._do(rest.close())

    async def _wait_for_a_reason(self) -> None:
        if self.state.link.kind is not LinkKind.UNREACHABLE:
            await self._wake.wait()
            return
        # Nobody is there: somebody may start the server.
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.5, self._backoff.next_delay())):
                await self._wake.wait()

    # ── inside: calls ─────────────────────────────────────────────────────────────────────────────────────

    async def _fetch(self) -> None:
        rest = self._rest
        if rest is None:
            return
        my_id = self.state.my_id or (rest.tokens.user_id if rest.tokens is not None else "") or ""
        self._observer.fetched(await rest.all_conversations(), my_id)

    async def _subscribe(self, conversation_id: str) -> None:
        if self._stream is not None and self._stream.state is not StreamState.ENDED:
            await self._stream.subscribe(conversation_id)

    async def _say(self, conversation_id: str, text: str) -> None:
        try:
            if self._rest is None:
                raise CannotConnect("not logged in, so nothing can be sent")
            connection_id = self._stream.connection_id if self._stream is not None else None
            await self._rest.send_message(conversation_id, text, connection_id=connection_id)
        except TribeError as error:
            self._post(NotSent(self.label, conversation_id, text, str(error), error.hint))

    async def _ping(self, count: int) -> None:
        for _ in range(count):
            await self._open_stream().ping()

    async def _send(self, frame: str | bytes) -> None:
        await self._open_stream().send(frame)

    async def _mark_read(self, conversation_id: str) -> None:
        if self._rest is not None:
            await self._rest.mark_read(conversation_id)
            self._observer.apply(MarkedRead(conversation_id))

    async def _renew(self) -> None:
        if self._rest is None:
            raise AuthenticationError("nobody is logged in")
        await self._rest.refresh()
        self._post(Said("the token was renewed"))
        self.reconnect()

    def _open_stream(self) -> EventStream:
        if self._stream is None or self._stream.state is not StreamState.OPEN:
            raise ConnectionLost(1006, "not connected")
        return self._stream

    def _say_not_connected(self) -> None:
        self._post(Said("not connected", "error"))

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something that was asked for in a task; tell where it fails."""
        task = asyncio.get_running_loop().create_task(self._attempt(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except TribeError as error:
            self._post(Said(str(error), "error", error.hint))
        except Exception as error:  # noqa: BLE001 - a bug of ours: told where the handlers' bugs are
            self._post(Broke(error))
