"""An example of every frame, as the documents of the API show them.

Those of the documented wire are the owner's document's own, with its placeholders; those beyond it speak of
the demo world. All are built from the models, so none of them can be a frame which does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tribe_ws.demo_accounts import fixture_id
from tribe_ws.protocol import frames, frames_v2
from tribe_ws.protocol.frames import Frame

_GENERAL = fixture_id("conversation:general")
_ALICE = frames.Sender(
    id=fixture_id("user:alice"), username="alice", full_name="Alice Ames", profile_image_url=None
)
_BOB = fixture_id("user:bob")
_HELLO = fixture_id("message:hello")
_NOON = "2026-01-01T12:00:00.000Z"
_EPOCH = "5d0c1a52"
_JWT = "eyJhbGciOiJIUzI1NiJ9…"

_DOCUMENTED: tuple[Frame, ...] = (
    frames.Subscribe(conversation_id="uuid"),
    frames.Unsubscribe(conversation_id="uuid"),
    frames.SetTyping(conversation_id="uuid", is_typing=True),
    frames.SetPresence(status="online"),
    frames.Ping(),
    frames.Connected(),
    frames.MessageNew(
        conversation_id="uuid",
        data=frames.NewMessage(
            id="message_uuid",
            conversation_id="uuid",
            sender=frames.Sender(
                id="user_uuid", username="username", full_name="Full Name", profile_image_url="url"
            ),
            content="Message content",
            message_type="text",
            created_at="2024-01-01T12:00:00Z",
        ),
    ),
    frames.TypingChanged(
        conversation_id="uuid",
        data=frames.Typist(user_id="user_uuid", user_name="Full Name", is_typing=True),
    ),
    frames.Subscribed(conversation_id="uuid"),
    frames.Pong(),
)

_APP: tuple[Frame, ...] = (
    frames.PresenceChanged(
        data=frames.Presence(user_id=_ALICE.id, is_online=True, status="online", last_seen_at=_NOON)
    ),
    frames.MessageRead(
        conversation_id=_GENERAL,
        data=frames.ReadMark(user_id=_BOB, read_at=_NOON, last_read_message_id=_HELLO),
    ),
)

_V2: tuple[Frame, ...] = (
    frames_v2.SubscribeV2(conversation_id=_GENERAL, ref="1"),
    frames_v2.SubscribeV2(conversation_id=_GENERAL, after_seq=41, epoch=_EPOCH, echo=True, ref="2"),
    frames_v2.UnsubscribeV2(conversation_id=_GENERAL, ref="3"),
    frames_v2.SetTypingV2(conversation_id=_GENERAL, is_typing=True),
    frames_v2.SetPresenceV2(status="away", ref="4"),
    frames_v2.PingV2(ref="5"),
    frames_v2.Auth(token=_JWT, ref="6"),
    frames_v2.ConnectedV2(
        data=frames_v2.Welcome(
            connection_id="c-7f3a",
            user=_ALICE,
            server="tribe-ws/0.1.0",
            epoch=_EPOCH,
            heartbeat_interval=frames_v2.HEARTBEAT_INTERVAL,
            expires_at=_NOON,
        )
    ),
    frames_v2.MessageNewV2(
        conversation_id=_GENERAL,
        data=frames_v2.NumberedMessage(
            id=_HELLO,
            conversation_id=_GENERAL,
            sender=_ALICE,
            content="Hello 👋",
            message_type="text",
            created_at=_NOON,
            seq=42,
            client_message_id=None,
        ),
    ),
    frames_v2.SubscribedV2(
        conversation_id=_GENERAL,
        data=frames_v2.Subscription(seq=42, epoch=_EPOCH, online=[_BOB]),
        ref="1",
    ),
    frames_v2.SubscribedV2(
        conversation_id=_GENERAL,
        data=frames_v2.Subscription(seq=42, epoch=_EPOCH, online=[_BOB], recovered=True),
        ref="2",
    ),
    frames_v2.PongV2(ref="5"),
    frames_v2.Unsubscribed(conversation_id=_GENERAL, data=frames_v2.Leaving(reason="requested"), ref="3"),
    frames_v2.ErrorFrame(
        conversation_id=_GENERAL,
        data=frames_v2.Problem(code="not_found", message="Conversation not found", retryable=False),
        ref="1",
    ),
    frames_v2.Authenticated(data=frames_v2.TokenLife(expires_at=_NOON), ref="6"),
    frames_v2.TokenExpiring(data=frames_v2.TokenLife(expires_at=_NOON)),
)

EXAMPLES: Mapping[type[Frame], tuple[dict[str, Any], ...]] = {
    kind: tuple(
        example.model_dump(mode="json") for example in (*_DOCUMENTED, *_APP, *_V2) if type(example) is kind
    )
    for kind in dict.fromkeys(map(type, (*_DOCUMENTED, *_APP, *_V2)))
}
"""The examples of each frame, as JSON with the keys in the order of the wire."""
