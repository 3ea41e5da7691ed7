"""Holds every frame of one connection against the contract as it passes, and names the clause it breaks.

A ``Linter`` belongs to one connection: what a frame may be depends on what came before it there. It only says
what it has seen: where it cannot know (a frame sent by somebody it does not watch) it is silent. Its memory
is bounded.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tribe_ws.capture.shapes import clause_of, compare, models_of, quote
from tribe_ws.capture.violation import Violation
from tribe_ws.client.events import Event, is_utc_time, read_event, read_time
from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.codec import decode_client_frame, decode_client_frame_v2, parse_json
from tribe_ws.protocol.frames import DOCUMENTED_FRAMES
from tribe_ws.protocol.ids import canonical_id

__all__ = ["Level", "Linter", "Violation"]

REMEMBERED = 10_000
"""How many messages' ids, and how many conversations, one connection's linter remembers."""

_DOCUMENTED = frozenset(str(frame.model_fields["event"].default) for frame in DOCUMENTED_FRAMES)
_TIMES = {
    "connected": "data.expires_at",
    "message.new": "data.created_at",
    "presence": "data.last_seen_at",
    "message.read": "data.read_at",
    "authenticated": "data.expires_at",
    "token.expiring": "data.expires_at",
}
_SENT_WRONG = {
    "invalid_json": "frames.not-json",
    "invalid_frame": "frames.not-object",
    "unknown_event": "frames.unknown-event",
    "invalid_payload": "frames.bad-field",
}


@dataclass(slots=True)
class _Conversation:
    """What is known of one conversation on this connection."""

    is_subscribed: bool = False
    has_echo: bool = False
    is_leaving: bool = False
    has_left: bool = False
    newest: datetime | None = None
    newest_text: str = ""
    seq: int = 0


@dataclass(slots=True)
class Linter:
    """Judges the frames of one connection; ``level`` says what was agreed on it.

    ``user_id`` and ``username`` tell whose connection it is, so that an echo of one's own is seen. With
    ``is_open`` it joins a connection that is long open: then what came before is not known, and neither
    ``connected`` nor a subscription is missed.
    """

    level: Level = "documented"
    user_id: str = ""
    username: str = ""
    is_open: bool = False
    _joined_late: bool = field(init=False, default=False)
    _conversations: OrderedDict[str, _Conversation] = field(init=False, default_factory=OrderedDict)
    _messages: OrderedDict[str, None] = field(init=False, default_factory=OrderedDict)
    _pings: deque[tuple[str, ...]] = field(init=False, default_factory=lambda: deque(maxlen=1000))

    def __post_init__(self) -> None:
        self._joined_late = self.is_open

    def incoming(self, event: Event | str) -> tuple[Violation, ...]:
        """Judge what the server sent, as an event or as its bare text."""
        if isinstance(event, str):
            event = read_event(event, received_at=0.0, at=datetime.now(UTC), is_v2=self.level == "v2")
        return tuple(self._incoming(event))

    def outgoing(self, text: str | bytes) -> tuple[Violation, ...]:
        """Judge what the client sent, and remember what it asked for."""
        if isinstance(text, bytes):
            return (Violation("frames.binary", "", "a binary frame is ignored by the server"),)
        decode: Callable[[str], Any] = decode_client_frame_v2 if self.level == "v2" else decode_client_frame
        try:
            self._note_sent(decode(text))
        except ProtocolViolation as violation:
            clause = _SENT_WRONG.get(violation.code, "frames.bad-field")
            return (Violation(clause, "", f"{violation.message}; the server ignores it"),)
        return ()

    # ── what the server sent ──────────────────────────────────────────────────────────────────────────────

    def _incoming(self, event: Event) -> Iterator[Violation]:
        if (broken := _unreadable(event)) is not None:
            yield broken
            return
        yield from self._opening(event.name)
        model = models_of(self.level).get(event.name)
        if model is None:
            yield self._unknown(event)
            return
        if self.level == "documented" and event.name not in _DOCUMENTED:
            yield Violation(
                "profile.documented", "event", f"{event.name} is not sent on a documented connection",
                quote(event.name), "a documented event",
            )  # fmt: skip
        yield from compare(event.raw, model)
        yield from _time(event)
        yield from self._about(event)

    def _opening(self, name: str) -> Iterator[Violation]:
        if name == "connected":
            if self.is_open and not self._joined_late:
                yield Violation("connect.connected-first", "", "connected came again")
            self.is_open = True
        elif not self.is_open:
            yield Violation(
                "connect.connected-first", "", "came before connected", quote(name), '"connected"'
            )

    def _unknown(self, event: Event) -> Violation:
        if not event.name:
            got = quote(event.raw.get("event"))
            return Violation("socket.text-frames", "event", "a frame names its event", got, "a string")
        known = ", ".join(sorted(_DOCUMENTED if self.level == "documented" else models_of(self.level)))
        return Violation(
            "profile.documented", "event", f'the contract has no event "{event.name[:40]}"',
            quote(event.name), known,
        )  # fmt: skip

    def _about(self, event: Event) -> Iterator[Violation]:
        match event.name:
            case "connected":
                self._learn_who(event)
            case "subscribed":
                yield from self._confirmed(event)
            case "unsubscribed":
                self._left(event)
            case "pong":
                self._ponged()
            case "message.new":
                yield from self._message(event)
            case "typing" | "message.read":
                yield from self._spelling(event)
                if event.name == "typing":
                    yield from self._subscription(event)
                    yield from self._own(event, "typing.not-to-oneself")
            case "presence":
                yield from self._own(event, "presence.not-to-oneself")

    def _message(self, event: Event) -> Iterator[Violation]:
        yield from self._spelling(event)
        yield from self._subscription(event)
        yield from self._echo(event)
        if self._is_repeated(event.message_id):
            yield Violation("message.once", "data.id", "this message came before", quote(event.message_id))
        else:
            yield from self._order(event)

    def _spelling(self, event: Event) -> Iterator[Violation]:
        """Ids are sent in lower case, and both places of a message name the same conversation."""
        written = event.raw.get("conversation_id")
        inner = event.data.get("conversation_id", written)
        if isinstance(written, str) and canonical_id(written) not in {None, written}:
            yield Violation(
                "subscribe.either-case", "conversation_id", "an id is sent in lower case",
                quote(written), quote(written.lower()),
            )  # fmt: skip
        if inner != written and event.name == "message.new":
            yield Violation(
                "message.keys", "data.conversation_id", "is not the conversation of the frame",
                quote(inner), quote(written),
            )  # fmt: skip

    def _subscription(self, event: Event) -> Iterator[Violation]:
        if self._joined_late or not event.conversation_id or _is_fetched(event):
            return
        about = self._conversation(event.conversation_id)
        if about.has_left:
            yield Violation(
                "unsubscribe.ends", "conversation_id", "this connection has unsubscribed from it",
                quote(event.conversation_id),
            )  # fmt: skip
        elif not about.is_subscribed:
            yield Violation(
                "subscribe.per-connection", "conversation_id", "this connection never subscribed to it",
                quote(event.conversation_id),
            )  # fmt: skip

    def _echo(self, event: Event) -> Iterator[Violation]:
        sender = event.data.get("sender")
        if not isinstance(sender, dict) or not self._is_me(sender.get("id"), sender.get("username")):
            return
        if event.conversation_id and self._conversation(event.conversation_id).has_echo:
            return
        clause = "v2.no-echo" if self.level == "v2" else "message.not-to-sender"
        yield Violation(
            clause, "data.sender", "a message of one's own was sent back", quote(sender.get("username"))
        )

    def _own(self, event: Event, clause: str) -> Iterator[Violation]:
        if self._is_me(event.data.get("user_id"), None):
            yield Violation(clause, "data.user_id", f"one's own {event.name} was sent back")

    def _is_repeated(self, message_id: str | None) -> bool:
        if message_id is None or message_id in self._messages:
            return message_id is not None
        self._messages[message_id] = None
        if len(self._messages) > REMEMBERED:
            self._messages.popitem(last=False)
        return False

    def _order(self, event: Event) -> Iterator[Violation]:
        """``created_at`` and ``seq`` only grow; what was fetched by REST is not measured."""
        if not event.conversation_id or _is_fetched(event):
            return
        about = self._conversation(event.conversation_id)
        text = event.data.get("created_at")
        moment = read_time(text)
        if moment is not None and about.newest is not None and moment <= about.newest:
            yield Violation(
                "message.increasing", "data.created_at", "is not later than that of the message before",
                quote(text), f"later than {about.newest_text}",
            )  # fmt: skip
        elif moment is not None:
            about.newest, about.newest_text = moment, str(text)
        seq = event.seq
        if seq is None:
            return
        if seq <= about.seq:
            yield Violation(
                "message.in-order", "data.seq", "does not follow the message before",
                str(seq), f"more than {about.seq}",
            )  # fmt: skip
        about.seq = max(about.seq, seq)

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────

    def _note_sent(self, frame: Any) -> None:
        match frame.event:
            case "subscribe":
                about = self._conversation(frame.conversation_id)
                about.is_subscribed, about.is_leaving, about.has_left = True, False, False
                about.has_echo = bool(getattr(frame, "echo", False))
            case "unsubscribe":
                self._conversation(frame.conversation_id).is_leaving = True
            case "ping":
                # Its pong proves that the server has read whatever was sent before it.
                leaving = (key for key, about in self._conversations.items() if about.is_leaving)
                self._pings.append(tuple(leaving))

    def _confirmed(self, event: Event) -> Iterator[Violation]:
        yield from self._spelling(event)
        if event.conversation_id:
            self._conversation(event.conversation_id).is_subscribed = True

    def _left(self, event: Event) -> None:
        if event.conversation_id:
            about = self._conversation(event.conversation_id)
            about.has_left, about.is_leaving = True, False

    def _ponged(self) -> None:
        for key in self._pings.popleft() if self._pings else ():
            about = self._conversations.get(key)
            if about is not None and about.is_leaving:
                about.has_left, about.is_leaving = True, False

    def _learn_who(self, event: Event) -> None:
        user = event.data.get("user")
        if isinstance(user, dict):
            self.user_id = str(user.get("id") or self.user_id)
            self.username = str(user.get("username") or self.username)

    def _is_me(self, user_id: object, username: object) -> bool:
        if self.user_id:
            return user_id == self.user_id
        return bool(self.username) and username == self.username

    def _conversation(self, conversation_id: str) -> _Conversation:
        key = conversation_id.lower()
        found = self._conversations.setdefault(key, _Conversation())
        self._conversations.move_to_end(key)
        if len(self._conversations) > REMEMBERED:
            self._conversations.popitem(last=False)
        return found


def _is_fetched(event: Event) -> bool:
    """Tell whether a message came by REST after a gap, not over this connection."""
    return event.is_recovered and not event.connection


def _unreadable(event: Event) -> Violation | None:
    """Tell why there is no frame to look at: no JSON, no object, or no text."""
    if event.frame is not None:
        return None
    if not event.raw and event.complaint:
        return Violation("socket.text-frames", "", event.complaint, quote(event.text), "a JSON object")
    try:
        parse_json(event.text)
    except ProtocolViolation as violation:
        return Violation("socket.text-frames", "", violation.message, quote(event.text), "strict JSON")
    return None


def _time(event: Event) -> Iterator[Violation]:
    path = _TIMES.get(event.name)
    text = event.data.get(path.removeprefix("data.")) if path else None
    if path is None or not isinstance(text, str) or (text.endswith("Z") and is_utc_time(text)):
        return
    clause = "message.timestamp" if event.name == "message.new" else clause_of(event.name, path)
    fault = "does not end with Z" if is_utc_time(text) else "is not an RFC 3339 UTC time"
    got = quote(text)
    yield Violation(clause, path, f"{got} {fault}", got, "2024-01-01T12:00:00Z")
