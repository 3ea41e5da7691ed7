"""What a record says, in words: the same in every face, from the line of a terminal to the inspector's."""

from __future__ import annotations

import json
from typing import Any

from tribe_ws.capture.record import Record


def body_of(record: Record) -> str:
    """Say in words what a record holds."""
    frame = record.frame if isinstance(record.frame, dict) else {}
    if record.direction == "note":
        return record.text
    if record.direction == "rest":
        return json.dumps(record.text, ensure_ascii=False) if record.text or not record.path else record.path
    if record.direction == "out":
        return _sent_body(record, frame)
    return _received_body(record, frame)


def timing_of(record: Record) -> str:
    """Say how a record was answered and how long it took: ``201  9 ms``, ``~1 s`` for a guess, or nothing."""
    status = f"{record.status}  " if record.status else ""
    if record.latency is None:
        return status.strip()
    return status + (
        f"~{_rough(record.latency)}" if record.timing == "guessed" else latency_text(record.latency)
    )


def latency_text(seconds: float) -> str:
    """Write a measured time: ``9 ms``, ``0.8 ms``, ``1.4 s``."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 1 else f"{milliseconds:.0f} ms"


def _sent_body(record: Record, frame: dict[str, Any]) -> str:
    match record.event:
        case "typing":
            return "on" if frame.get("is_typing") else "off"
        case "presence":
            return str(frame.get("status", ""))
        case "subscribe" | "unsubscribe" | "ping":
            return ""
    return record.text


def _received_body(record: Record, frame: dict[str, Any]) -> str:
    data = frame.get("data")
    data = data if isinstance(data, dict) else {}
    match record.event:
        case "connected":
            return str(frame.get("message", ""))
        case "subscribed" | "pong" | "unsubscribed":
            return ""
        case "message.new":
            return f"{record.sender or '?'}: {data.get('content', '')}"
        case "typing":
            who = data.get("user_name") or record.sender or "somebody"
            return f"{who} {'is typing' if data.get('is_typing') else 'stopped typing'}"
        case "presence":
            status = data.get("status") or ("online" if data.get("is_online") else "offline")
            return f"{record.sender or data.get('user_id', '?')} is {status}"
        case "message.read":
            return f"{record.sender or data.get('user_id', '?')} has read it"
        case "error":
            return f"{data.get('code', '')}: {data.get('message', '')}"
    return record.text


def _rough(seconds: float) -> str:
    return f"{max(1, round(seconds))} s"
