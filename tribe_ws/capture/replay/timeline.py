"""Where a replay stands in the records of a capture: what is due, stepping, seeking, how fast.

Pure: it has no clock and does no I/O. Who plays tells how many seconds have gone by, and gets the records
which have come due.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from tribe_ws.capture.record import Record

SPEEDS: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
"""What ``faster`` and ``slower`` choose from."""

AT_ONCE = 0.0
"""The speed at which everything is due at once."""


class Timeline:
    """The records of a capture on one line of time, and a place on it.

    Positions are seconds since the first record, of recorded time; a pause longer than ``max_pause`` counts
    as that long. A record that was written with an earlier time than the one before it counts as
    simultaneous. ``speed`` may be set at any time: 2 is twice as fast, 0 is at once. Raises ``ValueError``
    for a negative speed or pause.
    """

    def __init__(
        self, records: Iterable[Record], *, speed: float = 1.0, max_pause: float | None = None
    ) -> None:
        self.records: tuple[Record, ...] = tuple(records)
        self._offsets = _offsets(self.records, max_pause)
        self._index = 0
        self._position = 0.0
        self._speed = 1.0
        self.speed = speed

    @property
    def speed(self) -> float:
        """How much faster than it was recorded; 0 is at once."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if not 0 <= value < float("inf"):
            raise ValueError(f"a speed is 0 (at once) or more, got {value}")
        self._speed = value

    @property
    def position(self) -> float:
        """The place, in seconds since the first record."""
        return self._position

    @property
    def duration(self) -> float:
        """The seconds from the first record to the last."""
        return self._offsets[-1] if self._offsets else 0.0

    @property
    def index(self) -> int:
        """How many records lie behind the place."""
        return self._index

    @property
    def shown(self) -> tuple[Record, ...]:
        """The records that lie behind the place, oldest first."""
        return self.records[: self._index]

    @property
    def current(self) -> Record | None:
        """The record that was given last; ``None`` at the beginning."""
        return self.records[self._index - 1] if self._index else None

    @property
    def is_at_end(self) -> bool:
        """Whether no record is left."""
        return self._index == len(self.records)

    def offset(self, index: int) -> float:
        """Tell at which position a record stands, by its index."""
        return self._offsets[index]

    def due(self, elapsed: float) -> tuple[Record, ...]:
        """Let so many seconds go by since the last call, and give the records that came due in them.

        The first record is due at once, with ``due(0)``.
        """
        if self._speed == AT_ONCE:
            return self._go_to(self.duration)
        return self._go_to(min(self.duration, self._position + max(0.0, elapsed) * self._speed))

    def until_next(self) -> float | None:
        """Tell in how many seconds the next record is due, at the speed of now; ``None`` at the end."""
        if self.is_at_end:
            return None
        if self._speed == AT_ONCE:
            return 0.0
        return max(0.0, self._offsets[self._index] - self._position) / self._speed

    def step(self) -> Record | None:
        """Go one record forward and give it; ``None`` at the end."""
        if self.is_at_end:
            return None
        self._position = self._offsets[self._index]
        self._index += 1
        return self.records[self._index - 1]

    def step_back(self) -> Record | None:
        """Take the last record back, and give the one which is the last now; ``None`` at the beginning."""
        self._index = max(0, self._index - 1)
        self._position = self._offsets[self._index - 1] if self._index else 0.0
        return self.current

    def seek(self, position: float) -> tuple[Record, ...]:
        """Go to a position, forward or back, and give all the records that lie behind it now."""
        self._position = min(max(0.0, position), self.duration)
        self._index = bisect_right(self._offsets, self._position) if position >= 0 else 0
        return self.shown

    def faster(self) -> float:
        """Take the next higher of ``SPEEDS``, and give it; at once stays at once."""
        if self._speed != AT_ONCE:
            higher = [speed for speed in SPEEDS if speed > self._speed]
            self._speed = higher[0] if higher else self._speed
        return self._speed

    def slower(self) -> float:
        """Take the next lower of ``SPEEDS``, and give it; from at once it is the highest."""
        if self._speed == AT_ONCE:
            self._speed = SPEEDS[-1]
        else:
            lower = [speed for speed in SPEEDS if speed < self._speed]
            self._speed = lower[-1] if lower else self._speed
        return self._speed

    def _go_to(self, position: float) -> tuple[Record, ...]:
        self._position = position
        before, self._index = self._index, max(self._index, bisect_right(self._offsets, position))
        return self.records[before : self._index]


def _offsets(records: tuple[Record, ...], max_pause: float | None) -> list[float]:
    if max_pause is not None and max_pause < 0:
        raise ValueError(f"a pause cannot be shorter than nothing, got {max_pause}")
    offsets: list[float] = []
    newest = None
    for record in records:
        if newest is None:
            offsets.append(0.0)
        else:
            pause = max(0.0, (record.at - newest).total_seconds())
            offsets.append(offsets[-1] + (pause if max_pause is None else min(pause, max_pause)))
        newest = record.at if newest is None else max(newest, record.at)
    return offsets
