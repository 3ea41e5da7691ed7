"""How a capture is to be played to a server, and what came of it: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tribe_ws.capture.replay.difference import Difference


@dataclass(frozen=True, slots=True)
class ServerReplayOptions:
    """How a capture is played to a server; durations are seconds.

    ``users`` renames people. ``speed`` 0 leaves out every pause, which also changes what depends on time (a
    repeated ``typing`` within a second is none). ``max_pause`` cuts longer pauses.
    """

    speed: float = 1.0
    max_pause: float | None = 2.5
    patience: float = 5.0
    most_differences: int = 100
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerReplay:
    """What came of it; ``late`` are frames which came after others that were recorded later."""

    differences: tuple[Difference, ...]
    frames: int
    calls: int
    sent: int
    late: int
    users: tuple[str, ...]
    left_out: Mapping[str, int]
    seconds: float
    gave_up: bool = False

    @property
    def is_same(self) -> bool:
        """Whether nothing differed but ids and times."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """Give the form for scripts."""
        return {
            "v": 1, "differences": len(self.differences), "frames": self.frames, "calls": self.calls,
            "sent": self.sent, "late": self.late, "users": list(self.users), "left_out": dict(self.left_out),
            "seconds": round(self.seconds, 3), "gave_up": self.gave_up,
        }  # fmt: skip
