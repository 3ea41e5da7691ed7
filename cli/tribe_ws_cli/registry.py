"""The commands and the global options as plain data, so that help costs no import.

``application`` builds the parser from the same data, and a test compares each line with the command's own
docstring.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: name, group in the help, help line, code in ``commands`` (``module:attribute``)."""

    name: str
    group: str
    help: str
    target: str


class CommandOption(NamedTuple):
    """One option as plain data; one without a metavar is a switch."""

    name: str
    flags: tuple[str, ...]
    metavar: str
    help: str
    is_repeatable: bool = False


GROUPS = ("Start here", "Talk", "Watch", "Test", "Server", "Setup")

COMMANDS: tuple[Entry, ...] = (
    Entry("demo", "Start here",
          "Run the documented flow against a throw-away local server, step by step, and stop.", "demo:demo"),
    Entry("serve", "Start here", "Run the complete local backend.", "serve:serve"),
    Entry("tui", "Start here", "Open the chat inspector.", "tui:tui"),
    Entry("connect", "Talk",
          "Open a live session in the terminal, or a pipe in a script.", "connect:connect"),
    Entry("send", "Talk", "Send a message; exit 0 when the server has stored it.", "send:send"),
    Entry("typing", "Talk", "Simulate typing: on, then off.", "signals:typing"),
    Entry("presence", "Talk", "Send a presence update.", "signals:presence"),
    Entry("watch", "Watch", "Subscribe and print events until stopped.", "watch:watch"),
    Entry("history", "Watch", "Print past messages.", "history:history"),
    Entry("record", "Watch", "Save everything a session sees into a capture.", "record:record"),
    Entry("replay", "Watch", "Play a capture to a screen, to a server, or to a client.", "replay:replay"),
    Entry("ping", "Test", "Measure round trips.", "signals:ping"),
    Entry("check", "Test", "Test any server against the documented contract.", "check:check"),
    Entry("scenario", "Test",
          "Scripted conversations of several people: run, check and write them.", "scenario:scenario"),
    Entry("token", "Test",
          "Make test tokens, good and broken ones, and read a token's claims.", "token:token"),
    Entry("trigger", "Test",
          "Make a local server push any documented event, with edits.", "trigger:trigger"),
    Entry("exec", "Test",
          "Run CMD with a throw-away server and tokens for it; the exit code is CMD's.", "execute:execute"),
    Entry("fixtures", "Server", "Known users and conversations in the local database.", "fixtures:fixtures"),
    Entry("fault", "Server", "Change the faults of a running local server.", "fault:fault"),
    Entry("users", "Server", "List, show and add users.", "users:users"),
    Entry("conversations", "Server",
          "List, show, create and change conversations.", "conversations:conversations"),
    Entry("login", "Setup", "Get and keep a token.", "account:login"),
    Entry("logout", "Setup", "Forget a token.", "account:logout"),
    Entry("whoami", "Setup", "Show who you are, where, and until when.", "account:whoami"),
    Entry("register", "Setup", "Make an account.", "account:register"),
    Entry("profile", "Setup", "Named servers: list, add, use and remove them.", "profile:profile"),
    Entry("config", "Setup", "Show the settings in force and where each comes from.", "config:config"),
    Entry("doctor", "Setup",
          "Find what is wrong: port, server, clock, token, terminal, proxies, database.", "doctor:doctor"),
    Entry("spec", "Setup",
          "Print the contract as a document: events, JSON Schema, AsyncAPI or OpenAPI.", "spec:spec"),
    Entry("explain", "Setup",
          "Explain a close code, an error, an exit code, or the filter language.", "explain:explain"),
    Entry("completion", "Setup", "Print a completion script for your shell.", "completion:completion"),
)  # fmt: skip

GLOBAL_OPTIONS: tuple[CommandOption, ...] = (
    CommandOption("profile", ("-p", "--profile"), "NAME", "Named server to talk to."),
    CommandOption("url", ("--url",), "URL", "Server to talk to: localhost:8000, http(s)://…, ws(s)://…"),
    CommandOption("as_user", ("--as",), "USER", "Act as this user."),
    CommandOption("json", ("--json",), "", "Print JSON: one object, or one per line on streams."),
    CommandOption("quiet", ("-q", "--quiet"), "", "Say nothing but data and errors."),
    CommandOption("verbose", ("-v", "--verbose"), "", "Log the wire on stderr, and tracebacks of bugs."),
    CommandOption("no_color", ("--no-color",), "", "Print without colours."),
    CommandOption("no_input", ("--no-input",), "", "Never ask; fail instead."),
    CommandOption("timeout", ("--timeout",), "DURATION", "How long to wait for an answer (10s)."),
)

SUMMARY = "A complete local backend, an event-stream toolkit and a test kit for the Tribe chat app."


def help_text() -> str:
    """Write what ``tribe-ws --help`` prints."""
    lines = ["Usage: tribe-ws [OPTIONS] COMMAND [ARGS]...", "", SUMMARY]
    width = max(len(entry.name) for entry in COMMANDS) + 2
    for group in GROUPS:
        lines += ["", f"{group}:"]
        lines += [f"  {entry.name:<{width}}{entry.help}" for entry in COMMANDS if entry.group == group]
    lines += ["", "Options, before or after the command:"]
    rows = [(_flags(option), option.help) for option in GLOBAL_OPTIONS]
    rows += [("-V, --version", "Print the version."), ("-h, --help", "Print this, or the help of a command.")]
    width = max(len(flags) for flags, _ in rows) + 2
    lines += [f"  {flags:<{width}}{text}" for flags, text in rows]
    return "\n".join(lines) + "\n"


def _flags(option: CommandOption) -> str:
    return ", ".join(option.flags) + (f" {option.metavar}" if option.metavar else "")
