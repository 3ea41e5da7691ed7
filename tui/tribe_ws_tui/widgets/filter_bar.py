"""The filter: always to be seen where one is set, and the place where it is written.

While one types it says whether it can be understood, and if not, in which column it cannot and what was
probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from tribe_ws.capture.filter import FilterError, parse_filter
from tribe_ws_tui.keymap import Scope, bindings
from tribe_ws_tui.wording import toned

PRESETS: tuple[tuple[str, str], ...] = (
    ("everything", ""),
    ("messages", "event:message.*"),
    ("typing", "event:typing"),
    ("violations", "is:violation"),
    ("no heartbeat", "!event:ping,pong"),
)
_FIELDS = (
    "event:",
    "dir:",
    "from:",
    "conv:",
    "as:",
    "is:",
    "latency>",
    "size>",
    "since:",
    "at:",
    "has:",
    "data.content~",
    "data.message_type=",
)
_VALUES: dict[str, tuple[str, ...]] = {
    "event": (
        "message.new",
        "message.*",
        "message.read",
        "typing",
        "presence",
        "connected",
        "subscribe",
        "subscribed",
        "ping,pong",
        "error",
    ),
    "dir": ("in", "out", "rest", "note"),
    "is": ("violation", "control", "own", "gap", "marked", "error"),
    "since": ("5m", "30s", "1h"),
}
_WORD = re.compile(r"[^\s()!|]*$")


class FilterSuggester(Suggester):
    """Completes the word being written: a field, an event, a user, a conversation."""

    def __init__(self, names: Callable[[str], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        """Give the whole filter with its last word complete; ``None`` where nothing fits."""
        word = _WORD.search(value)
        if word is None or not word[0]:
            return None
        field, colon, begun = word[0].partition(":")
        if colon:
            begun = begun.rpartition(",")[2]
            known: Sequence[str] = (*_VALUES.get(field, ()), *self._names(field))
            fitting = [one for one in known if one.startswith(begun) and one != begun]
            return value + fitting[0][len(begun) :] if fitting else None
        fitting = [one for one in _FIELDS if one.startswith(word[0])]
        return value + fitting[0][len(word[0]) :] if fitting else None


class FilterInput(Input):
    """Where the filter is written."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.FILTER)]

    def action_leave(self) -> None:
        """Go back to the stream; what is written and not applied is dropped."""
        self.post_message(FilterBar.Left())

    def action_preset(self) -> None:
        """Put the next ready-made filter in."""
        self.value = next_preset(self.value)[1]
        self.cursor_position = len(self.value)

    def action_help(self) -> None:
        """Explain the filter language."""
        self.post_message(FilterBar.HelpWanted())


class FilterBar(Vertical):
    """The row with the filter and how many events it shows, and under it what is wrong with it."""

    class Applied(Message):
        """A filter that can be understood is to be in force."""

        def __init__(self, text: str, pane: FilterBar) -> None:
            super().__init__()
            self.text = text
            self.pane = pane

    class Left(Message):
        """Somebody left the filter without applying it."""

    class HelpWanted(Message):
        """Somebody wants the filter language explained."""

    def __init__(self, names: Callable[[str], Iterable[str]]) -> None:
        super().__init__(classes="filter-bar")
        self._names = names
        self._text = ""
        self._prefix = ""

    def compose(self) -> ComposeResult:
        """Put the input beside the figures."""
        with Horizontal(classes="filter-row"):
            yield Static("filter:", classes="filter-label", markup=False)
            yield FilterInput(compact=True, suggester=FilterSuggester(self._names), select_on_focus=False)
            yield Static("", classes="filter-shown", markup=False)
        yield Static("", classes="filter-problem", markup=False)

    @property
    def text(self) -> str:
        """The filter in force."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show the filter in force."""
        self._text = text
        self._arrange()
        for field in self.query(FilterInput):
            field.value = text
            self._show_problem("")

    def show(self, shown: int, held: int, prefix: str = "") -> None:
        """Show how many events pass; ``prefix`` stands before the filter (whose stream it is)."""
        if not self.query(".filter-shown"):
            return  # Not composed yet; the next second brings the figures again.
        words = f"{shown:,} of {held:,}"
        self.query_one(".filter-shown", Static).update(toned(words, "dim"))
        if prefix != self._prefix:
            self._prefix = prefix
            label = f"{prefix}  filter:" if prefix else "filter:"
            self.query_one(".filter-label", Static).update(toned(label, "dim"))
            self._arrange()

    def open(self) -> None:
        """Let somebody write, beginning with the filter in force."""
        self.add_class("-writing")
        field = self.query_one(FilterInput)
        field.value = self._text
        field.cursor_position = len(field.value)
        # At once, and not with the next message: the keys that follow are already text.
        self.screen.set_focus(field)

    def close(self) -> None:
        """Show the filter in force again."""
        self.remove_class("-writing")
        self.set_text(self._text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once whether what is written can be understood."""
        event.stop()
        self._show_problem(problem_of(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Apply what is written, if it can be understood."""
        event.stop()
        if problem := problem_of(event.value):
            self._show_problem(problem)
            return
        self.remove_class("-writing")
        self.set_text(event.value.strip())
        self.post_message(self.Applied(self._text, self))

    def _arrange(self) -> None:
        self.set_class(bool(self._text or self._prefix), "-set")

    def _show_problem(self, problem: str) -> None:
        self.set_class(bool(problem), "-wrong")
        self.query_one(".filter-problem", Static).update(toned(f"✗ {problem}" if problem else "", "bad"))


def problem_of(text: str) -> str:
    """Say what is wrong with a filter: ``column 14: unknown field "form", did you mean "from"?``."""
    try:
        parse_filter(text)
    except FilterError as error:
        meant = f', did you mean "{error.suggestion}"?' if error.suggestion else ""
        return f"column {error.column + 1}: {str(error).removeprefix('bad filter: ')}{meant}"
    return ""


def next_preset(text: str) -> tuple[str, str]:
    """Give the ready-made filter that follows the given one: its name and its text."""
    texts = [preset for _, preset in PRESETS]
    place = texts.index(text) if text in texts else 0
    return PRESETS[(place + 1) % len(PRESETS)]
