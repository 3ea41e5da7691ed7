"""What the inspector is fed with: messages of a usual size, and the frames around them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 1, 0, 0, tzinfo=UTC)
GENERAL = "5f0c0000-0000-7000-8000-000000000001"
ALICE = {"user_id": "00000000-0000-7000-8000-000000000001", "username": "alice", "full_name": "Alice Ames"}
BOB = {"user_id": "00000000-0000-7000-8000-000000000002", "username": "bob", "full_name": "Bob Stone"}
CONNECTED = '{"event":"connected","message":"WebSocket connection established"}'
SUBSCRIBED = f'{{"event":"subscribed","conversation_id":"{GENERAL}"}}'
CONVERSATIONS: dict[str, Any] = {
    "conversations": [
        {
            "id": GENERAL,
            "conversation_type": "group",
            "name": "general",
            "participants": [ALICE | {"role": "admin"}, BOB | {"role": "member"}],
            "last_message": None,
            "unread_count": 0,
            "last_message_at": None,
        }
    ],
    "pagination": {"page": 1, "limit": 100, "total": 1, "has_more": False},
}
FRAME_BYTES = 420
"""About the size of a message with a sentence in it."""
_WORDS = "the deploy is done, look at it when you can; otherwise people will ask me again about it, and "


def moment(number: int) -> datetime:
    """Tell when a message was made: one each half millisecond."""
    return START + timedelta(milliseconds=number / 2)


def frame(number: int) -> str:
    """Give the frame of a message, unlike any other."""
    stamp = moment(number).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sender = {
        "id": BOB["user_id"],
        "username": "bob",
        "full_name": "Bob Stone",
        "profile_image_url": None,
    }
    data = {
        "id": f"9b1d0000-0000-7000-8000-{number:012d}",
        "conversation_id": GENERAL,
        "sender": sender,
        "content": f"{number * 7919 % 1_000_003} ",
        "message_type": "text",
        "created_at": stamp,
    }
    body = {"event": "message.new", "conversation_id": GENERAL, "data": data}
    text = json.dumps(body, separators=(",", ":"))
    filler = (_WORDS * 5)[: max(0, FRAME_BYTES - len(text))]
    return text.replace('","message_type"', f'{filler}","message_type"', 1)
