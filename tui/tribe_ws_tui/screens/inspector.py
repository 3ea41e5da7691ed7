"""The main screen, whole: what happens when it opens, when something changed, and each second."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from tribe_ws.client.control import ControlClient
from tribe_ws.errors import NotFound, TribeError
from tribe_ws_tui.absent import NoSession
from tribe_ws_tui.event_lines import Columns
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.keymap import Key, Scope, bindings
from tribe_ws_tui.messages import Broke, ReplayMoved, Said, SessionMoved, TapMoved
from tribe_ws_tui.screens.bench import OpenSession
from tribe_ws_tui.screens.help import HelpScreen
from tribe_ws_tui.screens.writing_keys import WritingKeys
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.tap import Tap
from tribe_ws_tui.widgets.detail import Detail
from tribe_ws_tui.widgets.filter_bar import FilterInput
from tribe_ws_tui.widgets.key_bar import KeyBar
from tribe_ws_tui.widgets.session_pane import SessionPane

REFRESHES = 4
"""How often in a second is drawn anew what counts seconds."""


class Inspector(WritingKeys):
    """Conversations and people, one or two users' streams, the opened event."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.STREAM, Scope.EVERYWHERE, Scope.REPLAY),
        Binding("escape", "clear_filter", show=False),
    ]

    def __init__(self, setup: InspectorSetup, inspection: Inspection, open_session: OpenSession) -> None:
        super().__init__(setup, inspection, open_session)
        self._greeted: set[InspectorSession] = set()

    async def on_mount(self) -> None:
        """Open the columns of the users one came as, and begin to count seconds."""
        nobody = ("",) if self.setup.replay or self.setup.is_tapping else ()
        for user in self.setup.users[:2] or nobody:
            await self.begin_as(user)
        if self.setup.replay is not None:
            self.play(self.setup.replay)
        if self.setup.is_tapping and self.control is not None:
            await self._tap(self.control)
        self.set_interval(1 / REFRESHES, self.refresh_all)
        self.run_worker(self.fetch_faults())
        if self.setup.record is not None:
            self.record(self.setup.record)

    async def _tap(self, control: ControlClient) -> None:
        """Follow every connection of the local server, each in a lane of its own."""
        self.tap = Tap(control, self.inspection, self.post_message)
        self.tap.start()
        self.log_view.set_columns(Columns(lane=True))
        self.log_view.set_labels(self.label_of)
        try:
            world = (await control.info()).get("world", {})
        except TribeError:
            return
        self.labels = {str(one["id"]): str(one["label"]) for one in world.get("conversations", ())}

    async def on_unmount(self) -> None:
        """Close every session, the tap and the recording."""
        if self.tap is not None:
            await self.tap.stop()
        for session in self.sessions:
            await session.stop()
        self.inspection.stop_recording()

    async def begin_as(self, username: str) -> None:
        """Open the column of the first user, or of the second."""
        await self.add_pane(username)
        self.use(0)
        self.log_view.focus()

    # ── what is heard ─────────────────────────────────────────────────────────────────────────────────────

    def on_session_moved(self, event: SessionMoved) -> None:
        """Draw what a session knows now."""
        event.stop()
        pane = self.pane_of(event.label)
        if pane is not None:
            pane.log_view.set_labels(self.label_of)
            if self.tap is not None:
                self.tap.names = pane.session.names
            self._subscribe_at_first(pane)
        self.refresh_all()

    def _subscribe_at_first(self, pane: SessionPane) -> None:
        """Subscribe to what one came for, once, as soon as that is possible."""
        session = pane.session
        if session in self._greeted or not session.state.link.is_open or not session.state.conversations:
            return
        self._greeted.add(session)
        for name in self.setup.subscribe:
            try:
                session.subscribe(session.names.find(name))
            except NotFound as error:
                self.notify(f"{error}  {error.hint}", severity="warning", markup=False)

    def on_said(self, event: Said) -> None:
        """Say something in passing."""
        event.stop()
        words = f"{event.words}  {event.hint}" if event.hint else event.words
        self.notify(words, severity=event.severity, markup=False)

    def on_broke(self, event: Broke) -> None:
        """Tell a bug in a task as one in a handler."""
        event.stop()
        raise event.error

    def on_replay_moved(self, event: ReplayMoved) -> None:
        """Draw where the capture is."""
        event.stop()
        self.refresh_all()

    def on_tap_moved(self, event: TapMoved) -> None:
        """Say why the tap ended, and draw its lanes."""
        event.stop()
        if event.words:
            self.notify(event.words, severity="warning", markup=False)
        if self.tap is not None:
            doing = "tapping" if self.tap.is_watching else "waiting to tap"
            for session in self.sessions:
                if isinstance(session, NoSession):
                    session.stands(f"{doing} {self.setup.address.host}:{self.setup.address.port}")
        self.refresh_all()

    def on_descendant_focus(self) -> None:
        """Show the keys that work here, and take the column for the one in use that has the focus."""
        for place, pane in enumerate(self.panes):
            if place != self.active and pane.has_focus_within:
                self.use(place)
        self.refresh_keys()

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """Do what a clicked key does."""
        event.stop()
        target: DOMNode = self
        match event.key.scope:
            case Scope.COMPOSER:
                target = self.pane.composer
            case Scope.FILTER:
                target = self.pane.filter_bar.query_one(FilterInput)
            case Scope.DETAIL:
                target = self.query_one(Detail)
        self.call_later(self.app.run_action, event.key.action, target)

    # ── everywhere ────────────────────────────────────────────────────────────────────────────────────────

    def action_help(self) -> None:
        """List all keys, and run the chosen one."""
        self.app.push_screen(HelpScreen(self.keymap), self._run_key)

    def _run_key(self, key: Key | None) -> None:
        if key is None:
            return
        match key.scope:
            case Scope.COMPOSER:
                self.do("write")
            case Scope.FILTER:
                self.do("filter")
            case Scope.DETAIL:
                self.do("open")
            case Scope.RAW:
                self.do("raw_frame")
            case _:
                self.do(key.action)

    def action_palette(self) -> None:
        """Find anything by name."""
        self.app.action_command_palette()

    def action_theme(self) -> None:
        """Change between the dark and the light theme, of the same family where there is one."""
        self.app.theme = other_theme(self.app.theme, set(self.app.available_themes))

    def action_reconnect(self) -> None:
        """Connect anew, now; from a capture come back to the live one, with every user connected."""
        if self.replay is None:
            self.session.reconnect()
        else:
            self.end_replay()
            for session in self.sessions:
                if not session.state.link.is_open:
                    session.reconnect()
        self.refresh_all()

    def action_clear_filter(self) -> None:
        """Leave the opened event, or show every event again, or come back from a capture."""
        is_plain = not self.has_class("-detail") and not self.log_view.view.text
        if self.replay is not None and self.has_live and is_plain and self.log_view.has_focus:
            self.end_replay()
        else:
            super().action_clear_filter()


def other_theme(theme: str, available: set[str]) -> str:
    """Tell the light sister of a dark theme and the other way round; else Textual's own."""
    for dark, light in (("-dark", "-light"), ("-mocha", "-latte"), ("rose-pine", "rose-pine-dawn")):
        for before, after in ((dark, light), (light, dark)):
            if theme.endswith(before) and (sister := theme.removesuffix(before) + after) in available:
                return sister
    return "textual-dark" if "light" in theme else "textual-light"
