"""Captures for these tests: one that the tool itself has written, and records made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.record import Record, compact_json

EVENING = Path(__file__).with_name("evening.ndjson")
"""Alice and bob, recorded by ``connect --record`` into one file, on a fresh server with the demo world."""

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
GENERAL = "aaaaaaaa-0000-4000-8000-000000000001"
ALICE = "aaaaaaaa-0000-4000-8000-00000000000a"
BOB = "aaaaaaaa-0000-4000-8000-00000000000b"


def evening() -> tuple[Record, ...]:
    return read_capture(EVENING).records


def came(user: str, event: str, *, at: float = 0.0, frame: Any = None, **facts: Any) -> Record:
    """Make the record of a frame that came in."""
    return _record("in", user, event, at, {"event": event} | (frame or {}), facts)


def went(user: str, event: str, *, at: float = 0.0, frame: Any = None, **facts: Any) -> Record:
    """Make the record of a frame that went out."""
    return _record("out", user, event, at, {"event": event} | (frame or {}), facts)


def message(number: int, sender: str, content: str, **changes: Any) -> dict[str, Any]:
    """Make the object of a message."""
    user_id = {"alice": ALICE, "bob": BOB}[sender]
    return {
        "id": f"aaaaaaaa-0000-4000-9000-{number:012d}",
        "conversation_id": GENERAL,
        "sender": {"id": user_id, "username": sender, "full_name": sender.title(), "profile_image_url": None},
        "content": content,
        "message_type": "text",
        "created_at": "2026-11-23T20:00:00.000Z",
    } | changes


def said(user: str, told: dict[str, Any], *, at: float = 0.0, **facts: Any) -> Record:
    """Make the record of a ``message.new`` that came in."""
    frame = {"conversation_id": GENERAL, "data": told}
    sender = told["sender"]["username"]
    return came(user, "message.new", at=at, frame=frame, conversation_id=GENERAL, sender=sender, **facts)


def posted(user: str, told: dict[str, Any], *, at: float = 0.0, **facts: Any) -> Record:
    """Make the record of a message that was sent by REST."""
    record = _record("rest", user, "POST message", at, told, {"conversation_id": GENERAL} | facts)
    return replace(
        record,
        text=told["content"], status=201, method="POST", request={"content": told["content"]}, latency=0.01,
        path=f"/api/v1/conversations/{GENERAL}/messages",
    )  # fmt: skip


def typed(user: str, typist: str, *, on: bool, at: float = 0.0, **facts: Any) -> Record:
    """Make the record of a ``typing`` that came in."""
    data = {"user_id": {"alice": ALICE, "bob": BOB}[typist], "user_name": typist.title(), "is_typing": on}
    frame = {"conversation_id": GENERAL, "data": data}
    return came(user, "typing", at=at, frame=frame, conversation_id=GENERAL, sender=typist, **facts)


def subscribed(user: str, *, at: float = 0.0, **facts: Any) -> Record:
    frame = {"conversation_id": GENERAL}
    return came(
        user, "subscribed", at=at, frame=frame, conversation_id=GENERAL, conversation="general", **facts
    )


def _record(
    direction: Any, user: str, event: str, at: float, frame: dict[str, Any], facts: dict[str, Any]
) -> Record:
    moment = START + timedelta(seconds=at)
    text = compact_json(frame)
    return replace(Record(0, moment, direction, event, text=text, frame=frame, as_user=user), **facts)
