"""What a server was seen to do before the probes began, so that one broken promise does not fail them all.

A probe that needs a connection need not wait for a ``connected`` which this server never sends; the one
probe that judges ``connected`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Marker = Literal["pong", "subscribed", "none"]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a server behaves on a good day.

    ``greets``: it sends ``connected``. ``marker``: which answer proves that it has read everything so far.
    ``acknowledges``: it answers ``subscribe``. ``keeps_several``: a user's second connection leaves the first
    one alive. ``can_create``: it makes conversations when asked. ``is_on_time``: its clock runs as ours does.
    """

    greets: bool = True
    marker: Marker = "pong"
    acknowledges: bool = True
    keeps_several: bool = True
    can_create: bool = True
    is_on_time: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, all scaled by the patience which the caller has with a slow server.

    ``deadline``: for what should come at once; ``grace``: how long silence must last to count as silence.
    """

    patience: float = 1.0
    attempt: int = 1

    @property
    def deadline(self) -> float:
        """Seconds to wait for a frame or an answer; a second attempt waits longer."""
        return (3.0 if self.attempt == 1 else 6.0) * self.patience

    @property
    def grace(self) -> float:
        """Seconds of silence, before the marker, which count as silence."""
        return (0.2 if self.attempt == 1 else 0.5) * self.patience
