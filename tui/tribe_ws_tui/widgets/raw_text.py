"""A text as it came, however long: only the lines in sight are ever drawn."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tribe_ws.capture.visible import visible_line

_MEASURED = 20_000
"""Characters up to which the width of a line is measured; a longer one is cut as if all were wide."""


class RawText(ScrollView, can_focus=True):
    """Lines cut to the width of the widget, without markup and without control characters."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._text = ""
        self._lines: list[str] = []
        self._width = 0

    @property
    def text(self) -> str:
        """The whole text."""
        return self._text

    def show(self, text: str) -> None:
        """Show another text, from its beginning."""
        if text != self._text:
            self._text = text
            self._cut()
            self.scroll_home(animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Cut the lines anew."""
        if self.scrollable_content_region.width != self._width:
            self._cut()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        row = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        line = self._lines[row] if row < len(self._lines) else ""
        return Strip([Segment(line, self.rich_style)]).adjust_cell_length(width, self.rich_style)

    def _cut(self) -> None:
        self._width = max(1, self.scrollable_content_region.width)
        self._lines = [part for line in self._text.split("\n") for part in cut_line(line, self._width)]
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh()


def cut_line(line: str, width: int) -> list[str]:
    """Cut one line into pieces that fit the width, dangerous characters made visible."""
    shown = visible_line(line)
    if shown.isascii():
        return [shown[start : start + width] for start in range(0, len(shown), width)] or [""]
    if len(shown) > _MEASURED:
        half = max(1, width // 2)
        return [shown[start : start + half] for start in range(0, len(shown), half)]
    pieces, piece, used = [], "", 0
    for character in shown:
        wide = cell_len(character)
        if used + wide > width and piece:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + wide
    return [*pieces, piece]
