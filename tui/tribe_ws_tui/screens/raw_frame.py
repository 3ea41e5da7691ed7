"""A frame written by hand: checked on each key, and sent all the same if one wants it broken."""

from __future__ import annotations

import json
import re
from typing import ClassVar, Literal, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static, TextArea

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.codec import decode_client_frame
from tribe_ws_tui.keymap import Scope, bindings
from tribe_ws_tui.screens.dialog import Dialog
from tribe_ws_tui.wording import toned

FrameKind = Literal["text", "binary", "ping", "close"]
KINDS: tuple[FrameKind, ...] = ("text", "binary", "ping", "close")
TEMPLATE = '{"event":"ping"}'
_SAID: dict[FrameKind, str] = {
    "text": "Text frame: sent as it stands",
    "binary": "Binary frame: the bytes of the text, or of hexadecimal digits",
    "ping": "The documented ping: its pong measures the round trip",
    "close": "Close: a code of 1000 or from 3000 to 4999, and a reason",
}
_HEX = re.compile(r"\s*(?:[0-9a-fA-F]{2}\s*)+")


class FrameChoice(NamedTuple):
    """A frame to be sent: a text, bytes, the documented ping, or a close with its code."""

    kind: FrameKind
    text: str
    code: int = 1000

    @property
    def payload(self) -> bytes:
        """The bytes of a binary frame: hexadecimal digits stand for what they say."""
        if _HEX.fullmatch(self.text):
            return bytes.fromhex(self.text)
        return self.text.encode("utf-8", "surrogatepass")


class RawFrameScreen(Dialog[FrameChoice]):
    """Answers with the frame to be sent."""

    TITLE_TEXT = "Raw frame"
    FOOT = "Ctrl+S sends   F3 text, binary, ping, close   Esc leaves"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.RAW),
        Binding("f3", "kind", show=False),
    ]

    def __init__(self, text: str = TEMPLATE) -> None:
        super().__init__(classes="wide-dialog")
        self._text = text
        self._kind: FrameKind = "text"

    def questions(self) -> ComposeResult:
        """Ask for the frame."""
        yield Static("", id="frame-kind", classes="dialog-words", markup=False)
        yield TextArea(self._text, id="frame-text", tab_behavior="focus", compact=True)
        yield Input("1000", id="close-code", compact=True, restrict=r"\d{0,4}")
        yield Static("", id="frame-check", markup=False)

    def on_mount(self) -> None:
        """Begin with a text frame."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()
        self._show_kind()

    def on_text_area_changed(self) -> None:
        """Check what is written."""
        self._check()

    def on_input_changed(self) -> None:
        """Check the code."""
        self._check()

    def on_input_submitted(self) -> None:
        """Send, from the field of the code."""
        self.action_send()

    def action_kind(self) -> None:
        """Change between a text, bytes, a ping and a close."""
        self._kind = KINDS[(KINDS.index(self._kind) + 1) % len(KINDS)]
        self._show_kind()

    def action_send(self) -> None:
        """Send, right or wrong; only a close must have a code that WebSocket lets one send."""
        text, code = self.query_one(TextArea).text, self._code()
        if self._kind == "close" and code is None:
            self.say("A close needs a code of 1000 or from 3000 to 4999.")
            return
        self.dismiss(FrameChoice(self._kind, text, code or 1000))

    def action_leave(self) -> None:
        """Send nothing."""
        self.dismiss(None)

    def _show_kind(self) -> None:
        names = "  ".join(f"[{kind}]" if kind == self._kind else kind for kind in KINDS)
        self.query_one("#frame-kind", Static).update(toned(f"{names}     {_SAID[self._kind]}"))
        self.query_one("#close-code").display = self._kind == "close"
        self.query_one(TextArea).disabled = self._kind == "ping"
        self._check()

    def _check(self) -> None:
        text = self.query_one(TextArea).text
        words, is_good = self._judge(text)
        shown = toned(f"● {words}", "good") if is_good else toned(f"✗ {words}", "bad")
        self.query_one("#frame-check", Static).update(shown)

    def _judge(self, text: str) -> tuple[str, bool]:
        if self._kind == "text":
            problem = frame_problem(text)
            return (f"{problem}   Ctrl+S sends it anyway", False) if problem else ("a documented frame", True)
        if self._kind == "close":
            return ("code and reason are fine", True) if self._code() else ("no such code", False)
        if self._kind == "ping":
            return "nothing else to write", True
        return f"{len(FrameChoice(self._kind, text).payload)} bytes", True

    def _code(self) -> int | None:
        text = self.query_one("#close-code", Input).value
        code = int(text) if text else 0
        return code if code == 1000 or 3000 <= code <= 4999 else None


def frame_problem(text: str) -> str:
    """Say what is wrong with a frame for the server: its JSON with line and column, or its keys."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno} column {error.colno}: {error.msg[0].lower()}{error.msg[1:]}"
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    if not isinstance(value, dict):
        return "JSON, but no object"
    try:
        decode_client_frame(text)
    except ProtocolViolation as violation:
        return violation.message
    return ""
