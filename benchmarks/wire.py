"""What driver and servers under test say to each other: events, frames, requests and orders, as bytes.

Written once for both ends. The content of every message begins with ``@`` and the nanosecond of the monotonic
clock at which it was ordered, in twenty digits: that clock is the machine's, so the driver can tell the
latency.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any

STAMP_DIGITS = 20
STAMP_MARK = b'"content":"@'
MIN_CONTENT = STAMP_DIGITS + 1
CONVERSATION = "0192f000-0000-7000-8000-000000000001"
SENDER = "0192f000-0000-7000-8000-000000000002"
MESSAGE = "0192f000-0000-7000-8000-000000000003"
SENDER_NAMES: dict[str, Any] = {
    "username": "sender",
    "full_name": "Sender of Messages",
    "profile_image_url": None,
}
CREATED_AT = "2024-01-01T12:00:00.000Z"
CONNECTED = b'{"event":"connected","message":"WebSocket connection established"}'

_ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SMALL, _MEDIUM = 126, 65536
TEXT_FRAME = 0x81


def content_of(stamp: int, size: int) -> str:
    """Write the content of a message: the stamp, filled up to ``size`` characters."""
    return f"@{stamp:0{STAMP_DIGITS}d}".ljust(size, ".")


def event_of(content: str, conversation_id: str = CONVERSATION, message_id: str = MESSAGE) -> bytes:
    """Write a ``message.new`` with that content, with the keys and the size of a real one."""
    data: dict[str, Any] = {
        "id": message_id,
        "conversation_id": conversation_id,
        "sender": {"id": SENDER, **SENDER_NAMES},
        "content": content,
        "message_type": "text",
        "created_at": CREATED_AT,
    }
    event = {"event": "message.new", "conversation_id": conversation_id, "data": data}
    return json.dumps(event, separators=(",", ":")).encode()


def subscribed(conversation_id: str) -> bytes:
    """Write the answer to a ``subscribe``."""
    return json.dumps(
        {"event": "subscribed", "conversation_id": conversation_id}, separators=(",", ":")
    ).encode()


def subscribe(conversation_id: str) -> bytes:
    """Write a ``subscribe``."""
    frame = {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id}
    return json.dumps(frame, separators=(",", ":")).encode()


def server_frame(payload: bytes) -> bytes:
    """Frame a text as a server sends it."""
    if len(payload) < _SMALL:
        return struct.pack("!BB", TEXT_FRAME, len(payload)) + payload
    if len(payload) < _MEDIUM:
        return struct.pack("!BBH", TEXT_FRAME, 126, len(payload)) + payload
    return struct.pack("!BBQ", TEXT_FRAME, 127, len(payload)) + payload


def client_frame(payload: bytes) -> bytes:
    """Frame a short text as a client sends it; the mask is nought, which is a mask like any other."""
    if len(payload) >= _SMALL:
        raise ValueError("a client's frame of the driver has at most 125 bytes")
    return struct.pack("!BBI", TEXT_FRAME, 0x80 | len(payload), 0) + payload


def upgrade_request(port: int, token: str) -> bytes:
    """Write the request that opens a socket."""
    return (
        f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def upgrade_answer(key: bytes) -> bytes:
    """Write the 101 to a request with that key."""
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_SALT).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def header(head: bytes, name: bytes) -> bytes:
    """Find a header's value in the head of a request or answer; empty if it is not there."""
    at = head.lower().find(b"\r\n" + name.lower() + b":")
    if at < 0:
        return b""
    start = at + len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : len(head) if end < 0 else end].strip()


def publish_order(stamp: int, size: int) -> bytes:
    """Write the order to publish one message."""
    return b"%d %d\n" % (stamp, size)


def read_orders(data: bytes) -> tuple[list[tuple[int, int]], bytes]:
    """Read all complete orders, as stamp and size; what is left over comes back."""
    *lines, rest = data.split(b"\n")
    return [(int(stamp), int(size)) for stamp, size in (line.split(b" ") for line in lines)], rest
