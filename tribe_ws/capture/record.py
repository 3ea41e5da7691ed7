"""One thing that happened in a session, in the form every tool prints, filters and keeps.

A record never holds a token: ``text`` is redacted by whoever makes it. What else must not leave the machine,
passwords and e-mail addresses, is taken out where a file is written (``redaction``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from tribe_ws.capture.violation import Violation
from tribe_ws.clock import format_timestamp

Direction = Literal["in", "out", "rest", "note"]
Timing = Literal["measured", "stamped", "guessed"]

SCHEMA_VERSION = 1
"""The version of the JSON form; it grows only when a key changes its meaning."""

CONTROL_EVENTS = frozenset(
    {
        "connected",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
        "ping",
        "pong",
        "auth",
        "authenticated",
    }
)


@dataclass(frozen=True, slots=True)
class Record:
    """One frame in or out, one REST call, or one note of the tool itself.

    ``conversation`` is the readable name without its mark (``general``, ``bob``). ``latency`` is in seconds;
    ``timing`` says whether it was measured, read off a time stamp of this machine's clock, or only guessed
    from that of another clock. ``text`` is the raw frame, the words of a note, or what a REST call said.
    ``connection`` tells the connections of one user apart. A REST call has ``method``, ``path`` (with its
    query), ``request`` (the body that was sent), ``status``, and the body of the answer in ``frame``.
    """

    seq: int
    at: datetime
    direction: Direction
    event: str
    text: str = ""
    frame: Any = None
    as_user: str = ""
    conversation_id: str | None = None
    conversation: str = ""
    sender: str = ""
    latency: float | None = None
    timing: Timing = "measured"
    status: int | None = None
    violations: tuple[Violation, ...] = ()
    tags: frozenset[str] = frozenset()
    connection: str = ""
    method: str = ""
    path: str = ""
    request: Any = None

    def as_json(self) -> dict[str, Any]:
        """Give the versioned JSON form: one of these per line is a capture.

        The first ten keys are always there; the others only where they have something to say.
        """
        form: dict[str, Any] = {
            "v": SCHEMA_VERSION,
            "t": format_timestamp(self.at),
            "as": self.as_user,
            "dir": self.direction,
            "seq": self.seq,
            "event": self.event,
            "conv": self.conversation or self.conversation_id,
            "latency_ms": self._measured_ms(),
            "violations": [violation.as_json() for violation in self.violations],
            "frame": self.text if self.frame is None else self.frame,
        }
        return form | {key: value for key, value in self._more().items() if value not in ("", None, [])}

    @classmethod
    def from_json(cls, form: Any) -> Self:
        """Read back what ``as_json`` wrote; keys it does not know are left alone.

        Raises ``ValueError`` with a sentence that says what is wrong.
        """
        if not isinstance(form, dict):
            raise ValueError("a record is a JSON object")
        if form.get("v") != SCHEMA_VERSION:
            raise ValueError(f"expected a record of version {SCHEMA_VERSION}, got v {form.get('v')!r}")
        direction = _read(form, "dir", str, "")
        if direction not in get_args(Direction):
            raise ValueError(f"dir is one of {', '.join(get_args(Direction))}, got {direction!r}")
        frame, text = _read_frame(form, direction)
        latency, timing = _read_latency(form)
        conversation_id = _read(form, "conv_id", str, None)
        name = _read(form, "conv", str, "")
        return cls(
            seq=_read(form, "seq", int, 0),
            at=_read_moment(form),
            direction=direction,
            event=_read(form, "event", str, ""),
            text=text,
            frame=frame,
            as_user=_read(form, "as", str, ""),
            conversation_id=conversation_id,
            conversation="" if name == conversation_id else name,
            sender=_read(form, "from", str, ""),
            latency=latency,
            timing=timing,
            status=_read(form, "status", int, None),
            violations=tuple(map(Violation.from_json, _read(form, "violations", list, []))),
            tags=frozenset(map(str, _read(form, "tags", list, []))),
            connection=_read(form, "connection", str, ""),
            method=_read(form, "method", str, ""),
            path=_read(form, "path", str, ""),
            request=form.get("request"),
        )

    def _more(self) -> dict[str, Any]:
        is_timed_otherwise = self.latency is not None and self.timing != "measured"
        return {
            "conv_id": self.conversation_id,
            "from": self.sender,
            "connection": self.connection,
            "status": self.status,
            "method": self.method,
            "path": self.path,
            "request": self.request,
            "timing": self.timing if is_timed_otherwise else "",
            "age_ms": _milliseconds(self.latency) if is_timed_otherwise else None,
            "tags": sorted(self.tags),
            "raw": self._raw(),
        }

    def _raw(self) -> str:
        """Give the text where the frame alone would not bring it back."""
        if self.frame is None or not self.text or self.text == _content(self.request):
            return ""
        return "" if self.text == compact_json(self.frame) else self.text

    def _measured_ms(self) -> float | None:
        return _milliseconds(self.latency) if self.timing == "measured" else None


def compact_json(value: Any) -> str:
    """Write a value as the wire does: compact, in the order of its keys, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _read(form: dict[str, Any], key: str, kind: type, missing: Any) -> Any:
    value = form.get(key)
    if value is None:
        return missing
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{key}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def _read_moment(form: dict[str, Any]) -> datetime:
    text = _read(form, "t", str, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"t: not a time: {text[:40]!r}") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_frame(form: dict[str, Any], direction: str) -> tuple[Any, str]:
    """Give the frame and its text; a frame that is a text was no JSON, or is the words of a note."""
    frame, raw = form.get("frame"), _read(form, "raw", str, "")
    if isinstance(frame, str):
        return None, frame
    if direction in {"rest", "note"} or raw or frame is None:
        return frame, raw or _content(form.get("request"))
    return frame, compact_json(frame)


def _content(request: Any) -> str:
    """Give what a message that was sent by REST said."""
    content = request.get("content") if isinstance(request, dict) else None
    return content if isinstance(content, str) else ""


def _read_latency(form: dict[str, Any]) -> tuple[float | None, Timing]:
    timing = _read(form, "timing", str, "measured")
    if timing not in get_args(Timing):
        raise ValueError(f"timing is one of {', '.join(get_args(Timing))}, got {timing!r}")
    milliseconds = form.get("latency_ms" if timing == "measured" else "age_ms")
    if milliseconds is None:
        return None, timing
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        raise ValueError("latency_ms: expected a number")
    return milliseconds / 1000, timing
