"""Owns stdout: data for the next program or the reader's eye, and nothing else.

Every text passes through ``visible``: nothing from the wire reaches a terminal raw. Colour is added
afterwards, here, and only when somebody is looking.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from tribe_ws.capture.visible import visible, visible_json, visible_line

Segments = Iterable[tuple[str, str]]
"""Pieces of one line, each with the name of its style (empty for none)."""

_STYLES = {
    "time": "2", "in": "32", "out": "36", "rest": "34", "note": "33", "bad": "1;31", "event": "1", "dim": "2",
    "good": "32",
}  # fmt: skip


class Output:
    """Writes lines, JSON and tables to stdout, each at once."""

    def __init__(self, stream: TextIO | None = None, *, color: bool = False) -> None:
        self._stream = stream
        self._color = color

    @property
    def stream(self) -> TextIO:
        """Where it writes: the stream given, or whatever stdout is now."""
        return self._stream or sys.stdout

    def line(self, text: str = "") -> None:
        """Write one text; line feeds in it stay, other controls become visible."""
        self._write(visible(text))

    def segments(self, parts: Segments) -> None:
        """Write one line in colours."""
        self._write("".join(paint(visible_line(text), style, self._color) for text, style in parts).rstrip())

    def json(self, value: Any) -> None:
        """Write one value as JSON on one line; non-ASCII stays readable, controls are escaped."""
        self._write(to_json(value))

    def raw(self, text: str) -> None:
        """Write a frame as it came, on one line, dangerous characters made visible."""
        self._write(visible_line(text))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write aligned columns under headings."""
        lines = [[visible_line(cell) for cell in row] for row in (headings, *rows)]
        widths = [max(width_of(row[column]) for row in lines) for column in range(len(headings))]
        for number, row in enumerate(lines):
            cells = (cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True))
            self._write(paint("  ".join(cells).rstrip(), "" if number else "dim", self._color))

    def _write(self, text: str) -> None:
        stream = self.stream
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()


def to_json(value: Any) -> str:
    """Write a value as one line of JSON that is safe to look at and to read back."""
    return visible_json(value)


def paint(text: str, style: str, color: bool) -> str:
    """Put a text into a colour, if there is a style for it and somebody looks."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color and style and text else text


def width_of(text: str) -> int:
    """Tell how many columns a text takes on a terminal (wide characters take two)."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text)) or len(text)


def cut(text: str, width: int) -> str:
    """Cut a text to a number of columns, with an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return text + "…"
