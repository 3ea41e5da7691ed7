"""Frames as they came, and the ways to say which one is meant.

A matcher looks at as little as it can: a frame that has a wrong key elsewhere is still the message that was
sent, so that the one clause about keys fails and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tribe_ws.protocol.codec import object_in

CHATTER = frozenset({"presence", "message.read"})
"""Events which another probe may cause at any time; silence takes no notice of them, unless asked to."""


@dataclass(slots=True)
class Frame:
    """One data frame: its text, or its bytes where it is binary, and its JSON object where it holds one.

    ``at`` is the monotonic time of its arrival; ``is_taken`` says that a probe has dealt with it.
    """

    text: str
    data: bytes | None
    at: float
    value: dict[str, Any] = field(init=False)
    is_taken: bool = False

    def __post_init__(self) -> None:
        self.value = object_in(self.text)

    @property
    def event(self) -> str:
        """The frame's event, or an empty text."""
        name = self.value.get("event")
        return name if isinstance(name, str) else ""

    @property
    def inner(self) -> dict[str, Any]:
        """What stands under ``data``, where that is an object."""
        found = self.value.get("data")
        return found if isinstance(found, dict) else {}


Matcher = Callable[[Frame], bool]
Meant = str | Matcher
"""Which frames are meant: an event's name, or a function that tells."""


def matcher(meant: Meant | None) -> Matcher:
    """Make a matcher: of an event's name, or of everything but chatter."""
    if meant is None:
        return lambda frame: frame.event not in CHATTER
    if isinstance(meant, str):
        return lambda frame: frame.event == meant
    return meant


def message(content: str) -> Matcher:
    """Match ``message.new`` with that content."""
    written = json.dumps(content)[1:-1]

    def is_it(frame: Frame) -> bool:
        return frame.event == "message.new" and (content in frame.text or written in frame.text)

    return is_it


def subscribed(room: str) -> Matcher:
    """Match ``subscribed`` for that conversation, or for none that it names."""

    def is_it(frame: Frame) -> bool:
        is_named = isinstance(frame.value.get("conversation_id"), str)
        return frame.event == "subscribed" and (room.lower() in frame.text.lower() or not is_named)

    return is_it


def typing(is_typing: bool | None = None, *, user_id: str = "") -> Matcher:
    """Match ``typing`` with that state, or any; with ``user_id``, of that user."""

    def is_it(frame: Frame) -> bool:
        return (
            frame.event == "typing"
            and (is_typing is None or _says(frame.inner.get("is_typing"), is_typing))
            and (not user_id or user_id in frame.text)
        )

    return is_it


def _says(value: object, state: bool) -> bool:
    """Tell whether a value means that state, also where it is spelt as text or as a number."""
    return str(value).lower() in ({"true", "1"} if state else {"false", "0"})


def describe(meant: Meant | None) -> str:
    """Say which frames are meant, as far as that can be said without more words from the probe."""
    return f'"{meant}"' if isinstance(meant, str) else "a certain frame" if meant else "a frame"


def keys(value: Any) -> list[str]:
    """Tell the keys of an object in their order; of anything else, none."""
    return list(value) if isinstance(value, dict) else []
