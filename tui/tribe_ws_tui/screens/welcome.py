"""What one sees where nobody is logged in and no server runs: three things that work at once."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import toned

Start = Literal["server", "user", "capture"]


class StartChoice(NamedTuple):
    """One way to begin."""

    start: Start
    key: str
    words: str
    explanation: str


class WelcomeScreen(Dialog[Start]):
    """Answers with how to begin; Esc leaves the inspector."""

    TITLE_TEXT = "tribe-ws"
    FOOT = "Enter begins   Esc quits   ? lists all keys later"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('server')", show=False),
        Binding("u", "choose('user')", show=False),
        Binding("o", "choose('capture')", show=False),
        Binding("q", "dismiss(None)", show=False),
    ]

    def __init__(self, place: str, reason: str, can_start: bool) -> None:
        super().__init__(classes="wide-dialog")
        self._place = place
        self._reason = reason
        starts = [
            StartChoice("user", "u", f"Log in to {place}", "as a user of that server, with a password"),
            StartChoice("capture", "o", "Open a capture", "play what was recorded; no server needed"),
        ]
        if can_start:
            words = "the complete backend, with demo users"
            starts.insert(0, StartChoice("server", "s", "Start a local server", words))
        self._starts = starts

    def questions(self) -> ComposeResult:
        """Offer the ways to begin."""
        yield Static(toned("The chat inspector", "strong"), markup=False, classes="dialog-words")
        yield Static(toned(self._reason, "dim"), markup=False, classes="dialog-words")
        yield Choices(id="starts")

    def on_mount(self) -> None:
        """Fill the list."""
        choices = self.query_one(Choices)
        choices.add_options([Option(_row(one)) for one in self._starts])
        choices.highlighted = 0
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Begin."""
        self.dismiss(self._starts[event.option_index].start)

    def action_choose(self, start: Start) -> None:
        """Begin by the letter."""
        if start in {one.start for one in self._starts}:
            self.dismiss(start)


def _row(one: StartChoice) -> Content:
    return Content.assemble(
        toned(f" {one.key}  ", "accent"), toned(f"{one.words:<34}", "strong"), toned(one.explanation, "dim")
    )
