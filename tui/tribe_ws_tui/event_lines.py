"""One event as one line: time, arrow, mark, name, conversation, words, latency; cut to a width, safe to show.

Pure: a record in, pieces of text with a tone out. Every text passes through ``visible_line``; nothing is ever
read as markup. The arrow and the ``✗`` have a column each, so that neither hides the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from tribe_ws.capture.record import CONTROL_EVENTS, Record
from tribe_ws.capture.violation import Violation
from tribe_ws.capture.visible import visible_line
from tribe_ws.capture.words import body_of, latency_text, timing_of
from tribe_ws_tui.rows import Fold

TimeStyle = Literal["clock", "relative", "delta"]
Tone = Literal[
    "plain",
    "time",
    "name",
    "control",
    "conversation",
    "note",
    "latency",
    "bad",
    "warn",
    "mark",
    "bar",
    "found",
]

GLYPHS = {"in": "←", "out": "→", "rest": "⇡", "note": "•"}
_EVENT_WIDTH = 12
_CONVERSATION_WIDTH = 9
_LANE_WIDTH = 8
_ROOM_FOR_CONVERSATION = 70
_LONGEST_BODY = 4_000
"""Characters of a body that are looked at; no screen has room for more."""
_SHORTER = (
    (" missed messages fetched", " fetched"),
    (" missed message fetched", " fetched"),
    (" in it are lost", " lost"),
)
"""What a gap that is wider than its column says in fewer words."""
MOST_LINES = 8
"""Lines one event takes when long lines are wrapped."""


class Part(NamedTuple):
    """Some text with the tone it is shown in."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a line has; the event's name and its words are always there."""

    time: bool = True
    lane: bool = False
    conversation: bool = True
    latency: bool = True


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How lines are written: how wide, which columns, which time, frames in words or raw."""

    width: int
    columns: Columns = Columns()
    time: TimeStyle = "clock"
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Moments:
    """What times are counted from: the first event of all, and the event of the line above."""

    began: datetime
    above: datetime | None = None


def line_of(record: Record, style: LineStyle, moments: Moments, label: str) -> list[Part]:
    """Write an event as the pieces of one line that is exactly ``style.width`` cells wide."""
    if _is_divider(record):
        return _divider(record, style.width)
    head = list(_head(record, style, moments, label))
    body = _body(record, style, label)
    return _fitted(head, body, _timing(record, style), style.width)


def wrapped(record: Record, style: LineStyle, moments: Moments, label: str) -> list[list[Part]]:
    """Write an event as several lines where its words need them, at most ``MOST_LINES``."""
    if _is_divider(record):
        return [_divider(record, style.width)]
    head = list(_head(record, style, moments, label))
    body, timing = _body(record, style, label), _timing(record, style)
    indent = _width(head)
    room = style.width - indent - _tail_width(timing)
    if room < 8 or cell_len(body.text) <= room:
        return [_fitted(head, body, timing, style.width)]
    pieces = chop_cells(body.text, room)[:MOST_LINES]
    lines = [_fitted(head, Part(pieces[0], body.tone), timing, style.width)]
    for piece in pieces[1:]:
        rest = set_cell_size(piece, style.width - indent)
        lines.append([Part(" " * indent), Part(rest, body.tone)])
    return lines


def fold_line(fold: Fold, at: datetime, style: LineStyle, moments: Moments) -> list[Part]:
    """Write a run of heartbeats as one line: ``↔ 12 heartbeats 1 ms``."""
    head = [*_time(at, style, moments), Part("↔   ", "control")]
    timing = latency_text(fold.latency) if fold.latency is not None and style.columns.latency else ""
    return _fitted(head, Part(f"{fold.pongs} heartbeats", "control"), timing, style.width)


def empty_line(words: str, style: LineStyle) -> list[Part]:
    """Write the line of a lane in which nothing happened, with a remark where there is one."""
    indent = 14 if style.columns.time else 4
    return [Part(set_cell_size(" " * indent + words, style.width), "note")]


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _head(record: Record, style: LineStyle, moments: Moments, label: str) -> Iterator[Part]:
    yield from _time(record.at, style, moments)
    is_bad = bool(record.violations) or "error" in record.tags or (record.status or 0) >= 400
    tone: Tone = "bad" if is_bad else "note" if record.direction == "note" else "plain"
    yield Part(GLYPHS[record.direction] + " ", tone)
    yield Part("✗ " if is_bad else "* " if "marked" in record.tags else "  ", "bad" if is_bad else "mark")
    if style.columns.lane:
        lane = visible_line(record.connection or record.as_user)
        yield Part(set_cell_size(lane, _LANE_WIDTH) + " ", "conversation")
    yield Part(set_cell_size(visible_line(record.event or "?"), _EVENT_WIDTH) + " ", _name_tone(record, tone))
    if _has_conversation_column(style) and record.direction != "note":
        yield Part(set_cell_size(visible_line(label), _CONVERSATION_WIDTH) + " ", "conversation")


def _has_conversation_column(style: LineStyle) -> bool:
    return style.columns.conversation and style.width >= _ROOM_FOR_CONVERSATION


def _name_tone(record: Record, tone: Tone) -> Tone:
    if tone != "plain":
        return tone
    return "control" if record.event in CONTROL_EVENTS else "name"


def _time(at: datetime, style: LineStyle, moments: Moments) -> Iterator[Part]:
    if not style.columns.time:
        return
    if style.time == "clock":
        local = at.astimezone()
        yield Part(f"{local:%M:%S}.{local.microsecond // 1000:03d} ", "time")
        return
    base = moments.began if style.time == "relative" else (moments.above or at)
    seconds = max(0.0, (at - base).total_seconds())
    sign = "+" if style.time == "delta" else ""
    yield Part(f"{sign}{_seconds(seconds)}".rjust(9) + " ", "time")


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.3f}"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes:.0f}:{rest:04.1f}"
    return f"{minutes // 60:.0f}h{minutes % 60:02.0f}:{rest:02.0f}"


def _body(record: Record, style: LineStyle, label: str) -> Part:
    if style.is_raw:
        return Part(visible_line(record.text[:_LONGEST_BODY]))
    if record.violations:
        return Part(visible_line(_complaint(record.violations)), "bad")
    words = _words(record)
    if not _has_conversation_column(style) and not words and record.direction != "note":
        return Part(visible_line(label), "conversation")
    tone: Tone = "plain"
    if record.direction == "note":
        tone = "bad" if "error" in record.tags else "warn" if "gap" in record.tags else "note"
    return Part(visible_line(words[:_LONGEST_BODY]), tone)


def _words(record: Record) -> str:
    if record.direction == "rest" and record.event == "POST message":
        return f"{record.sender}: {record.text[:_LONGEST_BODY]}"
    return body_of(record)


def _complaint(violations: tuple[Violation, ...]) -> str:
    first = violations[0]
    place = first.path.rpartition(".")[2]
    more = f"  (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{place} {first.message}{more}".strip()


def _timing(record: Record, style: LineStyle) -> str:
    return timing_of(record) if style.columns.latency else ""


def _is_divider(record: Record) -> bool:
    return record.direction == "note" and record.event == "gap"


def _divider(record: Record, width: int) -> list[Part]:
    text = visible_line(record.text)
    if cell_len(text) + 2 > width:
        for long, short in _SHORTER:
            text = text.replace(long, short)
    words = f" {text} "
    left = max(2, (width - cell_len(words)) // 2)
    line = "─" * left + words
    return [Part(set_cell_size(line + "─" * max(2, width - cell_len(line)), width), "warn")]


# ── fitting ───────────────────────────────────────────────────────────────────────────────────────────────


def _fitted(head: list[Part], body: Part, timing: str, width: int) -> list[Part]:
    used, tail = _width(head), _tail_width(timing)
    room = width - used - tail
    if room < 1:
        return _cut([*head, body], width)
    parts = [*head, Part(_shortened(body.text, room), body.tone)]
    if timing:
        parts.append(Part(f"  {timing}", "latency"))
    return parts


def _tail_width(timing: str) -> int:
    return cell_len(timing) + 2 if timing else 0


def _shortened(text: str, room: int) -> str:
    if len(text) <= room and cell_len(text) <= room:
        return set_cell_size(text, room)
    return set_cell_size(set_cell_size(text, room - 1).rstrip() + "…", room)


def _cut(parts: list[Part], width: int) -> list[Part]:
    left, kept = width, []
    for part in parts:
        size = min(left, cell_len(part.text))
        kept.append(Part(set_cell_size(part.text, size), part.tone))
        left -= size
    return [*kept, Part(" " * left)] if left > 0 else kept


def _width(parts: list[Part]) -> int:
    return sum(cell_len(part.text) for part in parts)
