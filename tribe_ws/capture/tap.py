"""What a server of ours says of everything on its wires, as records: one for each connection concerned.

The control API's stream tells each frame once, with a verdict for every connection. Here each connection gets
a lane of its own: a record for what it sent or got, and for what it did not get the reason, in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from tribe_ws.capture.lint import Level, Linter
from tribe_ws.capture.names import slug
from tribe_ws.capture.record import Direction, Record, compact_json
from tribe_ws.capture.rest_calls import read_call
from tribe_ws.client.events import read_time
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.redaction import redact_json, redact_text

MOST_LANES = 10_000
"""How many connections are remembered at a time; the oldest is forgotten."""

REASONS = {
    "delivered": "delivered",
    "own_message": "not sent: it is the user's own",
    "not_subscribed": "not sent: this connection did not subscribe to the conversation",
    "not_participant": "not sent: the user takes no part in the conversation",
    "profile": "not sent: the profile of this connection does not know the event",
    "outbox_full": "not sent: the client reads too slowly, its connection is closed",
    "closed": "not sent: the connection had just ended",
    "fault_dropped": "not sent: a fault dropped it",
    "fault_delayed": "sent later: a fault holds it back",
}
"""What became of a frame for one connection, in words, by the verdict's name."""

_NOTES = {"watching": "from here on nothing is missing", "missed": "we read too slowly:"}
_ARRIVED = frozenset({"delivered", "fault_delayed"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one frame for one connection; ``reason`` says it in words."""

    recipient: str
    connection: str
    verdict: str
    reason: str

    @property
    def is_delivered(self) -> bool:
        """Whether the frame goes over that connection."""
        return self.verdict in _ARRIVED


@dataclass(slots=True)
class _Lane:
    """One connection, seen from the server."""

    label: str
    linter: Linter


@dataclass(slots=True)
class TapReader:
    """Turns control events into records; keeps a linter for each connection, so that violations are told.

    ``name_of`` gives the readable name of a conversation's id. Directions are the client's, as everywhere:
    what the server sends is ``in``.
    """

    name_of: Callable[[str | None], str] = field(default=lambda _conversation_id: "")
    level: Level = "documented"
    _next: int = field(init=False, default=1)
    _lanes: dict[str, _Lane] = field(init=False, default_factory=dict)
    _counts: dict[str, int] = field(init=False, default_factory=dict)
    _usernames: dict[str, str] = field(init=False, default_factory=dict)

    def records_of(self, event: dict[str, Any]) -> list[Record]:
        """Give the records of one line of the control API's stream, one for each connection concerned."""
        self._learn(event)
        match event.get("dir"):
            case "in":
                return [self._sent(event)]
            case "out":
                return [self._got(event, verdict) for verdict in verdicts_of(event) if verdict.is_delivered]
            case "rest":
                return [self._called(event)]
            case _:
                return [self._noted(event)]

    def delivery_of(self, event: dict[str, Any]) -> Record | None:
        """Say in a note who got a frame, who did not, and why; ``None`` where everybody got it."""
        verdicts = verdicts_of(event)
        if event.get("dir") != "out" or all(one.verdict == "delivered" for one in verdicts):
            return None
        by_reason: dict[str, list[str]] = {}
        for one in verdicts:
            by_reason.setdefault(one.reason, []).append(self.label_of(one.connection) or one.recipient)
        told = "; ".join(f"{', '.join(labels)} {reason}" for reason, labels in by_reason.items())
        return self._record(
            event, "note", "", "", name="delivery", text=f"{_text(event, 'event')}: {told}", frame=None
        )

    def label_of(self, connection_id: str) -> str:
        """Give the short name of a connection's lane: ``alice 1``; empty for one never seen."""
        lane = self._lanes.get(connection_id)
        return lane.label if lane is not None else ""

    def _sent(self, event: dict[str, Any]) -> Record:
        connection_id, user = _text(event, "connection_id"), _text(event, "user")
        frame = event.get("frame")
        text = frame if isinstance(frame, str) else compact_json(frame)
        lane = self._lane(connection_id, user, _text(event, "user_id"), event)
        refused = tuple(one.reason for one in verdicts_of(event))
        return self._record(
            event,
            "out",
            user,
            connection_id,
            text=text,
            violations=lane.linter.outgoing(text),
            sender=user,
            tags=frozenset({"undelivered"}) if refused else frozenset(),
        )

    def _got(self, event: dict[str, Any], verdict: Verdict) -> Record:
        rows = (one for one in _rows(event) if one.get("connection_id") == verdict.connection)
        row = next(rows, {})
        lane = self._lane(verdict.connection, verdict.recipient, _text(row, "user_id"), row)
        frame = _as_sent(event, lane.linter.level)
        text = frame if isinstance(frame, str) else compact_json(frame)
        tags = frozenset({"delayed"}) if verdict.verdict == "fault_delayed" else frozenset[str]()
        return self._record(
            event,
            "in",
            verdict.recipient,
            verdict.connection,
            text=text,
            violations=lane.linter.incoming(text),
            sender=self._author(frame),
            tags=tags,
            frame=frame,
        )

    def _called(self, event: dict[str, Any]) -> Record:
        """Give a REST call as the client's own session would have written it down."""
        frame = event.get("frame")
        facts: dict[str, Any] = frame if isinstance(frame, dict) else {}
        user, method, path = _text(event, "user"), _text(facts, "method"), redact_text(_text(facts, "path"))
        call = read_call(method, path)
        request, answer = redact_json(facts.get("request")), facts.get("answer")
        said = _text(request, "content") if call.is_message and isinstance(request, dict) else ""
        status = _number(facts, "status")
        return self._record(
            event,
            "rest",
            user,
            "",
            name=call.event,
            text=redact_text(answer) if isinstance(answer, str) else said,
            frame=None if isinstance(answer, str) else answer,
            sender=user,
            status=None if status is None else int(status),
            latency=_number(facts, "seconds"),
            method=method,
            path=path,
            request=request,
        )

    def _noted(self, event: dict[str, Any]) -> Record:
        connection_id, user = _text(event, "connection_id"), _text(event, "user")
        name = _text(event, "event")
        frame = event.get("frame")
        facts: dict[str, Any] = frame if isinstance(frame, dict) else {}
        if name == "opened":
            self._open(connection_id, user, _text(event, "user_id"), _level(facts, self.level))
        words = ", ".join(f"{key} {value}" for key, value in facts.items() if value not in (None, ""))
        told = [self.label_of(connection_id), _NOTES.get(name, ""), words]
        record = self._record(event, "note", user, connection_id, text=" ".join(filter(None, told)))
        if name == "closed":
            self._lanes.pop(connection_id, None)
        return record

    def _learn(self, event: dict[str, Any]) -> None:
        for row in (event, *_rows(event)):
            if (user_id := _text(row, "user_id")) and (user := _text(row, "user")):
                self._usernames[user_id] = user
        if len(self._usernames) > MOST_LANES:
            del self._usernames[next(iter(self._usernames))]

    # ── lanes ─────────────────────────────────────────────────────────────────────────────────────────────

    def _lane(self, connection_id: str, user: str, user_id: str, facts: dict[str, Any]) -> _Lane:
        """Give a connection's lane; one that was open before we looked is judged mildly."""
        lane = self._lanes.get(connection_id)
        if lane is None:
            level = _level(facts, self.level)
            lane = self._open(connection_id, user, user_id, level, is_open=True)
        return lane

    def _author(self, frame: Any) -> str:
        """Tell by whom a frame is: its sender, or whoever typed, came or read."""
        data = frame.get("data") if isinstance(frame, dict) else None
        if not isinstance(data, dict):
            return ""
        sender = data.get("sender")
        if isinstance(sender, dict):
            return _text(sender, "username")
        return self._usernames.get(_text(data, "user_id"), "")

    def _open(
        self, connection_id: str, user: str, user_id: str, level: Level, *, is_open: bool = False
    ) -> _Lane:
        self._counts[user] = self._counts.pop(user, 0) + 1
        if len(self._counts) > MOST_LANES:
            del self._counts[next(iter(self._counts))]
        linter = Linter(level, user_id=user_id, username=user, is_open=is_open)
        lane = self._lanes[connection_id] = _Lane(f"{user or 'somebody'} {self._counts[user]}", linter)
        if len(self._lanes) > MOST_LANES:
            del self._lanes[next(iter(self._lanes))]
        return lane

    def _record(
        self, event: dict[str, Any], direction: Direction, user: str, connection: str, **more: Any
    ) -> Record:
        conversation_id = canonical_id(_text(event, "conversation_id")) or None
        frame = more.pop("frame", event.get("frame"))
        is_kept = direction == "rest" or isinstance(frame, dict)
        record = Record(
            seq=self._next,
            at=read_time(event.get("t")) or datetime.now(UTC),
            direction=direction,
            event=more.pop("name", "") or _text(event, "event") or ("raw" if direction == "out" else "?"),
            frame=redact_json(frame) if is_kept else None,
            as_user=user,
            conversation_id=conversation_id,
            conversation=self.name_of(conversation_id) or slug(_text(event, "conversation")),
            connection=connection,
            **more,
        )
        self._next += 1
        return record


def records_of(event: dict[str, Any]) -> list[Record]:
    """Give the records of one control event alone, judged without what came before it."""
    return TapReader().records_of(event)


def verdicts_of(event: dict[str, Any]) -> list[Verdict]:
    """Tell for each connection that a control event speaks of what became of the frame there."""
    return [
        Verdict(
            _text(row, "user"),
            _text(row, "connection_id"),
            _text(row, "verdict"),
            REASONS.get(_text(row, "verdict"), _text(row, "verdict").replace("_", " ")),
        )
        for row in _rows(event)
    ]


def _rows(event: dict[str, Any]) -> list[dict[str, Any]]:
    rows = event.get("verdicts")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _as_sent(event: dict[str, Any], level: Level) -> Any:
    """Give the frame as that connection got it: a message has two more keys in v2."""
    frame, more = event.get("frame"), event.get("v2")
    if level != "v2" or not isinstance(more, dict) or not isinstance(frame, dict):
        return frame
    data = frame.get("data")
    return {**frame, "data": {**data, **more}} if isinstance(data, dict) else frame


def _level(facts: dict[str, Any], default: Level) -> Level:
    levels: dict[object, Level] = {"documented": "documented", "app": "app", "v2": "v2"}
    return levels.get(facts.get("profile"), default)


def _number(value: dict[str, Any], key: str) -> float | None:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if isfinite(found) else None


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
