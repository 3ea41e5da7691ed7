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

    @property
    def row(self) -> int:
        """Where one is in the rows: at the selected event, behind the newest while following, else on top."""
        row = self.selected_row
        if row is not None:
            return row
        return len(self.view) if self.is_following else round(self.scroll_y)

    @property
    def columns(self) -> Columns:
        """Which columns are shown."""
        return self.look.columns

    @columns.setter
    def columns(self, columns: Columns) -> None:
        self.look.columns = columns
        self.show_anew()

    @property
    def time_style(self) -> TimeStyle:
        """Whether times of day are shown, times since the start, or since the line above."""
        return self.look.time

    @time_style.setter
    def time_style(self, style: TimeStyle) -> None:
        self.look.time = style
        self.show_anew()

    @property
    def is_wrapped(self) -> bool:
        """Whether long lines are wrapped and not cut."""
        return self.look.is_wrapped

    @is_wrapped.setter
    def is_wrapped(self, is_wrapped: bool) -> None:
        self.look.is_wrapped = is_wrapped
        self.show_anew()

    @property
    def is_raw(self) -> bool:
        """Whether frames are shown as they came and not in words."""
        return self.look.is_raw

    @is_raw.setter
    def is_raw(self, is_raw: bool) -> None:
        self.look.is_raw = is_raw
        self.show_anew()

    def show_view(self, view: FilterView, lane: str = "") -> None:
        """Show other rows, or one lane of them only."""
        look, labels = self.painter.look, self.painter.labels
        self.view = view
        self.painter = EventPainter(view, self._style, look)
        self.painter.lane, self.painter.labels = lane, labels
        self.show_anew()

    def name_conversations(self, labels: Labels) -> None:
        """Take over how conversations are called."""
        self.painter.labels = labels
        self.show_anew()

    def highlight(self, words: str) -> None:
        """Make every place stand out that holds the words, in any case; none of them where there are none."""
        self.look.found = words.casefold()
        self.show_anew()

    # ── going about ───────────────────────────────────────────────────────────────────────────────────────

    def move(self, distance: int) -> None:
        """Select the event so many lines below (above, if negative) the selected one."""
        last = len(self.view) - 1
        row = self.selected_row
        if row is None or self.is_following:
            self.go_to(last, step=-1)
        elif 0 <= row + distance <= last or abs(distance) > 1:
            self.go_to(max(0, min(last, row + distance)), step=1 if distance > 0 else -1)

    def page(self, pages: int) -> None:
        """Select the event so many pages below (above, if negative) the selected one."""
        self.move(pages * max(1, self.scrollable_content_region.height - 1))

    def go_top(self) -> None:
        """Select the oldest event."""
        self.go_to(0)

    def go_to(self, row: int, *, step: int = 1) -> None:
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
        self.go_to(lines[y][0], step=-1)
        if event.chain == 2 and self.selected is not None:
            self.post_message(self.Opened(self, self.selected))
