"""Follows every message to every subscriber, at a cost that does not grow with their number."""

from __future__ import annotations

from collections import defaultdict


class Progress:
    """How many messages have reached each subscriber, and how many have reached them all.

    Messages of a channel arrive in order, so a subscriber's state is one number.
    """

    __slots__ = ("_counts", "complete", "frames")

    def __init__(self, subscribers: int) -> None:
        self.complete = 0
        self.frames = 0
        # How many subscribers have got exactly so many messages.
        self._counts: defaultdict[int, int] = defaultdict(int, {0: subscribers})

    def advance(self, before: int, frames: int) -> bool:
        """Note ``frames`` more for one who had got ``before``; tells whether that completed a message."""
        counts = self._counts
        counts[before] -= 1
        counts[before + frames] += 1
        self.frames += frames
        if counts[self.complete]:
            return False
        while not counts[self.complete]:
            del counts[self.complete]
            self.complete += 1
        return True

    @property
    def furthest(self) -> int:
        """How many messages the one who got the most of them has got."""
        return max(count for count, subscribers in self._counts.items() if subscribers)
