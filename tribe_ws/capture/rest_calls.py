"""Names a REST call in two words, as records and lines show it: ``POST message``, ``GET conversations``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from tribe_ws.protocol.urls import API_PREFIX

_ONE = {
    "messages": "message",
    "conversations": "conversation",
    "participants": "participants",
    "users": "user",
}
_OF_MANY = frozenset({"conversations", "users", "participants"})
_NO_ID = frozenset({"me"})


@dataclass(frozen=True, slots=True)
class Call:
    """What a call is about; ``event`` is its name in a record."""

    event: str
    conversation_id: str | None = None
    is_message: bool = False


def read_call(method: str, path: str) -> Call:
    """Tell what a call is about by its method and its path, which may have a query."""
    steps = [unquote(step) for step in urlsplit(path).path.removeprefix(API_PREFIX).split("/") if step]
    is_id = [
        place > 0 and steps[place - 1] in _OF_MANY and step not in _NO_ID for place, step in enumerate(steps)
    ]
    words = [step for step, is_one in zip(steps, is_id, strict=True) if not is_one]
    what = words[-1] if words else "/"
    if method == "POST" or (is_id and is_id[-1]):
        what = _ONE.get(what, what)
    in_conversation = len(steps) > 1 and steps[0] == "conversations"
    return Call(
        f"{method} {what}"[:40],
        steps[1].lower() if in_conversation else None,
        is_message=method == "POST" and in_conversation and steps[2:] == ["messages"],
    )
