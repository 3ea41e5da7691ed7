"""One connection of a replay: everything that comes over it is kept until something recorded explains it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.difference import Change, compare_frames
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.client.connection import NO_CLOSE_FRAME, Connection
from tribe_ws.client.events import Event
from tribe_ws.errors import AuthenticationError, ConnectionLost, TribeError

MOST_UNEXPLAINED = 10_000
"""So many frames that nobody asked for are kept; then no more is read."""


TELLING_PATHS = frozenset(
    {
        "", "conversation_id", "data.conversation_id", "data.id", "data.content", "data.user_id",
        "data.user_name", "data.is_typing", "data.is_online", "data.status", "data.code",
        "data.sender.username", "ref",
    }
)  # fmt: skip
"""Where a frame says which one it is: one that differs here may be another one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that came: the how-manieth, and after which line of the capture."""

    number: int
    event: Event
    after_line: int


Found = tuple[Arrival, tuple[Change, ...]]
"""What came for a record, and how it differs from it."""


class Line:
    """One open connection and what has come over it."""

    def __init__(self, user: str, connection: Connection) -> None:
        self.user = user
        self.waiting: list[Arrival] = []
        self.ending: TribeError | None = None
        self.now_at_line = 0
        self.newest: dict[str, int] = {}
        self.is_judged = True
        self.newest_explained = 0
        self._connection = connection
        self._count = 0
        self._moved = asyncio.Event()
        for event in connection.early:
            self._keep(event)
        self._reader = asyncio.create_task(self._read())

    @property
    def close_code(self) -> int | None:
        """The code with which the server ended it; ``None`` while it is open."""
        if isinstance(self.ending, ConnectionLost | AuthenticationError):
            return self.ending.close_code or NO_CLOSE_FRAME
        return None if self.ending is None else NO_CLOSE_FRAME

    async def send(self, text: str) -> None:
        """Send a frame; raises what ended the connection."""
        await self._connection.send(text)

    async def find(self, record: Record, renaming: Renaming, seconds: float) -> Found | None:
        """Give what came for a record, within a time; ``None`` if nothing did.

        A frame that is meant, but differs, is given at once: no other will come for that record.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := self._find(record, renaming)) is None and self.ending is None:
                    self._moved.clear()
                    await self._moved.wait()
                return found
        except TimeoutError:
            return None

    async def ended(self, seconds: float) -> bool:
        """Tell whether the server ends the connection within a time."""
        await asyncio.wait({self._reader}, timeout=seconds)
        return self._reader.done()

    def take(self, record: Record, renaming: Renaming) -> Arrival | None:
        """Give the first frame that is the recorded one, and keep it no longer; learn its ids."""
        for arrival in self.waiting:
            if _is_alike(arrival, record) and not difference(record, arrival.event, renaming):
                return self._explained(arrival)
        return None

    def take_like(self, record: Record, renaming: Renaming) -> Found | None:
        """Give the frame of the same event that differs least from the recorded one, and how."""
        alike = self._alike(record, renaming)
        if not alike:
            return None
        found = min(alike, key=lambda pair: len(pair[1]))
        self._explained(found[0])
        return found

    def _find(self, record: Record, renaming: Renaming) -> Found | None:
        if (arrival := self.take(record, renaming)) is not None:
            return arrival, ()
        for found in self._alike(record, renaming):
            if not any(change.path in TELLING_PATHS for change in found[1]):
                self._explained(found[0])
                return found
        return None

    def _explained(self, arrival: Arrival) -> Arrival:
        self.waiting.remove(arrival)
        self.newest_explained = max(self.newest_explained, arrival.number)
        return arrival

    def _alike(self, record: Record, renaming: Renaming) -> list[Found]:
        return [
            (arrival, difference(record, arrival.event, renaming))
            for arrival in self.waiting
            if _is_alike(arrival, record)
        ]

    async def close(self) -> None:
        """Close in an orderly way, and stop reading."""
        await self._connection.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while len(self.waiting) < MOST_UNEXPLAINED:
                self._keep(await self._connection.receive())
        except TribeError as error:
            self.ending = error
        finally:
            self._moved.set()

    def _keep(self, event: Event) -> None:
        self._count += 1
        self.waiting.append(Arrival(self._count, event, self.now_at_line))
        self._moved.set()


def _is_alike(arrival: Arrival, record: Record) -> bool:
    return (arrival.event.name or "?") == record.event


def difference(record: Record, event: Event, renaming: Renaming) -> tuple[Change, ...]:
    """Tell how a frame differs from the recorded one; one that is no JSON is compared as text."""
    got: Any = event.raw
    if record.frame is None:
        same = record.text == event.text
        return () if same else (Change("", json.dumps(record.text), json.dumps(event.text)),)
    return compare_frames(record.frame, got, renaming)
