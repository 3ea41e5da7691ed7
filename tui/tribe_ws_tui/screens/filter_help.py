"""The filter language on one screen; Enter on an example puts it into the filter."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import toned

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("event:message.new", "events of one kind; * stands for anything"),
    ("event:ping,pong", "one of several"),
    ("dir:in", "in, out, rest or note"),
    ("from:bob", "by the sender"),
    ("conv:general", "in a conversation, by name or id"),
    ("as:alice", "what a session of ours saw"),
    ("is:violation", "also control, own, gap, marked, error"),
    ("latency>50ms", "slow ones; also size>1kb"),
    ("since:5m", "the last five minutes"),
    ("at:01:22..01:25", "by the time of day"),
    ("data.content~deploy", "a value that holds a text"),
    ("data.message_type=image", "a value that is a text"),
    ("has:data.sender", "a value that is there"),
    ("deploy", "a word anywhere in the frame"),
    ('"two words"', "several words as they stand"),
    ("/dep.*y/i", "a regular expression"),
    ("event:typing !from:bob", "a space is and, ! is not"),
    ("(from:bob | from:cara) is:error", "| is or, brackets group"),
)


class FilterHelp(Dialog[str]):
    """Answers with the chosen example."""

    TITLE_TEXT = "Filter"
    FOOT = "Enter puts the example into the filter   Esc leaves   all of it: tribe-ws explain filter"

    def __init__(self) -> None:
        super().__init__(classes="wide-dialog")

    def questions(self) -> ComposeResult:
        """List the language by example."""
        yield Choices(id="filter-examples")

    def on_mount(self) -> None:
        """Fill the list."""
        choices = self.query_one(Choices)
        choices.add_options([Option(toned(f"{text:<34}{words}")) for text, words in EXAMPLES])
        choices.highlighted = 0
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take an example."""
        self.dismiss(EXAMPLES[event.option_index][0])
