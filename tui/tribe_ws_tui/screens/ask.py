"""One line to be written: a search, the name of a file."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from tribe_ws_tui.screens.dialog import Dialog


class Ask(Dialog[str]):
    """Answers with what was written; the empty text is an answer too."""

    def __init__(self, title: str, value: str = "", placeholder: str = "", foot: str = "") -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._placeholder = placeholder
        self._foot = foot

    def questions(self) -> ComposeResult:
        """Ask for the line."""
        yield Input(self._value, placeholder=self._placeholder, compact=True)

    def on_mount(self) -> None:
        """Let somebody write."""
        self.query_one(".dialog").border_title = self._title
        self.say(self._foot)
        self.query_one(".dialog-foot").remove_class("-wrong")
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it."""
        self.dismiss(event.value)
