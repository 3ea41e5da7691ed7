"""What one connection may say and what follows from it: frames in, effects out, and no I/O.

The server carries out the effects, property tests drive it without a socket, and a contract check asks it
what a foreign server ought to answer. Whoever drives a session carries out the effects of one frame, and
reports a ``Join`` back with ``joined`` or ``refused``, before the next frame goes in. So answers keep order.

A session never raises for what a client sends; everything a client does wrong becomes an ``Ignore``.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import assert_never

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.close_codes import RATE_LIMITED, CloseCode
from tribe_ws.protocol.codec import decode_client_frame
from tribe_ws.protocol.frames import (
    ClientFrame,
    Frame,
    Ping,
    Pong,
    PresenceStatus,
    SetPresence,
    SetTyping,
    Subscribe,
    Subscribed,
    Unsubscribe,
)
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.profiles import Profile


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How much one connection may ask (contract 3.2, 3.6); 0 switches ``frames`` or ``subscriptions`` off."""

    frames: int = 300
    window: float = 10.0
    subscriptions: int = 128
    strikes: int = 3


@dataclass(frozen=True, slots=True)
class Send:
    """Put this frame on the wire of this connection at once."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Position:
    """How far a client has come in a conversation; a position means something within its epoch only."""

    after_seq: int
    epoch: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """Subscribe this connection if its user is a participant, then call ``joined`` or ``refused``.

    The rest is asked for in v2 only: to begin at a ``position``, and to get the user's own messages too.
    """

    conversation_id: str
    position: Position | None = None
    echo: bool = False
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Unsubscribe this connection and end the user's typing there."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Relay:
    """Pass the user's typing on to the others, if the user is a participant."""

    conversation_id: str
    is_typing: bool
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Renew:
    """Go on under this token, if it is the same user's, then call ``renewed`` or ``complain`` (v2)."""

    token: str = field(repr=False)
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Store how the user wants to be seen, and pass it on where the profile knows presence."""

    status: PresenceStatus


@dataclass(frozen=True, slots=True)
class Ignore:
    """Count and log this violation; nothing goes out and the connection lives on."""

    violation: ProtocolViolation


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with this code; the session answers nothing any more."""

    close_code: CloseCode


Effect = Send | Join | Leave | Relay | Renew | SetStatus | Ignore | Close


class Session:
    """One connection's side of the contract, after ``connected`` was sent."""

    __slots__ = ("_closed", "_count", "_limits", "_profile", "_strikes", "_subscriptions", "_window_start")

    def __init__(self, profile: Profile, limits: SessionLimits) -> None:
        self._profile = profile
        self._limits = limits
        self._subscriptions: set[str] = set()
        self._window_start = float("-inf")
        self._count = 0
        self._strikes = 0
        self._closed = False

    @property
    def profile(self) -> Profile:
        """The wire profile of this connection, the same for its whole life."""
        return self._profile

    @property
    def subscriptions(self) -> AbstractSet[str]:
        """The conversations this connection is subscribed to; a live view, not to be changed."""
        return self._subscriptions

    def receive_text(self, text: str, now: float) -> tuple[Effect, ...]:
        """Take one text frame that arrived at monotonic time ``now`` and tell what is to be done."""
        if (refusal := self._refuse_flood(now, text)) is not None:
            return refusal
        try:
            return self._follow(self._decode(text))
        except ProtocolViolation as violation:
            return self.complain(violation)

    def receive_binary(self, data: bytes, now: float) -> tuple[Effect, ...]:
        """Take one binary frame, which this protocol has no use for (contract 3.2)."""
        if (refusal := self._refuse_flood(now)) is not None:
            return refusal
        return self.complain(
            ProtocolViolation(
                "unsupported_data", f"expected a text frame, got a binary one of {len(data)} bytes"
            )
        )

    def joined(self, conversation_id: str) -> tuple[Effect, ...]:
        """Take note that a ``Join`` was carried out; every one is acknowledged, as often as it comes."""
        self._subscriptions.add(conversation_id)
        return (Send(Subscribed(conversation_id=conversation_id)),)

    def refused(self, conversation_id: str, ref: str | None = None) -> tuple[Effect, ...]:
        """Take note that a ``Join`` was not allowed.

        A conversation that does not exist and one that is not the user's sound alike: ids cannot be probed.
        """
        self._subscriptions.discard(conversation_id)
        return self.complain(
            ProtocolViolation("not_found", "no such conversation", conversation_id=conversation_id, ref=ref)
        )

    def left(self, conversation_id: str) -> tuple[Effect, ...]:
        """Take note that the server itself ended a subscription, as when a participant is removed."""
        self._subscriptions.discard(conversation_id)
        return ()

    def complain(self, violation: ProtocolViolation) -> tuple[Effect, ...]:
        """Answer a violation as the profile wants it: all but v2 stay silent (contract 3.2)."""
        return (Ignore(violation),)

    def _decode(self, text: str) -> ClientFrame:
        frame: ClientFrame = decode_client_frame(text)
        return frame

    def _follow(self, frame: ClientFrame) -> tuple[Effect, ...]:
        match frame:
            case Ping():
                return (Send(Pong()),)
            case SetPresence(status=status):
                return (SetStatus(status),)
            case SetTyping(is_typing=is_typing):
                return (Relay(required_id(frame), is_typing),)
            case Subscribe():
                return (Join(self._admit(required_id(frame))),)
            case Unsubscribe():
                conversation_id = required_id(frame)
                self._subscriptions.discard(conversation_id)
                # Also when it was not subscribed: this ends typing, and typing needs no subscription.
                return (Leave(conversation_id),)
            case _:
                assert_never(frame)

    def _admit(self, conversation_id: str) -> str:
        """Make sure that this connection may hold one more subscription."""
        limit = self._limits.subscriptions
        if limit and len(self._subscriptions) >= limit and conversation_id not in self._subscriptions:
            raise ProtocolViolation(
                "too_many_subscriptions",
                f"this connection is subscribed to {limit} conversations, which is the limit",
                conversation_id=conversation_id,
            )
        return conversation_id

    def _refuse_flood(self, now: float, text: str = "") -> tuple[Effect, ...] | None:
        """Count this frame; tell what to do in place of reading it, or ``None`` if it may be read."""
        if self._closed:
            return ()
        limits = self._limits
        if not limits.frames:
            return None
        if now - self._window_start >= limits.window:
            self._open_window(now)
        self._count += 1
        if self._count <= limits.frames:
            return None
        if self._count == limits.frames + 1:
            self._strikes += 1
            if self._strikes >= limits.strikes:
                self._closed = True
                return (Close(RATE_LIMITED),)
        return self._complain_of_flood(
            text,
            ProtocolViolation("rate_limited", f"more than {limits.frames} frames in {limits.window:g} s"),
        )

    def _open_window(self, now: float) -> None:
        """Begin to count anew; strikes stay only if the window before was flooded and has just ended."""
        follows_at_once = now - self._window_start < 2 * self._limits.window
        if self._count <= self._limits.frames or not follows_at_once:
            self._strikes = 0
        self._window_start = now
        self._count = 0

    def _complain_of_flood(
        self,
        text: str,  # noqa: ARG002 - an answer in v2 needs it
        violation: ProtocolViolation,
    ) -> tuple[Effect, ...]:
        """Answer a frame that is not even read."""
        return self.complain(violation)


def required_id(frame: Subscribe | Unsubscribe | SetTyping) -> str:
    """Give the conversation's id as this server spells it; raises ``ProtocolViolation`` for what is none."""
    conversation_id = canonical_id(frame.conversation_id)
    if conversation_id is None:
        raise ProtocolViolation(
            "invalid_payload", f"{frame.event}: conversation_id: expected a hyphenated UUID"
        )
    return conversation_id
