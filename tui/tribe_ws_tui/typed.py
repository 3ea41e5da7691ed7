"""What a text in the composer means, without doing it: a message, a frame, or a command.

The rule is that of ``tribe-ws connect``: text is a message by REST, ``{…}`` is a frame for the socket, ``/…``
is a command, ``//…`` is a message that begins with a slash.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tribe_ws.errors import TribeError


class NotUnderstood(TribeError):
    """A command that does not exist, or one with the wrong words."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the current conversation."""

    text: str


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A text for the socket, sent as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """A command by its full name, its words, and the rest of the text as it was typed."""

    name: str
    words: tuple[str, ...] = ()
    rest: str = ""


Typed = Say | RawFrame | Order

COMMANDS: Mapping[str, tuple[str, str]] = {
    "subscribe": ("NAME…", "get what happens in a conversation"),
    "unsubscribe": ("NAME…", "no longer get it"),
    "conv": ("NAME", "write to another conversation"),
    "msg": ("TEXT", "send a message (also /send)"),
    "typing": ("on|off|5s", "say that you type, or for how long"),
    "presence": ("online|away|offline", "say how you want to be seen"),
    "ping": ("[N]", "measure round trips"),
    "raw": ("TEXT", "send any text on the socket, right or wrong"),
    "file": ("PATH", "send what a file holds"),
    "as": ("USER", "act as another user in this pane"),
    "also": ("USER", "act as a second user beside"),
    "filter": ("EXPR|off", "show only what matches"),
    "violations": ("", "show only what breaks the contract"),
    "save": ("FILE", "write what is held to a file, as NDJSON"),
    "record": ("FILE|stop", "write everything from now on to a file"),
    "fault": ("RULE|clear", "put a fault in force on the local server"),
    "reconnect": ("", "connect anew, now"),
    "close": ("[CODE] [REASON]", "close the connection"),
    "help": ("", "list all keys"),
    "quit": ("", "leave"),
}
_ALIASES = {"send": "msg", "sub": "subscribe", "unsub": "unsubscribe", "exit": "quit", "?": "help"}
_FREE_TEXT = {"msg", "raw", "filter", "file", "save", "record", "fault"}
_BEGUN = re.compile(r"(?:^/[\w?]*|[#@][\w.+-]*)$")


def read_typed(text: str) -> Typed | None:
    """Tell what a text means, ``None`` for an empty one; raises ``NotUnderstood``."""
    text = text.strip("\r\n")
    if not text.strip():
        return None
    if text.startswith("//"):
        return Say(text[1:])
    if text.startswith("/"):
        return _order(text[1:])
    if text.lstrip().startswith("{"):
        return RawFrame(text.strip())
    return Say(text)


def _order(text: str) -> Order:
    typed, _, rest = text.partition(" ")
    name, rest = _full_name(typed), rest.strip()
    if name in _FREE_TEXT:
        return Order(name, (rest,) if rest else (), rest)
    try:
        words = tuple(shlex.split(rest))
    except ValueError:
        words = tuple(rest.split())
    return Order(name, words, rest)


def _full_name(typed: str) -> str:
    name = _ALIASES.get(typed.lower(), typed.lower())
    if name in COMMANDS:
        return name
    beginnings = [known for known in COMMANDS if known.startswith(name)]
    if name and len(beginnings) == 1:
        return beginnings[0]
    close = get_close_matches(name, [*COMMANDS, *_ALIASES], n=1, cutoff=0.6)
    meant = f"Did you mean /{close[0]}?" if close else "/help lists what there is."
    raise NotUnderstood(f"No /{typed}. {meant}")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a begun word could become: where it begins, and the words with what each means."""

    start: int
    choices: tuple[tuple[str, str], ...]


def completion_of(text: str, conversations: Iterable[str], users: Iterable[str]) -> Completion | None:
    """Tell what the word at the end of a text could become; ``None`` where there is nothing to complete."""
    begun = _BEGUN.search(text)
    if begun is None:
        return None
    word, found = begun[0], list[tuple[str, str]]()
    if word.startswith("/"):
        known = {f"/{name}": f"{words}  {meaning}".strip() for name, (words, meaning) in COMMANDS.items()}
        found = [(name, meaning) for name, meaning in known.items() if name.startswith(word.lower())]
    elif word.startswith("#"):
        found = [(label, "") for label in conversations if label.startswith(word)]
    else:
        found = [(f"@{user}", "") for user in users if f"@{user}".startswith(word)]
    choices = tuple(choice for choice in found if choice[0] != word)
    return Completion(begun.start(), choices) if choices else None
