"""Time and ids come from here and nowhere else, so that tests move the one and know the other.

Two implementations: ``SystemClock`` for real life, ``ManualClock`` for tests and for a server whose time
is moved by hand.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from uuid_utils import uuid7


def new_id() -> str:
    """Make a fresh id: a UUIDv7 in its hyphenated lower-case form, ordered by the time of its making."""
    return str(uuid7())


def format_timestamp(moment: datetime) -> str:
    """Write a moment as the wire wants it: UTC, milliseconds, ``Z`` (contract 3.3)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Timer(Protocol):
    """A call that will happen unless it is cancelled; cancelling twice or too late does nothing."""

    def cancel(self) -> None:
        """Make sure the call does not happen any more."""
        ...


class Clock(Protocol):
    """What the rest of the program knows of time."""

    def now(self) -> datetime:
        """Tell the wall-clock time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds from an arbitrary start; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock's time."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` on the running loop after ``seconds`` of this clock's time."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Tell the wall-clock time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds from an arbitrary start; never runs backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of real time."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` on the running loop after ``seconds`` of real time."""
        return asyncio.get_running_loop().call_later(seconds, callback)


class _ManualTimer:
    """One entry in a ``ManualClock``'s agenda."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """A clock that stands still until ``advance`` moves it, and then fires what has become due, in order."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, 12, 0, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._agenda: list[tuple[float, int, _ManualTimer]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Tell the wall-clock time, aware and in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Tell the seconds this clock was advanced so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Return once ``advance`` has moved the clock by ``seconds``."""
        woken = asyncio.Event()
        timer = self.call_later(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` from within the ``advance`` that makes it due."""
        timer = _ManualTimer(self._elapsed + max(0.0, seconds), callback)
        heapq.heappush(self._agenda, (timer.due, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move time forward by ``seconds`` and make every call that falls due on the way."""
        until = self._elapsed + seconds
        while self._agenda and self._agenda[0][0] <= until:
            due, _, timer = heapq.heappop(self._agenda)
            self._elapsed = max(self._elapsed, due)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._elapsed = until
