"""Paints the rows of a view as strips for the event log, and remembers the last of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from tribe_ws_tui.event_lines import (
    Columns,
    LineStyle,
    Moments,
    Part,
    TimeStyle,
    Tone,
    empty_line,
    fold_line,
    line_of,
    wrapped,
)
from tribe_ws_tui.event_store import Kind
from tribe_ws_tui.filter_view import FilterView, lane_of
from tribe_ws_tui.held import HeldRecord
from tribe_ws_tui.rows import Row

CACHED = 600
"""Strips that are kept."""
_BARS = 2
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)

Labels = Callable[[Kind], str]
"""Tells the readable name of an event's conversation."""


def label_of(kind: Kind) -> str:
    """Tell a conversation's readable name where nothing more is known than the event says."""
    return f"#{kind.conversation}" if kind.conversation else ""


@dataclass(slots=True)
class Look:
    """How the log is to look; the user changes it by keys."""

    columns: Columns = field(default_factory=Columns)
    time: TimeStyle = "clock"
    is_wrapped: bool = False
    is_raw: bool = False
    found: str = ""


class EventPainter:
    """Paints rows; ``styles`` gives the style of a tone, on the background of a selected row or not."""

    def __init__(
        self, view: FilterView, styles: Callable[[Tone, bool], Style], look: Look | None = None
    ) -> None:
        self.view = view
        self.look = look or Look()
        self.lane = ""
        self.lane_user = ""
        self.labels: Labels = label_of
        self._styles = styles
        self._held = HeldRecord(view.store)
        self._strips: LRUCache[Hashable, list[Strip]] = LRUCache(CACHED)

    def forget(self) -> None:
        """Paint everything anew: the theme or the look has changed."""
        self._strips.clear()

    def number_in_lane(self, row: Row) -> int | None:
        """Tell which event of a row this log shows; ``None`` where the line stays empty."""
        if not self.lane:
            return row.number
        for number in (row.number, row.partner):
            if number is not None and self._is_mine(number):
                return number
        return None

    def key(self, index: int, width: int, selected: int | None) -> Hashable:
        """Tell what the look of a row depends on: as long as this is equal, so is what is painted."""
        row = self.view.row(index)
        store, number = self.view.store, self.number_in_lane(row)
        if number is None:
            return (row.number, "empty", width)
        above = self._above(index) if self.look.time == "delta" else None
        is_selected = selected is not None and row.holds(selected) and self._shows(row, number, selected)
        return (number, width, is_selected, above, row.fold, store.kind(number), store.latency(number),
                store.is_marked(number))  # fmt: skip

    def strips(self, index: int, width: int, selected: int | None) -> list[Strip]:
        """Paint a row: one strip, or more where long lines are wrapped."""
        key = self.key(index, width, selected)
        strips = self._strips.get(key)
        if strips is None:
            row = self.view.row(index)
            number = self.number_in_lane(row)
            is_selected = number is not None and selected is not None and row.holds(selected)
            is_selected = is_selected and number is not None and self._shows(row, number, selected or 0)
            strips = [self._strip(parts, width, is_selected) for parts in self._lines(index, row, width)]
            self._strips[key] = strips
        return strips

    def texts(self, index: int, width: int) -> list[str]:
        """Write a row as plain lines, as they stand on the screen."""
        lines = self._lines(index, self.view.row(index), width)
        return [" " + "".join(part.text for part in parts) + " " for parts in lines]

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self, index: int, row: Row, width: int) -> list[list[Part]]:
        look, number = self.look, self.number_in_lane(row)
        style = LineStyle(max(0, width - _BARS), look.columns, look.time, look.is_raw)
        if number is None:
            return [empty_line(self._remark(row), style)]
        store = self.view.store
        if number < store.first:
            return [empty_line("", style)]
        above = self._above(index) if look.time == "delta" else None
        moments = Moments(store.began or _NO_TIME, None if above is None else store.at(above))
        if row.fold is not None:
            return [fold_line(row.fold, store.at(number), style, moments)]
        record = self._held.look_at(number)
        label = self.labels(store.kind(number))
        if look.is_wrapped:
            return wrapped(record, style, moments, label)
        return [line_of(record, style, moments, label)]

    def _strip(self, parts: list[Part], width: int, is_selected: bool) -> Strip:
        bars = ("▌", "▐") if is_selected else (" ", " ")
        styles, plain = self._styles, self._styles("bar" if is_selected else "plain", is_selected)
        segments = [
            Segment(bars[0], plain),
            *(
                Segment(piece.text, styles(piece.tone, is_selected))
                for part in parts
                for piece in self._with_found(part)
            ),
            Segment(bars[1], plain),
        ]
        return Strip(segments, width) if width >= _BARS else Strip(segments).crop(0, width)

    def _with_found(self, part: Part) -> Iterator[Part]:
        """Split a part at what was searched for."""
        found, text, start = self.look.found, part.text, 0
        folded = text.casefold()
        if found and len(folded) == len(text):
            while (place := folded.find(found, start)) >= 0:
                yield Part(text[start:place], part.tone)
                start = place + len(found)
                yield Part(text[place:start], "found")
        if text[start:]:
            yield Part(text[start:], part.tone)

    def _remark(self, row: Row) -> str:
        if row.number < self.view.store.first:
            return ""
        kind = self.view.store.kind(row.number)
        is_message = kind.event == "message.new" and kind.direction == "in"
        if is_message and kind.sender == self.lane_user:
            return "(not echoed to the sender)"
        return ""

    def _shows(self, row: Row, number: int, selected: int) -> bool:
        return row.fold is not None or number == selected

    def _is_mine(self, number: int) -> bool:
        return number >= self.view.store.first and lane_of(self.view.store.kind(number)) == self.lane

    def _above(self, index: int) -> int | None:
        if index == 0:
            return None
        number = self.number_in_lane(self.view.row(index - 1)) or self.view.row(index - 1).number
        return number if number >= self.view.store.first else None
