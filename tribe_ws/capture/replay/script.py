"""Makes of a capture what has to be done to live it again: connect, send, call, and what must come of it.

Pure. What a capture shows only by its effect is put in: the ``subscribe`` before a ``subscribed``, the
message of a user whose own session was not recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tribe_ws.capture.record import Record, compact_json
from tribe_ws.protocol.urls import API_PREFIX

Key = tuple[str, str]
"""A connection: whose, and which of theirs."""

LEFT_OUT_CALLS = ("/auth/", "/health", "/metrics")
"""Calls that a replay makes in its own way, or whose secrets no capture holds."""

_SAME_MOMENT = timedelta(seconds=1)
_ROUNDING = timedelta(milliseconds=2)
"""Times are written down in whole milliseconds."""

_STAND_IN = "stand-in"
_CLOSED = re.compile(r'(?:Closed )?(\d{4})(?: "([^"]*)")?')


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do or to wait for; ``line`` is that of the record it comes from."""

    line: int
    at: datetime
    user: str


@dataclass(frozen=True, slots=True)
class Open(Step):
    """Connect; ``connected`` is waited for by itself."""

    connection: Key
    is_v2: bool


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send a frame over a connection."""

    connection: Key
    record: Record


@dataclass(frozen=True, slots=True)
class Call(Step):
    """Make a REST call; ``record`` holds the answer that was recorded, or what little is known of it."""

    record: Record
    is_partly_known: bool = False


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Wait for a frame; ``is_last`` says that nothing more was recorded of its connection."""

    connection: Key
    record: Record
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class ExpectClose(Step):
    """Wait for the server to end a connection; code 1006 stands for an end without a close frame."""

    connection: Key
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Close(Step):
    """Close a connection."""

    connection: Key


@dataclass(frozen=True, slots=True)
class Script:
    """What to do, in order; whose logins it takes; and how many records cannot be lived again, by why."""

    steps: tuple[Step, ...]
    users: tuple[str, ...]
    left_out: dict[str, int]


def write_script(records: Iterable[Record]) -> Script:
    """Make the script of a capture."""
    in_time = sorted(enumerate(records, 1), key=lambda numbered: numbered[1].at)
    writer = _Writer(_in_order_of_cause(_with_connections(in_time)))
    writer.write()
    users = tuple(dict.fromkeys(step.user for step in writer.steps))
    return Script(tuple(writer.steps), users, writer.left_out)


def is_caused_by(frame: Record, call: Record) -> bool:
    """Tell whether a frame is what a REST call set off, as far as the two show it."""
    if frame.direction != "in" or frame.conversation_id != call.conversation_id:
        return False
    match frame.event:
        case "message.new":
            return _message_id(frame) is not None and _message_id(frame) == _stored_id(call)
        case "typing":
            return _stored_id(call) is not None and _typing(frame) is False and frame.sender == call.as_user
        case "message.read":
            return call.path.endswith("/read") and frame.sender == call.as_user
        case "unsubscribed":
            return "/participants" in call.path
    return False


def _with_connections(lines: list[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """Say of what was sent before a connection had a name that it was that connection."""
    named: dict[str, str] = {}
    found: list[tuple[int, Record]] = []
    for line, record in reversed(lines):
        if record.direction in {"in", "out"} and record.connection:
            named[record.as_user] = record.connection
        elif not record.connection and record.as_user in named:
            record = replace(record, connection=named[record.as_user])
        found.append((line, record))
    return found[::-1]


def _in_order_of_cause(lines: list[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """Put a call, which is written down when it is answered, before the frames that it set off."""
    placed: list[tuple[int, Record]] = []
    for line, record in lines:
        is_doing = record.direction == "rest" and record.method != "GET"
        placed.insert(_place_of(record, placed) if is_doing else len(placed), (line, record))
    return placed


def _place_of(call: Record, placed: list[tuple[int, Record]]) -> int:
    """Find where a call belongs: not before it began, and not before what its user had done by then."""
    place = len(placed)
    began = call.at - timedelta(seconds=call.latency or 0.0)
    for index in range(len(placed) - 1, -1, -1):
        other = placed[index][1]
        is_own = other.as_user == call.as_user and other.direction in {"out", "rest"}
        if other.at < began - _ROUNDING or (is_own and other.at <= began):
            break
        if is_caused_by(other, call):
            place = index
    return place


class _Writer:
    def __init__(self, lines: list[tuple[int, Record]]) -> None:
        self.steps: list[Step] = []
        self.left_out: dict[str, int] = {}
        self._lines = lines
        self._records = [record for _, record in lines]
        self._connected = {r.as_user for r in self._records if r.direction in {"in", "out"} and r.as_user}
        self._posted = {_stored_id(r) for r in self._records if r.direction == "rest"} - {None}
        self._last = {_key(record): line for line, record in lines if record.direction == "in"}
        self._latest = {_key(record): line for line, record in lines if record.direction in {"in", "out"}}
        self._v2 = {_key(r) for r in self._records if r.event == "connected" and _data(r)}
        self._open: set[Key] = set()
        self._greeted: set[Key] = set()
        self._asked: dict[Key, list[str]] = {}
        self._pings: dict[Key, int] = {}
        self._typed: dict[tuple[str, str | None], tuple[bool, datetime]] = {}

    def write(self) -> None:
        for line, record in self._lines:
            if not record.as_user:
                if record.direction != "note":
                    self._leave_out("records that do not say whose they are")
                continue
            match record.direction:
                case "in":
                    self._frame_came(line, record)
                case "out":
                    self._frame_went(line, record)
                case "rest":
                    self._call(line, record)
                case "note":
                    self._note(line, record)

    def _frame_came(self, line: int, record: Record) -> None:
        if "gap" in record.tags:
            self._leave_out("fetched after a gap")
            return
        key = _key(record)
        is_greeting = record.event == "connected"
        if key not in self._open or (is_greeting and key in self._greeted):
            self._connect(line, record, key)
        if is_greeting:
            self._greeted.add(key)
        if record.event == "presence" and record.sender not in self._connected:
            self._leave_out("presence of users whose sessions were not recorded")
            return
        self._put_in_cause(line, record, key)
        self.steps.append(
            Expect(line, record.at, record.as_user, key, record, is_last=self._last.get(key) == line)
        )

    def _frame_went(self, line: int, record: Record) -> None:
        key = _key(record)
        if key not in self._open:
            self._connect(line, record, key)
        if record.event == "subscribe":
            self._asked.setdefault(key, []).append(record.conversation_id or "")
        self._pings[key] = self._pings.get(key, 0) + (record.event == "ping")
        self.steps.append(Send(line, record.at, record.as_user, key, record))

    def _call(self, line: int, record: Record) -> None:
        record = _whole_call(record)
        path = record.path.removeprefix(API_PREFIX)
        if not record.method or path.startswith(LEFT_OUT_CALLS):
            self._leave_out("logins and the like")
            return
        is_partly_known = _stored_id(record) is not None and "sender" not in record.frame
        self.steps.append(Call(line, record.at, record.as_user, record, is_partly_known))

    def _note(self, line: int, record: Record) -> None:
        key = _key(record)
        if record.event != "closed" or key not in self._open:
            return
        self._open.discard(key)
        code, reason = _closing(record)
        if code not in {0, 1000}:
            self.steps.append(ExpectClose(line, record.at, record.as_user, key, code, reason))
        else:
            self.steps.append(Close(line, record.at, record.as_user, key))

    def _connect(self, line: int, record: Record, key: Key) -> None:
        if key in self._open:
            self.steps.append(Close(line, record.at, key[0], key))
        self._open.add(key)
        self._greeted.discard(key)
        self._asked[key], self._pings[key] = [], 0
        self.steps.append(Open(line, record.at, key[0], key, is_v2=key in self._v2))

    def _put_in_cause(self, line: int, record: Record, key: Key) -> None:
        """Do first what must have been done for a frame to come, where the capture does not show it."""
        match record.event:
            case "subscribed":
                asked = self._asked.get(key, [])
                if record.conversation_id in asked:
                    asked.remove(record.conversation_id or "")
                elif record.conversation_id:
                    frame = _subscribe(record.conversation_id)
                    self._send_as(line, record, key, frame)
            case "pong":
                if self._pings.get(key):
                    self._pings[key] -= 1
                else:
                    self._send_as(line, record, key, {"event": "ping"})
            case "message.new":
                self._say_for(line, record)
            case "typing":
                self._type_for(line, record)
            case "presence":
                self._leave_for(line, record)

    def _send_as(self, line: int, record: Record, key: Key, frame: dict[str, Any]) -> None:
        sent = replace(
            record,
            direction="out",
            event=str(frame["event"]),
            frame=frame,
            text=compact_json(frame),
            tags=frozenset(),
        )
        self.steps.append(Send(line, record.at, key[0], key, sent))

    def _say_for(self, line: int, record: Record) -> None:
        """Send the message of somebody whose call was not recorded."""
        message_id, data = _message_id(record), _data(record)
        username = _text(data.get("sender"), "username") or record.sender
        if message_id is None or message_id in self._posted or not username:
            return
        self._posted.add(message_id)
        body = {"content": data.get("content"), "message_type": data.get("message_type")}
        called = replace(
            record,
            direction="rest", event="POST message", as_user=username, method="POST", request=body, status=201,
            path=f"{API_PREFIX}/conversations/{record.conversation_id}/messages", frame=dict(data),
        )  # fmt: skip
        self.steps.append(Call(line, record.at, username, called, is_partly_known=True))

    def _type_for(self, line: int, record: Record) -> None:
        """Type for somebody whose session was not recorded."""
        state, typist = _typing(record), record.sender
        if state is None or not typist or typist in self._connected:
            return
        place = (typist, record.conversation_id)
        before = self._typed.get(place)
        if before is not None and before[0] is state and record.at - before[1] < _SAME_MOMENT:
            return
        self._typed[place] = (state, record.at)
        key = (typist, _STAND_IN)
        if key not in self._open:
            self._connect(line, replace(record, event="typing", frame=None), key)
        frame = {"event": "typing", "conversation_id": record.conversation_id, "is_typing": state}
        self._send_as(line, replace(record, as_user=typist), key, frame)

    def _leave_for(self, line: int, record: Record) -> None:
        """Close the connections of somebody who is said to have gone, and of whom nothing more is told."""
        if _data(record).get("is_online") is not False:
            return
        for key in sorted(key for key in self._open if key[0] == record.sender):
            if self._latest.get(key, 0) < line and key[1] != _STAND_IN:
                self._open.discard(key)
                self.steps.append(Close(line, record.at, key[0], key))

    def _leave_out(self, why: str) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + 1


def _whole_call(record: Record) -> Record:
    """Fill in what a record of a sent message leaves out where only its text was kept."""
    if record.method or record.event != "POST message":
        return record
    path = f"{API_PREFIX}/conversations/{record.conversation_id}/messages"
    frame = record.frame if isinstance(record.frame, dict) else {}
    body = {"content": record.text or frame.get("content", "")}
    return replace(record, method="POST", path=path, request=body)


def _closing(record: Record) -> tuple[int, str]:
    """Tell with which code a server ended a connection; 0 where the client did."""
    if isinstance(record.frame, dict):
        code, reason = record.frame.get("code"), record.frame.get("reason")
        return code if isinstance(code, int) else 0, reason if isinstance(reason, str) else ""
    found = _CLOSED.match(record.text)
    return (int(found[1]), found[2] or "") if found else (0, "")


def _subscribe(conversation_id: str) -> dict[str, Any]:
    return {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id}


def _key(record: Record) -> Key:
    return record.as_user, record.connection


def _data(record: Record) -> dict[str, Any]:
    data = record.frame.get("data") if isinstance(record.frame, dict) else None
    return data if isinstance(data, dict) else {}


def _message_id(record: Record) -> str | None:
    found = _data(record).get("id")
    return found if isinstance(found, str) else None


def _stored_id(record: Record) -> str | None:
    """Give the id of the message that a call has stored."""
    is_message = record.method == "POST" and record.path.endswith("/messages")
    if not (is_message or record.event == "POST message") or not isinstance(record.frame, dict):
        return None
    found = record.frame.get("id")
    return found if isinstance(found, str) else None


def _typing(record: Record) -> bool | None:
    state = _data(record).get("is_typing")
    return state if isinstance(state, bool) else None


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
