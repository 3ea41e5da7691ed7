"""What a line that a person typed into a chat means, without doing it: the rule which both faces share.

Text is a message by REST, ``{…}`` is a frame for the socket, ``/…`` is a command, ``//…`` is a message that
begins with a slash. Which commands there are is for each face to say.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tribe_ws.errors import TribeError

ALIASES = {"send": "msg", "sub": "subscribe", "unsub": "unsubscribe", "exit": "quit", "?": "help"}
FREE_TEXT = frozenset({"msg", "raw", "filter", "file", "save", "record", "fault"})
"""Commands whose words are one text: quotes in it belong to it."""


class NotUnderstood(TribeError):
    """A command that does not exist, or one with the wrong words."""

    code = "usage"


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
    """A command by its full name, its words, and the rest of the line as it was typed."""

    name: str
    words: tuple[str, ...] = ()
    rest: str = ""


Typed = Say | RawFrame | Order
Commands = Mapping[str, tuple[str, str]]
"""The commands of a face by their full names, each with the words it takes and with what it does."""


def read_line(line: str, commands: Commands) -> Typed | None:
    """Tell what a line means, ``None`` for an empty one; raises ``NotUnderstood``."""
    text = line.strip("\r\n")
    if not text.strip():
        return None
    if text.startswith("//"):
        return Say(text[1:])
    if text.startswith("/"):
        return _order(text[1:], commands)
    if text.lstrip().startswith("{"):
        return RawFrame(text.strip())
    return Say(text)


def full_name(typed: str, commands: Commands) -> str:
    """Give the command that is meant by its name, an alias or a clear beginning; raises ``NotUnderstood``."""
    name = ALIASES.get(typed.lower(), typed.lower())
    if name in commands:
        return name
    beginnings = [known for known in commands if known.startswith(name)]
    if name and len(beginnings) == 1:
        return beginnings[0]
    close = get_close_matches(name, [*commands, *ALIASES], n=1, cutoff=0.6)
    meant = f"Did you mean /{close[0]}?" if close else "/help lists what there is."
    raise NotUnderstood(f"No /{typed}. {meant}")


def _order(text: str, commands: Commands) -> Order:
    typed, _, rest = text.partition(" ")
    name, rest = full_name(typed, commands), rest.strip()
    if name in FREE_TEXT:
        return Order(name, (rest,) if rest else (), rest)
    try:
        words = tuple(shlex.split(rest))
    except ValueError:
        words = tuple(rest.split())
    return Order(name, words, rest)
