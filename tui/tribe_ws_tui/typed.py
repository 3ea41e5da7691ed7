"""The commands of the composer, and what a begun word in it could become."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tribe_ws.typed_lines import Commands, Typed, read_line

COMMANDS: Commands = {
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
_BEGUN = re.compile(r"(?:^/[\w?]*|[#@][\w.+-]*)$")


def read_typed(text: str) -> Typed | None:
    """Tell what a text means, ``None`` for an empty one; raises ``NotUnderstood``."""
    return read_line(text, COMMANDS)


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
