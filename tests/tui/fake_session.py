"""A session without a socket: it does what the protocol says at once, on a clock that a test moves.

What the screens ask of it is written down in ``calls``; what a server would send, a test makes it hear.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from textual.message import Message

from tribe_ws.capture.names import Names
from tribe_ws.client.events import Event, StreamItem, WireLine, read_event
from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import Conversation, read_conversation
from tribe_ws.clock import ManualClock
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.observing import Observer
from tribe_ws_tui.state import Link, LinkKind, SessionState
from tribe_ws_tui.store import MarkedRead, Watched
from tribe_ws_tui.typing_events import TypingEvents

START = datetime(2026, 11, 23, 1, 22, 11, tzinfo=UTC)
USERS = {
    "alice": "Alice Ames",
    "bob": "Bob Stone",
    "cara": "Cara Diaz",
    "dan": "Dan Berg",
}


def user_id(name: str) -> str:
    """Give the id of a demo user."""
    return f"00000000-0000-7000-8000-00000000000{list(USERS).index(name) + 1}"


def conversation_id(number: int) -> str:
    """Give the id of a demo conversation: 1 is #general, 2 #design, 3 #random."""
    return f"5f0c0000-0000-7000-8000-00000000000{number}"


GENERAL, DESIGN, RANDOM = conversation_id(1), conversation_id(2), conversation_id(3)


def demo_conversations() -> tuple[Conversation, ...]:
    """Give what the demo server would answer to ``GET /conversations``."""
    return (
        _conversation(GENERAL, "general", list(USERS)),
        _conversation(DESIGN, "design", ["alice", "cara"]),
        _conversation(RANDOM, "random", ["alice", "bob"]),
    )


def _conversation(identity: str, name: str, members: list[str]) -> Conversation:
    people = [
        {"user_id": user_id(one), "username": one, "full_name": USERS[one], "role": "member"}
        for one in members
    ]
    return read_conversation(
        {
            "id": identity,
            "conversation_type": "group",
            "name": name,
            "participants": people,
            "last_message": None,
            "unread_count": 0,
            "last_message_at": None,
        }
    )


class FakeSession:
    """An ``InspectorSession`` for Pilot tests; ``start`` opens it, unless ``stays_away`` says how it ends."""

    def __init__(
        self,
        label: str,
        username: str,
        inspection: Inspection,
        post: Callable[[Message], object],
        clock: ManualClock,
        *,
        stays_away: Link | None = None,
    ) -> None:
        self.label = label
        self.username = username
        self.is_read_only = False
        self.calls: list[tuple[Any, ...]] = []
        self.is_stopped = False
        self.observer = Observer(label, username, inspection, post, clock, is_same_clock=True)
        self._clock = clock
        self._stays_away = stays_away
        self._typing = TypingEvents(self.typing, clock)
        self._messages = 0

    @property
    def state(self) -> SessionState:
        return self.observer.state

    @property
    def names(self) -> Names:
        return self.observer.names

    @property
    def sends_typing(self) -> bool:
        return self._typing.is_on

    def now(self) -> float:
        return self.observer.now()

    # ── what a server does ────────────────────────────────────────────────────────────────────────────────

    def hear(self, frame: dict[str, Any] | str, *, waiting: int = 0, latency: float | None = None) -> None:
        """Have a frame of the server arrive."""
        text = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        event = read_event(text, received_at=self.now(), at=self._clock.now(), connection=1)
        if latency is not None:
            event = _with_latency(event, latency)
        self.observer.take(event, waiting=waiting)

    def hear_notice(self, notice: StreamItem) -> None:
        """Have something become of the connection."""
        self.observer.take(notice, waiting=0)

    def hear_message(self, sender: str, content: str, conversation: str = GENERAL, **data: Any) -> str:
        """Have somebody's message arrive; gives its id."""
        self._messages += 1
        message_id = f"9b1d0000-0000-7000-8000-{self._messages:012d}"
        created_at = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        person = {
            "id": user_id(sender),
            "username": sender,
            "full_name": USERS[sender],
            "profile_image_url": None,
        }
        body = {
            "id": message_id,
            "conversation_id": conversation,
            "sender": person,
            "content": content,
            "message_type": "text",
            "created_at": created_at,
        }
        self.hear({"event": "message.new", "conversation_id": conversation, "data": body | data})
        return message_id

    def hear_typing(self, name: str, is_typing: bool, conversation: str = GENERAL) -> None:
        """Have somebody begin or stop typing."""
        data = {"user_id": user_id(name), "user_name": USERS[name], "is_typing": is_typing}
        self.hear({"event": "typing", "conversation_id": conversation, "data": data})

    def move(self, link: Link) -> None:
        """Say where the link is now."""
        self.observer.move(link)

    # ── the protocol ──────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self.calls.append(("start",))
        if self._stays_away is not None:
            self.move(self._stays_away)
            return
        self.observer.fetched(demo_conversations(), user_id(self.username))
        self.hear({"event": "connected", "message": "WebSocket connection established"})

    async def stop(self) -> None:
        self.is_stopped = True
        self._typing.forget()
        self.observer.close()

    def disconnect(self) -> None:
        self.calls.append(("disconnect",))
        self.move(Link(LinkKind.DISCONNECTED, since=self.now(), code=1000))

    def reconnect(self) -> None:
        self.calls.append(("reconnect",))
        self.hear({"event": "connected", "message": "WebSocket connection established"})

    def log_in(self, rest: RestClient) -> None:
        self.calls.append(("log_in", rest))
        self.reconnect()

    def renew_token(self) -> None:
        self.calls.append(("renew_token",))

    def subscribe(self, conversation_id: str) -> None:
        self._send({"event": "subscribe", "conversation_id": conversation_id})
        self.hear({"event": "subscribed", "conversation_id": conversation_id}, latency=0.003)

    def unsubscribe(self, conversation_id: str) -> None:
        self._send({"event": "unsubscribe", "conversation_id": conversation_id})

    def say(self, conversation_id: str, text: str) -> None:
        self.stop_typing()
        self.calls.append(("say", conversation_id, text))
        self._messages += 1
        message = {
            "id": f"9b1d0000-0000-7000-8000-{self._messages:012d}",
            "conversation_id": conversation_id,
            "sender": {"id": user_id(self.username), "username": self.username, "full_name": ""},
            "content": text,
            "message_type": "text",
            "created_at": self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        path = f"/api/v1/conversations/{conversation_id}/messages"
        self.observer.hear_call(
            Exchange(self._clock.now(), "POST", path, 201, 0.009, {"content": text}, message)
        )

    def key_pressed(self, conversation_id: str) -> None:
        self._typing.key_pressed(conversation_id)

    def stop_typing(self) -> None:
        self._typing.stop()

    def send_typing_events(self, is_on: bool) -> None:
        if not is_on:
            self._typing.stop()
        self._typing.is_on = is_on

    def typing(self, conversation_id: str, is_typing: bool) -> None:
        self._send({"event": "typing", "conversation_id": conversation_id, "is_typing": is_typing})

    def set_presence(self, status: PresenceStatus) -> None:
        self._send({"event": "presence", "status": status})

    def ping(self, count: int = 1) -> None:
        for _ in range(count):
            self._send({"event": "ping"})
            self.hear({"event": "pong"}, latency=0.001)

    def send_raw(self, frame: str | bytes) -> None:
        self._send(frame if isinstance(frame, str) else repr(frame))

    def close_with(self, code: int, reason: str = "") -> None:
        self.calls.append(("close", code, reason))
        self.move(Link(LinkKind.DISCONNECTED, since=self.now(), code=code, reason=reason))

    def mark_read(self, conversation_id: str) -> None:
        self.calls.append(("mark_read", conversation_id))
        self.observer.apply(MarkedRead(conversation_id))

    def watch(self, conversation_id: str) -> None:
        self.observer.apply(Watched(conversation_id))

    def refetch(self) -> None:
        self.calls.append(("refetch",))

    def say_note(self, words: str) -> None:
        self.observer.note("note", words)

    def _send(self, frame: dict[str, Any] | str) -> None:

        self.calls.append(("send", frame))
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self.observer.hear_wire(WireLine("out", text))


def _with_latency(event: Event, latency: float) -> Event:

    return replace(event, latency=latency)
