"""Turns what a session sends, gets and says into numbered records."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tribe_ws.capture.lint import Level, Linter
from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record, Timing
from tribe_ws.capture.rest_calls import read_call
from tribe_ws.client.events import Event, read_time
from tribe_ws.client.exchanges import Exchange
from tribe_ws.protocol.codec import object_in
from tribe_ws.protocol.urls import API_PREFIX, redact

_KEPT = 1000


class Journal:
    """The records of one session, ``kept`` of them, the newest; those with a number can be found by it."""

    def __init__(self, names: Names, *, is_same_clock: bool, level: Level = "app", kept: int = _KEPT) -> None:
        self.names = names
        self.connection = ""
        self.seen: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._level = level
        self._linter = self._new_linter(level)
        self._connection_number = 0
        self._is_same_clock = is_same_clock
        self._next = 1
        self._kept = kept
        self._records: deque[Record] = deque(maxlen=kept)
        self._numbered: dict[int, Record] = {}

    def begin_anew(self) -> None:
        """Hear that another stream is read from now on, which counts its connections from one again."""
        self._connection_number = 0

    def event(self, event: Event) -> Record:
        """Record a frame that came in."""
        self.seen[event.name or "?"] += 1
        self._follow(event)
        sender = self._sender(event)
        latency, timing = self._latency(event)
        return self._keep(
            Record(
                seq=0,
                at=event.at,
                direction="in",
                event=event.name or "?",
                text=redact(event.text),
                frame=_shown(event),
                conversation_id=event.conversation_id,
                conversation=self.names.short(event.conversation_id),
                sender=sender,
                latency=latency,
                timing=timing,
                violations=self._linter.incoming(event),
                tags=frozenset({"gap"}) if event.is_recovered else frozenset(),
            )
        )

    def sent(self, text: str, *, is_own: bool = False) -> Record:
        """Record a frame that went out, whatever it is; one the tool sent by itself gets no number."""
        frame = object_in(text)
        conversation_id = _text(frame, "conversation_id") or None
        return self._keep(
            Record(
                seq=0,
                at=datetime.now(UTC),
                direction="out",
                event=_text(frame, "event") or "raw",
                text=redact(text),
                frame=_redacted(frame) if frame else None,
                conversation_id=conversation_id,
                conversation=self.names.short(conversation_id),
                sender=self.names.me,
                violations=self._linter.outgoing(text),
            ),
            is_numbered=not is_own,
        )

    def posted(
        self, conversation_id: str, content: str, message: Mapping[str, Any], *, seconds: float
    ) -> Record:
        """Record a message that the server has stored."""
        path = f"{API_PREFIX}/conversations/{conversation_id}/messages"
        body, now = {"content": content}, datetime.now(UTC)
        return self.called(Exchange(now, "POST", path, 201, seconds, body, dict(message)))

    def called(self, exchange: Exchange) -> Record:
        """Record any REST call; one that is no message of the user gets no number."""
        call = read_call(exchange.method, exchange.path)
        body = exchange.body if isinstance(exchange.body, dict) else {}
        is_said = call.is_message and exchange.status < 400
        return self._keep(
            Record(
                seq=0,
                at=exchange.at,
                direction="rest",
                event=call.event,
                text=_text(body, "content") if call.is_message else "",
                frame=exchange.answer,
                conversation_id=call.conversation_id,
                conversation=self.names.short(call.conversation_id),
                sender=self.names.me,
                latency=exchange.seconds,
                status=exchange.status,
                method=exchange.method,
                path=redact(exchange.path),
                request=exchange.body,
            ),
            is_numbered=is_said,
        )

    def note(self, event: str, words: str, *, tag: str = "") -> Record:
        """Record something which the tool itself has to say."""
        tags = frozenset({tag}) if tag else frozenset[str]()
        return self._keep(Record(0, datetime.now(UTC), "note", event, text=words, tags=tags))

    def find(self, number: int) -> Record | None:
        """Give a record by its number, as long as it is kept."""
        return self._numbered.get(number)

    def violations(self) -> list[Record]:
        """Give the kept records that break the contract."""
        return [record for record in self._numbered.values() if record.violations]

    def records(self) -> list[Record]:
        """Give all records that are kept, oldest first."""
        return list(self._records)

    def summary(self) -> str:
        """Say what came in so far, as in ``connected 1, subscribed 1``."""
        return ", ".join(f"{name} {count}" for name, count in self.seen.items()) or "nothing"

    def _keep(self, record: Record, *, is_numbered: bool = True) -> Record:
        if not is_numbered:
            self._records.append(replace(record, as_user=self.names.me, connection=self.connection))
            return self._records[-1]
        numbered = replace(record, seq=self._next, as_user=self.names.me, connection=self.connection)
        self._records.append(numbered)
        self._numbered[self._next] = numbered
        self._numbered.pop(self._next - self._kept, None)
        self._next += 1
        self.counts[record.direction] += 1
        self.counts["violation"] += bool(record.violations) and record.direction == "in"
        return numbered

    def _follow(self, event: Event) -> None:
        """Begin with a fresh linter on each connection of the stream; what was fetched came over none."""
        if event.connection and event.connection != self._connection_number:
            self._connection_number = event.connection
            self._linter = self._new_linter("v2" if event.is_v2 else self._level)
            self.connection = f"{self.names.me}/{event.connection}"
        found = event.data.get("connection_id") if event.name == "connected" else None
        if isinstance(found, str) and found:
            self.connection = found

    def _new_linter(self, level: Level) -> Linter:
        return Linter(level, user_id=self.names.user_id(self.names.me), username=self.names.me)

    def _sender(self, event: Event) -> str:
        sender = event.data.get("sender")
        if isinstance(sender, dict):
            return _text(sender, "username")
        return self.names.username(event.data.get("user_id"))

    def _latency(self, event: Event) -> tuple[float | None, Timing]:
        """Tell how long an event took, measured or read off its time stamp."""
        if event.latency is not None or event.name != "message.new" or event.is_recovered:
            return event.latency, "measured"
        created_at = event.data.get("created_at")
        created = read_time(created_at)
        if created is None:
            return None, "measured"
        age = (event.at - created).total_seconds()
        is_exact = self._is_same_clock and isinstance(created_at, str) and "." in created_at
        return (max(0.0, age), "stamped" if is_exact else "guessed") if age > -1 else (None, "measured")


def _shown(event: Event) -> dict[str, Any] | None:
    """Give the frame of an event; one that nests beyond all bounds is only shown as the text it was."""
    try:
        return _redacted(event.raw) if event.raw else None
    except RecursionError:
        return None


def _redacted(frame: dict[str, Any]) -> dict[str, Any]:
    """Hide tokens in a frame; nearly always there is none, and the frame itself is given back."""
    text = json.dumps(frame)
    hidden = redact(text)
    if hidden != text:
        frame = object_in(hidden) or {"event": frame.get("event"), "redacted": True}
    return {**frame, "token": "***"} if "token" in frame else frame


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
