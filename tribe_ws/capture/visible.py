"""Makes any text safe to show on a terminal: what would move the cursor, ring or lie becomes visible.

A chat message is written by strangers. Escape sequences in it could retitle the window, fill the clipboard
or hide text, and bidirectional controls could reverse what is read. Every text from the wire passes through
here before it reaches a screen.
"""

from __future__ import annotations

import json
import re
from typing import Any

_KEPT = "\n\t"
# C0 but line feed and tab, DEL, C1, line and paragraph separators, bidirectional controls, the byte order
# mark, interlinear and tag characters, what is no character (XML cannot hold it in any form), and lone
# surrogates (which no terminal stream can encode).
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_UNSAFE_ON_A_LINE = re.compile(_UNSAFE.pattern[:-1] + _KEPT + "]")


def visible(text: str) -> str:
    r"""Replace each dangerous character by its escape (``\x1b``, ``\u202e``); line feeds and tabs stay."""
    return _UNSAFE.sub(_escape, text) if _UNSAFE.search(text) else text


def visible_line(text: str) -> str:
    r"""Do the same for a text that must stay on one line: line feed and tab become ``\n`` and ``\t``."""
    return _UNSAFE_ON_A_LINE.sub(_escape, text) if _UNSAFE_ON_A_LINE.search(text) else text


def visible_json(value: Any) -> str:
    """Write a value as one line of JSON that is safe to look at and to read back."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # JSON escapes C0 itself; the other dangerous characters only occur inside strings, as \u escapes.
    return text if visible_line(text) == text else json.dumps(value, separators=(",", ":"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {10: r"\n", 13: r"\r", 9: r"\t"}.get(code)
    if named:
        return named
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
