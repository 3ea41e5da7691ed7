"""Letters on the panes: one key, and the focus is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label


class Jump(NamedTuple):
    """A letter, what it stands for, and the pane it goes to."""

    key: str
    words: str
    widget: Widget


class JumpScreen(ModalScreen[Widget | None]):
    """Answers with the pane whose letter was pressed; any other key answers ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, jumps: Sequence[Jump]) -> None:
        super().__init__()
        self._jumps = tuple(jumps)

    def compose(self) -> ComposeResult:
        """Put a letter on each pane."""
        for jump in self._jumps:
            label = Label(f" {jump.key} {jump.words} ", classes="jump-label", markup=False)
            region = jump.widget.region
            label.styles.offset = (region.x + max(0, region.width // 2 - 8), region.y + region.height // 2)
            yield label

    def on_key(self, event: Key) -> None:
        """Go where the letter says."""
        event.stop()
        self.dismiss(next((jump.widget for jump in self._jumps if jump.key == event.character), None))
