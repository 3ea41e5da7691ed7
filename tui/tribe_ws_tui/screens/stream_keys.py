"""What the keys of the stream do: moving, freezing, filtering, searching, marking, copying."""

from __future__ import annotations

from dataclasses import replace

from tribe_ws.capture.filter import FilterError
from tribe_ws.capture.visible import visible
from tribe_ws_tui.copying import command_for, keep_copy
from tribe_ws_tui.event_lines import Columns, TimeStyle
from tribe_ws_tui.screens.ask import Ask
from tribe_ws_tui.screens.bench import Bench
from tribe_ws_tui.screens.filter_help import FilterHelp
from tribe_ws_tui.widgets.detail import Detail
from tribe_ws_tui.widgets.event_log import EventLog
from tribe_ws_tui.widgets.filter_bar import FilterBar, FilterInput, next_preset
from tribe_ws_tui.widgets.frame_tree import FrameTree
from tribe_ws_tui.wording import size_words

_TIME_STYLES: tuple[TimeStyle, ...] = ("clock", "relative", "delta")
_TIME_WORDS = {"clock": "time of day", "relative": "since the start", "delta": "since the line above"}


class StreamKeys(Bench):
    """The actions of the stream in use."""

    search = ""

    # ── moving ────────────────────────────────────────────────────────────────────────────────────────────

    def action_move(self, rows: int) -> None:
        """Select an event further down, or up."""
        self.log_view.move(rows)

    def action_page(self, pages: int) -> None:
        """Go on, or back, by a page."""
        self.log_view.page(pages)

    def action_top(self) -> None:
        """Go to the oldest event."""
        self.log_view.top()

    def action_follow(self) -> None:
        """Go to the newest event and follow what comes."""
        for log in self.linked_logs():
            log.follow()

    def action_freeze(self) -> None:
        """Freeze the view or follow again; while a capture plays, pause it or go on."""
        if self.replay is not None:
            self.replay.pause() if self.replay.is_playing else self.replay.play()
            self.refresh_all()
            return
        freeze = not self.log_view.is_frozen
        for log in self.linked_logs():
            log.freeze() if freeze else log.follow()
        self.refresh_all()

    def action_match(self, step: int) -> None:
        """Go to the next match of the search, or the one before."""
        if not self.search:
            self.action_find()
            return
        log = self.log_view
        self._go(log.view.find(self.search, self._row, backwards=step < 0), f'no match of "{self.search}"')

    def action_violation(self, step: int) -> None:
        """Go to the next violation, or the one before."""
        log = self.log_view
        self._go(log.view.next_violation(self._row, backwards=step < 0), "no further violation")

    def action_next_mark(self) -> None:
        """Go to the next marked event."""
        log = self.log_view
        self._go(log.view.next_mark(self._row), "nothing is marked; m marks")

    def action_minute(self, minutes: int) -> None:
        """Go on by a minute, or back."""
        log = self.log_view
        if len(log.view):
            log.select_row(log.view.jump(self._row, minutes))

    @property
    def _row(self) -> int:
        """The selected row; without one the last."""
        row = self.log_view.selected_row
        return len(self.log_view.view) - 1 if row is None else row

    def _go(self, row: int | None, otherwise: str) -> None:
        if row is None:
            self.notify(otherwise, markup=False)
        else:
            self.log_view.select_row(row)

    # ── filter and search ─────────────────────────────────────────────────────────────────────────────────

    def action_filter(self) -> None:
        """Let somebody write the filter."""
        self.pane.filter_bar.open()

    def action_preset(self) -> None:
        """Apply the next ready-made filter."""
        name, text = next_preset(self.log_view.view.text)
        self.set_filter(text)
        self.notify(f"showing {name}", markup=False)

    def action_clear_filter(self) -> None:
        """Leave the opened event, or show every event again."""
        if self.has_class("-detail"):
            self.close_detail()
        elif isinstance(self.focused, FrameTree) or self._is_in_detail(self.focused):
            self.log_view.focus()
        elif self.log_view.view.text:
            self.set_filter("")
        else:
            self.log_view.focus()

    def set_filter(self, text: str) -> None:
        """Show other events in the stream in use, and in the one linked to it."""
        panes = self.panes if self.is_linked else [self.pane]
        try:
            for pane in panes:
                pane.log_view.view.set_filter(text)
                pane.log_view.reload()
                pane.filter_bar.set_text(text)
        except FilterError as error:
            self.notify(str(error), severity="error", markup=False)
        self.refresh_all()

    def action_only(self) -> None:
        """Show only events of the selected kind; where the other user's filter is linked, unlink it."""
        if len(self.panes) > 1 and self.is_linked and self.active == 1:
            self.is_linked = False
            self.link_views()
        record = self.log_view.record
        if record is not None:
            self.set_filter(f"event:{_quoted(record.event)}")

    def action_hide(self) -> None:
        """Hide events of the selected kind, besides what is hidden already."""
        record = self.log_view.record
        if record is not None:
            before = self.log_view.view.text
            both = f"({before})" if "|" in before else before
            self.set_filter(f"{both} !event:{_quoted(record.event)}".strip())

    def action_clear(self) -> None:
        """Show only what comes from now on; the capture is kept."""
        self.log_view.view.clear()
        for log in self.linked_logs():
            log.reload()
        self.notify("the view is clear; what was captured is kept, e exports it", markup=False)
        self.refresh_all()

    def action_find(self) -> None:
        """Ask what to search for, and go to the first match."""
        foot = "Enter searches what is shown   n and N go on   Esc leaves"
        self.app.push_screen(Ask("Search", self.search, "a text, in any case", foot), self._search)

    def _search(self, words: str | None) -> None:
        if words is None:
            return
        self.search = words
        for log in self.linked_logs():
            log.highlight(words)
        if words:
            self.action_match(-1)

    def on_filter_bar_applied(self, event: FilterBar.Applied) -> None:
        """Apply the written filter and go back to the stream."""
        event.stop()
        self.log_view.focus()
        self.set_filter(event.text)

    def on_filter_bar_left(self, event: FilterBar.Left) -> None:
        """Go back to the stream; the filter stays what it was."""
        event.stop()
        self.pane.filter_bar.close()
        self.log_view.focus()

    def on_filter_bar_help_wanted(self, event: FilterBar.HelpWanted) -> None:
        """Explain the filter language, and take an example over."""
        event.stop()

        def take(text: str | None) -> None:
            if text is not None:
                field = self.pane.filter_bar.query_one(FilterInput)
                field.value = text
                field.cursor_position = len(text)
                field.focus()

        self.app.push_screen(FilterHelp(), take)

    def on_frame_tree_filter_wanted(self, event: FrameTree.FilterWanted) -> None:
        """Show only events with the chosen value."""
        event.stop()
        self.close_detail()
        self.set_filter(event.text)

    # ── the opened event ──────────────────────────────────────────────────────────────────────────────────

    def action_open(self) -> None:
        """Take the selected event apart; where none is selected, or the filter hides it, the newest."""
        log = self.log_view
        if log.selected_row is None and len(log.view):
            log.select_row(len(log.view) - 1, step=-1)
        if log.record is None:
            self.notify("there is no event to open", markup=False)
            return
        self.add_class("-detail")
        detail = self.query_one(Detail)
        detail.show(self.opened())
        detail.focus_content()

    def close_detail(self) -> None:
        """Go back from the opened event to the stream."""
        self.remove_class("-detail")
        self.log_view.focus()

    def action_raw(self) -> None:
        """Show frames as they came, or in words: in the stream, or in the opened event."""
        if self._is_in_detail(self.focused):
            detail = self.query_one(Detail)
            detail.choose("decoded" if detail.view == "raw" else "raw")
            detail.focus_content()
            return
        for log in self.linked_logs():
            log.set_raw(not log.look.is_raw)

    def on_event_log_opened(self, event: EventLog.Opened) -> None:
        """Take an event apart that was opened with the mouse."""
        event.stop()
        self.use_log(event.log)
        self.action_open()

    def on_event_log_selected(self, event: EventLog.Selected) -> None:
        """Show the selected event in the pane."""
        event.stop()
        if event.log is self.log_view:
            self.refresh_detail()

    def on_event_log_moved(self, event: EventLog.Moved) -> None:
        """Tell in the status bar whether the view follows."""
        event.stop()
        self.refresh_all()

    # ── marking, copying, looks ───────────────────────────────────────────────────────────────────────────

    def action_mark(self) -> None:
        """Mark the selected event, or take its mark away."""
        if self.log_view.mark() is None:
            self.notify("select an event first, with ↑", markup=False)
        self.refresh_detail()

    def action_copy(self) -> None:
        """Copy the selected frame as it came."""
        if (record := self.log_view.record) is not None:
            self.copy(record.text, "frame")

    def action_copy_command(self) -> None:
        """Copy the command that does the same."""
        if (record := self.log_view.record) is not None:
            self.copy(command_for(record, self.setup.address), "command")

    def copy(self, text: str, what: str) -> None:
        """Copy a text through the terminal, and into a file for terminals that do not take it."""
        self.app.copy_to_clipboard(visible(text) if what == "command" else text)
        kept = keep_copy(text)
        also = f"  (also in {kept})" if kept else ""
        self.notify(f"{what} copied, {size_words(len(text.encode('utf-8', 'replace')))}{also}", markup=False)

    def action_columns(self) -> None:
        """Show fewer columns, then all of them again."""
        for log in self.linked_logs():
            log.set_columns(_next_columns(log.look.columns))

    def action_time(self) -> None:
        """Show times in the next way."""
        style = _TIME_STYLES[(_TIME_STYLES.index(self.log_view.look.time) + 1) % len(_TIME_STYLES)]
        for log in self.linked_logs():
            log.set_time(style)
        self.notify(f"times: {_TIME_WORDS[style]}", markup=False)

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        for log in self.linked_logs():
            log.set_wrapped(not log.look.is_wrapped)

    def linked_logs(self) -> list[EventLog]:
        """Give the stream in use, and the other user's as long as they are linked."""
        return [pane.log_view for pane in self.panes] if self.is_linked else [self.log_view]

    def use_log(self, log: EventLog) -> None:
        """Make the column of a stream the one in use."""
        places = [place for place, pane in enumerate(self.panes) if pane.log_view is log]
        if places and places[0] != self.active:
            self.use(places[0])


def _next_columns(columns: Columns) -> Columns:
    """Leave one more column out, and at the end show all again; the lane stays as it is."""
    if columns.conversation and columns.time:
        return replace(columns, conversation=False)
    if columns.time:
        return replace(columns, time=False)
    if columns.latency:
        return replace(columns, latency=False)
    return Columns(lane=columns.lane)


def _quoted(event: str) -> str:
    is_plain = event.replace(".", "").replace("_", "").replace("-", "").isalnum()
    escaped = event.replace("\\", "\\\\").replace('"', '\\"')
    return event if is_plain else f'"{escaped}"'
