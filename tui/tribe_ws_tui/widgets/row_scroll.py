"""``RowScroll``: draws the rows of a view line by line, follows what comes or stands still.

Capture never waits for it: others write the store, and a timer looks what is new, ten times a second, twenty
while keys are pressed, four when more comes than anybody reads or the machine does not keep up. Only lines
that differ are painted again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import ClassVar, get_args

from rich.style import Style
from textual.events import Key, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tribe_ws_tui.event_lines import Tone
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.widgets.event_painter import EventPainter, Look

TICK = 0.05
"""Seconds between two looks at the clock; a flush happens when one is due."""
FPS, FPS_AFTER_KEY, FPS_WHEN_SLOW = 10, 20, 4
_KEY_LASTS = 1.0
_LATE = 0.1
_TONES: tuple[Tone, ...] = get_args(Tone)


class RowScroll(ScrollView, can_focus=True):
    """The lines of a log; what can be done with them is in ``EventLog``."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"event-log--{tone}" for tone in (*_TONES, "selected")}
    DEFAULT_CSS = """
    RowScroll {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .event-log--time { color: $text-muted; }
        & > .event-log--name { color: $text-accent; }
        & > .event-log--control { color: $text-muted; }
        & > .event-log--conversation { color: $text-secondary; }
        & > .event-log--note { color: $text-muted; text-style: italic; }
        & > .event-log--latency { color: $text-muted; }
        & > .event-log--bad { color: $text-error; text-style: bold; }
        & > .event-log--warn { color: $text-warning; }
        & > .event-log--mark { color: $text-warning; text-style: bold; }
        & > .event-log--bar { color: $primary; text-style: bold; }
        & > .event-log--found { text-style: reverse; }
        & > .event-log--selected { background: $surface-lighten-2; }
    }
    """

    class Moved(Message):
        """Follow or freeze, what is new below, or the counts have changed."""

        def __init__(self, log: RowScroll) -> None:
            super().__init__()
            self.log = log

        @property
        def control(self) -> RowScroll:
            """The log it happened in."""
            return self.log

        def can_replace(self, message: Message) -> bool:
            """Tell that only the newest state of a log matters."""
            return isinstance(message, RowScroll.Moved) and message.log is self.log

    def __init__(
        self,
        view: FilterView,
        *,
        lane: str = "",
        id: str | None = None,  # noqa: A002 - as in every widget
        classes: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.view = view
        self.selected: int | None = None
        self.is_following = True
        self.new_below = 0
        self.fps = FPS
        self.painter = EventPainter(view, self._style)
        self.painter.lane = lane
        self._clock = clock
        self._styles: dict[tuple[Tone, bool], Style] = {}
        self._painted: list[Hashable] = []
        self._told: tuple[object, ...] = ()
        self._top: int | None = None
        self._newest_seen = 0
        self._is_moving = False
        self._flushed_at = self._ticked_at = clock()
        self._key_at = self._flushed_at - _KEY_LASTS
        self._lateness = 0.0
        self._rate, self._total = 0.0, view.store.total
        self._layout: tuple[Hashable, list[tuple[int, int]]] = (None, [])

    # ── what it shows ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_frozen(self) -> bool:
        """Whether the view stands still; the capture never does."""
        return not self.is_following

    @property
    def look(self) -> Look:
        """The columns, the times, and whether frames are wrapped or raw."""
        return self.painter.look

    @property
    def selected_row(self) -> int | None:
        """The row of the selected event; ``None`` where none is selected or it is not shown."""
        if self.selected is None or not self.view.is_shown(self.selected):
            return None
        return self.view.row_of(self.selected)

    def follow(self) -> None:
        """Go to the newest event and stay with what comes."""
        self.is_following = True
        self.hurry()
        self.flush()

    def freeze(self) -> None:
        """Stand still; what comes is counted."""
        if self.is_following:
            self.is_following = False
            self._newest_seen = self.view.row(len(self.view) - 1).number if len(self.view) else 0
            self._remember_top()
            self.flush()

    def hurry(self) -> None:
        """Draw more often for a moment: a key was pressed."""
        self._key_at = self._clock()

    def repaint(self) -> None:
        """Paint every line anew."""
        self.painter.forget()
        self._styles.clear()
        self._painted = []
        self._layout = (None, [])
        self.refresh()

    def reload(self) -> None:
        """Draw every row anew: others are shown now, or they look different."""
        if self.selected is not None and self.view.is_shown(self.selected):
            self._top = self.view.row(max(0, self.view.row_of(self.selected) - self._room[0] // 2)).number
        self.repaint()
        self.flush()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Look what is new, and draw what has changed of what is on the screen."""
        self._note_rate()
        self.view.advance()
        if not self.size.height:
            return
        height, width = self._room
        count = len(self.view)
        top = self._follow_top(count, height, width) if self.is_following else self._anchored_top(count)
        self._set_height(self._virtual_height(count, height, width))
        self._is_moving = True
        try:
            if round(self.scroll_y) != top:
                self.scroll_to(y=top, animate=False, immediate=True)
        finally:
            self._is_moving = False
        self._repaint_changed(height, width)
        self._tell()

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen."""
        height, width = self._room
        lines = self._lines(height, width)
        if y >= len(lines):
            return Strip.blank(width, self.rich_style)
        index, part = lines[y]
        try:
            strip = self.painter.strips(index, width, self.selected)[part]
        except IndexError:
            return Strip.blank(width, self.rich_style)
        strip = self._with_selection(strip, y)
        return strip.apply_offsets(0, self.scroll_offset.y + y)

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - the whole is repainted
        """Paint what the mouse has selected."""
        self.refresh()

    # ── events ────────────────────────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Begin to look what is new."""
        self.set_interval(TICK, self._tick)

    def on_resize(self, _event: Resize) -> None:
        """Fit the lines to another width."""
        self._layout = (None, [])
        self._painted = []
        self.flush()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow where the user scrolls to the end, stand still where to anything else."""
        super().watch_scroll_y(old_value, new_value)
        if self._is_moving or round(old_value) == round(new_value):
            return
        if round(new_value) >= self.max_scroll_y:
            self.is_following = True
        else:
            self.freeze()
            self._remember_top()
        self._tell()

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.repaint()

    def on_key(self, _event: Key) -> None:
        """Draw more often while keys are pressed."""
        self.hurry()

    # ── inside: when ──────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        now = self._clock()
        self._lateness = 0.9 * self._lateness + 0.1 * max(0.0, now - self._ticked_at - TICK)
        self._ticked_at = now
        # Where more than ten screens go by in a second nobody reads, whatever keys are pressed.
        is_flood = self.is_following and self._rate > FPS * max(1, self.size.height)
        if is_flood or self._lateness > _LATE:
            self.fps = FPS_WHEN_SLOW
        else:
            self.fps = FPS_AFTER_KEY if now - self._key_at < _KEY_LASTS else FPS
        if now - self._flushed_at >= 1 / self.fps - TICK / 2 or self.view.is_behind:
            self.flush()

    def _note_rate(self) -> None:
        now, total = self._clock(), self.view.store.total
        passed = now - self._flushed_at
        if passed > TICK / 2:
            self._rate = (total - self._total) / passed
            self._flushed_at, self._total = now, total

    # ── inside: where ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def _room(self) -> tuple[int, int]:
        region = self.scrollable_content_region
        return region.height, region.width

    def _virtual_height(self, count: int, height: int, width: int) -> int:
        if not self.look.is_wrapped:
            return count
        return self._follow_top(count, height, width) + height

    def _follow_top(self, count: int, height: int, width: int) -> int:
        """Tell the row at the top when the newest is at the bottom."""
        if not self.look.is_wrapped:
            return max(0, count - height)
        row, lines = count, 0
        while row > 0 and lines < height:
            row -= 1
            lines += len(self.painter.strips(row, width, self.selected))
        return row

    def _anchored_top(self, count: int) -> int:
        if self._top is None or not count:
            return round(self.scroll_y)
        return max(0, self.view.row_of(self._top))

    def _remember_top(self) -> None:
        row = round(self.scroll_y)
        self._top = self.view.row(row).number if row < len(self.view) else None

    def _bring_into_view(self) -> None:
        row = self.selected_row
        if row is None:
            return
        lines = [index for index, _ in self._lines(*self._room)]
        height = max(1, self._room[0])
        first = round(self.scroll_y)
        last = lines[-1] - 1 if self.look.is_wrapped and lines else first + height - 1
        if row < first:
            self._top = self.view.row(row).number
        elif row > last:
            self._top = self.view.row(max(0, first + row - last)).number
        else:
            self._remember_top()

    def _set_height(self, height: int) -> None:
        if height != self.virtual_size.height:
            # Not by assignment: that would lay out the whole screen ten times a second.
            self.set_reactive(RowScroll.virtual_size, Size(self.size.width, height))
            self._scroll_update(self.virtual_size)

    def _lines(self, height: int, width: int) -> list[tuple[int, int]]:
        """Tell for each line of the screen its row, and which line of that row it is."""
        top, count = round(self.scroll_y), len(self.view)
        if not self.look.is_wrapped:
            return [(index, 0) for index in range(top, min(count, top + height))]
        key = (top, height, width, self.view.revision, self.view.store.revision, self.selected)
        if self._layout[0] != key:
            self._layout = (key, self._wrapped_lines(top, count, height, width))
        return self._layout[1]

    def _wrapped_lines(self, top: int, count: int, height: int, width: int) -> list[tuple[int, int]]:
        lines: list[tuple[int, int]] = []
        for index in range(top, count):
            lines += [(index, part) for part in range(len(self.painter.strips(index, width, self.selected)))]
            if len(lines) >= height and not self.is_following:
                break
        # While following the end is what counts, and the first row may lose its first lines.
        return lines[-height:] if self.is_following and height else lines[:height]

    # ── inside: what ──────────────────────────────────────────────────────────────────────────────────────

    def _repaint_changed(self, height: int, width: int) -> None:
        lines = self._lines(height, width)
        painted: list[Hashable] = [
            (part, self.painter.key(index, width, self.selected)) for index, part in lines
        ]
        before, self._painted = self._painted, painted
        if before == painted:
            return
        longer = max(len(before), len(painted))
        changed = [
            y for y in range(longer) if y >= len(before) or y >= len(painted) or before[y] != painted[y]
        ]
        if len(changed) * 2 > longer:
            self.refresh()
        else:
            self.refresh_lines(round(self.scroll_y) + changed[0], changed[-1] - changed[0] + 1)

    def _tell(self) -> None:
        if self.is_following:
            self.new_below = 0
        elif len(self.view):
            self.new_below = len(self.view) - 1 - self.view.row_of(self._newest_seen)
        # Counts change all the time; whoever shows them looks by itself a few times a second.
        told = (self.is_following, self.new_below > 0, self.view.shown > 0)
        if told != self._told:
            self._told = told
            self.post_message(self.Moved(self))

    def _style(self, tone: Tone, is_selected: bool) -> Style:
        style = self._styles.get((tone, is_selected))
        if style is None:
            style = self.rich_style
            if tone != "plain":
                style += self.get_component_rich_style(f"event-log--{tone}", partial=True)
            if is_selected:
                style += self.get_component_rich_style("event-log--selected", partial=True)
            self._styles[tone, is_selected] = style
        return style

    def _with_selection(self, strip: Strip, y: int) -> Strip:
        selection = self.text_selection
        span = None if selection is None else selection.get_span(self.scroll_offset.y + y)
        if span is None:
            return strip
        start, end = span
        length = strip.cell_length
        end = length if end == -1 else min(end, length)
        before, middle, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, length)
        style = self.screen.get_component_rich_style("screen--selection")
        return Strip.join([before, middle.apply_style(style), after])
