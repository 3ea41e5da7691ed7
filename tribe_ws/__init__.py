"""tribe-ws: a complete local backend, an event-stream toolkit and a test kit for the Tribe chat app.

The names below are the public library. They are imported on first use (PEP 562), so that ``import tribe_ws``
costs a command line nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

# Type checkers know this name by itself; importing it from ``typing`` would double the time of a bare start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tribe_ws.client.buffer import Overflow
    from tribe_ws.client.client import TribeClient
    from tribe_ws.client.events import (
        CatchUpFailed,
        Dropped,
        Event,
        Lost,
        Notice,
        Opened,
        PongMissing,
        Reconnected,
        Reconnecting,
        Repeated,
        StreamItem,
        TokenRenewed,
        WireLine,
    )
    from tribe_ws.client.options import StreamOptions
    from tribe_ws.client.rest import RestClient
    from tribe_ws.client.results import Conversation, Message, MessagePage, SentMessage, User
    from tribe_ws.client.stream import EventStream, StreamState
    from tribe_ws.client.tokens import Tokens, TokenSource
    from tribe_ws.errors import (
        ApiError,
        AuthenticationError,
        CannotConnect,
        ConfigurationError,
        ConflictError,
        ConnectionLost,
        DatabaseRefused,
        NotAllowed,
        NotFound,
        ProtocolViolation,
        StorageUnavailable,
        TribeError,
        WaitedInVain,
    )
    from tribe_ws.protocol.clause import Clause
    from tribe_ws.protocol.close_codes import CLOSE_CODES, Advice, CloseCode
    from tribe_ws.protocol.contract import CLAUSES
    from tribe_ws.protocol.frames import (
        Connected,
        Frame,
        MessageNew,
        MessageRead,
        Ping,
        Pong,
        PresenceChanged,
        SetPresence,
        SetTyping,
        Subscribe,
        Subscribed,
        TypingChanged,
        Unsubscribe,
    )
    from tribe_ws.protocol.profiles import Profile
    from tribe_ws.protocol.urls import ServerAddress, parse_address

_MODULES = {
    "tribe_ws.client.buffer": ("Overflow",),
    "tribe_ws.client.client": ("TribeClient",),
    "tribe_ws.client.events": (
        "CatchUpFailed",
        "Dropped",
        "Event",
        "Lost",
        "Notice",
        "Opened",
        "PongMissing",
        "Reconnected",
        "Reconnecting",
        "Repeated",
        "StreamItem",
        "TokenRenewed",
        "WireLine",
    ),
    "tribe_ws.client.options": ("StreamOptions",),
    "tribe_ws.client.rest": ("RestClient",),
    "tribe_ws.client.results": (
        "Conversation",
        "Message",
        "MessagePage",
        "SentMessage",
        "User",
    ),
    "tribe_ws.client.stream": ("EventStream", "StreamState"),
    "tribe_ws.client.tokens": ("TokenSource", "Tokens"),
    "tribe_ws.errors": (
        "ApiError",
        "AuthenticationError",
        "CannotConnect",
        "ConfigurationError",
        "ConflictError",
        "ConnectionLost",
        "DatabaseRefused",
        "NotAllowed",
        "NotFound",
        "ProtocolViolation",
        "StorageUnavailable",
        "TribeError",
        "WaitedInVain",
    ),
    "tribe_ws.protocol.clause": ("Clause",),
    "tribe_ws.protocol.close_codes": (
        "CLOSE_CODES",
        "Advice",
        "CloseCode",
    ),
    "tribe_ws.protocol.contract": ("CLAUSES",),
    "tribe_ws.protocol.frames": (
        "Connected",
        "Frame",
        "MessageNew",
        "MessageRead",
        "Ping",
        "Pong",
        "PresenceChanged",
        "SetPresence",
        "SetTyping",
        "Subscribe",
        "Subscribed",
        "TypingChanged",
        "Unsubscribe",
    ),
    "tribe_ws.protocol.profiles": ("Profile",),
    "tribe_ws.protocol.urls": (
        "ServerAddress",
        "parse_address",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "CLAUSES",
    "CLOSE_CODES",
    "Advice",
    "ApiError",
    "AuthenticationError",
    "CannotConnect",
    "CatchUpFailed",
    "Clause",
    "CloseCode",
    "ConfigurationError",
    "ConflictError",
    "Connected",
    "ConnectionLost",
    "Conversation",
    "DatabaseRefused",
    "Dropped",
    "Event",
    "EventStream",
    "Frame",
    "Lost",
    "Message",
    "MessageNew",
    "MessagePage",
    "MessageRead",
    "NotAllowed",
    "NotFound",
    "Notice",
    "Opened",
    "Overflow",
    "Ping",
    "Pong",
    "PongMissing",
    "PresenceChanged",
    "Profile",
    "ProtocolViolation",
    "Reconnected",
    "Reconnecting",
    "Repeated",
    "RestClient",
    "SentMessage",
    "ServerAddress",
    "SetPresence",
    "SetTyping",
    "StorageUnavailable",
    "StreamItem",
    "StreamOptions",
    "StreamState",
    "Subscribe",
    "Subscribed",
    "TokenRenewed",
    "TokenSource",
    "Tokens",
    "TribeClient",
    "TribeError",
    "TypingChanged",
    "Unsubscribe",
    "User",
    "WaitedInVain",
    "WireLine",
    "__version__",
    "parse_address",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module the first time it is asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
