"""One record as one line: ``HH:MM:SS.mmm GLYPH MARK EVENT CONV BODY … LAT``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tribe_ws.capture.record import Direction, Record
from tribe_ws.capture.visible import visible_line
from tribe_ws.capture.words import body_of, timing_of
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
    body, right = visible_line(body_of(record)), timing_of(record)
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
        yield [(" " * _LEFT + str(violation), "bad"), (f"   (/show {record.seq})", "dim")]
