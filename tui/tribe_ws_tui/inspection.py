"""``Inspection``: what all sessions of one inspector share: the store, the recording, who got which message.

A message that one of our sessions sends and another of them receives has an exact latency, from the start of
the POST to the frame; whichever of the two is known last completes it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.capture.writer import CaptureError, CaptureWriter
from tribe_ws_tui.event_store import KEEP, CaptureStore

_MOST_SENDS = 2_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One session that received a message: which, how long it took, and the number of the event."""

    lane: str
    username: str
    latency: float | None
    number: int


class Inspection:
    """One store and one recording for all sessions; ``on_trouble`` hears once of a recording that broke."""

    def __init__(self, keep: int = KEEP, on_trouble: Callable[[CaptureError], None] | None = None) -> None:
        self.store = CaptureStore(keep)
        self.writer: CaptureWriter | None = None
        self._on_trouble = on_trouble
        self._posted: OrderedDict[str, float] = OrderedDict()
        self._arrived: OrderedDict[str, list[tuple[int, float]]] = OrderedDict()

    # ── capture ───────────────────────────────────────────────────────────────────────────────────────────

    def take(self, record: Record, *, monotonic: float | None = None, lane: str = "") -> Record:
        """Hold an event, write it into the recording, and give it as it is held.

        ``monotonic`` is when it arrived, or for a message that was posted when the POST began; ``lane`` is
        the label of the session it belongs to.
        """
        latency, timing = record.latency, record.timing
        message_id = message_id_of(record) if monotonic is not None else ""
        if message_id and monotonic is not None:
            measured = self._measured(record, message_id, monotonic)
            if measured is not None:
                latency, timing = measured, "measured"
        # One copy for everything: this runs for each of thousands of events a second.
        record = replace(
            record,
            seq=self.store.total + 1,
            connection=lane or record.connection,
            latency=latency,
            timing=timing,
        )
        number = self.store.append(record)
        if message_id and monotonic is not None and record.direction == "in":
            self._remember(self._arrived, message_id, [])
            self._arrived[message_id].append((number, monotonic))
        self.write(record)
        return record

    def deliveries(self, number: int) -> tuple[Delivery, ...]:
        """Tell which of our sessions received the message that an event posted."""
        record = self.store.record(number)
        message_id = message_id_of(record) if record is not None else ""
        if not message_id:
            return ()
        return tuple(
            Delivery(kind.connection, kind.as_user, self.store.latency(other), other)
            for other in self.store.about_message(message_id, number)
            if (kind := self.store.kind(other)).event == "message.new" and kind.direction == "in"
        )

    # ── recording ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_recording(self) -> bool:
        """Whether every event is written into a file."""
        return self.writer is not None and self.writer.is_open

    def start_recording(self, path: Path) -> None:
        """Write every event from now on into a file; raises ``CaptureError`` or ``OSError``."""
        self.stop_recording()
        self.writer = CaptureWriter(path)

    def stop_recording(self) -> CaptureWriter | None:
        """End the recording; gives the writer, which knows how much it wrote."""
        writer, self.writer = self.writer, None
        if writer is not None:
            writer.close()
        return writer

    def write(self, record: Record) -> None:
        """Write a record into the recording, if there is one; of a broken one is told once."""
        if self.writer is None:
            return
        try:
            self.writer.write(record)
        except CaptureError as error:
            if self._on_trouble is not None:
                self._on_trouble(error)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _measured(self, record: Record, message_id: str, monotonic: float) -> float | None:
        """Tell a delivery its exact latency, where its POST is known; a POST tells its deliveries theirs."""
        if record.direction == "rest":
            self._remember(self._posted, message_id, monotonic)
            for number, arrived_at in self._arrived.get(message_id, ()):
                self.store.measure(number, max(0.0, arrived_at - monotonic))
            return None
        began = self._posted.get(message_id)
        return None if began is None else max(0.0, monotonic - began)

    def _remember(self, book: OrderedDict[str, Any], message_id: str, value: Any) -> None:
        book.setdefault(message_id, value)
        while len(book) > _MOST_SENDS:
            book.popitem(last=False)


def message_id_of(record: Record) -> str:
    """Tell which message an event posted or delivered; empty where it is about none."""
    frame: Any = record.frame
    if not isinstance(frame, dict) or "gap" in record.tags:
        return ""
    if record.direction == "in" and record.event == "message.new":
        frame = frame.get("data")
    elif record.direction != "rest" or record.event != "POST message":
        return ""
    found = frame.get("id") if isinstance(frame, dict) else None
    return found if isinstance(found, str) else ""
