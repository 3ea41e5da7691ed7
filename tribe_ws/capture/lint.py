"""Holds every frame of one connection against the contract as it passes, and names the clause it breaks.

A ``Linter`` belongs to one connection: what a frame may be depends on what came before it there. It only says
what it has seen: where it cannot know (a frame sent by somebody it does not watch) it is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tribe_ws.capture.shapes import clause_of, compare, models_of, quote
from tribe_ws.capture.traffic import Traffic
from tribe_ws.capture.violation import Violation
from tribe_ws.client.events import Event, is_utc_time, read_event
from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.codec import decode_client_frame, decode_client_frame_v2, parse_json
from tribe_ws.protocol.frames import DOCUMENTED_FRAMES

__all__ = ["Level", "Linter", "Violation"]

_DOCUMENTED = frozenset(str(frame.model_fields["event"].default) for frame in DOCUMENTED_FRAMES)
_TIMES = {
    "connected": "expires_at",
    "message.new": "created_at",
    "presence": "last_seen_at",
    "message.read": "read_at",
    "authenticated": "expires_at",
    "token.expiring": "expires_at",
}
_IGNORED = {
    "invalid_json": "frames.not-json",
    "invalid_frame": "frames.not-object",
    "unknown_event": "frames.unknown-event",
    "invalid_payload": "frames.bad-field",
}


@dataclass(slots=True)
class Linter:
    """Judges the frames of one connection; ``level`` says what was agreed on it.

    ``user_id`` and ``username`` tell whose connection it is, so that an echo of one's own is seen. With
    ``is_open`` it joins a connection that is long open: what came before is not known, and so neither
    ``connected`` nor a subscription is missed.
    """

    level: Level = "documented"
    user_id: str = ""
    username: str = ""
    is_open: bool = False
    _traffic: Traffic = field(init=False)
    _joined_late: bool = field(init=False)

    def __post_init__(self) -> None:
        self._joined_late = self.is_open
        self._traffic = Traffic(
            self.user_id, self.username, is_v2=self.level == "v2", knows_subscriptions=not self.is_open
        )

    def incoming(self, event: Event | str) -> tuple[Violation, ...]:
        """Judge what the server sent, as an event or as its bare text."""
        if isinstance(event, str):
            event = read_event(event, received_at=0.0, at=datetime.now(UTC), is_v2=self.level == "v2")
        return tuple(self._judge(event))

    def outgoing(self, text: str | bytes) -> tuple[Violation, ...]:
        """Judge what the client sent, and remember what it asked for."""
        if isinstance(text, bytes):
            return (self._not_followed("frames.binary", "a binary frame"),)
        decode: Callable[[str], Any] = decode_client_frame_v2 if self.level == "v2" else decode_client_frame
        try:
            self._traffic.sent(decode(text))
        except ProtocolViolation as problem:
            return (self._not_followed(_IGNORED[problem.violation], problem.message),)
        return ()

    def _not_followed(self, clause: str, why: str) -> Violation:
        if self.level == "v2":
            return Violation("v2.error", "", f"{why}; the server answers with error")
        return Violation(clause, "", f"{why}; the server ignores it")

    def _judge(self, event: Event) -> Iterator[Violation]:
        if (broken := _unreadable(event)) is not None:
            yield broken
            return
        yield from self._opening(event.name)
        model = models_of(self.level).get(event.name)
        if model is None:
            yield self._unknown(event)
            return
        if self.level == "documented" and event.name not in _DOCUMENTED:
            said = f"{event.name} is not sent on a documented connection"
            yield Violation("profile.documented", "event", said, quote(event.name), "a documented event")
        yield from compare(event.raw, model)
        yield from _time(event)
        yield from self._traffic.came(event)

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
        said = f'the contract has no event "{event.name[:40]}"'
        return Violation("profile.documented", "event", said, quote(event.name), known)


def _unreadable(event: Event) -> Violation | None:
    """Tell why there is no frame to look at: no JSON, no object, or no text."""
    if event.frame is not None:
        return None
    if not event.raw and event.complaint:
        return Violation("socket.text-frames", "", event.complaint, quote(event.text), "a JSON object")
    try:
        parse_json(event.text)
    except ProtocolViolation as problem:
        return Violation("socket.text-frames", "", problem.message, quote(event.text), "strict JSON")
    return None


def _time(event: Event) -> Iterator[Violation]:
    key = _TIMES.get(event.name, "")
    text = event.data.get(key)
    if not isinstance(text, str) or (text.endswith("Z") and is_utc_time(text)):
        return
    path = f"data.{key}"
    clause = "message.timestamp" if event.name == "message.new" else clause_of(event.name, path)
    fault = "does not end with Z" if is_utc_time(text) else "is not an RFC 3339 UTC time"
    yield Violation(clause, path, f"{quote(text)} {fault}", quote(text), "2024-01-01T12:00:00Z")
