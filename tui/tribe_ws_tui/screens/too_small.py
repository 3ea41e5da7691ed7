"""What is shown where the terminal is too small: how large it must be, and what works at any size."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

LEAST = Size(60, 16)


class TooSmall(Screen[None]):
    """Lies over everything as long as the terminal is too small."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+q", "app.quit", show=False)]

    def compose(self) -> ComposeResult:
        """Say it in the middle."""
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Say how small it is."""
        self._tell(self.app.size)

    def on_resize(self, event: Resize) -> None:
        """Say how small it is now."""
        self._tell(event.size)

    def _tell(self, size: Size) -> None:
        needed = f"the inspector needs {LEAST.width}x{LEAST.height}"
        words = f"Terminal is {size.width}x{size.height}; {needed}. `tribe-ws connect` works at any size."
        self.query_one(Static).update(words)


def is_too_small(size: Size) -> bool:
    """Tell whether the inspector cannot be drawn in a terminal of that size."""
    return size.width < LEAST.width or size.height < LEAST.height
