"""When a stream ends by itself: after so long, so many events, or the event that was waited for."""

from __future__ import annotations

from dataclasses import dataclass

from tribe_ws.capture.filter import Filter
from tribe_ws.capture.record import Record
from tribe_ws.durations import format_duration
from tribe_ws.errors import WaitedInVain


@dataclass(slots=True)
class Bounds:
    """The bounds of one stream.

    ``count`` counts events that match ``until``, or else those that are shown.
    """

    seconds: float | None = None
    count: int | None = None
    until: Filter | None = None
    _reached: int = 0

    @property
    def is_bounded(self) -> bool:
        """Whether this stream ends by itself at all."""
        return self.seconds is not None or self.count is not None or self.until is not None

    @property
    def is_reached(self) -> bool:
        """Whether what was waited for has come."""
        return self._waits and self._reached >= (self.count or 1)

    def matches(self, record: Record) -> bool:
        """Tell whether a record is one of those waited for by ``until``."""
        return self.until is not None and record.direction != "note" and self.until.matches(record)

    def take(self, record: Record, *, is_shown: bool) -> None:
        """Count a record."""
        if self.until is not None:
            self._reached += self.matches(record)
        elif record.direction == "in":
            self._reached += is_shown

    def in_vain(self, saw: str) -> WaitedInVain | None:
        """Tell, when the time is over, whether it was spent in vain."""
        if not self._waits or self.is_reached:
            return None
        assert self.seconds is not None
        time = f"{self.seconds:g} s" if self.seconds < 120 else format_duration(self.seconds)
        if self.until is not None:
            what = f"no event matched '{self.until.text}' in {time}"
            if self.count:
                what = f"{self._reached} of {self.count} events matched '{self.until.text}' in {time}"
        else:
            what = f"{self._reached} of {self.count} events came in {time}"
        return WaitedInVain(f"{what} (saw: {saw})", seconds=self.seconds)

    @property
    def _waits(self) -> bool:
        return self.count is not None or self.until is not None
