"""What the screens that lie over the inspector have in common: a frame with a title, left by Esc."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A question in the middle of the screen; Esc answers ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back", show=False)]
    TITLE_TEXT: ClassVar[str] = ""
    FOOT: ClassVar[str] = "Enter takes it   Esc leaves"

    def compose(self) -> ComposeResult:
        """Put what the dialog asks between its title and its keys."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = self.TITLE_TEXT
            yield from self.questions()
            yield Static(self.FOOT, classes="dialog-foot", markup=False)

    def questions(self) -> ComposeResult:
        """Give the widgets that ask."""
        yield from ()

    def say(self, words: str) -> None:
        """Say in the last row what is wrong."""
        foot = self.query_one(".dialog-foot", Static)
        foot.set_class(bool(words), "-wrong")
        foot.update(words or self.FOOT)


class Choices(OptionList):
    """A list in a dialog that is moved in from the field above it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id, markup=False)
