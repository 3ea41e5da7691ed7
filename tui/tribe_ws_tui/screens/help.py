"""All keys, searchable; Enter does what the selected one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tribe_ws_tui.keymap import Key, Scope, keys_of, shown_keys
from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import toned


class HelpScreen(Dialog[Key]):
    """Answers with the key whose action is to be done."""

    TITLE_TEXT = "Help"
    FOOT = (
        "Write to search, Enter runs it, Esc leaves. In the composer /help lists nothing less.\n"
        "New counts what you did not see: not what came into the open conversation while you follow;\n"
        "the server hears that you read one when you choose it.\n"
        "With a screen reader: tribe-ws connect --plain does all of this line by line."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__(classes="wide-dialog")
        self._keys = keys_of(Scope, keymap)
        self._found: list[Key | None] = []

    def questions(self) -> ComposeResult:
        """Ask for a word."""
        yield Input(placeholder="search: a key, a word", compact=True, id="help-search")
        yield Choices(id="help-keys")

    def on_mount(self) -> None:
        """Begin with everything."""
        self.query_one(Choices).can_focus = False
        self.search("")

    def search(self, words: str) -> None:
        """List the keys that have all the words."""
        wanted = words.casefold().split()
        options: list[Option] = []
        self._found = []
        for scope in Scope:
            fitting = [key for key in self._keys if key.scope is scope and _fits(key, wanted)]
            if fitting:
                options.append(Option(toned(str(scope), "accent"), disabled=True))
                self._found.append(None)
            options += [Option(_row(key)) for key in fitting]
            self._found += fitting
        choices = self.query_one(Choices)
        choices.set_options(options)
        choices.highlighted = 1 if len(options) > 1 else None

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while one writes."""
        event.stop()
        self.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run what is selected."""
        event.stop()
        place = self.query_one(Choices).highlighted
        if place is not None:
            self.dismiss(self._found[place])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Run what was clicked."""
        self.dismiss(self._found[event.option_index])

    def action_move(self, rows: int) -> None:
        """Move the selection."""
        choices = self.query_one(Choices)
        for _ in range(abs(rows)):
            choices.action_cursor_down() if rows > 0 else choices.action_cursor_up()


def _fits(key: Key, wanted: list[str]) -> bool:
    text = f"{key.word} {key.sentence} {shown_keys(key.keys)} {key.id}".casefold()
    return all(word in text for word in wanted)


def _row(key: Key) -> Content:
    return Content.assemble(toned(f"  {shown_keys(key.keys):<14} ", "strong"), toned(key.sentence))
