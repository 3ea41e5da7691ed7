"""What an actor sent and got, kept for the report of a failure: the last of it, made readable only then.

Everything that leaves here is a ``Record`` in which tokens, passwords and e-mail addresses are hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, assert_never

from tribe_ws.capture.record import Record
from tribe_ws.capture.redaction import redact_record
from tribe_ws.client.events import Event
from tribe_ws.protocol.codec import object_in
from tribe_ws.scenario.running.inbox import Ending

KEPT = 50
"""So many of the last entries are kept."""

LONGEST_SHOWN = 4_000
"""No text is shown longer."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the scenario calls the conversations and the people whose ids stand in frames."""

    conversations: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestCall:
    """One REST call and its answer."""

    method: str
    path: str
    request: Any
    status: int
    answer: Any
    seconds: float


Entry = tuple[datetime, "Event | RestCall | Ending | str | bytes"]


class Diary:
    """The last entries of one connection, or of an actor's REST calls; ``owner`` is its name in reports."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.count = 0
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def got(self, event: Event) -> None:
        """Keep a frame that came."""
        self._keep(event.at, event)

    def sent(self, frame: str | bytes) -> None:
        """Keep a frame that went out."""
        self._keep(datetime.now(UTC), frame)

    def called(self, call: RestCall) -> None:
        """Keep a REST call."""
        self._keep(datetime.now(UTC), call)

    def ended(self, ending: Ending) -> None:
        """Keep how the connection ended."""
        self._keep(datetime.now(UTC), ending)

    def records(self, labels: Labels, most: int = KEPT) -> tuple[Record, ...]:
        """Give the last entries as records, oldest first, without secrets."""
        first = self.count - len(self._entries) + 1
        numbered = list(enumerate(self._entries, first))[-most:]
        return tuple(self._record(number, entry, labels) for number, entry in numbered)

    def _keep(self, at: datetime, what: Event | RestCall | Ending | str | bytes) -> None:
        self._entries.append((at, what))
        self.count += 1

    def _record(self, number: int, entry: Entry, labels: Labels) -> Record:
        at, what = entry
        match what:
            case Event():
                record = record_of(what, labels)
            case RestCall():
                record = _rest_record(at, what, labels)
            case Ending():
                words = f"{'closed by us' if what.is_ours else 'ended'}: {what}"
                record = Record(0, at, "note", "closed", text=words)
            case str() | bytes():
                record = _sent_record(at, what, labels)
            case _:
                assert_never(what)
        return redact_record(replace(record, seq=number, as_user=self.owner))


def record_of(event: Event, labels: Labels) -> Record:
    """Make a record of a frame that came; secrets are still in it."""
    return Record(
        0,
        event.at,
        "in",
        event.name or "?",
        text=event.text[:LONGEST_SHOWN],
        frame=event.raw or None,
        conversation_id=event.conversation_id,
        conversation=labels.conversations.get(event.conversation_id or "", ""),
        sender=_sender(event, labels),
    )


def _sent_record(at: datetime, frame: str | bytes, labels: Labels) -> Record:
    if isinstance(frame, bytes):
        text = f"{len(frame)} bytes, binary: {frame[:100]!r}"
        return Record(0, at, "out", "raw", text=text)
    parsed = object_in(frame)
    found = parsed.get("conversation_id")
    conversation_id = found if isinstance(found, str) else None
    return Record(
        0,
        at,
        "out",
        str(parsed.get("event") or "raw"),
        text=frame[:LONGEST_SHOWN],
        frame=parsed or None,
        conversation_id=conversation_id,
        conversation=labels.conversations.get(conversation_id or "", ""),
    )


def _rest_record(at: datetime, call: RestCall, labels: Labels) -> Record:
    path = call.path
    for known, name in (*labels.conversations.items(), *labels.people.items()):
        path = path.replace(known, name)
    return Record(
        0,
        at,
        "rest",
        f"{call.method} {path}",
        text=_content(call.request),
        frame=call.answer,
        latency=call.seconds,
        status=call.status,
        method=call.method,
        path=call.path,
        request=call.request,
    )


def _sender(event: Event, labels: Labels) -> str:
    sender = event.data.get("sender")
    user_id = sender.get("id") if isinstance(sender, dict) else event.data.get("user_id")
    return labels.people.get(user_id, "") if isinstance(user_id, str) else ""


def _content(request: Any) -> str:
    content = request.get("content") if isinstance(request, dict) else None
    return content if isinstance(content, str) else ""
