"""The input rule of ``connect``, without any I/O: which of the protocol's two doors a line means.

Text is a message by REST to the current conversation; ``{…}`` is a raw frame for the socket; ``/…`` is a
command, and so is ``{"cmd": …}``; ``//…`` is a message that begins with a slash.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from tribe_ws_cli.diagnostics import UsageProblem


@dataclass(frozen=True, slots=True)
class Say:
    """A message, to the current conversation unless one is named."""

    text: str
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A text for the socket, sent as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """A command: its full name, its words, and the rest of the line as it was typed."""

    name: str
    words: tuple[str, ...] = ()
    rest: str = field(default="")


Input = Say | RawFrame | Order

COMMANDS: dict[str, tuple[str, str]] = {
    "subscribe": ("NAME…", "get what happens in a conversation"),
    "unsubscribe": ("NAME…", "no longer get it"),
    "conv": ("NAME", "switch the current conversation"),
    "list": ("", "list your conversations"),
    "who": ("", "list who is in the current conversation"),
    "msg": ("TEXT", "send a message (also /send)"),
    "typing": ("on|off|5s", "say that you type, or for how long"),
    "presence": ("online|away|offline", "say how you want to be seen"),
    "ping": ("[N]", "measure round trips"),
    "raw": ("TEXT", "send any text on the socket, right or wrong"),
    "file": ("PATH", "send what a file holds"),
    "as": ("USER", "go on as another user"),
    "filter": ("EXPR|off", "show only what matches"),
    "show": ("N", "show all of line N as JSON"),
    "violations": ("", "list what broke the contract"),
    "save": ("FILE", "write what is held to a file, as NDJSON"),
    "record": ("FILE|stop", "write everything from now on to a file"),
    "reconnect": ("", "connect anew, now"),
    "close": ("[CODE] [REASON]", "close the connection and leave"),
    "token": ("", "show your token's claims, never the token"),
    "time": ("clock|rel|delta", "how lines begin"),
    "set": ("strict on|off", "whether a violation makes the exit code 8"),
    "help": ("[COMMAND]", "list the commands"),
    "quit": ("", "leave (also Ctrl+D)"),
}
_ALIASES = {"send": "msg", "sub": "subscribe", "unsub": "unsubscribe", "exit": "quit", "?": "help"}
_FREE_TEXT = {"msg", "raw", "filter", "file", "save", "record"}
"""Commands whose words are one text: quotes in it belong to it."""


def read_input(line: str) -> Input | None:
    """Tell what a line means, ``None`` for an empty one; raises ``UsageProblem`` for an unknown command."""
    text = line.strip("\r\n")
    if not text.strip():
        return None
    if text.startswith("//"):
        return Say(text[1:])
    if text.startswith("/"):
        return _order(text[1:])
    if text.lstrip().startswith("{"):
        return _command_object(text) or RawFrame(text.strip())
    return Say(text)


def _order(text: str) -> Order:
    typed, _, rest = text.partition(" ")
    name = _full_name(typed)
    rest = rest.strip()
    if name in _FREE_TEXT:
        return Order(name, (rest,) if rest else (), rest)
    try:
        words = tuple(shlex.split(rest))
    except ValueError:
        words = tuple(rest.split())
    return Order(name, words, rest)


def _full_name(typed: str) -> str:
    name = typed.lower()
    name = _ALIASES.get(name, name)
    if name in COMMANDS:
        return name
    beginnings = [known for known in COMMANDS if known.startswith(name)]
    if name and len(beginnings) == 1:
        return beginnings[0]
    close = get_close_matches(name, [*COMMANDS, *_ALIASES], n=1, cutoff=0.6)
    meant = f"Did you mean /{close[0]}?" if close else "/help lists what there is."
    raise UsageProblem(f"No /{typed}. {meant}")


def _command_object(text: str) -> Input | None:
    """Read ``{"cmd": …}``, the form of commands for scripts; ``None`` for any other object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "cmd" not in value or "event" in value:
        return None
    name = _full_name(str(value["cmd"]))
    if name == "msg":
        return Say(str(value.get("text", "")), str(value.get("conv", "")))
    words = tuple(str(word) for word in _words_of(value))
    return Order(name, words, " ".join(words))


def _words_of(value: dict[str, Any]) -> list[Any]:
    """Take the words of a command object: ``args``, or its other values in their order."""
    given = value.get("args")
    if isinstance(given, list):
        return given
    words: list[Any] = []
    for key, word in value.items():
        if key != "cmd":
            words += word if isinstance(word, list) else [word]
    return words
