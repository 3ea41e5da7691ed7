"""One connection of an actor: opened with any token, broken off at will, and read all the time.

A refusal is nothing special: whatever ends the connection, a close code, an HTTP status or a broken line,
is its ``ending``, which steps wait for and reports show. It never connects again by itself.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tribe_ws.client.connection import NO_CLOSE_FRAME, Connection, open_connection
from tribe_ws.client.events import Event
from tribe_ws.client.options import Timeouts
from tribe_ws.clock import Clock
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.scenario.running.diary import Diary
from tribe_ws.scenario.running.inbox import Ending, Inbox

CLOSE_TIMEOUT = 2.0


class Link:
    """A connection that can be opened again and again; ``inbox`` holds what came, ``diary`` what happened."""

    def __init__(self, address: ServerAddress, diary: Diary, clock: Clock) -> None:
        self.inbox = Inbox()
        self.diary = diary
        self.subscribed: dict[str, None] = {}
        self.last_seen: dict[str, tuple[int, str]] = {}
        self._address = address
        self._clock = clock
        self._connection: Connection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the handshake is done and no end was seen."""
        return self._connection is not None and self.inbox.ending is None

    @property
    def was_opened(self) -> bool:
        """Whether anybody has ever opened it."""
        return self._reader is not None

    @property
    def is_v2(self) -> bool:
        """Whether the server has selected ``tribe.v2``."""
        return self._connection is not None and self._connection.is_v2

    async def open(self, token: str, *, offers_v2: bool, within: float) -> None:
        """Begin to open it anew, with an empty inbox; what comes of it is seen in the inbox."""
        await self.close()
        self.inbox.open_anew()
        self.subscribed.clear()
        self._settled.clear()
        timeouts = Timeouts(handshake=within, connected=within, close=CLOSE_TIMEOUT)
        self._reader = asyncio.create_task(self._read(token, timeouts, offers_v2=offers_v2))

    async def settled(self) -> None:
        """Return when an attempt to open it has come to something, good or bad."""
        if self.was_opened:
            await self._settled.wait()

    async def send(self, frame: str | bytes) -> None:
        """Send a frame as it stands; raises ``ConnectionLost`` where nothing is open."""
        if self._connection is None or self.inbox.ending is not None:
            raise self._not_open()
        await self._connection.send(frame)
        self.diary.sent(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it in an orderly way, if it is open, and stop reading."""
        if self._connection is not None and self.inbox.ending is None:
            self._end(Ending(code, reason, is_ours=True))
            with suppress(TribeError, TimeoutError):
                async with asyncio.timeout(2 * CLOSE_TIMEOUT):
                    await self._connection.close(code, reason)
        await self._stop()

    async def break_off(self) -> None:
        """End it at once and without a close frame, as a lost network does."""
        if self._connection is not None and self.inbox.ending is None:
            self._end(Ending(NO_CLOSE_FRAME, is_ours=True))
            self._connection.break_off("")
        await self._stop()

    async def _read(self, token: str, timeouts: Timeouts, *, offers_v2: bool) -> None:
        try:
            connection = await open_connection(
                self._address, token, clock=self._clock, timeouts=timeouts, offers_v2=offers_v2
            )
            self._connection = connection
            self._settled.set()
            for event in connection.early:
                self._take(event)
            while True:
                self._take(await connection.receive())
        except TribeError as error:
            self._end(ending_of(error))

    def _take(self, event: Event) -> None:
        self.diary.got(event)
        if event.conversation_id is not None:
            self._remember(event, event.conversation_id)
        self.inbox.take(event)

    def _remember(self, event: Event, conversation_id: str) -> None:
        """Keep where a conversation of ``tribe.v2`` stands, for a resume."""
        seq, epoch = self.last_seen.get(conversation_id, (0, ""))
        if (subscription := event.subscription) is not None:
            self.last_seen[conversation_id] = max(seq, subscription.seq), subscription.epoch
        elif event.seq is not None:
            self.last_seen[conversation_id] = max(seq, event.seq), epoch

    def _end(self, ending: Ending) -> None:
        if self.inbox.ending is None:
            self.diary.ended(ending)
        self.inbox.end(ending)
        self._settled.set()

    def _not_open(self) -> TribeError:
        ending = self.inbox.ending
        if ending is None:
            return ConnectionLost(NO_CLOSE_FRAME, "it was never opened")
        return ending.error or ConnectionLost(ending.code, ending.reason)

    async def _stop(self) -> None:
        self._connection = None
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        self._settled.set()


def ending_of(error: TribeError) -> Ending:
    """Tell as an ending what kept a connection from being opened, or ended it."""
    match error:
        case AuthenticationError(close_code=int(code)):
            return Ending(code, error.reason, error=error)
        case AuthenticationError(reason=reason) if reason.startswith("http_"):
            return Ending(int(reason.removeprefix("http_")), error.message, error=error)
        case ConnectionLost():
            return Ending(error.close_code, error.reason, error=error)
        case CannotConnect(status=int(status)):
            return Ending(status, error.message, error=error)
    return Ending(NO_CLOSE_FRAME, error.message, error=error)
