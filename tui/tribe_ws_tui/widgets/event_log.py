"""``EventLog``: the event stream: select, go about, mark, change its look, take text out of it.

Nothing from the wire is ever read as markup, and nothing of it reaches the terminal unescaped.
"""

from __future__ import annotations

from textual.events import Click
from textual.message import Message
from textual.selection import Selection

from tribe_ws.capture.record import Record
from tribe_ws_tui.event_lines import Columns, TimeStyle
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.widgets.event_painter import EventPainter, Labels
from tribe_ws_tui.widgets.row_scroll import RowScroll

__all__ = ["Columns", "EventLog", "TimeStyle"]

_MOST_COPIED = 10_000


class EventLog(RowScroll):
    """The rows of a view; ``lane`` draws only one lane of them and leaves the others' lines empty."""

    class Selected(Message):
        """Another event is selected, or none (``number`` is ``None``)."""

        def __init__(self, log: EventLog, number: int | None) -> None:
            super().__init__()
            self.log = log
            self.number = number

        @property
        def control(self) -> EventLog:
            """The log it happened in."""
            return self.log

    class Opened(Selected):
        """An event was opened with a second click."""

    @property
    def record(self) -> Record | None:
        """The selected event."""
        return None if self.selected is None else self.view.store.record(self.selected)

    def set_view(self, view: FilterView, *, lane: str = "", lane_user: str = "") -> None:
        """Show other rows, or one lane of them only, which is that user's."""
        look, labels = self.painter.look, self.painter.labels
        self.view = view
        self.painter = EventPainter(view, self._style, look)
        self.painter.lane, self.painter.lane_user, self.painter.labels = lane, lane_user, labels
        self.reload()

    def set_labels(self, labels: Labels) -> None:
        """Take over how conversations are called."""
        if labels != self.painter.labels:
            self.painter.labels = labels
            self.reload()

    def set_columns(self, columns: Columns) -> None:
        """Show other columns."""
        self.look.columns = columns
        self.reload()

    def set_time(self, style: TimeStyle) -> None:
        """Show times of day, since the start, or since the line above."""
        self.look.time = style
        self.reload()

    def set_wrapped(self, is_wrapped: bool) -> None:
        """Wrap long lines, or cut them."""
        self.look.is_wrapped = is_wrapped
        self.reload()

    def set_raw(self, is_raw: bool) -> None:
        """Show frames as they came, or in words."""
        self.look.is_raw = is_raw
        self.reload()

    def highlight(self, words: str) -> None:
        """Make every place stand out that holds the words, in any case; none of them where there are none."""
        self.look.found = words.casefold()
        self.reload()

    def mark(self) -> bool | None:
        """Mark the selected event, or take its mark away; ``None`` where none is selected."""
        if self.selected is None:
            return None
        is_marked = self.view.store.mark(self.selected)
        if "is:marked" in self.view.text:
            self.view.refresh()
        self.reload()
        return is_marked

    # ── going about ───────────────────────────────────────────────────────────────────────────────────────

    def move(self, distance: int) -> None:
        """Select the event so many lines below (above, if negative) the selected one."""
        last = len(self.view) - 1
        row = self.selected_row
        if row is None or self.is_following:
            self.select_row(last, step=-1)
        elif 0 <= row + distance <= last or abs(distance) > 1:
            self.select_row(max(0, min(last, row + distance)), step=1 if distance > 0 else -1)

    def page(self, pages: int) -> None:
        """Select the event so many pages below (above, if negative) the selected one."""
        self.move(pages * max(1, self.scrollable_content_region.height - 1))

    def top(self) -> None:
        """Select the oldest event."""
        self.select_row(0)

    def select_row(self, row: int, *, step: int = 1) -> None:
        """Select what a row shows, or the nearest row in a direction that shows something in this lane."""
        while 0 <= row < len(self.view):
            number = self.painter.number_in_lane(self.view.row(row))
            if number is not None:
                self.select(number)
                return
            row += step

    def select(self, number: int | None) -> None:
        """Select an event and bring it into view, or with ``None`` no event."""
        self.hurry()
        if number is not None:
            self.freeze()
        if number != self.selected:
            self.selected = number
            self.post_message(self.Selected(self, number))
        self._bring_into_view()
        self.flush()

    # ── the mouse ─────────────────────────────────────────────────────────────────────────────────────────

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give the text that was selected with the mouse."""
        start, end = selection.start, selection.end
        first = 0 if start is None else start.y
        last = len(self.view) - 1 if end is None else min(end.y, len(self.view) - 1)
        last = min(last, first + _MOST_COPIED)
        width = self._room[1]
        lines = [self.painter.texts(index, width)[0].rstrip() for index in range(max(0, first), last + 1)]
        if not lines:
            return None
        if end is not None and end.y <= last:
            lines[-1] = lines[-1][: end.x]
        if start is not None:
            lines[0] = lines[0][start.x :]
        return "\n".join(lines), "\n"

    def on_click(self, event: Click) -> None:
        """Select what was clicked on; a second click opens it."""
        lines = self._lines(*self._room)
        y = event.get_content_offset_capture(self).y
        if not 0 <= y < len(lines):
            return
        self.select_row(lines[y][0], step=-1)
        if event.chain == 2 and self.selected is not None:
            self.post_message(self.Opened(self, self.selected))
