"""What a connection says and sees that asked for ``tribe.v2`` (contract 3.5), as types.

Each frame of the document that v2 extends has its twin here, with the documented keys first, in their order;
what v2 leaves alone (``typing``, ``presence``, ``message.read``) it shares with the other profiles.
A key that may be missing is left out of the JSON where it has nothing to say; it is never ``null``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from tribe_ws.protocol.frames import (
    Connected,
    Frame,
    MessageNew,
    MessageRead,
    NewMessage,
    Ping,
    Pong,
    PresenceChanged,
    Sender,
    SetPresence,
    SetTyping,
    Subscribe,
    Subscribed,
    TypingChanged,
    Unsubscribe,
)

MAX_REF = 64
"""How many characters a ``ref`` may have."""
MAX_MISSED = 1000
"""How many missed messages are sent again over the socket; who missed more fetches them by REST."""
HEARTBEAT_INTERVAL = 30
"""Seconds between two pings which the server suggests to its clients."""
EXPIRY_NOTICE = 60.0
"""Seconds before the end of a token at which its connection is told."""
_MAX_SEQ = 2**63 - 1


def _is_missing(value: Any) -> bool:
    return value is None


def _is_false(value: Any) -> bool:
    return value is False


Ref = Annotated[str | None, Field(max_length=MAX_REF, exclude_if=_is_missing)]
"""What a client calls a frame of its own, so that it knows the answer when it comes."""

# ── Client → server ───────────────────────────────────────────────────────────────────────────────


class SubscribeV2(Subscribe):
    """Asks for what happens in a conversation, from now on or from the position it names."""

    after_seq: Annotated[int | None, Field(ge=0, le=_MAX_SEQ, exclude_if=_is_missing)] = None
    epoch: Annotated[str | None, Field(exclude_if=_is_missing)] = None
    echo: Annotated[bool, Field(exclude_if=_is_false)] = False
    ref: Ref = None


class UnsubscribeV2(Unsubscribe):
    """Asks that this connection no longer get what happens in a conversation."""

    ref: Ref = None


class SetTypingV2(SetTyping):
    """Says that the user began or stopped typing."""

    ref: Ref = None


class SetPresenceV2(SetPresence):
    """Says how the user wants to be seen."""

    ref: Ref = None


class PingV2(Ping):
    """Asks for a sign of life."""

    ref: Ref = None


class Auth(Frame):
    """Renews the token of this connection, for the same user."""

    event: Literal["auth"] = "auth"
    token: str = Field(repr=False)
    ref: Ref = None


ClientFrameV2 = Annotated[
    SubscribeV2 | UnsubscribeV2 | SetTypingV2 | SetPresenceV2 | PingV2 | Auth, Field(discriminator="event")
]
CLIENT_FRAMES_V2: tuple[type[Frame], ...] = (
    SubscribeV2, UnsubscribeV2, SetTypingV2, SetPresenceV2, PingV2, Auth,
)  # fmt: skip


# ── Server → client ───────────────────────────────────────────────────────────────────────────────


class Welcome(Frame):
    """What a new connection should know of itself and of the server."""

    connection_id: str
    user: Sender
    server: str
    epoch: str
    heartbeat_interval: int
    expires_at: str


class ConnectedV2(Connected):
    """The first frame on every accepted connection, and what the connection should know."""

    data: Welcome


class Subscription(Frame):
    """Where a subscription begins; ``recovered`` is there when a position was asked for."""

    seq: int
    epoch: str
    online: list[str]
    recovered: Annotated[bool | None, Field(exclude_if=_is_missing)] = None


class SubscribedV2(Subscribed):
    """Confirms one ``subscribe``, with the place from which on everything arrives."""

    data: Subscription
    ref: Ref = None


class NumberedMessage(NewMessage):
    """The stored message with its number in the conversation, from 1 and without gaps."""

    seq: int
    client_message_id: str | None


class MessageNewV2(Frame):
    """A message was stored in a subscribed conversation: by somebody else, or with ``echo`` by oneself."""

    event: Literal["message.new"] = "message.new"
    conversation_id: str
    data: NumberedMessage


class PongV2(Pong):
    """Answers one ``ping``."""

    ref: Ref = None


class Leaving(Frame):
    """Why a subscription ended: the client asked, or the user was taken out of the conversation."""

    reason: Literal["requested", "removed"]


class Unsubscribed(Frame):
    """A subscription has ended."""

    event: Literal["unsubscribed"] = "unsubscribed"
    conversation_id: str
    data: Leaving
    ref: Ref = None


ErrorCode = Literal[
    "invalid_json", "invalid_frame", "unknown_event", "invalid_payload", "not_found", "not_participant",
    "rate_limited", "too_many_subscriptions", "unsupported_data", "internal",
]  # fmt: skip
RETRYABLE = frozenset({"rate_limited", "internal"})
"""The codes of what may go well when it is tried again later."""


class Problem(Frame):
    """What was wrong with a client's frame."""

    code: ErrorCode
    message: str
    retryable: bool


class ErrorFrame(Frame):
    """A client's frame could not be followed; the connection lives on."""

    event: Literal["error"] = "error"
    conversation_id: str | None
    data: Problem
    ref: Ref = None


class TokenLife(Frame):
    """When a connection's token ends: UTC, milliseconds, ``Z``."""

    expires_at: str


class Authenticated(Frame):
    """Confirms one ``auth``."""

    event: Literal["authenticated"] = "authenticated"
    data: TokenLife
    ref: Ref = None


class TokenExpiring(Frame):
    """The connection's token ends soon; ``auth`` renews it."""

    event: Literal["token.expiring"] = "token.expiring"
    data: TokenLife


ServerFrameV2 = Annotated[
    ConnectedV2
    | MessageNewV2
    | TypingChanged
    | SubscribedV2
    | PongV2
    | PresenceChanged
    | MessageRead
    | Unsubscribed
    | ErrorFrame
    | Authenticated
    | TokenExpiring,
    Field(discriminator="event"),
]
V2_FRAMES: tuple[type[Frame], ...] = (
    ConnectedV2, MessageNewV2, TypingChanged, SubscribedV2, PongV2, PresenceChanged, MessageRead,
    Unsubscribed, ErrorFrame, Authenticated, TokenExpiring,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamp:
    """What only v2 shows of a message, carried beside its documented frame.

    ``connection_id`` is that of the socket whose client posted it, where it said so.
    """

    seq: int
    client_message_id: str | None = None
    connection_id: str | None = None


def widen(frame: MessageNew, stamp: Stamp) -> MessageNewV2:
    """Give a documented ``message.new`` the keys that v2 adds."""
    data = frame.data
    return MessageNewV2(
        conversation_id=frame.conversation_id,
        data=NumberedMessage(
            id=data.id,
            conversation_id=data.conversation_id,
            sender=data.sender,
            content=data.content,
            message_type=data.message_type,
            created_at=data.created_at,
            seq=stamp.seq,
            client_message_id=stamp.client_message_id,
        ),
    )
