"""``Replay``: a capture in place of a live session: a timeline feeds the store, nothing can be sent.

Going back shows fewer events: what lies behind the new position is put into the store anew, as a fresh
capture would be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from tribe_ws.capture.reader import Capture, read_capture
from tribe_ws.capture.replay.timeline import AT_ONCE, Timeline
from tribe_ws.capture.replay.timeline import SPEEDS as STEADY_SPEEDS
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import ReplayMoved

SPEEDS = (*STEADY_SPEEDS, AT_ONCE)
"""The speeds one can switch between; the last shows everything at once."""
_LONGEST_WAIT = 0.1
"""Seconds after which a playing capture tells its position, due records or not."""
_IN_A_ROW = 5_000
"""Records that are put into the store between two chances for others to run."""


def open_capture(path: Path) -> Capture:
    """Read a capture; raises ``CaptureError`` or ``OSError``."""
    return read_capture(path)


class Replay:
    """A capture that plays into an inspection's store; ``post`` hears ``ReplayMoved``."""

    def __init__(
        self,
        capture: Capture,
        inspection: Inspection,
        post: Callable[[Message], object],
        *,
        now: Callable[[], float],
        speed: float = 1.0,
    ) -> None:
        self.capture = capture
        self.inspection = inspection
        self._timeline = Timeline(capture.records, speed=speed)
        self._post = post
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._timeline.records)

    @property
    def is_playing(self) -> bool:
        """Whether time goes by in it."""
        return self._task is not None and not self._task.done()

    @property
    def position(self) -> float:
        """The seconds since the first event."""
        return self._timeline.position

    @property
    def duration(self) -> float:
        """From the first event to the last, in seconds."""
        return self._timeline.duration

    @property
    def played(self) -> int:
        """How many events were shown."""
        return self._timeline.index

    @property
    def speed(self) -> float:
        """How much faster than it was recorded; 0 is at once."""
        return self._timeline.speed

    def set_speed(self, speed: float) -> None:
        """Play at one of ``SPEEDS``."""
        self._timeline.speed = speed
        self._moved()

    @property
    def is_at_end(self) -> bool:
        """Whether no event is left."""
        return self._timeline.is_at_end

    def play(self) -> None:
        """Let time go by, from the beginning where it is at its end."""
        if self.is_playing:
            return
        if self.is_at_end and len(self):
            self.seek(0.0)
        self._task = asyncio.get_running_loop().create_task(self._run(self._now()), name="replay")
        self._moved()

    def pause(self) -> None:
        """Stand still."""
        self._halt()
        self._moved()

    async def stop(self) -> None:
        """End it, without a word; idempotent."""
        if (task := self._halt()) is not None:
            await asyncio.wait({task})

    def step(self, count: int = 1) -> None:
        """Go on by some events, or back by some; it stands still then."""
        self.pause()
        if count < 0:
            for _ in range(-count):
                self._timeline.step_back()
            self._show_anew()
        for _ in range(count):
            record = self._timeline.step()
            if record is not None:
                self.inspection.take(record)
        self._moved()

    def seek(self, position: float) -> None:
        """Go to a position, in seconds since the first event."""
        before = self._timeline.index
        shown = self._timeline.seek(position)
        if len(shown) >= before:
            for record in shown[before:]:
                self.inspection.take(record)
        else:
            self._show_anew()
        self._moved()

    def faster(self) -> None:
        """Play at the next higher speed; after the highest comes everything at once."""
        self._timeline.speed = AT_ONCE if self.speed in (AT_ONCE, SPEEDS[-2]) else self._timeline.faster()
        self._moved()

    def slower(self) -> None:
        """Play at the next lower speed."""
        self._timeline.slower()
        self._moved()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, before: float) -> None:
        elapsed = 0.0
        while True:
            due = self._timeline.due(elapsed)
            for start in range(0, len(due), _IN_A_ROW):
                for record in due[start : start + _IN_A_ROW]:
                    self.inspection.take(record)
                await asyncio.sleep(0)
            self._moved()
            wait = self._timeline.until_next()
            if wait is None:
                return
            await asyncio.sleep(min(wait, _LONGEST_WAIT))
            now = self._now()
            elapsed, before = now - before, now

    def _show_anew(self) -> None:
        self.inspection.store.clear()
        for record in self._timeline.shown:
            self.inspection.take(record)

    def _halt(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    def _moved(self) -> None:
        self._post(ReplayMoved())
