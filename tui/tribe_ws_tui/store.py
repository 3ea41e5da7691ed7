"""What a session knows, worked out from what it sees: ``apply(state, item, now)`` gives the next state.

Pure: no clock, no I/O, no widget. Applying every frame of a session leaves the same conversations, last
messages, unread counts and participants as fetching them anew would (a property test holds it to that).
Nothing is invented: somebody's presence is what an event said, and unknown until one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast, get_args

from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws.client.events import Lost, Notice, Opened, Reconnected, Reconnecting, read_time
from tribe_ws.client.results import Conversation, Message
from tribe_ws.protocol.close_codes import RESTART, TOKEN_EXPIRED
from tribe_ws_tui.endings import TOO_SLOW
from tribe_ws_tui.state import (
    BUCKETS,
    SAMPLES,
    ConversationState,
    LastMessage,
    Link,
    LinkKind,
    Presence,
    Rate,
    SessionState,
    Typing,
)

GOING_AWAY = 1001


@dataclass(frozen=True, slots=True)
class LinkMoved:
    """The session itself says where its link is now."""

    link: Link


@dataclass(frozen=True, slots=True)
class Fetched:
    """All conversations were fetched anew, newest activity first, with the names they answer to."""

    conversations: tuple[Conversation, ...]
    names: Names
    my_id: str = ""


@dataclass(frozen=True, slots=True)
class MarkedRead:
    """The server has noted that one has read everything in a conversation."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Somebody reads a conversation as it comes in, or with an empty id none."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """So many frames have arrived and were not read yet."""

    waiting: int


Item = Record | Notice | LinkMoved | Fetched | MarkedRead | Watched | Backlog


def apply(state: SessionState, item: Item, now: float) -> SessionState:
    """Give the state after one thing happened; ``now`` is the session's monotonic time."""
    match item:
        case Record():
            return _apply_record(state, item, now)
        case Notice():
            return _apply_notice(state, item, now)
        case LinkMoved(link=link):
            return _moved(state, link)
        case Fetched():
            return _fetched(state, item)
        case MarkedRead(conversation_id=conversation_id):
            return replace(state, **_changed(state, conversation_id, lambda one: replace(one, unread=0)))
        case Watched(conversation_id=conversation_id):
            return state if state.watched == conversation_id else replace(state, watched=conversation_id)
        case Backlog(waiting=waiting):
            return state if state.waiting == waiting else replace(state, waiting=waiting)


def forget_silent(state: SessionState, now: float) -> SessionState:
    """Drop those whose "was typing" has faded; the same state where there is nobody to drop."""
    left = {key: one for key, one in state.typing.items() if one.is_current(now) or one.is_fading(now)}
    return state if len(left) == len(state.typing) else replace(state, typing=left)


# ── the link ──────────────────────────────────────────────────────────────────────────────────────────────


def _moved(state: SessionState, link: Link) -> SessionState:
    if link.is_open:
        return replace(state, link=link, opened=state.opened + 1)
    if not state.link.is_open:
        return replace(state, link=link)
    # Without a connection nobody is heard, and no subscription holds.
    conversations = {
        key: replace(one, is_subscribed=False) if one.is_subscribed else one
        for key, one in state.conversations.items()
    }
    return replace(state, link=link, conversations=conversations, typing={}, presence={}, rtt=None)


def _apply_notice(state: SessionState, notice: Notice, now: float) -> SessionState:
    match notice:
        case Opened():
            return _moved(state, Link(LinkKind.OPEN, since=now))
        case Lost():
            return _moved(state, _lost(notice, now))
        case Reconnecting(attempt=attempt, delay=delay):
            link = replace(state.link, kind=_kind_after(state.link.code), until=now + delay, attempt=attempt)
            return _moved(state, link)
        case Reconnected():
            return state if state.link.is_open else _moved(state, Link(LinkKind.OPEN, since=now))
    return state


def _lost(loss: Lost, now: float) -> Link:
    kind, words = _kind_after(loss.code), loss.meaning
    if kind is LinkKind.RENEWING:
        what = "token expired" if loss.reason == TOKEN_EXPIRED.reason else "token rejected"
        words = f"{what} {loss.at.astimezone():%H:%M}, renewing…"
    return Link(kind, since=now, code=loss.code, reason=loss.reason, words=words)


def _kind_after(code: int | None) -> LinkKind:
    """Tell where a link stands that was lost with this code, until it is back."""
    if code in (GOING_AWAY, RESTART.code):
        return LinkKind.RESTARTING
    if code in TOO_SLOW:
        return LinkKind.CUT_OFF
    return LinkKind.RENEWING if code == TOKEN_EXPIRED.code else LinkKind.RECONNECTING


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────

Changes = dict[str, Any]
"""What of a state changes, by name: an event costs one copy of the state, whatever it changes."""


def _apply_record(state: SessionState, record: Record, now: float) -> SessionState:
    if record.direction == "note":
        return state
    if record.direction == "in" and record.event == "connected" and not state.link.is_open:
        state = _moved(state, Link(LinkKind.OPEN, since=now))
    changes: Changes = {"events": state.events + 1, "rate": _counted(state.rate, now)}
    if record.violations:
        changes["violations"] = state.violations + 1
    match record.direction:
        case "in":
            if record.event not in ("connected", "presence"):
                changes["heard_at"] = now
            taking = _INCOMING.get(record.event)
            changes |= {} if taking is None else taking(state, record, now)
        case "rest":
            changes |= _posted(state, record)
        case "out" if record.event == "unsubscribe":
            # The documented server does not answer it.
            changes |= _unsubscribed(state, record, now)
    return replace(state, **changes)


def _subscribed(state: SessionState, record: Record, _now: float) -> Changes:
    return _changed(state, record.conversation_id, lambda one: replace(one, is_subscribed=True))


def _unsubscribed(state: SessionState, record: Record, _now: float) -> Changes:
    return _changed(state, record.conversation_id, lambda one: replace(one, is_subscribed=False))


def _pong(_state: SessionState, record: Record, _now: float) -> Changes:
    return {} if record.latency is None else {"rtt": record.latency}


def _message(state: SessionState, record: Record, _now: float) -> Changes:
    changes: Changes = {}
    if record.latency is not None and record.timing != "guessed":
        changes["latencies"] = (*state.latencies[-SAMPLES + 1 :], record.latency)
    message = _last_message(_data(record))
    if message is None or record.conversation_id is None:
        return changes
    is_mine = message.sender_id == state.my_id if state.my_id else message.sender == state.me
    is_unread = not is_mine and record.conversation_id.lower() != state.watched
    return (
        changes
        | _silenced(state, record.conversation_id, message.sender_id)
        | _changed(
            state, record.conversation_id, lambda one: _with_message(one, message, is_unread=is_unread)
        )
    )


def _posted(state: SessionState, record: Record) -> Changes:
    if record.event != "POST message" or not isinstance(record.frame, dict):
        return {}
    message = _last_message(record.frame)
    if message is None:
        return {}
    return _changed(state, record.conversation_id, lambda one: _with_message(one, message, is_unread=False))


def _typing(state: SessionState, record: Record, now: float) -> Changes:
    data = _data(record)
    user_id, conversation_id = _text(data, "user_id"), record.conversation_id
    if not user_id or conversation_id is None:
        return {}
    if data.get("is_typing") is not True:
        return _silenced(state, conversation_id, user_id)
    key = (conversation_id, user_id)
    before = state.typing.get(key)
    since = before.since if before is not None and before.is_current(now) else now
    name = record.sender or _text(data, "user_name") or "somebody"
    return {"typing": {**state.typing, key: Typing(user_id, name, since, now)}}


def _presence(state: SessionState, record: Record, _now: float) -> Changes:
    data = _data(record)
    user_id, status = _text(data, "user_id"), _status(data)
    if not user_id or not status:
        return {}
    return {"presence": {**state.presence, user_id: status}}


def _read(state: SessionState, record: Record, _now: float) -> Changes:
    if not state.my_id or _text(_data(record), "user_id") != state.my_id:
        return {}
    return _changed(state, record.conversation_id, lambda one: replace(one, unread=0))


_INCOMING: Mapping[str, Callable[[SessionState, Record, float], Changes]] = {
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    "pong": _pong,
    "message.new": _message,
    "typing": _typing,
    "presence": _presence,
    "message.read": _read,
}


# ── conversations ─────────────────────────────────────────────────────────────────────────────────────────


def _fetched(state: SessionState, fetched: Fetched) -> SessionState:
    conversations = {
        one.id: ConversationState(
            id=one.id,
            label=fetched.names.label(one.id),
            is_group=one.is_group,
            name=one.name,
            # Whether somebody is online is only what an event says.
            participants=tuple(replace(person, is_online=None) for person in one.participants),
            last_message=_of_message(one.last_message),
            unread=one.unread_count,
            active_at=one.last_message_at,
            is_subscribed=one.id in state.conversations and state.conversations[one.id].is_subscribed,
        )
        for one in fetched.conversations
    }
    return replace(state, conversations=conversations, my_id=fetched.my_id or state.my_id)


def _with_message(one: ConversationState, message: LastMessage, *, is_unread: bool) -> ConversationState:
    if one.last_message is not None and one.last_message.id == message.id:
        return one
    unread = one.unread + is_unread
    if one.last_message is not None and _order(message) < _order(one.last_message):
        # Fetched late, or overtaken on its way: it counts, but is not the newest.
        return replace(one, unread=unread)
    return replace(one, last_message=message, unread=unread, active_at=message.created_at or one.active_at)


def _changed(
    state: SessionState,
    conversation_id: str | None,
    change: Callable[[ConversationState], ConversationState],
) -> Changes:
    key = (conversation_id or "").lower()
    one = state.conversations.get(key)
    if one is None:
        return {}
    changed = change(one)
    return {} if changed is one else {"conversations": {**state.conversations, key: changed}}


def _silenced(state: SessionState, conversation_id: str, user_id: str) -> Changes:
    key = (conversation_id, user_id)
    if key not in state.typing:
        return {}
    return {"typing": {other: one for other, one in state.typing.items() if other != key}}


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────


def _last_message(raw: Mapping[str, Any]) -> LastMessage | None:
    message_id, sender = _text(raw, "id"), raw.get("sender")
    if not message_id:
        return None
    known = sender if isinstance(sender, dict) else {}
    return LastMessage(
        id=message_id,
        sender_id=_text(known, "id"),
        sender=_text(known, "username"),
        content=_text(raw, "content"),
        created_at=read_time(raw.get("created_at")),
    )


def _of_message(message: Message | None) -> LastMessage | None:
    if message is None:
        return None
    sender = message.sender
    return LastMessage(message.id, sender.id, sender.username, message.content, message.created_at)


def _order(message: LastMessage) -> tuple[float, str]:
    return (_seconds(message.created_at), message.id)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _status(data: Mapping[str, Any]) -> Presence:
    status: Any = data.get("status")
    if status in get_args(Presence):
        return cast("Presence", status)
    is_online = data.get("is_online")
    if not isinstance(is_online, bool):
        return ""
    return "online" if is_online else "offline"


def _counted(rate: Rate, now: float) -> Rate:
    buckets = rate.at(now)
    second = max(rate.second, int(now))
    return Rate(second, (*buckets[: BUCKETS - 1], buckets[-1] + 1))


def _data(record: Record) -> dict[str, Any]:
    data = record.frame.get("data") if isinstance(record.frame, dict) else None
    return data if isinstance(data, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
