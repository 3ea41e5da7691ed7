"""What a connection has received and no step has claimed yet; pure bookkeeping, with one thing to wait for.

Frames are numbered as they come and stay until a step claims them, the scenario forgets them, or more than
``MOST_FRAMES`` have piled up: then the oldest go, and ``lost`` says how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from tribe_ws.client.events import Event
from tribe_ws.errors import TribeError

MOST_FRAMES = 10_000
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended: by which code, and whether we ended it ourselves (``is_ours``).

    A handshake that was refused by HTTP has the status as its code; an end without a close frame has 1006.
    """

    code: int
    reason: str = ""
    is_ours: bool = False
    error: TribeError | None = None

    def __str__(self) -> str:
        return f'{self.code} "{self.reason}"' if self.reason else str(self.code)

    def as_json(self) -> dict[str, Any]:
        """Give what captures of an ``expect: closed`` look into."""
        return {"code": self.code, "reason": self.reason}


class Inbox:
    """The unclaimed frames of one connection, by number, and how it ended."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self.ending: Ending | None = None
        self.lost = 0
        self._most = most
        self._frames: dict[int, Event] = {}
        self._claimed: deque[tuple[Event, str]] = deque(maxlen=_REMEMBERED)
        self._next = 1
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def next_number(self) -> int:
        """The number which the next frame will have."""
        return self._next

    def take(self, event: Event) -> None:
        """Keep a frame that has come."""
        self._frames[self._next] = event
        self._next += 1
        if len(self._frames) > self._most:
            del self._frames[next(iter(self._frames))]
            self.lost += 1
        self._news.set()

    def end(self, ending: Ending) -> None:
        """Note that the connection has ended; only the first word on it counts."""
        self.ending = self.ending or ending
        self._news.set()

    def open_anew(self) -> None:
        """Begin with nothing, for a connection that is opened."""
        self.forget()
        self.ending = None

    def forget(self) -> None:
        """Throw away all that nobody has claimed."""
        self._frames.clear()
        self._claimed.clear()
        self.lost = 0

    def unclaimed(self, since: int = 0) -> list[tuple[int, Event]]:
        """Give the frames that nobody has claimed, those numbered ``since`` or later, oldest first."""
        # From the newest on: whoever looks again and again wants the few that have come since.
        newest = takewhile(lambda number: number >= since, reversed(self._frames))
        return [(number, self._frames[number]) for number in reversed(tuple(newest))]

    def claim(self, numbers: Iterable[int], by: str = "") -> list[Event]:
        """Take frames out and give them; ``by`` says for whom."""
        found = [self._frames.pop(number) for number in numbers]
        self._claimed.extend((event, by) for event in found)
        return found

    @property
    def claimed(self) -> tuple[tuple[Event, str], ...]:
        """The frames that were claimed last, and by whom."""
        return tuple(self._claimed)

    def holds(self, number: int) -> bool:
        """Tell whether a frame is still unclaimed."""
        return number in self._frames

    async def news(self) -> None:
        """Return when something has come or the connection has ended since the last look."""
        self._news.clear()
        await self._news.wait()


class Search:
    """Finds for every pattern ``count`` frames of its own, among frames that are offered one by one.

    A frame may fit several patterns: they are dealt out so that as many patterns as possible are served, and
    whoever comes earlier is preferred. ``in_order`` wants them in the order of the patterns instead.
    """

    def __init__(
        self, patterns: Sequence[Callable[[Any], bool]], *, count: int = 1, in_order: bool = False
    ) -> None:
        self._patterns = patterns
        self._count = count
        self._in_order = in_order
        self._fitting: dict[int, frozenset[int]] = {}
        self._found: list[list[int]] = [[] for _ in patterns]
        self._free = set(range(len(patterns)))
        self._owner: dict[int, int] = {}

    @property
    def is_done(self) -> bool:
        """Whether every pattern has its frames."""
        return not self._free

    @property
    def found(self) -> list[int]:
        """The numbers of the frames that serve, pattern by pattern."""
        return [number for numbers in self._found for number in sorted(numbers)]

    @property
    def missing(self) -> Iterator[int]:
        """The patterns that still lack a frame, by their position."""
        return iter(sorted(self._free))

    def missing_count(self, place: int) -> int:
        """Tell how many frames a pattern still lacks."""
        return self._count - len(self._found[place])

    def offer(self, number: int, value: Any) -> bool:
        """Look at the next frame; tells whether every pattern is served now."""
        if self.is_done:
            return True
        if self._in_order:
            place = min(self._free)
            if self._patterns[place](value):
                self._give(number, place)
        else:
            fitting = frozenset(place for place, fits in enumerate(self._patterns) if fits(value))
            self._fitting[number] = fitting
            if fitting:
                self._place(number)
        return self.is_done

    def _place(self, number: int) -> None:
        """Give a frame to a pattern that fits; where all of those are served, move other frames to make room.

        This is one search for an augmenting path: breadth first, each pattern looked at once.
        """
        came_from: dict[int, int] = {}
        waiting = deque([number])
        unseen = set(range(len(self._patterns)))
        while waiting:
            frame = waiting.popleft()
            reached = self._fitting[frame] & unseen
            came_from.update(dict.fromkeys(reached, frame))
            if free := reached & self._free:
                self._move(min(free), came_from, number)
                return
            unseen -= reached
            waiting.extend(other for place in sorted(reached) for other in self._found[place])

    def _move(self, place: int, came_from: dict[int, int], number: int) -> None:
        """Move each frame on the path to the pattern after it, and the new one to the first."""
        while (moved := came_from[place]) != number:
            before = self._owner[moved]
            self._found[before].remove(moved)
            self._give(moved, place)
            place = before
        self._give(number, place)

    def _give(self, number: int, place: int) -> None:
        self._found[place].append(number)
        self._owner[number] = place
        if len(self._found[place]) >= self._count:
            self._free.discard(place)
