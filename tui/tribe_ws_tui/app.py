"""The inspector as a Textual app: wiring only."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Input, TextArea

from tribe_ws.errors import TribeError
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.palette import InspectorCommands
from tribe_ws_tui.screens.bench import OpenSession
from tribe_ws_tui.screens.inspector import Inspector
from tribe_ws_tui.screens.open_capture import OpenCapture, captures_in
from tribe_ws_tui.screens.too_small import TooSmall, is_too_small
from tribe_ws_tui.screens.users import UsersScreen
from tribe_ws_tui.screens.welcome import Start, WelcomeScreen
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.sturdy import MOST_BUGS, BugLog, Sturdy, bug_words

_TONES = ("text-error", "text-warning", "text-success", "text-accent", "text-primary")
_TWICE = 2.0
"""Seconds within which a second Ctrl+C leaves."""


class InspectorApp(Sturdy):
    """The chat inspector; ``open_session`` makes the session of a letter and a user.

    ``is_sturdy`` says whether a failure of our own code is told and survived; tests want it raised.
    """

    TITLE = "tribe-ws"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (100, "medium"), (160, "wide")]  # noqa: RUF012 - as below
    COMMANDS = {InspectorCommands}  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", show=False, priority=True, system=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True, system=True),
    ]

    def __init__(
        self,
        setup: InspectorSetup,
        inspection: Inspection,
        open_session: OpenSession,
        *,
        is_sturdy: bool = True,
    ) -> None:
        super().__init__()
        self.setup = setup
        self.inspector = Inspector(setup, inspection, open_session)
        self._is_sturdy = is_sturdy
        self._bugs = BugLog(setup.log_file)
        self._interrupted_at = -_TWICE

    def on_mount(self) -> None:
        """Open the inspector, or ask how to begin where there is nobody to be."""
        self.theme = self.setup.theme
        self.set_keymap(self.setup.keymap)
        self.push_screen(self.inspector)
        setup = self.setup
        if not (setup.users or setup.replay or setup.is_tapping):
            self._welcome()
        self._mind_the_size(self.size)

    def on_resize(self, event: Resize) -> None:
        """Say so where the terminal has become too small, and go on where it is not any more."""
        self._mind_the_size(event.size)

    def get_css_variables(self) -> dict[str, str]:
        """Give the colours; without colour, what is told by a tone is as bright as any other text."""
        variables = super().get_css_variables()
        if self.no_color:
            variables |= dict.fromkeys(_TONES, variables["foreground"])
        return variables

    def report_bug(self, error: Exception) -> bool:
        """Tell a failure of our own code; tells whether the app goes on."""
        is_up = self.inspector.is_mounted and not self._exit
        if not self._is_sturdy or not is_up or self._bugs.count >= MOST_BUGS:
            return False
        if not self._bugs.is_new(error):
            return True
        words = bug_words(self._bugs, self._bugs.write(error))
        self.notify(words, title="bug", severity="error", timeout=15, markup=False)
        return True

    def action_leave(self) -> None:
        """Leave, as the inspector does it."""
        if self.inspector in self.screen_stack:
            self.inspector.action_leave()
        else:
            self.exit()

    def action_interrupt(self) -> None:
        """Copy what is selected in a text; else leave when pressed a second time soon after the first."""
        focused = self.screen.focused
        if isinstance(focused, TextArea | Input) and focused.selected_text:
            self.copy_to_clipboard(focused.selected_text)
            return
        now = time.monotonic()
        if now - self._interrupted_at < _TWICE:
            self.action_leave()
        else:
            self._interrupted_at = now
            self.notify("Ctrl+C again leaves", timeout=_TWICE, markup=False)

    # ── how one begins ────────────────────────────────────────────────────────────────────────────────────

    def _welcome(self) -> None:
        address = self.setup.address
        place = f"{address.host}:{address.port}"
        reason = self.setup.why_nobody or f"Nobody is logged in to {place}."
        self.push_screen(WelcomeScreen(place, reason, self.setup.start_server is not None), self._begin)

    def _begin(self, start: Start | None) -> None:
        match start:
            case None:
                self.exit()
            case "server":
                self.run_worker(self._begin_with_server())
            case "user":
                screen = UsersScreen(self.setup.known_users, {}, "Log in as")
                self.push_screen(screen, self._begin_as)
            case "capture":
                from pathlib import Path

                def play(path: Path | None) -> None:
                    self.inspector.play(path) if path is not None else self._welcome()

                self.push_screen(OpenCapture(captures_in(Path.cwd())), play)

    async def _begin_with_server(self) -> None:
        assert self.setup.start_server is not None
        try:
            self.inspector.control = await self.setup.start_server()
        except (TribeError, OSError) as error:
            self.notify(str(error), title="no server", severity="error", markup=False)
            self._welcome()
            return
        self._begin_as(next(iter(self.setup.known_users), "alice"))

    def _begin_as(self, username: str | None) -> None:
        if username is None:
            self._welcome()
        else:
            self.run_worker(self.inspector.begin_as(username))
            self.run_worker(self.inspector.fetch_faults())

    def _mind_the_size(self, size: Size) -> None:
        shown = isinstance(self.screen, TooSmall)
        if is_too_small(size) and not shown:
            self.push_screen(TooSmall())
        elif shown and not is_too_small(size):
            self.pop_screen()
