"""Where what a server says now differs from what was recorded, other than in ids and times.

While it compares it learns: an id that stands where another stood is the new name of it, and from then on
must be, everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.remap import Renaming, is_id, is_time
from tribe_ws.protocol.urls import HIDDEN

Kind = Literal["missing", "extra", "changed", "order", "closed", "status"]

STATE_KEYS = frozenset({"server", "time_ago", "last_seen_at", "online"})
"""What a server says of itself and of the moment, in a frame: never compared."""

REST_STATE_KEYS = STATE_KEYS | {
    "is_online", "unread_count", "read_by", "participants_count", "last_message", "last_message_at",
    "goals_achieved", "photos_shared", "profile_image_url", "expires_in", "pagination",
}  # fmt: skip
"""What depends, in the answer to a call, on what was there before the capture began."""

_BOUND_KEYS = frozenset({"epoch", "connection_id", "client_message_id", "next_cursor"})
_PERSONAL_KEYS = frozenset({"full_name", "user_name", "profile_image_url", "bio", "is_verified"})
"""What differs between two people, where one is played by another."""

_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One place in a frame: what was recorded there and what came instead."""

    path: str
    recorded: str
    got: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}recorded {self.recorded}, got {self.got}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a capture and its replay; ``line`` is that of the record, from 1.

    For something extra it is the line which was played last before it came.
    """

    kind: Kind
    line: int
    user: str
    event: str
    words: str
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return f"line {self.line}: {self.user}: {self.words}"

    def as_json(self) -> dict[str, Any]:
        """Give the form for scripts."""
        changes = [{"path": one.path, "recorded": one.recorded, "got": one.got} for one in self.changes]
        return {
            "v": 1, "difference": self.kind, "line": self.line, "as": self.user, "event": self.event,
            "words": self.words, "changes": changes,
        }  # fmt: skip


def compare_frames(recorded: Any, got: Any, renaming: Renaming) -> tuple[Change, ...]:
    """Tell every difference between two frames; learns nothing where there is one."""
    return _compare(recorded, got, renaming, is_frame=True)


def compare_bodies(recorded: Any, got: Any, renaming: Renaming) -> tuple[Change, ...]:
    """Tell every difference between the answers to a REST call; the order of keys is none."""
    return _compare(recorded, got, renaming, is_frame=False)


def quoted(value: Any) -> str:
    """Show a value in a few characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


def what(record: Record) -> str:
    """Say in a few words which event a record is about: ``message.new "Hello"``."""
    frame = record.frame if isinstance(record.frame, dict) else {}
    data = frame.get("data")
    content = data.get("content") if isinstance(data, dict) else None
    if isinstance(content, str):
        return f"{record.event} {quoted(content)}"
    if isinstance(data, dict) and isinstance(data.get("is_typing"), bool):
        who = data.get("user_name") or record.sender
        return f"typing {'on' if data['is_typing'] else 'off'} of {who}"
    if isinstance(data, dict) and record.event == "presence":
        return (
            f"presence {data.get('status', data.get('is_online'))} of {record.sender or data.get('user_id')}"
        )
    where = f" #{record.conversation}" if record.conversation else ""
    return f"{record.event}{where}"


def _compare(recorded: Any, got: Any, renaming: Renaming, *, is_frame: bool) -> tuple[Change, ...]:
    trial = _Comparison(renaming.trial(), is_frame=is_frame)
    changes = tuple(trial.changes(recorded, got, "", ""))
    if not changes:
        renaming.keep(trial.renaming)
    return changes


class _Comparison:
    def __init__(self, renaming: Renaming, *, is_frame: bool) -> None:
        self.renaming = renaming
        self._is_frame = is_frame
        self._skipped = STATE_KEYS if is_frame else REST_STATE_KEYS
        self._counter = ""

    def changes(self, recorded: Any, got: Any, path: str, key: str) -> Iterator[Change]:
        if key in self._skipped or recorded == HIDDEN:
            return
        if isinstance(recorded, dict) and isinstance(got, dict):
            yield from self._in_objects(recorded, got, path)
        elif isinstance(recorded, list) and isinstance(got, list) and len(recorded) == len(got):
            for place, pair in enumerate(zip(recorded, got, strict=True)):
                yield from self.changes(*pair, f"{path}.{place}", key)
        elif not self._is_same(recorded, got, key):
            yield Change(path, quoted(self._expected(recorded, key)), quoted(got))

    def _in_objects(self, recorded: dict[str, Any], got: dict[str, Any], path: str) -> Iterator[Change]:
        outer = self._counter
        self._counter = str(recorded.get("conversation_id") or outer)
        inner = f"{path}." if path else ""
        for key, value in recorded.items():
            if key in got:
                yield from self.changes(value, got[key], f"{inner}{key}", key)
            elif key not in self._skipped:
                yield Change(f"{inner}{key}", quoted(value), "nothing")
        for key, value in got.items():
            if key not in recorded and key not in self._skipped:
                yield Change(f"{inner}{key}", "nothing", quoted(value))
        if self._is_frame and set(recorded) == set(got) and list(recorded) != list(got):
            yield Change(path, f"the keys {', '.join(recorded)}", ", ".join(got))
        self._counter = outer

    def _is_same(self, recorded: Any, got: Any, key: str) -> bool:
        if key in _PERSONAL_KEYS and self.renaming.users:
            return True
        if type(recorded) is not type(got):
            return False
        if is_id(recorded):
            return is_id(got) and self.renaming.bind(recorded, got)
        if is_time(recorded):
            return is_time(got) and _zone(recorded) == _zone(got)
        if isinstance(recorded, str):
            return self._is_same_text(recorded, got, key)
        if key == "seq" and isinstance(recorded, int) and not isinstance(recorded, bool):
            return self.renaming.bind_number(self._counter, recorded, got)
        return bool(recorded == got)

    def _is_same_text(self, recorded: str, got: str, key: str) -> bool:
        if key == "username":
            return self.renaming.user(recorded) == got
        if key in _BOUND_KEYS:
            return self.renaming.bind(f"{key}:{recorded}", f"{key}:{got}")
        return recorded == got

    def _expected(self, recorded: Any, key: str) -> Any:
        """Show an id as it should have been, where that is known."""
        if key == "username" and isinstance(recorded, str):
            return self.renaming.user(recorded)
        return self.renaming.name(recorded) if is_id(recorded) else recorded


def _zone(text: str) -> str:
    """Tell how a time names its zone: ``Z``, an offset, or not at all."""
    if text[-1] in "Zz":
        return "Z"
    return "offset" if "+" in text[10:] or "-" in text[10:] else ""
