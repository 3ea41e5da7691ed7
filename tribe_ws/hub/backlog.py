"""A store that is bounded twice, by number and by weight; what is oldest goes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Items in the order they came, at most ``most`` of them, and together no heavier than ``heaviest``.

    The newest item always stays, however heavy it is.
    """

    __slots__ = ("_heaviest", "_items", "_most", "_weight")

    def __init__(self, most: int, heaviest: int) -> None:
        self._most = most
        self._heaviest = heaviest
        self._items: deque[tuple[T, int]] = deque()
        self._weight = 0

    def put(self, item: T, weight: int) -> int:
        """Take an item, and tell how many had to go for it."""
        self._items.append((item, weight))
        self._weight += weight
        gone = 0
        while len(self._items) > self._most or (self._weight > self._heaviest and len(self._items) > 1):
            self._weight -= self._items.popleft()[1]
            gone += 1
        return gone

    def take_all(self) -> list[T]:
        """Give everything, oldest first, and keep nothing."""
        taken = list(self)
        self._items.clear()
        self._weight = 0
        return taken

    def __iter__(self) -> Iterator[T]:
        return (item for item, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)
