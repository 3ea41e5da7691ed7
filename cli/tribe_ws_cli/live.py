"""One open session: its socket, what is printed of it, and when it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.capture.notices import (
    dropped_words,
    lost_words,
    not_fetched_words,
    pong_words,
    reconnected_words,
    repeated_words,
)
from tribe_ws.capture.record import Record
from tribe_ws.capture.words import latency_text
from tribe_ws.client.events import (
    CatchUpFailed,
    Dropped,
    Event,
    Lost,
    Notice,
    PongMissing,
    Reconnected,
    Reconnecting,
    Repeated,
    StreamItem,
    WireLine,
)
from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.stream import EventStream, StreamState
from tribe_ws.protocol.urls import redact
from tribe_ws_cli.bounds import Bounds
from tribe_ws_cli.identity import Identity
from tribe_ws_cli.notices import session_words, silence_words
from tribe_ws_cli.printer import Printer
from tribe_ws_cli.recording import Recording

SILENCE = 5.0
"""Seconds after which a silence is explained."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What one session is asked to do."""

    subscribe: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    reconnect: bool = True
    max_retries: int | None = None
    ping_every: float | None = None
    shows_opening: bool = False
    offers_v2: bool = True


class Live:
    """An open session for the length of an ``async with``."""

    def __init__(self, identity: Identity, names: Names, printer: Printer, options: LiveOptions) -> None:
        environment = identity.environment
        self.identity = identity
        self.names = names
        self.printer = printer
        self.options = options
        self.journal = Journal(names, is_same_clock=environment.address.is_loopback)
        self.opened_in = 0.0
        self.recording = Recording(lambda words: self.note("record", words, tag="error"))
        self._told: str | None = None
        self._shows_ping = False
        self._started = time.monotonic()
        self._opening: set[str] = set()
        self._heard = asyncio.Event()
        self._moved = asyncio.Event()
        self._reached = asyncio.Event()
        self._pending_loss = ""
        self._ending = "Never open"
        assert identity.rest.source is not None
        self.stream = EventStream(
            environment.address,
            identity.rest.source,
            options=_stream_options(options, environment.timeout),
            history=identity.rest,
            user_id=_user_id(identity),
            on_wire=self._hear_wire,
        )

    async def __aenter__(self) -> Self:
        self.identity.exchanges.listen(self._hear_call)
        began = time.monotonic()
        await self.stream.connect()
        self.opened_in = time.monotonic() - began
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = "Closed 1000" if self.is_open else "Left while the connection was down"
        await self.stream.close()
        self.recording.stop()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now, on which ``connected`` was seen."""
        return self.stream.state is StreamState.OPEN

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────

    async def open_subscriptions(self) -> list[float]:
        """Subscribe to what was asked for; tell how long each took. Raises ``WaitedInVain``."""
        ids = [self.names.find(name) for name in self.options.subscribe]
        self._opening.update(ids)
        await self._take_connected()
        took = []
        for conversation_id in ids:
            took.append(await self.stream.subscribe(conversation_id))
            # Whoever was quicker than we may have said by then all that is waited for, and more.
            while self.stream.unread and not self._reached.is_set():
                self.take(await anext(self.stream))
        return took

    async def _take_connected(self) -> None:
        """Read up to ``connected``, so that it stands before what is asked for after it."""
        async for item in self.stream:
            self.take(item)
            if isinstance(item, Event) and item.name == "connected":
                return

    async def read(self) -> None:
        """Print what happens until the session ends; raises the error that ended it."""
        if self._reached.is_set():
            return
        async for item in self.stream:
            self.take(item)
            if self._reached.is_set():
                return

    async def until_bounds(self) -> None:
        """Return when a bound is reached; raises ``WaitedInVain`` when the time is over before that."""
        bounds = self.options.bounds
        try:
            async with asyncio.timeout(bounds.seconds):
                await self._reached.wait()
        except TimeoutError:
            if (error := bounds.in_vain(self.journal.summary())) is not None:
                raise error from None

    async def explain_silence(self, *, can_subscribe: bool) -> None:
        """Say once, after some seconds without an event, why none may have come."""
        try:
            async with asyncio.timeout(SILENCE):
                await self._heard.wait()
        except TimeoutError:
            if self.is_open:
                self.note("note", silence_words(self, can_subscribe=can_subscribe))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition holds; it is looked at after each thing that the stream gave."""
        while not condition():
            self._moved.clear()
            await self._moved.wait()

    def take(self, item: StreamItem) -> None:
        """Record and print one thing that the stream gave."""
        self._moved.set()
        if isinstance(item, Event):
            self._take_event(item)
        else:
            self._take_notice(item)

    def show(self, record: Record) -> None:
        """Print a record, keep it if something is recorded, and count it."""
        is_shown = self.printer.record(record, self.names)
        self.recording.write(record)
        self.options.bounds.take(record, is_shown=is_shown)
        if self.options.bounds.is_reached:
            self._reached.set()

    def note(self, event: str, words: str, *, tag: str = "") -> None:
        """Say something in a line of its own."""
        self.show(self.journal.note(event, words, tag=tag))

    # ── talking ───────────────────────────────────────────────────────────────────────────────────────────

    async def send_frame(self, text: str) -> None:
        """Send one frame, right or wrong, and print it."""
        # Printed first: the answer may be read before this task goes on.
        self.show(self.journal.sent(text))
        self._told = redact(text)
        await self.stream.send(text)

    async def ping(self) -> float:
        """Send the documented ping, print it, and give the seconds until its pong."""
        self._shows_ping = True
        return await self.stream.ping()

    async def say(self, conversation_id: str, content: str) -> Any:
        """Send a message by REST; it is printed when the server has stored it."""
        return await self.identity.rest.send_message(conversation_id, content)

    def _hear_wire(self, line: WireLine) -> None:
        """Write down what the stream sends by itself; what was typed is in the journal already."""
        if line.direction != "out":
            return
        if line.text == self._told:
            self._told = None
        elif self._shows_ping and '"ping"' in line.text:
            self._shows_ping = False
            self.show(self.journal.sent(line.text))
        else:
            self.recording.write(self.journal.sent(line.text, is_own=True))

    def _hear_call(self, exchange: Exchange) -> None:
        record = self.journal.called(exchange)
        if record.seq:
            self.show(record)
        else:
            self.recording.write(record)

    # ── endings ───────────────────────────────────────────────────────────────────────────────────────────

    def summary(self) -> str:
        """Say what the session was."""
        return f"{self._ending}. {session_words(self.journal, time.monotonic() - self._started)}."

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _take_event(self, event: Event) -> None:
        is_opening = self._is_opening(event)
        # Who comes and goes is told unasked: it does not break a silence that needs to be explained.
        if not is_opening and event.name != "presence":
            self._heard.set()
        record = self.journal.event(event)
        is_quiet = event.is_heartbeat or (is_opening and not self.options.shows_opening)
        if is_quiet and not self.options.bounds.matches(record):
            self.recording.write(record)
            return
        self.show(record)

    def _is_opening(self, event: Event) -> bool:
        """Tell whether an event only answers what the session did by itself when it opened."""
        if event.name == "connected":
            return self.journal.seen["connected"] == 0
        if event.name == "subscribed" and event.conversation_id in self._opening:
            self._opening.discard(event.conversation_id)
            return True
        return False

    def _take_notice(self, notice: Notice) -> None:
        match notice:
            case Lost():
                self._take_loss(notice)
            case Reconnecting() if self._pending_loss:
                again = f"Trying again in {latency_text(notice.delay)}"
                self.note("closed", f"{self._pending_loss}. {again}", tag="error")
                self._pending_loss = ""
            case Reconnected():
                self._heard.clear()
                self.note("reconnected", reconnected_words(notice, self.names), tag="gap")
            case CatchUpFailed():
                self.note("gap", not_fetched_words(notice, self.names), tag="gap")
            case Dropped():
                self.note("gap", dropped_words(notice), tag="gap")
            case PongMissing():
                self.note("note", pong_words(notice))
            case Repeated():
                # The message itself was printed before; a reader of the lines gets it once.
                self.recording.write(self.journal.event(notice.event))
                self.note("repeated", repeated_words(notice), tag="error")

    def _take_loss(self, loss: Lost) -> None:
        self._pending_loss = lost_words(loss)
        if not self.options.reconnect:
            self.note("closed", f"{self._pending_loss}.", tag="error")


async def run_together(main: Any, *others: Any) -> None:
    """Run coroutines side by side until the first of ``main`` ends, then stop the others.

    Raises what the first one raised.
    """
    mains = [asyncio.ensure_future(one) for one in main]
    side = [asyncio.ensure_future(one) for one in others]
    try:
        done, _ = await asyncio.wait(mains, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*mains, *side):
            task.cancel()
        await asyncio.gather(*mains, *side, return_exceptions=True)


def dialling(identity: Identity) -> str:
    """Say which connection is being made, without the token."""
    return f"{identity.environment.address.socket_url}?token=*** as {identity.username}"


def _stream_options(options: LiveOptions, timeout: float) -> StreamOptions:
    beat = options.ping_every
    default = StreamOptions()
    return StreamOptions(
        reconnect=options.reconnect,
        max_tries=options.max_retries,
        heartbeat=default.heartbeat if beat is None else (beat, beat) if beat else None,
        answer_timeout=timeout,
        offers_v2=options.offers_v2,
    )


def _user_id(identity: Identity) -> str | None:
    tokens = identity.rest.tokens
    return tokens.user_id if tokens is not None else None
