"""The input rule of ``connect``: the one of ``typed_lines``, its commands, and ``{"cmd": …}`` for scripts."""

from __future__ import annotations

import json
from typing import Any

from tribe_ws.typed_lines import Order, RawFrame, Say, Typed, full_name, read_line

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


def read_input(line: str) -> Typed | None:
    """Tell what a line means, ``None`` for an empty one; raises ``NotUnderstood`` for an unknown command."""
    typed = read_line(line, COMMANDS)
    return (_command_object(typed.text) or typed) if isinstance(typed, RawFrame) else typed


def _command_object(text: str) -> Typed | None:
    """Read ``{"cmd": …}``, the form of commands for scripts; ``None`` for any other object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "cmd" not in value or "event" in value:
        return None
    name = full_name(str(value["cmd"]), COMMANDS)
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
