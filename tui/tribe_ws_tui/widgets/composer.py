"""Where messages, commands and frames are written; it sends nothing itself.

Textual 8.2.8 falls over where an empty text area with a placeholder becomes narrower than one column, so
``render_line`` draws nothing there; the style sheet keeps it wider as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Blur, Key
from textual.message import Message
from textual.strip import Strip
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from tribe_ws.capture.visible import visible, visible_line
from tribe_ws_tui.keymap import Scope, bindings
from tribe_ws_tui.typed import Completion, completion_of
from tribe_ws_tui.wording import toned

PLACEHOLDER = 'Message, /command or {"event":…}  Enter sends'
_REMEMBERED = 100
# What decides about them is the bindings, not the text area.
_BOUND = frozenset({"enter", "shift+enter", "ctrl+j", "tab", "up", "down", "escape"})

Names = Callable[[], tuple[tuple[str, ...], tuple[str, ...]]]
"""Tells the labels of the conversations and the names of the users."""


class Completions(OptionList):
    """The words a begun word could become, above the composer."""

    def __init__(self) -> None:
        super().__init__(classes="completions", markup=False)
        self.can_focus = False
        self.display = False

    def show(self, completion: Completion | None) -> None:
        """Show other words; without any the list is not there."""
        self.display = completion is not None
        if completion is not None:
            self.set_options([_choice(word, meaning) for word, meaning in completion.choices])
            self.highlighted = 0


class Composer(TextArea):
    """The text being written, one draft for each conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.COMPOSER),
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
        Binding("f6", "screen.other_user", show=False),
    ]

    class Sent(Message):
        """A text is to be sent, or a command to be carried out."""

        def __init__(self, text: str, composer: Composer) -> None:
            super().__init__()
            self.text = text
            self.composer = composer

    class Left(Message):
        """Somebody goes back to the stream."""

    class EditorWanted(Message):
        """Somebody wants to write in a program of their own."""

        def __init__(self, composer: Composer) -> None:
            super().__init__()
            self.composer = composer

    class Pressed(Message):
        """Something was typed, or no longer: ``is_writing`` says which."""

        def __init__(self, is_writing: bool, composer: Composer) -> None:
            super().__init__()
            self.is_writing = is_writing
            self.composer = composer

    def __init__(self, names: Names, completions: Completions) -> None:
        super().__init__(classes="composer", tab_behavior="focus", compact=True, placeholder=PLACEHOLDER)
        self.highlight_cursor_line = False
        self._names = names
        self._completions = completions
        self._completion: Completion | None = None
        self._drafts: dict[str, str] = {}
        self._conversation_id = ""
        self._sent: list[str] = []
        self._place = 0

    def show(self, conversation_id: str, title: str, off: str = "") -> None:
        """Write to another conversation, with the draft that was left there; ``off`` says why one cannot."""
        self.border_title = visible_line(title)
        if conversation_id != self._conversation_id:
            self._drafts[self._conversation_id] = self.text
            self._conversation_id = conversation_id
            self.put(self._drafts.pop(conversation_id, ""))
        if self.placeholder != (off or PLACEHOLDER):
            self.read_only = bool(off)
            self.placeholder = off or PLACEHOLDER
            self.refresh()

    def put(self, text: str) -> None:
        """Replace the text, with the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)

    def render_line(self, y: int) -> Strip:
        """Draw a line, but for a width at which Textual falls over."""
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(self.size.width)

    async def _on_key(self, event: Key) -> None:
        if event.key in _BOUND:
            # Not for the text area's own handler, which Textual calls after this one; bindings come last.
            event.prevent_default()
        elif event.is_printable and not self.read_only:
            self.post_message(self.Pressed(True, self))

    def on_text_area_changed(self) -> None:
        """Offer what the begun word could become."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column] if row < self.document.line_count else ""
        # A command is one only at the very beginning.
        is_first = row == 0 or not before.startswith("/")
        conversations, users = self._names()
        completion = completion_of(before, conversations, users) if before and is_first else None
        self._offer(completion)
        if not self.text:
            self.post_message(self.Pressed(False, self))

    def on_blur(self, _event: Blur) -> None:
        """Offer nothing to somebody who is elsewhere."""
        self._offer(None)

    def action_send(self) -> None:
        """Hand over what is written, or do nothing where nothing is."""
        text = self.text
        if not text.strip() or self.read_only:
            return
        self._sent = [*self._sent[-_REMEMBERED:], text]
        self._place = len(self._sent)
        self.put("")
        self.post_message(self.Pressed(False, self))
        self.post_message(self.Sent(text, self))

    def action_new_line(self) -> None:
        """Begin a new line."""
        if not self.read_only:
            self.insert("\n")

    def action_complete(self) -> None:
        """Take the chosen completion; where nothing is to be completed, go to the next pane."""
        completion = self._completion
        if completion is None:
            self.screen.focus_next()
            return
        word = completion.choices[self._completions.highlighted or 0][0]
        row, column = self.cursor_location
        self.replace(word + " ", (row, completion.start), (row, column), maintain_selection_offset=False)
        self.move_cursor((row, completion.start + len(word) + 1))

    def action_earlier(self) -> None:
        """Go up: in the offered words, in the text, or where nothing is written to what was sent last."""
        if self._completion is not None:
            self._completions.action_cursor_up()
        elif self._sent and (not self.text or self._is_recalled()):
            self._recall(max(0, self._place - 1))
        else:
            self.action_cursor_up()

    def action_later(self) -> None:
        """Go down: in the offered words, in the text, or in what was sent."""
        if self._completion is not None:
            self._completions.action_cursor_down()
        elif self._is_recalled():
            self._recall(self._place + 1)
        else:
            self.action_cursor_down()

    def action_editor(self) -> None:
        """Write in a program of one's own."""
        if not self.read_only:
            self.post_message(self.EditorWanted(self))

    def action_leave(self) -> None:
        """Close the offered words, or go back to the stream."""
        if self._completion is not None:
            self._offer(None)
            return
        self.post_message(self.Pressed(False, self))
        self.post_message(self.Left())

    def _is_recalled(self) -> bool:
        return self._place < len(self._sent) and self.text == self._sent[self._place]

    def _recall(self, place: int) -> None:
        self._place = place
        self.put(self._sent[place] if place < len(self._sent) else "")

    def _offer(self, completion: Completion | None) -> None:
        self._completion = completion
        self._completions.show(completion)


def _choice(word: str, meaning: str) -> Option:
    return Option(Content.assemble(toned(f"{word:<14} "), toned(meaning, "dim")))


def editable(text: str) -> str:
    """Make a text from a file safe to show in the composer."""
    return visible(text.rstrip("\n"))
