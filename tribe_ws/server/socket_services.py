"""What a socket asks of the rest of the server: the one list of what may be done for a client.

``Services`` is the real thing; a test puts a cast of users in its place.
"""

from __future__ import annotations

from typing import Protocol

from tribe_ws.clock import Clock
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws.protocol.frames_v2 import MessageNewV2
from tribe_ws.server.guards import Guard
from tribe_ws.server.logging import Log
from tribe_ws.server.tokens import Claims
from tribe_ws.settings import ServerSettings


class SocketUser(Protocol):
    """What the socket needs to know of a user."""

    @property
    def id(self) -> str:
        """The user's id, in lower case."""
        ...

    @property
    def username(self) -> str:
        """The user's name as it is typed."""
        ...

    @property
    def full_name(self) -> str:
        """The name others see beside what the user types."""
        ...

    @property
    def profile_image_url(self) -> str | None:
        """The address of the user's picture, if there is one."""
        ...


class SocketIdentity(Protocol):
    """Who a token belongs to, and what it says."""

    @property
    def user(self) -> SocketUser:
        """The user, who exists and is active."""
        ...

    @property
    def claims(self) -> Claims:
        """What the token says, its end among it."""
        ...


class SocketServices(Protocol):
    """What the socket asks of the rest of the server."""

    @property
    def settings(self) -> ServerSettings:
        """The server's settings."""
        ...

    @property
    def clock(self) -> Clock:
        """The server's time."""
        ...

    @property
    def hub(self) -> Hub:
        """The live connections."""
        ...

    @property
    def log(self) -> Log:
        """The server's log."""
        ...

    @property
    def guard(self) -> Guard:
        """The judge of hosts and origins."""
        ...

    @property
    def epoch(self) -> str:
        """The history in which message numbers count."""
        ...

    async def authenticate(self, token: str | None) -> SocketIdentity:
        """Tell whose token that is; raises ``Unauthorised``."""
        ...

    async def can_subscribe(self, user_id: str, conversation_id: str) -> bool:
        """Tell whether the user is a participant, by the database and as of the moment of returning.

        What the caller does next, before it waits again, cannot be overtaken by a removal.
        """
        ...

    async def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        """Pass on that the user types or stopped; ``False`` for one who is not a participant."""
        ...

    async def head_seq(self, conversation_id: str) -> int:
        """Tell the number of the newest message of a conversation; 0 for none."""
        ...

    async def missed(
        self, connection: Connection, conversation_id: str, above: int, up_to: int, *, echo: bool
    ) -> tuple[MessageNewV2, ...] | None:
        """Read what a connection missed between two numbers, oldest first.

        Of its own user's messages only with ``echo``, and only those which it did not post itself; ``None``
        if that is more than may be sent again.
        """
        ...

    async def online(self, conversation_id: str) -> list[str]:
        """Tell which participants are online, by their ids."""
        ...

    async def set_presence(self, user_id: str, status: PresenceStatus) -> None:
        """Store how the user wants to be seen, and tell those who may know."""
        ...
