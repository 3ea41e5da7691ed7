"""A screen as a file people can review: its text, and under it which tone each cell has."""

from __future__ import annotations

import os
from pathlib import Path

from rich.color import ColorType
from rich.style import Style

from tests.tui.stage import screen_text
from tribe_ws_tui.app import InspectorApp

LOOKS = Path(__file__).parent / "looks"
UPDATES = bool(os.environ.get("TRIBE_WS_UPDATE_LOOKS"))
LEGEND = "e error, w warning, s success, a accent, m muted, b bold, r reverse, . plain"
_TONES = {
    "text-error": "e",
    "text-warning": "w",
    "text-success": "s",
    "text-accent": "a",
    "foreground-muted": "m",
}


def look_of(app: InspectorApp) -> str:
    """Draw the screen as text, and its tones as letters."""
    text = "\n".join(line.rstrip() for line in screen_text(app).split("\n"))
    return f"{text}\n\n{LEGEND}\n{tones_of(app)}\n"


def tones_of(app: InspectorApp) -> str:
    """Draw a letter for the tone of each cell."""
    letters = _letters(app)
    rows = []
    for strip in app.screen._compositor.render_strips():
        row = "".join(_letter(one.style, letters) * one.cell_length for one in strip)
        rows.append(row.rstrip(". "))
    return "\n".join(rows)


def compare(name: str, look: str) -> str:
    """Hold a look against the stored one; gives what is to be said where they differ, else nothing."""
    path = LOOKS / f"{name}.txt"
    if UPDATES:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(look, "utf-8")
        return ""
    if not path.exists():
        return f"{path} is missing; TRIBE_WS_UPDATE_LOOKS=1 writes it"
    stored = path.read_text("utf-8")
    if stored == look:
        return ""
    pairs = zip(stored.split("\n"), look.split("\n"), strict=False)
    lines = [f"  stored |{before}\n  now    |{after}" for before, after in pairs if before != after]
    return f"{name} looks different:\n" + "\n".join(lines[:12])


def _letters(app: InspectorApp) -> dict[str, str]:
    variables = app.get_css_variables()
    plain = variables["foreground"]
    return {variables[name].lower()[:7]: one for name, one in _TONES.items() if variables[name] != plain}


def _letter(style: Style | None, letters: dict[str, str]) -> str:
    if style is None:
        return "."
    if style.reverse:
        return "r"
    color = style.color
    if color is not None and color.type is ColorType.TRUECOLOR and color.triplet is not None:
        found = letters.get(color.triplet.hex.lower())
        if found is not None:
            return found
    return "b" if style.bold else "."
