"""The rows of a view as a growing list of numbers, and the small values that say what a row stands for."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

_COMPACT_AT = 4096


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of heartbeats that is shown as one row: its first event, how many, and the newest latency."""

    lane: str
    first: int
    events: int
    pongs: int
    latency: float | None

    def later(self, *, is_pong: bool, latency: float | None) -> Fold:
        """Add the next event of the run."""
        measured = self.latency if latency is None else latency
        return replace(self, events=self.events + 1, pongs=self.pongs + is_pong, latency=measured)

    def earlier(self, number: int, *, is_pong: bool, latency: float | None) -> Fold:
        """Add the event before the run."""
        measured = latency if self.latency is None else self.latency
        return replace(
            self, first=number, events=self.events + 1, pongs=self.pongs + is_pong, latency=measured
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its newest event, and what else it stands for.

    ``fold`` is there for a run of heartbeats, ``partner`` is the event of the other lane on the same line.
    """

    number: int
    fold: Fold | None = None
    partner: int | None = None

    def holds(self, number: int) -> bool:
        """Tell whether an event is shown by this row."""
        if self.fold is not None:
            return self.fold.first <= number <= self.number
        return number in (self.number, self.partner)


class Numbers(Sequence[int]):
    """Ascending numbers, four bytes each, that grow and shrink at both ends."""

    def __init__(self) -> None:
        # The numbers before the start were taken away; `_front` holds the older ones, newest first.
        self._front = array("I")
        self._back = array("I")
        self._start = 0

    def __len__(self) -> int:
        return len(self._front) + len(self._back) - self._start

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        older = len(self._front)
        if 0 <= index < older:
            return self._front[older - 1 - index]
        place = index - older + self._start
        if index < older or place >= len(self._back):
            raise IndexError(index)
        return self._back[place]

    def append(self, number: int) -> None:
        """Add the newest number."""
        self._back.append(number)

    def append_left(self, number: int) -> None:
        """Add the oldest number."""
        if not self._start or self._front:
            self._front.append(number)
        else:
            self._start -= 1
            self._back[self._start] = number

    def pop(self) -> int:
        """Take the newest number away."""
        if len(self._back) > self._start:
            return self._back.pop()
        return self._front.pop(0)

    def pop_left(self) -> int:
        """Take the oldest number away."""
        if self._front:
            return self._front.pop()
        number = self._back[self._start]
        self._start += 1
        if self._start >= _COMPACT_AT:
            del self._back[: self._start]
            self._start = 0
        return number

    def clear(self) -> None:
        """Take all away."""
        del self._front[:], self._back[:]
        self._start = 0
