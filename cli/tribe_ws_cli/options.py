"""The options that every stream has, and what follows from them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tribe_ws.durations import parse_duration
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.registry import CommandOption

if TYPE_CHECKING:
    from tribe_ws.capture.filter import Filter
    from tribe_ws_cli.live import Live, LiveOptions
    from tribe_ws_cli.printer import Mode, Printer

STREAM_OPTIONS = (
    CommandOption("filter", ("--filter",), "EXPR", "Show only what matches: 'event:message.* from:bob'."),
    CommandOption("until", ("--until",), "EXPR", "End, with exit 0, when an event matches."),
    CommandOption("count", ("--count",), "N", "End after N events."),
    CommandOption(
        "duration",
        ("--for",),
        "DURATION",
        "End after so long; exit 7 if --until or --count was not met.",
    ),
    CommandOption("output", ("--output",), "MODE", "pretty, plain, raw or ndjson."),
    CommandOption("ascii", ("--ascii",), "", "Use < > ^ * ! for arrows and marks."),
    CommandOption("strict", ("--strict",), "", "Exit 8 if an event breaks the contract."),
    CommandOption("no_reconnect", ("--no-reconnect",), "", "End when the connection breaks."),
    CommandOption("max_retries", ("--max-retries",), "N", "Try so often to connect again."),
)
"""What every stream takes; ``StreamRequest`` reads what was given for them."""

RECORD = CommandOption("record", ("--record",), "FILE", "Write everything to a file too.")


def stream_options(*names: str) -> tuple[CommandOption, ...]:
    """Choose some of what every stream takes, by name, for a command that has no use for the rest."""
    return tuple(option for option in STREAM_OPTIONS if option.name in names)


_LONGEST_LINE = 84
_SHORTEST_LINE = 60


class StreamRequest:
    """What was asked of a stream on the command line, checked.

    ``given`` is what was given for ``STREAM_OPTIONS`` and ``RECORD``.
    """

    def __init__(
        self,
        environment: Environment,
        given: Mapping[str, Any],
        *,
        ping_every: str = "",
        is_plain: bool = False,
        in_pipe: Mode = "pretty",
    ) -> None:
        from tribe_ws_cli.bounds import Bounds

        self.environment = environment
        self.filter = _parse(given.get("filter", ""))
        self.bounds = Bounds(
            _seconds(given.get("duration", ""), "--for"),
            _number(given.get("count"), "--count", least=1),
            _parse(given.get("until", "")),
        )
        self.mode = _mode(environment, "plain" if is_plain else given.get("output"), in_pipe)
        self.ascii = given.get("ascii", False) or environment.ascii
        self.is_strict = given.get("strict", False)
        self.ping_every = _seconds(ping_every, "--ping-every")
        self.max_retries = _number(given.get("max_retries"), "--max-retries", least=0)
        self.record = Path(given["record"]).expanduser() if given.get("record") else None
        no_reconnect = given.get("no_reconnect", False)
        self.reconnects = not no_reconnect and not self.bounds.is_bounded

    def printer(self) -> Printer:
        """Make the printer."""
        from tribe_ws_cli.diagnostics import Talk
        from tribe_ws_cli.lines import LineStyle
        from tribe_ws_cli.output import Output
        from tribe_ws_cli.printer import Printer

        environment = self.environment
        width = _LONGEST_LINE
        if sys.stdout.isatty():
            columns = shutil.get_terminal_size((_LONGEST_LINE, 24)).columns
            width = max(_SHORTEST_LINE, min(_LONGEST_LINE, columns))
        color = environment.color and self.mode == "pretty"
        talk = Talk(quiet=environment.quiet, color=False)
        style = LineStyle(ascii=self.ascii or self.mode == "plain", width=width)
        printer = Printer(self.mode, Output(color=color), talk, style)
        printer.filter = self.filter
        return printer

    def silent_printer(self) -> Printer:
        """Make a printer that shows nothing but what concerns the recording itself."""
        printer = self.printer()
        printer.is_silent = True
        return printer

    def live_options(self, subscribe: tuple[str, ...], *, shows_opening: bool = False) -> LiveOptions:
        """Make the options of the session."""
        from tribe_ws_cli.live import LiveOptions

        return LiveOptions(
            subscribe=subscribe,
            bounds=self.bounds,
            reconnect=self.reconnects,
            max_retries=self.max_retries,
            ping_every=self.ping_every,
            shows_opening=shows_opening or self.mode == "raw",
            # Raw output is the documented wire, key for key.
            offers_v2=self.mode != "raw",
        )

    def ending(self) -> str:
        """Say what ends the stream."""
        return "ends by itself" if self.bounds.is_bounded else "Ctrl+C stops"

    def say_goodbye(self, live: Live) -> None:
        """Say what the session was, to people."""
        if self.mode in {"pretty", "plain"}:
            live.printer.say(live.summary())

    def verdict(self, live: Live) -> ExitCode:
        """Choose the exit code of a session that ended as it should."""
        is_broken = self.is_strict and live.journal.counts["violation"]
        return ExitCode.CONTRACT_VIOLATED if is_broken else ExitCode.DONE


def seconds_of(text: str, flag: str) -> float:
    """Read the duration that was given with a flag; raises ``UsageProblem``."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageProblem(f"{flag}: {error}") from None


def _mode(environment: Environment, output: str | None, in_pipe: Mode) -> Mode:
    from tribe_ws_cli.printer import MODES

    wanted: Any = output or environment.settings["output"].value
    if environment.json or wanted == "json":
        return "ndjson"
    if wanted and wanted not in MODES:
        raise UsageProblem(f'no output "{wanted}"', hint=f"known: {', '.join(MODES)}")
    if wanted:
        return cast("Mode", wanted)
    return "pretty" if sys.stdout.isatty() else in_pipe


def _number(text: str | None, flag: str, *, least: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise UsageProblem(f"{flag} is a whole number of at least {least}, got {text!r}")
    return int(text)


def _parse(text: str) -> Filter | None:
    if not text:
        return None
    from tribe_ws.capture.filter import parse_filter

    return parse_filter(text)


def _seconds(text: str, flag: str) -> float | None:
    return seconds_of(text, flag) if text else None
