"""What passed over one connection so far, and what may therefore not follow.

It knows the connection from outside: what the client asked for and what the server sent. Its memory is
bounded, so that it can watch for days.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tribe_ws.capture.shapes import quote
from tribe_ws.capture.violation import Violation
from tribe_ws.client.events import Event, read_time
from tribe_ws.protocol.ids import canonical_id

REMEMBERED = 10_000
"""How many messages, and how many conversations, are remembered of one connection."""
_UNANSWERED_PINGS = 1_000


@dataclass(slots=True)
class _Conversation:
    """How one conversation stands on this connection."""

    is_subscribed: bool = False
    has_echo: bool = False
    is_leaving: bool = False
    has_left: bool = False
    newest: datetime | None = None
    newest_text: str = ""
    seq: int = 0


@dataclass(slots=True)
class Traffic:
    """The past of one connection; ``user_id`` and ``username`` tell whose it is, as far as that is known."""

    user_id: str = ""
    username: str = ""
    is_v2: bool = False
    knows_subscriptions: bool = True
    _conversations: OrderedDict[str, _Conversation] = field(init=False, default_factory=OrderedDict)
    _messages: OrderedDict[str, None] = field(init=False, default_factory=OrderedDict)
    _pings: deque[tuple[str, ...]] = field(
        init=False, default_factory=lambda: deque(maxlen=_UNANSWERED_PINGS)
    )

    def sent(self, frame: Any) -> None:
        """Remember what the client asked for: one of the models of its frames."""
        match frame.event:
            case "subscribe":
                about = self._about(frame.conversation_id)
                about.is_subscribed, about.is_leaving, about.has_left = True, False, False
                about.has_echo = bool(getattr(frame, "echo", False))
            case "unsubscribe":
                self._about(frame.conversation_id).is_leaving = True
            case "ping":
                # Its pong proves that the server has read whatever was sent before it.
                self._pings.append(tuple(key for key, one in self._conversations.items() if one.is_leaving))

    def came(self, event: Event) -> Iterator[Violation]:
        """Judge a frame of the server by what was before it, and remember it."""
        yield from _spelling(event)
        match event.name:
            case "connected":
                self._learn_who(event)
            case "subscribed" if event.conversation_id:
                self._about(event.conversation_id).is_subscribed = True
            case "unsubscribed" if event.conversation_id:
                self._end(self._about(event.conversation_id))
            case "pong":
                self._ponged()
            case "message.new":
                yield from self._message(event)
            case "typing":
                yield from self._subscription(event)
                yield from self._own(event, "typing.not-to-oneself")
            case "presence":
                yield from self._own(event, "presence.not-to-oneself")

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────

    def _message(self, event: Event) -> Iterator[Violation]:
        yield from self._subscription(event)
        yield from self._echo(event)
        if self._is_repeated(event.message_id):
            yield Violation("message.once", "data.id", "this message came before", quote(event.message_id))
        elif event.conversation_id and not _is_fetched(event):
            about = self._about(event.conversation_id)
            yield from _time_order(about, event.data.get("created_at"))
            yield from _number_order(about, event.seq)

    def _is_repeated(self, message_id: str | None) -> bool:
        if message_id is None or message_id in self._messages:
            return message_id is not None
        self._messages[message_id] = None
        if len(self._messages) > REMEMBERED:
            self._messages.popitem(last=False)
        return False

    def _echo(self, event: Event) -> Iterator[Violation]:
        sender = event.data.get("sender")
        if not isinstance(sender, dict) or not self._is_me(sender.get("id"), sender.get("username")):
            return
        if event.conversation_id and self._about(event.conversation_id).has_echo:
            return
        clause = "v2.no-echo" if self.is_v2 else "message.not-to-sender"
        said = "a message of one's own was sent back"
        yield Violation(
            clause, "data.sender", said, quote(sender.get("username")), "a message of somebody else"
        )

    def _own(self, event: Event, clause: str) -> Iterator[Violation]:
        if self._is_me(event.data.get("user_id"), None):
            yield Violation(clause, "data.user_id", f"one's own {event.name} was sent back")

    # ── subscriptions ─────────────────────────────────────────────────────────────────────────────────────

    def _subscription(self, event: Event) -> Iterator[Violation]:
        if not self.knows_subscriptions or not event.conversation_id or _is_fetched(event):
            return
        about, got = self._about(event.conversation_id), quote(event.conversation_id)
        if about.has_left:
            said = "this connection has unsubscribed from it"
            yield Violation("unsubscribe.ends", "conversation_id", said, got)
        elif not about.is_subscribed:
            said = "this connection never subscribed to it"
            yield Violation("subscribe.per-connection", "conversation_id", said, got)

    def _ponged(self) -> None:
        for key in self._pings.popleft() if self._pings else ():
            about = self._conversations.get(key)
            if about is not None and about.is_leaving:
                self._end(about)

    def _end(self, about: _Conversation) -> None:
        about.has_left, about.is_leaving, about.is_subscribed = True, False, False

    # ── who and where ─────────────────────────────────────────────────────────────────────────────────────

    def _learn_who(self, event: Event) -> None:
        user = event.data.get("user")
        if isinstance(user, dict):
            self.user_id = str(user.get("id") or self.user_id)
            self.username = str(user.get("username") or self.username)

    def _is_me(self, user_id: object, username: object) -> bool:
        if self.user_id:
            return user_id == self.user_id
        return bool(self.username) and username == self.username

    def _about(self, conversation_id: str) -> _Conversation:
        key = conversation_id.lower()
        found = self._conversations.setdefault(key, _Conversation())
        self._conversations.move_to_end(key)
        if len(self._conversations) > REMEMBERED:
            self._conversations.popitem(last=False)
        return found


def _spelling(event: Event) -> Iterator[Violation]:
    """Ids are sent in lower case, and both places of a message name the same conversation."""
    written = event.raw.get("conversation_id")
    if isinstance(written, str) and canonical_id(written) not in {None, written}:
        said, want = "an id is sent in lower case", quote(written.lower())
        yield Violation("subscribe.either-case", "conversation_id", said, quote(written), want)
    inner = event.data.get("conversation_id", written)
    if event.name == "message.new" and inner != written:
        said = "is not the conversation of the frame"
        yield Violation("message.keys", "data.conversation_id", said, quote(inner), quote(written))


def _time_order(about: _Conversation, text: object) -> Iterator[Violation]:
    moment = read_time(text)
    if moment is None:
        return
    if about.newest is not None and moment <= about.newest:
        said, want = "is not later than that of the message before", f"later than {about.newest_text}"
        yield Violation("message.increasing", "data.created_at", said, quote(text), want)
    else:
        about.newest, about.newest_text = moment, str(text)


def _number_order(about: _Conversation, seq: int | None) -> Iterator[Violation]:
    if seq is None:
        return
    if seq <= about.seq:
        said = "does not follow the message before"
        yield Violation("message.in-order", "data.seq", said, str(seq), f"more than {about.seq}")
    about.seq = max(about.seq, seq)


def _is_fetched(event: Event) -> bool:
    """Tell whether a message came by REST after a gap, not over this connection."""
    return event.is_recovered and not event.connection
