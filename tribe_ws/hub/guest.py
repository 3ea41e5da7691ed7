"""A subscriber who is not simply owed what everybody gets (contract 3.5).

Frames wait for it while missed messages come first; what it had before does not come again; with an echo its
own user's messages come too. Only guests pay for this: other subscribers are never looked at in this way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from tribe_ws.protocol.frames_v2 import Stamp


class Published(Protocol):
    """What a guest needs to know of a frame."""

    @property
    def exclude_user(self) -> str | None:
        """The user who does not get it: its author."""
        ...

    @property
    def stamp(self) -> Stamp | None:
        """The message's number, and where it was posted; ``None`` for what is no message."""
        ...


F = TypeVar("F", bound=Published)


class Guest(Generic[F]):
    """One connection's terms in one conversation.

    ``waiting`` holds its frames as long as missed messages come first. It has all numbers up to ``floor``.
    """

    __slots__ = ("connection_id", "echo", "floor", "user_id", "waiting")

    def __init__(self, connection_id: str, user_id: str) -> None:
        self.connection_id = connection_id
        self.user_id = user_id
        self.waiting: list[F] | None = None
        self.floor = 0
        self.echo = False

    def choose(self, frames: Iterable[F]) -> list[F]:
        """Tell which of these frames are due, in their order."""
        return [frame for frame in frames if self._is_due(frame)]

    def is_owed(self, author: str | None, posted_on: str | None) -> bool:
        """Tell whether messages of that author, posted on that connection, are owed at all."""
        return self.user_id != author or (self.echo and posted_on != self.connection_id)

    def _is_due(self, frame: F) -> bool:
        if frame.stamp is None:
            return frame.exclude_user != self.user_id
        return frame.stamp.seq > self.floor and self.is_owed(frame.exclude_user, frame.stamp.connection_id)
