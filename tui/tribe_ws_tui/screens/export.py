"""What to write to a file: which events, in which form, where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import count, toned

ExportScope = Literal["all", "shown", "marked"]
ExportFormat = Literal["ndjson", "har", "markdown", "scenario"]

SCOPES: tuple[tuple[ExportScope, str], ...] = (
    ("all", "all that is held"),
    ("shown", "what the filter shows"),
    ("marked", "what is marked"),
)
FORMATS: tuple[tuple[ExportFormat, str, str], ...] = (
    ("ndjson", "NDJSON, to replay", "ndjson"),
    ("har", "HAR, for browsers' tools", "har"),
    ("markdown", "Markdown, for an issue", "md"),
    ("scenario", "Scenario, to run as a test", "yaml"),
)


class ExportChoice(NamedTuple):
    """What is to be written."""

    scope: ExportScope
    format: ExportFormat
    path: Path


class ExportScreen(Dialog[ExportChoice]):
    """Answers with what is to be written."""

    TITLE_TEXT = "Export"
    FOOT = "Tab changes the column   Enter writes the file   Esc leaves   Tokens and e-mails become ***"

    def __init__(self, counts: Mapping[ExportScope, int], stem: str) -> None:
        super().__init__(classes="wide-dialog")
        self._counts = counts
        self._stem = stem

    def questions(self) -> ComposeResult:
        """Ask for events, form and file."""
        with Horizontal(classes="export-columns"):
            yield Choices(id="export-scope")
            yield Choices(id="export-format")
        yield Static("File", classes="dialog-words", markup=False)
        yield Input(compact=True, id="export-path")

    def on_mount(self) -> None:
        """Fill the lists, and propose a name."""
        scopes, formats = self.query_one("#export-scope", Choices), self.query_one("#export-format", Choices)
        scopes.border_title, formats.border_title = "Events", "Form"
        scopes.add_options(
            [Option(toned(f"{words}: {count(self._counts[name], 'event')}")) for name, words in SCOPES]
        )
        formats.add_options([Option(toned(words)) for _, words, _ in FORMATS])
        scopes.highlighted = formats.highlighted = 0
        scopes.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Let the file's name end as its form is called."""
        if event.option_list.id == "export-format":
            self.query_one(Input).value = f"{self._stem}.{FORMATS[event.option_index][2]}"

    def on_option_list_option_selected(self) -> None:
        """Write the file."""
        self._answer()

    def on_input_submitted(self) -> None:
        """Write the file."""
        self._answer()

    def _answer(self) -> None:
        scope = SCOPES[self.query_one("#export-scope", Choices).highlighted or 0][0]
        form = FORMATS[self.query_one("#export-format", Choices).highlighted or 0][0]
        path = self.query_one(Input).value.strip()
        if not self._counts[scope]:
            self.say(
                "Nothing to write: " + ("mark events with m first" if scope == "marked" else "no events")
            )
        elif not path:
            self.say("A file needs a name.")
        else:
            self.dismiss(ExportChoice(scope, form, Path(path).expanduser()))
