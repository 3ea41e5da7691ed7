"""A clock that a developer steers: it runs as the machine's, stands still, runs N times as fast, or jumps.

Whoever sleeps or waits on it follows every change: a jump over the moment that a timer is set for makes the
call, in the order of the moments. Time never runs backwards on it. Until it is steered it tells exactly the
time of the clock it is based on.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tribe_ws.clock import Clock, SeededIds, SystemClock, Timer

SYSTEM = "system"
FROZEN = "frozen"
FASTEST = 100_000.0
LONGEST_JUMP = 10 * 365 * 86400.0
"""Seconds of a jump; what lies farther ahead is beyond the years that a date knows sooner or later."""
_TIMES = re.compile(r"x(\d+(?:\.\d+)?)")
_LONGEST_WAIT = 86400.0  # an event loop takes no timer of years
_TOO_MANY_CANCELLED = 64


def parse_mode(text: str) -> float:
    """Read ``system``, ``frozen`` or ``xN`` as the number of seconds that pass in a real one.

    Raises ``ValueError`` with a sentence for anything else.
    """
    if text == SYSTEM:
        return 1.0
    if text == FROZEN:
        return 0.0
    match = _TIMES.fullmatch(text)
    if match is None or not 0 < (speed := float(match[1])) <= FASTEST:
        raise ValueError(f"expected system, frozen or xN with N up to {FASTEST:.0f}, got {text[:40]!r}")
    return speed


def format_mode(speed: float) -> str:
    """Name a speed as ``parse_mode`` reads it."""
    return {0.0: FROZEN, 1.0: SYSTEM}.get(speed) or f"x{speed:.12g}"


@dataclass(frozen=True, slots=True)
class _Course:
    """How steered time follows from real time; replaced as a whole, so that other threads read no half of it.

    At the real moment ``real`` it was ``monotonic`` and ``wall``. At speed 1 the wall time is the base
    clock's own, ``ahead`` of it by what jumps have added.
    """

    speed: float
    real: float
    monotonic: float
    wall: datetime
    ahead: timedelta = timedelta(0)


class _SteeredTimer:
    """One entry of the agenda."""

    __slots__ = ("_clock", "callback", "due")

    def __init__(self, clock: SteeredClock, due: float, callback: Callable[[], None]) -> None:
        self._clock = clock
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Make sure that the call does not happen any more."""
        if self.callback is not None:
            self.callback = None
            self._clock.note_cancelled()


class SteeredClock:
    """A ``Clock`` with ``advance`` and ``set_mode``, which belong to the thread of its event loop.

    ``base`` is the real time. A mode that is none raises ``ValueError``.
    """

    def __init__(self, mode: str = SYSTEM, *, base: Clock | None = None) -> None:
        self._base: Clock = base if base is not None else SystemClock()
        self._course = _Course(parse_mode(mode), self._base.monotonic(), 0.0, self._base.now())
        self._ids: Callable[[str], str] = self._base.new_id
        self._agenda: list[tuple[float, int, _SteeredTimer]] = []
        self._order = itertools.count()
        self._cancelled = 0
        self._alarm: Timer | None = None
        self._alarm_at = math.inf
        self._is_jumping = False

    @property
    def mode(self) -> str:
        """How it runs now: ``system``, ``frozen`` or ``xN``."""
        return format_mode(self._course.speed)

    @property
    def ahead(self) -> float:
        """By how many seconds it is ahead of real time; negative where it is behind."""
        return (self.now() - self._base.now()).total_seconds()

    def now(self) -> datetime:
        """Tell the wall-clock time, aware and in UTC."""
        course = self._course
        if course.speed == 1.0:
            return self._base.now() + course.ahead
        passed = (self._base.monotonic() - course.real) * course.speed
        return course.wall + timedelta(seconds=passed)

    def monotonic(self) -> float:
        """Tell seconds from an arbitrary start; never runs backwards."""
        course = self._course
        return course.monotonic + (self._base.monotonic() - course.real) * course.speed

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock's time."""
        woken = asyncio.Event()
        timer = self.call_later(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` on the running loop after ``seconds`` of this clock's time."""
        timer = _SteeredTimer(self, self.monotonic() + max(0.0, seconds), callback)
        heapq.heappush(self._agenda, (timer.due, next(self._order), timer))
        if timer.due < self._alarm_at:
            self._set_alarm()
        return timer

    def new_id(self, kind: str) -> str:
        """Make a fresh id; after ``seed_ids``, the next one of its kind that the seed foresees."""
        return self._ids(kind)

    def seed_ids(self, seed: str) -> None:
        """Begin a sequence of ids that is the same for every run with that seed."""
        self._ids = SeededIds(seed)

    def set_mode(self, mode: str) -> None:
        """Run on at another speed from now on; raises ``ValueError`` for a mode that is none."""
        speed = parse_mode(mode)
        course = self._anchor()
        self._course = replace(course, speed=speed, ahead=course.wall - self._base.now())
        self._set_alarm()

    def advance(self, seconds: float) -> None:
        """Jump forward, and make every call that falls due on the way, each at its own moment.

        Raises ``ValueError`` for a step back and for one of more than ten years.
        """
        if not 0 <= seconds <= LONGEST_JUMP:
            raise ValueError(f"expected 0 to {LONGEST_JUMP:.0f} seconds, got {seconds:g}")
        until = self.monotonic() + seconds
        self._is_jumping = True
        try:
            while (due := self._next_due()) <= until:
                self._jump_to(due)
                self._call_first()
            self._jump_to(until)
        finally:
            self._is_jumping = False
            self._set_alarm()

    def note_cancelled(self) -> None:
        """Hear that a timer was cancelled; when many are, the agenda is tidied."""
        self._cancelled += 1
        if self._cancelled > max(_TOO_MANY_CANCELLED, len(self._agenda) // 2):
            self._agenda = [entry for entry in self._agenda if entry[2].callback is not None]
            heapq.heapify(self._agenda)
            self._cancelled = 0

    def _anchor(self) -> _Course:
        """Give the course as it looks from this moment."""
        real = self._base.monotonic()
        course = self._course
        wall, passed = self.now(), (real - course.real) * course.speed
        return replace(course, real=real, monotonic=course.monotonic + passed, wall=wall)

    def _jump_to(self, moment: float) -> None:
        course = self._anchor()
        if (step := moment - course.monotonic) > 0:
            further = timedelta(seconds=step)
            self._course = replace(
                course, monotonic=moment, wall=course.wall + further, ahead=course.ahead + further
            )

    def _next_due(self) -> float:
        while self._agenda and self._agenda[0][2].callback is None:
            heapq.heappop(self._agenda)
            self._cancelled = max(0, self._cancelled - 1)
        return self._agenda[0][0] if self._agenda else math.inf

    def _call_first(self) -> None:
        timer = heapq.heappop(self._agenda)[2]
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()

    def _set_alarm(self) -> None:
        """Have the base clock wake us for the next call, which stands still while this clock does."""
        if self._is_jumping:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, self._next_due()
        speed = self._course.speed
        if speed and self._alarm_at < math.inf:
            wait = (self._alarm_at - self.monotonic()) / speed
            self._alarm = self._base.call_later(min(max(0.0, wait), _LONGEST_WAIT), self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, math.inf
        try:
            # A base clock may ring a rounding error early; what is due then is due.
            until = self.monotonic() + 1e-6 * max(1.0, self._course.speed)
            while self._next_due() <= until:
                self._call_first()
        finally:
            self._set_alarm()
