"""How what is published here reaches the hubs that hold the connections: in this process, or in several.

``MemoryBroker`` is for one process and is synchronous: what is published is delivered before ``publish``
returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.frames_v2 import Stamp


@dataclass(frozen=True, slots=True)
class Envelope:
    """A frame and whom it is for: the subscribers of ``conversation_id``, or else the users ``user_ids``.

    ``stamp`` is what v2 shows of a message beyond its documented frame.
    """

    frame: Frame
    conversation_id: str | None = None
    exclude_user: str | None = None
    user_ids: frozenset[str] = frozenset()
    stamp: Stamp | None = None


Deliver = Callable[[Envelope], None]


class Broker(Protocol):
    """Carries envelopes to every hub, this one included, in the order in which they were published."""

    @property
    def name(self) -> str:
        """The kind of broker, for banners and ``/health``."""
        ...

    @property
    def is_healthy(self) -> bool:
        """Whether envelopes get through at the moment."""
        ...

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver; called once, by the hub."""
        ...

    def publish(self, envelope: Envelope) -> None:
        """Accept an envelope; never waits."""
        ...

    async def stop(self) -> None:
        """Deliver nothing any more, and let go of everything."""
        ...


class MemoryBroker:
    """The broker of a server which is one process."""

    name = "memory"
    is_healthy = True

    def __init__(self) -> None:
        self._deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        """Deliver to that one hub from now on."""
        self._deliver = deliver

    def publish(self, envelope: Envelope) -> None:
        """Deliver at once."""
        if self._deliver is not None:
            self._deliver(envelope)

    async def stop(self) -> None:
        """Deliver nothing any more."""
        self._deliver = None
