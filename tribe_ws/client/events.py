"""What comes out of a stream: events as the server sent them, and notices of what became of the connection.

An ``Event`` keeps everything: the text as it came, the parsed object, the typed frame where there is one, and
the complaint where the frame breaks the contract. Nothing is thrown away because we do not know it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tribe_ws.errors import ProtocolViolation, TribeError
from tribe_ws.protocol.codec import (
    decode_server_frame,
    decode_server_frame_v2,
    explain_server_frame,
    explain_server_frame_v2,
    parse_json,
)
from tribe_ws.protocol.frames import Frame, MessageNew
from tribe_ws.protocol.frames_v2 import MessageNewV2, SubscribedV2, Subscription


@dataclass(frozen=True, slots=True)
class Event:
    """One frame from the server.

    ``name`` is the event's name, empty where the frame has none. ``frame`` is the typed frame, ``None`` where
    no model describes it. ``latency`` (seconds) is known for an answer to something this stream sent.
    ``complaint`` is empty for a frame that keeps the contract. ``is_recovered`` marks a message that was
    fetched or replayed after a gap, ``is_heartbeat`` the pong to a ping which the stream sent by itself.
    ``connection`` counts the connections of its stream from 1 (0: it came over none), and ``is_v2`` tells
    whether ``tribe.v2`` was selected on that one.
    """

    name: str
    conversation_id: str | None
    frame: Frame | None
    raw: dict[str, Any]
    text: str = field(repr=False)
    received_at: float
    at: datetime
    complaint: str = ""
    latency: float | None = None
    is_recovered: bool = False
    is_heartbeat: bool = False
    connection: int = 0
    is_v2: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """The frame's ``data`` object; empty where it has none."""
        data = self.raw.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def message_id(self) -> str | None:
        """The id of the message that a ``message.new`` carries, whatever else is wrong with the frame."""
        found = self.data.get("id") if self.name == "message.new" else None
        return found if isinstance(found, str) and found else None

    @property
    def seq(self) -> int | None:
        """The message's number in its conversation, which only ``tribe.v2`` tells."""
        return self.frame.data.seq if isinstance(self.frame, MessageNewV2) else None

    @property
    def subscription(self) -> Subscription | None:
        """Where a subscription begins, which only ``tribe.v2`` tells."""
        return self.frame.data if isinstance(self.frame, SubscribedV2) else None


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of the connection, in the same iteration as the events; ``at`` is UTC."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Opened(Notice):
    """The first connection is open: ``connected`` was seen, ``seconds`` after the attempt began."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost(Notice):
    """An open connection ended; ``code`` 1006 stands for an end without a close frame."""

    code: int
    reason: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Reconnecting(Notice):
    """The next try, number ``attempt``, comes after ``delay`` seconds; ``error``: why the last failed."""

    attempt: int
    delay: float
    error: TribeError | None = None


@dataclass(frozen=True, slots=True)
class Reconnected(Notice):
    """The connection is open again and everything missed has been handed out before this notice.

    ``gap`` is the seconds from the loss to ``connected``; ``conversations`` are those subscribed again;
    ``missed`` counts the messages that were fetched or replayed; ``unconfirmed`` are subscriptions which the
    server did not confirm again (not a participant any more?).
    """

    gap: float
    attempt: int
    missed: int
    conversations: tuple[str, ...]
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatchUpFailed(Notice):
    """What was missed in one conversation could not be fetched: there may be a gap, ``error`` says why."""

    conversation_id: str
    error: TribeError


@dataclass(frozen=True, slots=True)
class TokenRenewed(Notice):
    """The access token was renewed, before its end or because the server refused it."""

    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PongMissing(Notice):
    """The server lives but did not answer the documented ``ping`` within ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeated(Notice):
    """The server sent a message twice over one connection; the repetition is no event, only this notice."""

    event: Event


@dataclass(frozen=True, slots=True)
class Dropped(Notice):
    """The reader was too slow for the buffer (``DROP_OLDEST``): ``count`` items were thrown away here."""

    count: int


StreamItem = Event | Notice


@dataclass(frozen=True, slots=True)
class WireLine:
    """One line for the wire log: a frame that went ``in`` or ``out``, or a ``note``; tokens are hidden."""

    direction: Literal["in", "out", "note"]
    text: str


def read_event(
    text: str,
    *,
    received_at: float,
    at: datetime,
    is_recovered: bool = False,
    is_v2: bool = False,
    connection: int = 0,
) -> Event:
    """Make an event of any text a server can send; never raises."""
    raw, complaint = _read_object(text)
    name = raw.get("event")
    frame = None
    if not complaint:
        frame = decode_server_frame_v2(raw) if is_v2 else decode_server_frame(raw)
        explain = explain_server_frame_v2 if is_v2 else explain_server_frame
        complaint = explain(raw) if frame is None else _complain(frame)
    return Event(
        name=name if isinstance(name, str) else "",
        conversation_id=_conversation_id(raw),
        frame=frame,
        raw=raw,
        text=text,
        received_at=received_at,
        at=at,
        complaint=complaint,
        is_recovered=is_recovered,
        connection=connection,
        is_v2=is_v2,
    )


def binary_event(data: bytes, *, received_at: float, at: datetime, connection: int = 0) -> Event:
    """Make an event of a binary frame, which the contract does not know."""
    complaint = f"a binary frame of {len(data)} bytes; the contract knows text frames only"
    text = data.decode("utf-8", "backslashreplace")
    return Event(
        "",
        None,
        None,
        {},
        text,
        received_at=received_at,
        at=at,
        complaint=complaint,
        connection=connection,
    )


def is_utc_time(text: str) -> bool:
    """Tell whether a text is an RFC 3339 time in UTC, as the document writes it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text.upper() and moment.utcoffset() == timedelta(0)


def read_time(text: object) -> datetime | None:
    """Read a timestamp of a foreign server; one without a zone counts as UTC, nonsense as ``None``."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _complain(frame: Frame) -> str:
    if isinstance(frame, MessageNew | MessageNewV2) and not is_utc_time(frame.data.created_at):
        return f'data.created_at: "{frame.data.created_at[:40]}" is not an RFC 3339 UTC time'
    return ""


def _read_object(text: str) -> tuple[dict[str, Any], str]:
    """Parse strictly; where that fails, leniently, so that the broken frame can at least be shown."""
    complaint = ""
    try:
        value = parse_json(text)
    except ProtocolViolation as violation:
        complaint = violation.message
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return {}, complaint
    if not isinstance(value, dict):
        return {}, complaint or "expected a JSON object"
    return value, complaint


def _conversation_id(raw: dict[str, Any]) -> str | None:
    data = raw.get("data")
    inner = data.get("conversation_id") if isinstance(data, dict) else None
    for candidate in (raw.get("conversation_id"), inner):
        if isinstance(candidate, str) and candidate:
            return candidate
    return None
