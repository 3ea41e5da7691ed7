"""Time and ids come from here and nowhere else, so that tests move the one and know the other.

Two implementations: ``SystemClock`` for real life, ``ManualClock`` for tests and for a server whose time
is moved by hand.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """Make a fresh id: a UUIDv7 in its hyphenated lower-case form, ordered by the time of its making."""
    return str(uuid7())


# 2024-01-01 in milliseconds: where the count in seeded ids begins.
_SEEDED_SINCE = 1_704_067_200_000


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

    def new_id(self, kind: str) -> str:
        """Make a fresh id for a thing of that kind (``message``, ``user``, …)."""
        ...


class SeededIds:
    """Ids that repeat: the n-th id of a kind is the same in every run with the same seed.

    They have the form of a UUIDv7 and are ordered by their making, as all ids here are; the time in them is
    only a count. What one kind uses up changes nothing for the others. Safe to call from several threads.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._chances: dict[str, tuple[Iterator[int], Random]] = {}
        self._lock = threading.Lock()

    def __call__(self, kind: str) -> str:
        """Make the next id of that kind."""
        with self._lock:
            if kind not in self._chances:
                # To be foreseen is what these ids are for.
                chance = Random(f"{self._seed}:{kind}")  # noqa: S311
                self._chances[kind] = itertools.count(_SEEDED_SINCE), chance
            count, chance = self._chances[kind]
            bits = (
                next(count) << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)
            )
        return str(UUID(int=bits))


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

    def new_id(self, kind: str) -> str:  # noqa: ARG002 - ids of all kinds are alike here
        """Make a fresh id, unlike any other."""
        return new_id()


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

    def new_id(self, kind: str) -> str:  # noqa: ARG002 - ids of all kinds are alike here
        """Make a fresh id, unlike any other."""
        return new_id()

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
