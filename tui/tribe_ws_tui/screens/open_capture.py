"""Which capture to play: one of those that lie here, or any by its path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import size_words, toned

MOST_LISTED = 50


class OpenCapture(Dialog[Path]):
    """Answers with the path of a capture."""

    TITLE_TEXT = "Open capture"
    FOOT = "Enter plays it   Esc leaves   The live capture goes on; Esc comes back."

    def __init__(self, captures: Sequence[Path]) -> None:
        super().__init__()
        self._captures = tuple(captures[:MOST_LISTED])

    def questions(self) -> ComposeResult:
        """Offer what lies here, and a field for any other path."""
        yield Choices(id="captures")
        yield Input(placeholder="path of a capture", compact=True)

    def on_mount(self) -> None:
        """Fill the list."""
        choices = self.query_one(Choices)
        rows = [f"{path.name:<36} {size_words(path.stat().st_size)}" for path in self._captures]
        choices.add_options([Option(toned(row)) for row in rows])
        choices.display = bool(rows)
        (choices if rows else self.query_one(Input)).focus()
        if rows:
            choices.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take one that lies here."""
        self.dismiss(self._captures[event.option_index])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the written path, if there is such a file."""
        path = Path(event.value.strip()).expanduser()
        if not path.is_file():
            self.say(f"There is no file {path}.")
        else:
            self.dismiss(path)


def captures_in(folder: Path) -> list[Path]:
    """List the captures of a folder, the newest first."""
    found = [path for path in folder.glob("*.ndjson") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
