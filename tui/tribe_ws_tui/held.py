"""``HeldRecord``: looks at one event of a store as if it were a record, and parses only what is asked for.

A filter asks most events for a name and is content; making a whole record of each would cost twenty times
that. One such view is moved from event to event: keep the record of ``CaptureStore.record``, never this.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tribe_ws.capture.record import Direction, Record, Timing
from tribe_ws.capture.violation import Violation
from tribe_ws_tui.event_store import CaptureStore, Kind


class HeldRecord(Record):
    """A window on the event of a store whose ``number`` was last given to ``look_at``."""

    __slots__ = ("_kind", "_store", "number")

    _kind: Kind
    _store: CaptureStore
    number: int

    def __init__(self, store: CaptureStore) -> None:
        object.__setattr__(self, "_store", store)
        object.__setattr__(self, "number", 0)

    def look_at(self, number: int) -> HeldRecord:
        """Move to another event, which must be held; gives itself."""
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "_kind", self._store.kind(number))
        return self

    @property
    def seq(self) -> int:
        """The event's number."""
        return self.number

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self._store.at(self.number)

    @property
    def direction(self) -> Direction:
        """Which way it went."""
        return self._kind.direction

    @property
    def event(self) -> str:
        """Its name."""
        return self._kind.event

    @property
    def text(self) -> str:
        """The raw frame, or the words of a note."""
        return self._store.text(self.number)

    @property
    def frame(self) -> Any:
        """The parsed frame."""
        return self._store.frame(self.number)

    @property
    def as_user(self) -> str:
        """Whose session saw it."""
        return self._kind.as_user

    @property
    def connection(self) -> str:
        """Which connection of that user it was."""
        return self._kind.connection

    @property
    def conversation_id(self) -> str | None:
        """The conversation's id."""
        return self._kind.conversation_id

    @property
    def conversation(self) -> str:
        """The conversation's readable name."""
        return self._kind.conversation

    @property
    def sender(self) -> str:
        """Who sent it."""
        return self._kind.sender

    @property
    def latency(self) -> float | None:
        """How long it took."""
        return self._store.latency(self.number)

    @property
    def timing(self) -> Timing:
        """How that is known."""
        return self._kind.timing

    @property
    def status(self) -> int | None:
        """The status of a REST call."""
        return self._kind.status

    @property
    def method(self) -> str:
        """The method of a REST call."""
        return self._kind.method

    @property
    def path(self) -> str:
        """The path of a REST call."""
        return self._kind.path

    @property
    def request(self) -> Any:
        """The body of a REST call."""
        return self._store.request(self.number)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is wrong with it."""
        return self._store.violations(self.number)

    @property
    def tags(self) -> frozenset[str]:
        """Its tags, the mark among them."""
        return self._store.tags(self.number)
