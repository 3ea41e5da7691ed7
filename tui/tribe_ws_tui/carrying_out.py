"""Carries out what was written in a composer, on the session it was written for.

What concerns the screen and not the session (a filter, another user, a file) is handed to ``Desk``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, cast, get_args

from tribe_ws.durations import parse_duration
from tribe_ws.protocol.codec import object_in
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws.typed_lines import NotUnderstood, Order, RawFrame, Say, Typed
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.typed import COMMANDS

_SWITCH = {"on": True, "off": False, "true": True, "false": False}
_MOST_PINGS = 1000


class Desk(Protocol):
    """What a command may ask of the screen."""

    def choose_conversation(self, conversation_id: str) -> None:
        """Write to another conversation from now on."""
        ...

    def set_filter(self, text: str) -> None:
        """Show other events; raises ``FilterError``."""
        ...

    def act_as(self, username: str, *, beside: bool) -> None:
        """Act as another user, in this pane or beside it."""
        ...

    def save(self, path: Path) -> None:
        """Write what is held to a file."""
        ...

    def record(self, path: Path | None) -> None:
        """Write everything from now on to a file, or stop."""
        ...

    def fault(self, rule: str) -> None:
        """Put a fault in force, or with an empty rule take all away."""
        ...

    def do(self, action: str) -> None:
        """Do what a key does."""
        ...

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some seconds."""
        ...


def carry_out(typed: Typed, session: InspectorSession, conversation_id: str, desk: Desk) -> None:
    """Do what was typed; raises ``TribeError`` where that cannot be, ``OSError`` for a file."""
    match typed:
        case Say(text=text):
            session.say(_require(conversation_id), text)
        case RawFrame(text=text):
            session.send_raw(text)
            follow(text, session, desk)
        case Order():
            _ORDERS[typed.name](typed, _Work(session, conversation_id, desk))


def follow(frame: str, session: InspectorSession, desk: Desk) -> None:
    """Make the conversation of a ``subscribe`` written by hand the current one, as the command does."""
    value = object_in(frame)
    wanted = value.get("conversation_id")
    if value.get("event") != "subscribe" or not isinstance(wanted, str):
        return
    if wanted in session.state.conversations:
        desk.choose_conversation(wanted)


class _Work:
    """A command's session, conversation and screen."""

    def __init__(self, session: InspectorSession, conversation_id: str, desk: Desk) -> None:
        self.session = session
        self.conversation_id = conversation_id
        self.desk = desk

    def find(self, name: str) -> str:
        return self.session.names.find(name)


def _subscribe(order: Order, work: _Work) -> None:
    for name in order.words or _usage(order):
        conversation_id = work.find(name)
        work.session.subscribe(conversation_id)
        work.desk.choose_conversation(conversation_id)


def _unsubscribe(order: Order, work: _Work) -> None:
    for name in order.words or (_require(work.conversation_id),):
        work.session.unsubscribe(work.find(name))


def _conv(order: Order, work: _Work) -> None:
    work.desk.choose_conversation(work.find(_one(order)))


def _msg(order: Order, work: _Work) -> None:
    work.session.say(_require(work.conversation_id), _one(order))


def _typing(order: Order, work: _Work) -> None:
    word = order.words[0].lower() if order.words else "on"
    where = work.find(order.words[1]) if len(order.words) > 1 else _require(work.conversation_id)
    if word in _SWITCH:
        work.session.typing(where, _SWITCH[word])
        return
    try:
        seconds = parse_duration(word)
    except ValueError:
        raise NotUnderstood("/typing on|off|5s") from None
    work.session.typing(where, True)
    work.desk.later(seconds, lambda: work.session.typing(where, False))


def _presence(order: Order, work: _Work) -> None:
    status = _one(order)
    if status not in get_args(PresenceStatus):
        raise NotUnderstood("/presence online|away|offline")
    work.session.set_presence(cast("PresenceStatus", status))


def _ping(order: Order, work: _Work) -> None:
    word = order.words[0] if order.words else "1"
    if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= _MOST_PINGS):
        raise NotUnderstood(f"/ping N, from 1 to {_MOST_PINGS}")
    work.session.ping(int(word))


def _raw(order: Order, work: _Work) -> None:
    work.session.send_raw(_one(order))
    follow(order.rest, work.session, work.desk)


def _file(order: Order, work: _Work) -> None:
    text = Path(_one(order)).expanduser().read_text("utf-8")
    work.session.say(_require(work.conversation_id), text.rstrip("\n"))


def _as(order: Order, work: _Work) -> None:
    work.desk.act_as(_one(order).removeprefix("@"), beside=False)


def _also(order: Order, work: _Work) -> None:
    work.desk.act_as(_one(order).removeprefix("@"), beside=True)


def _filter(order: Order, work: _Work) -> None:
    work.desk.set_filter("" if order.rest == "off" else order.rest)


def _violations(_order: Order, work: _Work) -> None:
    work.desk.set_filter("is:violation")


def _save(order: Order, work: _Work) -> None:
    work.desk.save(Path(_one(order)).expanduser())


def _record(order: Order, work: _Work) -> None:
    target = _one(order)
    work.desk.record(None if target == "stop" else Path(target).expanduser())


def _fault(order: Order, work: _Work) -> None:
    rule = _one(order)
    work.desk.fault("" if rule == "clear" else rule)


def _reconnect(_order: Order, work: _Work) -> None:
    work.session.reconnect()


def _close(order: Order, work: _Work) -> None:
    code = order.words[0] if order.words else "1000"
    number = int(code) if code.isascii() and code.isdecimal() else 0
    if number != 1000 and not 3000 <= number <= 4999:
        raise NotUnderstood("/close CODE REASON, with a code of 1000 or from 3000 to 4999")
    work.session.close_with(number, " ".join(order.words[1:]))


def _help(_order: Order, work: _Work) -> None:
    work.desk.do("help")


def _quit(_order: Order, work: _Work) -> None:
    work.desk.do("leave")


_ORDERS: Mapping[str, Callable[[Order, _Work], None]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "conv": _conv,
    "msg": _msg,
    "typing": _typing,
    "presence": _presence,
    "ping": _ping,
    "raw": _raw,
    "file": _file,
    "as": _as,
    "also": _also,
    "filter": _filter,
    "violations": _violations,
    "save": _save,
    "record": _record,
    "fault": _fault,
    "reconnect": _reconnect,
    "close": _close,
    "help": _help,
    "quit": _quit,
}


def _one(order: Order) -> str:
    if not order.words:
        _usage(order)
    return order.words[0]


def _usage(order: Order) -> tuple[str, ...]:
    raise NotUnderstood(f"/{order.name} {COMMANDS[order.name][0]}")


def _require(conversation_id: str) -> str:
    if not conversation_id:
        raise NotUnderstood("no conversation is chosen yet", hint="/subscribe NAME or /conv NAME")
    return conversation_id
