"""What a connection that asked for ``tribe.v2`` may say besides, and the answers it gets (contract 3.5)."""

from __future__ import annotations

from typing import Any

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.codec import decode_client_frame_v2, find_ref
from tribe_ws.protocol.frames_v2 import (
    RETRYABLE,
    Auth,
    Authenticated,
    ErrorFrame,
    Leaving,
    PingV2,
    PongV2,
    Problem,
    SetTypingV2,
    SubscribedV2,
    SubscribeV2,
    Subscription,
    TokenLife,
    Unsubscribed,
    UnsubscribeV2,
)
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.profiles import Profile
from tribe_ws.protocol.session import (
    Effect,
    Ignore,
    Join,
    Leave,
    Position,
    Relay,
    Renew,
    Send,
    Session,
    SessionLimits,
    required_id,
)

MAX_COMPLAINT = 200
"""How much of a complaint goes out: it may quote a client's frame, which is long where it is hostile."""


def open_session(profile: Profile, limits: SessionLimits) -> Session:
    """Make the session that speaks a profile."""
    return SessionV2(profile, limits) if profile is Profile.V2 else Session(profile, limits)


class SessionV2(Session):
    """One connection's side of the contract in v2: refusals are told, and answers carry their ref."""

    __slots__ = ()

    def joined_at(
        self, conversation_id: str, state: Subscription, ref: str | None = None
    ) -> tuple[Effect, ...]:
        """Do as ``joined``, and tell where the subscription begins."""
        self.joined(conversation_id)
        return (Send(SubscribedV2(conversation_id=conversation_id, data=state, ref=ref)),)

    def left(self, conversation_id: str) -> tuple[Effect, ...]:
        """Tell the client that the server ended a subscription, if it has one."""
        if conversation_id not in self.subscriptions:
            return ()
        super().left(conversation_id)
        return (_unsubscribed(conversation_id, Leaving(reason="removed")),)

    def renewed(self, expires_at: str, ref: str | None) -> tuple[Effect, ...]:
        """Confirm that the connection goes on under its new token."""
        return (Send(Authenticated(data=TokenLife(expires_at=expires_at), ref=ref)),)

    def complain(self, violation: ProtocolViolation) -> tuple[Effect, ...]:
        """Count a violation, and tell the client of it."""
        return Ignore(violation), Send(_error(violation))

    def _decode(self, text: str) -> Any:
        return decode_client_frame_v2(text)

    def _follow(self, frame: Any) -> tuple[Effect, ...]:
        try:
            return self._answer(frame)
        except ProtocolViolation as violation:
            violation.ref = frame.ref
            raise

    def _answer(self, frame: Any) -> tuple[Effect, ...]:
        match frame:
            case PingV2(ref=ref):
                return (Send(PongV2(ref=ref)),)
            case SetTypingV2(is_typing=is_typing):
                return (Relay(required_id(frame), is_typing, frame.ref),)
            case SubscribeV2():
                return (self._join(frame),)
            case UnsubscribeV2():
                return self._leave(frame)
            case Auth(token=token, ref=ref):
                return (Renew(token, ref),)
            case _:
                return super()._follow(frame)

    def _join(self, frame: SubscribeV2) -> Join:
        position = None if frame.after_seq is None else Position(frame.after_seq, frame.epoch)
        return Join(self._admit(required_id(frame)), position, frame.echo, frame.ref)

    def _leave(self, frame: UnsubscribeV2) -> tuple[Effect, ...]:
        conversation_id = required_id(frame)
        super().left(conversation_id)
        return Leave(conversation_id), _unsubscribed(conversation_id, Leaving(reason="requested"), frame.ref)

    def _complain_of_flood(self, text: str, violation: ProtocolViolation) -> tuple[Effect, ...]:
        violation.ref = find_ref(text)
        return self.complain(violation)


def _unsubscribed(conversation_id: str, data: Leaving, ref: str | None = None) -> Send:
    return Send(Unsubscribed(conversation_id=conversation_id, data=data, ref=ref))


def _error(violation: ProtocolViolation) -> ErrorFrame:
    problem = Problem.model_validate(
        {
            "code": violation.violation,
            "message": violation.message[:MAX_COMPLAINT],
            "retryable": violation.violation in RETRYABLE,
        }
    )
    about = canonical_id(violation.conversation_id or "")
    return ErrorFrame(conversation_id=about, data=problem, ref=violation.ref)
