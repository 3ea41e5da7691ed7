"""What the hub tells whoever counts: plain calls with plain values, on the hot path, so: be quick."""

from __future__ import annotations

from typing import Protocol


class HubObserver(Protocol):
    """Hears of everything worth counting; the server's metrics are one, ``NullObserver`` is the other."""

    def frame_in(self, event: str) -> None:
        """Hear that a client's frame was understood; ``event`` is its name."""
        ...

    def frame_out(self, event: str, n: int) -> None:
        """Hear that a frame of that event was handed to ``n`` connections."""
        ...

    def dropped(self, reason: str) -> None:
        """Hear that a client's frame was ignored, or a connection given up, for that reason."""
        ...

    def fan_out(self, seconds: float) -> None:
        """Hear how long the oldest frame of a batch took from its publishing to the last socket."""
        ...


class NullObserver:
    """Counts nothing."""

    def frame_in(self, event: str) -> None:
        """Hear of a client's frame and forget it."""

    def frame_out(self, event: str, n: int) -> None:
        """Hear of a server's frame and forget it."""

    def dropped(self, reason: str) -> None:
        """Hear of a drop and forget it."""

    def fan_out(self, seconds: float) -> None:
        """Hear of a fan-out and forget it."""
