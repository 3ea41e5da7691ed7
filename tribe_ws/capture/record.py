"""One thing that happened in a session, in the form every tool prints, filters and keeps.

A record never holds a token: ``text`` is redacted by whoever makes it, so that captures are safe to attach
to a bug report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

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
    from that of another clock. ``text`` is the raw frame, or the words of a note.
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
    violations: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        """Give the versioned JSON form: one of these per line is a capture."""
        form: dict[str, Any] = {
            "v": SCHEMA_VERSION,
            "t": format_timestamp(self.at),
            "as": self.as_user,
            "dir": self.direction,
            "seq": self.seq,
            "event": self.event,
            "conv": self.conversation or self.conversation_id,
            "latency_ms": self._measured_ms(),
            "violations": list(self.violations),
            "frame": self.text if self.frame is None else self.frame,
        }
        if self.status is not None:
            form["status"] = self.status
        return form

    def _measured_ms(self) -> float | None:
        if self.latency is None or self.timing != "measured":
            return None
        return round(self.latency * 1000, 1)
