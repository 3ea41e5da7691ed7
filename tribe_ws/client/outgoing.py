"""What a caller wants to send, in any form: typed, as an object, or raw, right or wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tribe_ws.protocol.codec import encode, object_in
from tribe_ws.protocol.frames import Frame


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame on its way: what goes over the wire, and what can be told of it."""

    text: str | bytes
    event: str = ""
    conversation_id: str = ""
    ref: str = ""


def read_outgoing(frame: Frame | Mapping[str, Any] | str | bytes) -> Outgoing:
    """Write a frame as text and tell what it is; raw text and bytes go out to the letter."""
    if isinstance(frame, bytes):
        return Outgoing(frame)
    if isinstance(frame, Frame):
        frame = encode(frame).decode()
    elif not isinstance(frame, str):
        frame = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    parsed = object_in(frame)
    return Outgoing(frame, _text(parsed, "event"), _text(parsed, "conversation_id"), _text(parsed, "ref"))


def _text(parsed: dict[str, Any], name: str) -> str:
    value = parsed.get(name)
    return value if isinstance(value, str) else ""
