"""Prints the records of a session in one of four ways: pretty, plain, raw, ndjson."""

from __future__ import annotations

from typing import Literal

from tribe_ws.capture.filter import Filter
from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws_cli.diagnostics import Talk
from tribe_ws_cli.lines import LineStyle, line_of
from tribe_ws_cli.output import Output

Mode = Literal["pretty", "plain", "raw", "ndjson"]
MODES: tuple[Mode, ...] = ("pretty", "plain", "raw", "ndjson")


class Printer:
    """Where a session's records go. Notes are data for a reader's eye only: scripts find them on stderr."""

    def __init__(self, mode: Mode, output: Output, talk: Talk, style: LineStyle) -> None:
        self.mode = mode
        self.style = style
        self.filter: Filter | None = None
        self.hidden = 0
        self.is_silent = False
        self._told_trouble = ""
        self._output = output
        self._talk = talk

    @property
    def is_for_people(self) -> bool:
        """Whether lines are written for reading."""
        return self.mode in {"pretty", "plain"}

    def shows(self, record: Record) -> bool:
        """Tell whether the filter lets a record through; notes always pass."""
        if record.direction == "note" or self.filter is None:
            return True
        is_shown = self.filter.matches(record)
        if (trouble := self.filter.trouble) and trouble != self._told_trouble:
            self._told_trouble = trouble
            self._talk.note(f"tribe-ws: filter: {trouble}")
        return is_shown

    def record(self, record: Record, names: Names) -> bool:
        """Print a record, unless the filter hides it; tell whether it was shown."""
        if not self.shows(record):
            self.hidden += 1
            return False
        if self.is_silent:
            self._report(record)
            return True
        match self.mode:
            case "pretty" | "plain":
                if record.direction != "note" or not self._talk.quiet:
                    label = names.label(record.conversation_id)
                    for line in line_of(record, self.style, label):
                        self._output.segments(line)
            case "ndjson":
                self._ndjson(record)
            case "raw":
                self._raw(record)
        return True

    def say(self, text: str) -> None:
        """Say something that is no record: beside the lines for people, on stderr for scripts."""
        if not self.is_for_people:
            self._talk.note(text)
        elif not self._talk.quiet:
            self._output.line(text)

    def _report(self, record: Record) -> None:
        """Tell on stderr alone what went wrong, or came back."""
        if record.direction == "note" and record.tags:
            self._talk.note(f"tribe-ws: {record.event}: {record.text}")

    def _ndjson(self, record: Record) -> None:
        if record.direction == "note":
            self._talk.note(f"tribe-ws: {record.event}: {record.text}")
        else:
            self._output.json(record.as_json())

    def _raw(self, record: Record) -> None:
        if record.direction == "note":
            self._talk.note(f"tribe-ws: {record.event}: {record.text}")
        elif record.direction == "in":
            self._output.raw(record.text)
