"""Turns the records of sessions, one by one, into the deeds that let the same happen again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.protocol.frames import APP_FRAMES
from tribe_ws.protocol.frames_v2 import V2_FRAMES
from tribe_ws.scenario.language.writing import literal
from tribe_ws.scenario.limits import DEFAULT_WITHIN, LONGEST_WAIT
from tribe_ws.scenario.retelling.cast import Cast

_KNOWN_EVENTS = {frame.model_fields["event"].default for frame in V2_FRAMES}
_APP_ONLY = frozenset({"presence", "message.read"})
_V2_ONLY = _KNOWN_EVENTS - {frame.model_fields["event"].default for frame in APP_FRAMES}
_ANSWERS = frozenset({"connected", "subscribed", "pong", "unsubscribed"})
_COALESCED = "1100ms"
"""A typing of the same state counts again only after a second (contract 3.2)."""
_MATCHER_WORD = re.compile(r"\$[a-z_]+")


@dataclass(frozen=True, slots=True)
class Deed:
    """One step to be written: who does it, what, the capture it offers and those it uses."""

    who: str
    what: Any
    captures: str = ""
    uses: tuple[str, ...] = ()

    def as_value(self) -> dict[str, Any]:
        """Give the step as it stands in a file."""
        if self.captures:
            return {self.who: self.what | {"capture": {self.captures: "id"}}}
        return {self.who: self.what}

    def without_capture(self) -> Deed:
        """Give the same step with nothing to be remembered."""
        return replace(self, captures="")


@dataclass
class Story:
    """What has been told so far: the people, the conversations, the deeds, and what was left out."""

    deeds: list[Deed] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    profile: str = "documented"
    patience: float = 0.0
    _cast: Cast = field(default_factory=Cast)
    _sent: dict[str, str] = field(default_factory=dict)
    _posts: dict[str, Record] = field(default_factory=dict)
    _typing: dict[tuple[str, str], bool] = field(default_factory=dict)
    _last_at: dict[str, datetime] = field(default_factory=dict)
    _subscribed: set[tuple[str, str]] = field(default_factory=set)
    _said: dict[str, str] = field(default_factory=dict)
    _reads: Counter[tuple[str, str]] = field(default_factory=Counter)
    _heard_reads: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def actors(self) -> list[str] | dict[str, Any]:
        """Who takes part, as ``actors:`` is written."""
        return self._cast.actors()

    @property
    def conversations(self) -> dict[str, Any]:
        """The conversations and their members, as ``conversations:`` is written."""
        return self._cast.conversations()

    def prepare(self, records: Iterable[Record]) -> None:
        """Look through all records for what has to be known from the beginning."""
        for record in records:
            self._cast.learn(record)
            if record.direction == "in" and record.event in _APP_ONLY and self.profile == "documented":
                self.profile = "app"
            if record.direction == "in" and (
                record.event in _V2_ONLY - {"unsubscribed"} or self._is_echo(record)
            ):
                self.profile = "v2"
            if record.direction == "rest" and (message_id := _id_of(record)):
                self._posts[message_id] = record

    def close(self) -> None:
        """End the story; one that expects nothing at least expects that nobody is thrown out."""
        listening = [deed.who for deed in self.deeds if deed.what == "connect" or _is_on_socket(deed.what)]
        expects = any(
            isinstance(deed.what, dict) and {"expect", "status"} & deed.what.keys() for deed in self.deeds
        )
        if listening and not expects:
            self._add(listening[-1], {"never": "closed", "for": "200ms"})

    def tell(self, record: Record) -> None:
        """Add what a record tells."""
        match record.direction:
            case "rest":
                self._called(record)
            case "out":
                self._did(record)
            case "in":
                self._saw(record)

    # ── what they did ─────────────────────────────────────────────────────────────────────────────────────

    def _called(self, record: Record) -> None:
        actor = self._cast.actor(record.as_user or record.sender)
        is_refused = (record.status or 0) >= 400
        room = self._cast.room(record.conversation_id, record.conversation, "" if is_refused else actor)
        if not actor:
            self._leave_out("REST call of nobody in particular")
        elif record.event == "POST message" and room:
            self._post(record, actor, room)
        elif record.event == "POST read" and room:
            self._reads[actor, room] += 1
            self._add(actor, {"read": room} | _status(record))
        elif record.method != "GET" or not record.method:
            self._leave_out(f"REST call {record.event}")

    def _post(self, record: Record, actor: str, room: str) -> None:
        message_id = _id_of(record)
        if message_id in self._sent:
            return
        request = record.request if isinstance(record.request, dict) else {}
        content = request.get("content", record.text)
        what: dict[str, Any] = {"send": literal(content), "to": room}
        kind = request.get("message_type")
        if isinstance(kind, str) and kind != "text":
            what["type"] = literal(kind)
        self._typing[actor, room] = False
        self._add(actor, what | _status(record), captures=self._remember(message_id))

    def _remember(self, message_id: str) -> str:
        """Give a message a name by which later steps can speak of it."""
        if not message_id:
            return ""
        self._sent[message_id] = f"message_{len(self._sent) + 1}"
        return self._sent[message_id]

    def _did(self, record: Record) -> None:
        frame = record.frame if isinstance(record.frame, dict) else {}
        who = self._cast.connection(record)
        actor = who.partition(".")[0]
        is_refused = record.event == "subscribe" and not self._cast.is_confirmed(record)
        room = self._cast.room(record.conversation_id, record.conversation, "" if is_refused else actor)
        match record.event:
            case "subscribe" if room:
                self._subscribe(who, room, frame, is_confirmed=not is_refused)
            case "unsubscribe" if room:
                self._subscribed.discard((who, room))
                self._add(who, {"unsubscribe": room})
            case "typing" if room and isinstance(frame.get("is_typing"), bool):
                self._type(who, room, frame["is_typing"])
            case "presence" if frame.get("status") in {"online", "away", "offline"}:
                self._said[actor] = frame["status"]
                self._add(who, {"presence": frame["status"]})
            case "ping":
                if not self.deeds or self.deeds[-1] != Deed(who, "ping"):
                    self._add(who, "ping")
            case _:
                self._leave_out(f"frame sent: {record.event or '?'}")

    def _subscribe(self, who: str, room: str, frame: dict[str, Any], *, is_confirmed: bool) -> None:
        echo = {"echo": True} if frame.get("echo") is True and self.profile == "v2" else {}
        self._subscribed.add((who, room))
        self._add(who, {"subscribe": room} | echo | ({} if is_confirmed else {"confirmed": False}))

    def _type(self, who: str, room: str, is_typing: bool) -> None:
        key = (who.partition(".")[0], room)
        if self._typing.get(key) is is_typing:
            self.deeds.append(Deed("wait", _COALESCED))
            self.patience += 1.1
        self._typing[key] = is_typing
        self._add(who, {"typing": "on" if is_typing else "off", "in": room})

    # ── what they saw ─────────────────────────────────────────────────────────────────────────────────────

    def _saw(self, record: Record) -> None:
        who = self._cast.connection(record)
        if record.event == "connected":
            self._connected(who)
        elif "gap" in record.tags:
            self._leave_out("message fetched after a gap")
        elif record.event not in _KNOWN_EVENTS:
            self._leave_out(f"frame that no profile knows: {record.event or '?'}")
        elif record.event not in _ANSWERS:
            self._heard(record, who)
        self._last_at[who] = record.at

    def _connected(self, who: str) -> None:
        # Who was open before is connected anew: what they subscribed to is told by their own frames.
        again = self._cast.opens(who)
        self._subscribed = {(name, room) for name, room in self._subscribed if name != who}
        self._add(who, {"reconnect": None, "resubscribe": False} if again else "connect")

    def _heard(self, record: Record, who: str) -> None:
        data = _data_of(record)
        sender = self._cast.actor(record.sender or self._cast.username_in(data))
        if not sender and record.event != "error":
            self._leave_out(f"{record.event} of somebody unknown")
            return
        if sender == who.partition(".")[0] and not self._is_echo(record):
            self._leave_out(f"own {record.event}, which the contract never sends")
            return
        room = self._cast.room(record.conversation_id, record.conversation, sender, who.partition(".")[0])
        if record.event in {"message.new", "typing"} and (who, room) not in self._subscribed:
            self._subscribe(who, room, {}, is_confirmed=True)
        self._cause(record, sender, room, data)
        what, uses = self._expectation(record.event, data)
        narrow = ({"in": room} if room else {}) | ({"from": sender} if sender else {})
        self._add(who, {"expect": record.event} | narrow | what | self._within(record, who), uses=uses)

    def _expectation(self, event: str, data: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Say what the frame's data must be like, and which captures that needs."""
        match event:
            case "message.new":
                name = self._sent.get(str(data.get("id")), "")
                wanted = {
                    "id": f"${{{{ {name} }}}}" if name else "$uuid",
                    "content": _pattern(data.get("content")),
                    "created_at": "$time",
                }
                return {"data": wanted}, (name,) if name else ()
            case "typing":
                return {"data": {"is_typing": data.get("is_typing") is True}}, ()
            case "presence":
                return {"data": {"is_online": data.get("is_online") is True}}, ()
            case "message.read":
                return {"data": {"read_at": "$time"}}, ()
            case "error":
                return {"data": {"code": _pattern(data.get("code"))}}, ()
        return {}, ()

    def _cause(self, record: Record, sender: str, room: str, data: dict[str, Any]) -> None:
        """Let happen what the frame is the consequence of, where no record has told it yet."""
        if record.event == "message.new":
            self._send_unless_told(sender, room, data)
        elif record.event == "message.read":
            self._read_unless_told(sender, room, str(data.get("read_at")))
        elif sender and not self._cast.is_recorded(sender):
            self._signal(record.event, sender, room, data)
        elif (
            record.event == "presence"
            and data.get("is_online") is False
            and self._said.get(sender) != "offline"
        ):
            for name in self._cast.leave(sender):
                self._add(name, "disconnect")

    def _comes(self, actor: str) -> Any:
        return (
            {"reconnect": None}
            if any(deed.who == actor and deed.what == "disconnect" for deed in self.deeds)
            else "connect"
        )

    def _send_unless_told(self, sender: str, room: str, data: dict[str, Any]) -> None:
        message_id = str(data.get("id") or "")
        if message_id in self._sent:
            return
        if message_id in self._posts:
            self._called(self._posts[message_id])
            return
        what = {"send": literal(data.get("content", "")), "to": room}
        kind = data.get("message_type")
        if isinstance(kind, str) and kind != "text":
            what["type"] = literal(kind)
        self._add(sender, what, captures=self._remember(message_id))

    def _read_unless_told(self, sender: str, room: str, read_at: str) -> None:
        if (sender, room, read_at) in self._heard_reads:
            return
        self._heard_reads.add((sender, room, read_at))
        if self._reads[sender, room] > 0:
            self._reads[sender, room] -= 1
        else:
            self._add(sender, {"read": room})

    def _signal(self, event: str, sender: str, room: str, data: dict[str, Any]) -> None:
        """Have somebody who was only heard do what was heard of them."""
        is_online = event != "presence" or data.get("is_online") is True
        if self._cast.changes(sender, is_online):
            self._add(sender, self._comes(sender) if is_online else "disconnect")
        elif event == "presence" and data.get("status") in {"online", "away", "offline"}:
            self._add(sender, {"presence": data["status"]})
        state = data.get("is_typing") is True
        if event == "typing" and self._typing.get((sender, room), False) is not state:
            self._type(sender, room, state)

    # ── small things ──────────────────────────────────────────────────────────────────────────────────────

    def _is_echo(self, record: Record) -> bool:
        return record.event == "message.new" and record.sender == record.as_user and self._cast.echoes(record)

    def _within(self, record: Record, who: str) -> dict[str, Any]:
        """Grant as much time as it took, and as much again, where that is more than usual."""
        before = self._last_at.get(who, record.at)
        seconds = min(LONGEST_WAIT, 2 * (record.at - before).total_seconds() + 2)
        if seconds <= DEFAULT_WITHIN:
            return {}
        self.patience += seconds
        return {"within": f"{seconds:.0f}s"}

    def _add(self, who: str, what: Any, *, captures: str = "", uses: tuple[str, ...] = ()) -> None:
        self._cast.acts(who)
        self.deeds.append(Deed(who, what, captures, uses))

    def _leave_out(self, reason: str) -> None:
        self.left_out.append(reason[:80])


def _is_on_socket(what: Any) -> bool:
    return what == "ping" or (isinstance(what, dict) and not {"send", "read"} & what.keys())


def _data_of(record: Record) -> dict[str, Any]:
    data = record.frame.get("data") if isinstance(record.frame, dict) else None
    return data if isinstance(data, dict) else {}


def _id_of(record: Record) -> str:
    """Tell the id of the message that a REST call stored; empty if it stored none."""
    if record.event != "POST message" or not isinstance(record.frame, dict):
        return ""
    found = record.frame.get("id")
    return found if isinstance(found, str) else ""


def _status(record: Record) -> dict[str, Any]:
    return {"status": record.status} if record.status and record.status >= 400 else {}


def _pattern(value: Any) -> Any:
    """Give a pattern for exactly that value, though it may look like a matcher."""
    if isinstance(value, str) and not _MATCHER_WORD.fullmatch(value):
        return literal(value)
    return {"$equals": literal(value)}
