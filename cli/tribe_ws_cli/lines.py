"""One record as one line: ``HH:MM:SS.mmm GLYPH MARK EVENT CONV BODY … LAT``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tribe_ws.capture.record import Direction, Record
from tribe_ws.capture.visible import visible_line
from tribe_ws_cli.output import width_of

_GLYPHS: dict[Direction, str] = {"in": "←", "out": "→", "rest": "⇡", "note": "•"}
_ASCII_GLYPHS: dict[Direction, str] = {"in": "<", "out": ">", "rest": "^", "note": "*"}
_EVENT_WIDTH = 12
_CONVERSATION_WIDTH = 9
_LEFT = 17
"""Columns before the event: time, glyph, mark and their spaces."""


@dataclass(slots=True)
class LineStyle:
    """How lines look: glyphs or ASCII, how wide, and which time they begin with."""

    ascii: bool = False
    width: int = 84
    time: str = "clock"
    started: datetime | None = None
    _last: datetime | None = None

    def moment(self, at: datetime) -> str:
        """Write a time in the chosen way: of the day, since the start, or since the line before."""
        reference = {"rel": self.started, "delta": self._last}.get(self.time)
        self.started, self._last = self.started or at, at
        if self.time == "clock":
            return f"{at.astimezone():%H:%M:%S}.{at.microsecond // 1000:03d}"
        seconds = (at - (reference or at)).total_seconds()
        return f"{seconds:+12.3f}"


def line_of(record: Record, style: LineStyle, label: str = "") -> Iterator[list[tuple[str, str]]]:
    """Give the line of a record in coloured pieces, and one more line for each violation."""
    glyph = (_ASCII_GLYPHS if style.ascii else _GLYPHS)[record.direction]
    mark = ("!" if style.ascii else "✗") if record.violations else " "
    head = f"{record.event:<{_EVENT_WIDTH}} {label:<{_CONVERSATION_WIDTH}} "
    body, right = visible_line(body_of(record)), _right(record)
    room = style.width - _LEFT - width_of(head) - width_of(right)
    gap = " " * max(2, room - width_of(body)) if right else ""
    yield [
        (style.moment(record.at), "time"),
        (f" {glyph} ", record.direction),
        (f"{mark} ", "bad"),
        (head, "event" if record.direction == "in" else ""),
        (body, "note" if record.direction == "note" else ""),
        (gap + right, "dim"),
    ]
    for violation in record.violations:
        yield [(" " * _LEFT + violation, "bad"), (f"   (/show {record.seq})", "dim")]


def body_of(record: Record) -> str:
    """Say in words what a record holds."""
    frame = record.frame if isinstance(record.frame, dict) else {}
    if record.direction == "note":
        return record.text
    if record.direction == "rest":
        return json.dumps(record.text, ensure_ascii=False)
    if record.direction == "out":
        return _sent_body(record, frame)
    return _received_body(record, frame)


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


def _right(record: Record) -> str:
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


def _rough(seconds: float) -> str:
    return f"{max(1, round(seconds))} s"
