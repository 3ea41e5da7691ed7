"""One live connection as the hub sees it: whose it is, what it listens to, and a transport that never waits.

The slow-consumer policy lives here (contract 3.6): a connection for which more waits than its limits allow is
closed with 4413. Nothing is skipped for it in silence, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tribe_ws.clock import new_id
from tribe_ws.hub.packet import Batch
from tribe_ws.protocol.close_codes import SLOW_CONSUMER, CloseCode
from tribe_ws.protocol.profiles import Profile

CLOSE_GRACE = 5.0
"""Seconds a client has to take its close frame and answer it; then the connection is cut."""


class Transport(Protocol):
    """The way to one client; no method waits, and none raises once the client is gone."""

    def send(self, batch: Batch) -> bool:
        """Take a batch, to be sent after everything taken before; dropped before accept and after close.

        Tells whether anything waits now: only then is it worth asking how much.
        """
        ...

    def waiting(self) -> tuple[int, int]:
        """Tell how many bytes and frames wait; what the kernel took does not count any more."""
        ...

    def close(self, close_code: CloseCode) -> None:
        """Send a close frame and end the connection, by force if need be; idempotent."""
        ...

    def reset(self) -> None:
        """Cut the connection off without a word, as a network does that breaks."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much may wait for one connection before it counts as a slow consumer; 0 is no limit."""

    bytes: int = 1024 * 1024
    frames: int = 1024


class Connection:
    """One socket of one user.

    ``ended`` is the close code we ended it with, or ``None``; an ended connection takes no more frames.
    ``on_evicted`` is called with a conversation's id when the server takes that subscription away.
    """

    __slots__ = (
        "ended", "id", "limits", "on_evicted", "profile", "subscriptions", "transport", "user_id",
        "user_name",
    )  # fmt: skip

    def __init__(
        self,
        *,
        user_id: str,
        user_name: str,
        profile: Profile,
        transport: Transport,
        limits: OutboxLimits = OutboxLimits(),
        connection_id: str = "",
    ) -> None:
        self.id = connection_id or new_id()
        self.user_id = user_id
        self.user_name = user_name
        self.profile = profile
        self.transport = transport
        self.limits = limits
        self.subscriptions: set[str] = set()
        self.ended: CloseCode | None = None
        self.on_evicted: Callable[[str], None] | None = None

    def offer(self, batch: Batch) -> bool:
        """Hand a batch to the transport, and give the connection up if too much waits after that.

        ``False`` says that this very batch is not, or not wholly, on its way: the connection has ended.
        """
        if self.ended is not None:
            return False
        if self.transport.send(batch) and self._is_too_slow(*self.transport.waiting()):
            self.close(SLOW_CONSUMER)
            return False
        return True

    def close(self, close_code: CloseCode) -> None:
        """End the connection; the first reason given is the one the client gets."""
        if self.ended is None:
            self.ended = close_code
            self.transport.close(close_code)

    def _is_too_slow(self, waiting_bytes: int, waiting_frames: int) -> bool:
        return 0 < self.limits.bytes < waiting_bytes or 0 < self.limits.frames < waiting_frames
