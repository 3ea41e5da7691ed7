"""The faults of a local server: switch one on or off, write one, or take all away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tribe_ws_tui.screens.dialog import Dialog
from tribe_ws_tui.widgets.side_lists import FaultRow, Faults

USUAL: tuple[tuple[str, str], ...] = (
    ("delay 250ms", "delay 250 ms"),
    ("drop 10%", "drop 10 %"),
    ("duplicate", "duplicate"),
    ("reorder", "reorder"),
    ("corrupt", "bad JSON"),
    ("stall", "stall"),
    ("close 4401", "close 4401"),
    ("refuse 3", "refuse 3 logins"),
)


Change = Callable[[str, int | None], None]
"""Puts a rule in force; with the number of a fault takes that one away; with neither takes all away."""


class FaultsScreen(Dialog[None]):
    """Stays open while faults are switched; ``change`` does it, and ``show`` brings what came of it."""

    TITLE_TEXT = "Faults of the local server"
    FOOT = "Enter switches   F3 takes all away   Esc leaves"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "dismiss(None)", show=False),
        Binding("f3", "clear", show=False),
    ]

    def __init__(self, rows: Sequence[FaultRow], change: Change) -> None:
        super().__init__()
        self._rows = rows
        self._change = change

    def questions(self) -> ComposeResult:
        """List the faults, with a field for any other."""
        yield Faults("", id="fault-choices")
        yield Input(placeholder="delay 250ms±50ms @bob message.new out 50%", compact=True)

    def on_mount(self) -> None:
        """Fill the list."""
        faults = self.query_one(Faults)
        faults.show(self._rows)
        faults.highlighted = 0
        faults.focus()

    def show(self, rows: Sequence[FaultRow]) -> None:
        """Show what is in force now."""
        self._rows = rows
        for faults in self.query(Faults):
            faults.show(rows)

    def on_faults_toggled(self, event: Faults.Toggled) -> None:
        """Switch a fault."""
        event.stop()
        self._change(event.row.rule, event.row.fault_id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Put the written rule in force."""
        if event.value.strip():
            self._change(event.value.strip(), None)
            event.input.value = ""

    def action_clear(self) -> None:
        """Take all faults away."""
        self._change("", None)


def fault_rows(in_force: Sequence[dict[str, object]]) -> list[FaultRow]:
    """List those that one often wants, in force or not each in its place, then what else is in force."""
    rows = [
        FaultRow(str(one["fault"]), str(one["fault"]), _number(one.get("id")), _number(one.get("hits")))
        for one in in_force
    ]
    usual = {rule: FaultRow(rule, words) for rule, words in USUAL}
    others = []
    for row in rows:
        offered = usual.get(row.rule)
        if offered is None or offered.fault_id is not None:
            others.append(row)
        else:
            usual[row.rule] = row._replace(words=offered.words)
    return [*usual.values(), *others]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
