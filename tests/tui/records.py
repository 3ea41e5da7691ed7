"""Records for tests, as a session would make them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.capture.violation import Violation

START = datetime(2026, 11, 23, 1, 22, 11, tzinfo=UTC)
GENERAL = "5f0c0000-0000-7000-8000-000000000001"
BROKEN = Violation("message.created-at", "data.created_at", "is not RFC 3339 UTC", "2026-11-23 01:22", "UTC")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def message(seconds: float = 0, content: str = "Morning!", sender: str = "bob", **changes: Any) -> Record:
    """Make the record of a message that came in."""
    number = int(seconds * 1000)
    data = {
        "id": changes.pop("message_id", f"9b1d0000-0000-7000-8000-{number:012d}"),
        "conversation_id": GENERAL,
        "sender": {"id": f"id-of-{sender}", "username": sender},
        "content": content,
        "created_at": at(seconds).isoformat(),
    }
    return incoming("message.new", seconds, sender=sender, data=data, **changes)


def incoming(event: str, seconds: float = 0, data: Any = None, **changes: Any) -> Record:
    """Make the record of any frame that came in."""
    frame: dict[str, Any] = {"event": event, "conversation_id": GENERAL}
    if data is not None:
        frame["data"] = data
    return _record("in", event, seconds, json.dumps(frame), frame, changes)


def outgoing(event: str, seconds: float = 0, **changes: Any) -> Record:
    """Make the record of a frame that went out."""
    frame = {"event": event} if event == "ping" else {"event": event, "conversation_id": GENERAL}
    return _record("out", event, seconds, json.dumps(frame), frame, changes)


def posted(seconds: float = 0, content: str = "yes", **changes: Any) -> Record:
    """Make the record of a message that was stored."""
    frame = {
        "id": changes.pop("message_id", f"9b1d0000-0000-7000-8000-{int(seconds * 1000):012d}"),
        "sender": {"id": "id-of-alice", "username": "alice"},
        "content": content,
        "created_at": at(seconds).isoformat(),
    }
    more = {"status": 201, "method": "POST", "path": "/x", "request": {"content": content}, "sender": "alice"}
    return _record("rest", "POST message", seconds, content, frame, more | changes)


def note(words: str, seconds: float = 0, event: str = "note", **changes: Any) -> Record:
    """Make the record of something the tool says."""
    return _record("note", event, seconds, words, None, changes)


def _record(
    direction: Any, event: str, seconds: float, text: str, frame: Any, changes: dict[str, Any]
) -> Record:
    known = {
        "as_user": "alice",
        "connection": "A",
        "conversation_id": GENERAL,
        "conversation": "general",
    }
    return Record(0, at(seconds), direction, event, text=text, frame=frame, **(known | changes))
