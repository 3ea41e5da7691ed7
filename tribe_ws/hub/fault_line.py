"""One direction of one connection while faults are on: holds frames up and gives them on when they are due.

Order is kept: a frame that is due early waits for those before it. Only a frame that is set aside lets the
next one pass. What is held is dropped with the connection.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from tribe_ws.clock import Clock, Timer

ASIDE = 1.0
"""Seconds after which a frame that was set aside goes on although no other has passed it."""
_TOLERANCE = 1e-6  # a timer may fire a rounding error before the moment it was set for
FrameT = TypeVar("FrameT")


class FaultLine(Generic[FrameT]):
    """Takes frames in and gives each on, at once or later, through ``give``."""

    __slots__ = ("_aside", "_clock", "_give", "_held", "_timer")

    def __init__(self, clock: Clock, give: Callable[[FrameT], None]) -> None:
        self._clock = clock
        self._give = give
        self._held: deque[tuple[float, FrameT]] = deque()
        self._aside: list[tuple[float, FrameT]] = []
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._held) + len(self._aside)

    @property
    def has_aside(self) -> bool:
        """Whether a frame waits to be overtaken; the next one must pass it, whatever the rules say."""
        return bool(self._aside)

    def frames(self) -> tuple[FrameT, ...]:
        """List what is held."""
        return tuple(frame for _, frame in (*self._held, *self._aside))

    def push(self, frame: FrameT, delay: float = 0.0) -> None:
        """Take a frame that is due after ``delay`` seconds; without end for infinity."""
        due = self._clock.monotonic() + delay
        if not self._held and delay <= 0:
            self._pass(frame)
            return
        self._held.append((due, frame))
        self._arm()

    def set_aside(self, frame: FrameT) -> None:
        """Take a frame that the next one is to overtake."""
        self._aside.append((self._clock.monotonic() + ASIDE, frame))
        self._arm()

    def release(self) -> None:
        """Give everything on now, in order."""
        self._stop()
        while self._held:
            self._pass(self._held.popleft()[1])
        self._let_go(math.inf)

    def drop(self) -> None:
        """Forget everything."""
        self._stop()
        self._held.clear()
        self._aside.clear()

    def _pass(self, frame: FrameT) -> None:
        overtaken, self._aside = self._aside, []
        self._give(frame)
        for _, other in overtaken:
            self._give(other)

    def _let_go(self, until: float) -> None:
        while self._aside and self._aside[0][0] <= until:
            self._give(self._aside.pop(0)[1])

    def _arm(self) -> None:
        self._stop()
        due = [line[0][0] for line in (self._held, self._aside) if line]
        if due and (first := min(due)) < math.inf:
            self._timer = self._clock.call_later(max(0.0, first - self._clock.monotonic()), self._due)

    def _due(self) -> None:
        self._timer = None
        now = self._clock.monotonic() + _TOLERANCE
        while self._held and self._held[0][0] <= now:
            self._pass(self._held.popleft()[1])
        self._let_go(now)
        self._arm()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
