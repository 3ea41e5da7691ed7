"""How a stream behaves, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field

from tribe_ws.client.buffer import Overflow


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the steps of a connection may take, in seconds."""

    handshake: float = 10.0
    connected: float = 5.0
    close: float = 2.0


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream behaves; durations are seconds.

    ``heartbeat`` is the least and the most between two pings, ``None`` for no pings. ``max_tries`` counts the
    attempts after one loss. ``steady_after`` is how long a connection must have held for its loss to count as
    the first trouble. ``offers_v2`` asks for ``tribe.v2``: a server that selects it replays what was
    missed and takes a renewed token on the open socket; with any other the same is done by REST and a
    reconnect.
    """

    reconnect: bool = True
    offers_v2: bool = True
    max_tries: int | None = None
    first_delay: float = 0.5
    longest_delay: float = 15.0
    steady_after: float = 10.0
    heartbeat: tuple[float, float] | None = (25.0, 30.0)
    pong_timeout: float = 10.0
    answer_timeout: float = 5.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    buffer: int = 10_000
    overflow: Overflow = Overflow.PAUSE
